/* One message to many readers: what is found out once for all of them gives nobody more, and nobody
 * less, than each would be given alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/pb.h"
#include "fake_world.h"
#include "lyceum/v1/config.pb-c.h"

enum { PUBLIC = 1, MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

/* ann is in the group hub/policy, eve and joe are in none; root is the operator, the hub itself.
 * Some have several connections; they subscribe in this order. */
enum { EVE, ANN, ANN_TOO, EVE_TOO, ROOT, JOE, ANN_AGAIN, PEER_COUNT };
static const char *const names[PEER_COUNT] = {"eve", "ann", "ann", "eve", "root", "joe", "ann"};

struct bench {
	struct fake_world *world;
	struct fake_node *node;
	struct fake_client *root;
	struct fake_client *peers[PEER_COUNT];
	unsigned number; /* of the last message */
};

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->world = fake_world_new(1);
	bench->node = fake_node_add(bench->world, "hub", NULL);
	policy_grant(&bench->node->daemon.policy, "eve", FAKE_KEY, ROLE_PERSON);
	policy_grant(&bench->node->daemon.policy, "joe", FAKE_KEY, ROLE_PERSON);
	bench->root = fake_client_add(bench->node, "root");
	for (size_t i = 0; i < PEER_COUNT; i++) {
		bench->peers[i] = fake_client_add(bench->node, names[i]);
		fake_subscribe(bench->peers[i],
			       &(struct packet_subscribe){.id = i * 1000,
							  .pattern = fake_text("lyceum.notice.>"),
							  .credit = 100000});
	}
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	fake_world_free(bench->world);
	free(bench);
	return 0;
}

/* A Notice with a number of its own as its id. */
static void write_notice(struct bench *bench, struct buf *to, int visibility, const char *audience)
{
	char id[16];
	snprintf(id, sizeof(id), "%u", ++bench->number);
	fake_notice(to, "wales", id, "text", visibility, audience);
}

static void publish(struct bench *bench, const struct buf *body)
{
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.subject = fake_text("lyceum.notice.v1.Notice"),
						 .body = span_of(body->data, body->len)};
	fake_send(bench->root, &packet);
}

static void send_labelled(struct bench *bench, int visibility, const char *audience)
{
	struct buf body = {0};
	write_notice(bench, &body, visibility, audience);
	publish(bench, &body);
	buf_fini(&body);
}

static void add_part(struct buf *to, const char *text, int visibility, const char *audience)
{
	size_t part = pb_begin(to, 5);
	pb_write_text(to, 1, text);
	size_t label = pb_begin(to, 2);
	pb_write_uint(to, 2, (uint64_t)visibility);
	pb_write_text(to, 3, audience);
	pb_end(to, label);
	pb_end(to, part);
}

/* Who gets the next message is listed: one letter for each peer, '-' for those who get none. */
static void expect_readers(struct bench *bench, const char *wanted)
{
	char got[PEER_COUNT + 1] = "";
	char subject[80];
	snprintf(subject, sizeof(subject), "lyceum.notice.v1.Notice.wales.%u", bench->number);
	for (size_t i = 0; i < PEER_COUNT; i++) {
		const struct packet *packet = fake_next(bench->peers[i]);
		got[i] = packet && packet->kind == PACKET_DELIVER ? names[i][0] : '-';
		if (got[i] != '-') {
			assert_int_equal(packet->deliver.id, i * 1000);
			assert_true(span_is(packet->deliver.subject, subject));
		}
		assert_null(packet ? fake_next(bench->peers[i]) : NULL);
	}
	assert_string_equal(got, wanted);
}

static bool holds(struct span bytes, const char *chars)
{
	return memmem(bytes.data, bytes.len, chars, strlen(chars)) != NULL;
}

static void test_outgoing_asks_each_message_anew_for_its_label(void **state)
{
	struct bench *bench = *state;
	send_labelled(bench, MEMBERS, NULL);
	expect_readers(bench, "eaaerja");
	send_labelled(bench, AUDIENCE, "hub/policy");
	expect_readers(bench, "-aa-r-a");
	send_labelled(bench, PUBLIC, NULL);
	expect_readers(bench, "eaaerja");
	send_labelled(bench, AUDIENCE, "eve@hub");
	expect_readers(bench, "e--er--");
	send_labelled(bench, AUDIENCE, "joe@hub");
	expect_readers(bench, "----rj-");
}

/* The label says whose it is: what wales keeps for itself is hidden from everybody here. */
static void test_outgoing_hides_what_another_home_keeps(void **state)
{
	struct bench *bench = *state;
	static const struct {
		int visibility;
		const char *readers;
	} cases[] = {{PRIVATE, "-------"}, {0, "-------"}, {MEMBERS, "eaaerja"}};
	for (size_t i = 0; i < 3; i++) {
		struct buf body = {0};
		write_notice(bench, &body, 0, NULL);
		size_t label = pb_begin(&body, 4);
		pb_write_text(&body, 1, "wales");
		pb_write_uint(&body, 2, (uint64_t)cases[i].visibility);
		pb_end(&body, label);
		publish(bench, &body);
		expect_readers(bench, cases[i].readers);
		buf_fini(&body);
	}
}

/* Everybody gets a body of their own rights, whoever was asked before them. */
static void test_outgoing_cuts_for_each_reader(void **state)
{
	struct bench *bench = *state;
	struct buf body = {0};
	write_notice(bench, &body, MEMBERS, NULL);
	add_part(&body, "open", MEMBERS, NULL);
	add_part(&body, "of the group", AUDIENCE, "hub/policy");
	add_part(&body, "of joe", AUDIENCE, "joe@hub");
	add_part(&body, "own", PRIVATE, NULL);
	publish(bench, &body);
	for (size_t i = 0; i < PEER_COUNT; i++) {
		const struct packet *packet = fake_expect(bench->peers[i], PACKET_DELIVER);
		struct span got = packet->deliver.body;
		assert_true(holds(got, "open"));
		assert_int_equal(holds(got, "of the group"), names[i][0] == 'a');
		assert_int_equal(holds(got, "of joe"), names[i][0] == 'j');
		assert_false(holds(got, "own"));
	}
	buf_fini(&body);
	/* Where nothing is hidden the next one is whole, byte for byte. */
	write_notice(bench, &body, MEMBERS, NULL);
	add_part(&body, "open", MEMBERS, NULL);
	publish(bench, &body);
	for (size_t i = 0; i < PEER_COUNT; i++) {
		const struct packet *packet = fake_expect(bench->peers[i], PACKET_DELIVER);
		assert_true(span_equal(packet->deliver.body, span_of(body.data, body.len)));
	}
	buf_fini(&body);
}

/* A part that everybody may see frees nobody of the label of the whole. */
static void test_outgoing_judges_the_whole_where_no_part_is_hidden(void **state)
{
	struct bench *bench = *state;
	struct buf body = {0};
	write_notice(bench, &body, AUDIENCE, "hub/policy");
	add_part(&body, "open", PUBLIC, NULL);
	publish(bench, &body);
	expect_readers(bench, "-aa-r-a");
	buf_fini(&body);
}

static void on_change(const struct grants *grants, enum policy_change change, void *arg)
{
	(void)grants;
	*(unsigned *)arg += change == POLICY_CHANGED;
}

/* Takes the rights over as the configuration of now has them; `grouped` is in the group. */
static void regroup(struct bench *bench, const char *grouped)
{
	static char *const persons[] = {"ann", "root", "eve", "joe"};
	char *group = (char *)(uintptr_t) "policy";
	Lyceum__V1__Config config = LYCEUM__V1__CONFIG__INIT;
	Lyceum__V1__PeerKey keys[4];
	Lyceum__V1__PeerKey *items[4];
	struct lyc_error error;
	unsigned count = 0;
	config.name = (char *)(uintptr_t) "hub";
	config.keys = items;
	config.n_keys = 2;
	for (size_t i = 0; i < 2; i++) {
		lyceum__v1__peer_key__init(&keys[i]);
		keys[i].name = persons[i];
		keys[i].public_key = (char *)(uintptr_t)FAKE_KEY;
		keys[i].role = i == 1 ? LYCEUM__V1__ROLE__OPERATOR : LYCEUM__V1__ROLE__PERSON;
		if (strcmp(persons[i], grouped) == 0) {
			keys[i].groups = &group;
			keys[i].n_groups = 1;
		}
		items[i] = &keys[i];
	}
	assert_int_equal(
		policy_update(&bench->node->daemon.policy, &config, on_change, &count, &error),
		LYC_OK);
	assert_int_equal(count, 1);
}

/* A group that somebody leaves, or comes into, while they are subscribed. */
static void test_outgoing_sees_groups_as_they_are_now(void **state)
{
	struct bench *bench = *state;
	send_labelled(bench, AUDIENCE, "hub/policy");
	expect_readers(bench, "-aa-r-a");
	regroup(bench, "nobody");
	send_labelled(bench, AUDIENCE, "hub/policy");
	expect_readers(bench, "----r--");
	regroup(bench, "ann");
	send_labelled(bench, AUDIENCE, "hub/policy");
	expect_readers(bench, "-aa-r-a");
}

/* Plugins hold what is for persons of this node; a person of the same name as nobody's does not. */
static void test_outgoing_tells_kinds_of_sessions_apart(void **state)
{
	struct bench *bench = *state;
	struct fake_client *board = fake_client_add(bench->node, "board");
	fake_subscribe(board, &(struct packet_subscribe){.id = 1,
							 .pattern = fake_text("lyceum.notice.>"),
							 .credit = 100000});
	struct buf body = {0};
	write_notice(bench, &body, 0, NULL);
	size_t label = pb_begin(&body, 4);
	pb_write_text(&body, 1, "wales");
	pb_write_uint(&body, 2, AUDIENCE);
	pb_write_text(&body, 3, "joe@hub");
	pb_end(&body, label);
	publish(bench, &body);
	/* The operator is the node, too, but no carrier. */
	expect_readers(bench, "-----j-");
	(void)fake_expect(board, PACKET_DELIVER);
	buf_fini(&body);
}

/* A withdrawal that is kept nowhere goes to whom the label beside it reaches. */
static void test_outgoing_judges_a_transient_withdrawal(void **state)
{
	struct bench *bench = *state;
	struct buf label = {0};
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.subject = fake_text("lyceum.notice.v1.Remark.1"),
						 .remove = true};
	fake_send(bench->root, &packet);
	for (size_t i = 0; i < PEER_COUNT; i++)
		(void)fake_expect(bench->peers[i], PACKET_DELIVER);
	pb_write_text(&label, 1, "wales");
	pb_write_uint(&label, 2, PRIVATE);
	packet.publish.label = span_of(label.data, label.len);
	fake_send(bench->root, &packet);
	for (size_t i = 0; i < PEER_COUNT; i++)
		fake_expect_nothing(bench->peers[i]);
	/* A label that cannot be read is refused. */
	packet.publish.label.len--;
	packet.publish.id = 5;
	fake_send(bench->root, &packet);
	assert_int_equal(fake_expect(bench->root, PACKET_ACK)->ack.status, LYC_INVALID_ARGUMENT);
	buf_fini(&label);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_outgoing_asks_each_message_anew_for_its_label),
		on_bench(test_outgoing_hides_what_another_home_keeps),
		on_bench(test_outgoing_cuts_for_each_reader),
		on_bench(test_outgoing_judges_the_whole_where_no_part_is_hidden),
		on_bench(test_outgoing_sees_groups_as_they_are_now),
		on_bench(test_outgoing_tells_kinds_of_sessions_apart),
		on_bench(test_outgoing_judges_a_transient_withdrawal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
