/* Erasure: the bytes go here and wherever copies are, nobody else may ask for it, and the home
 * hears who has done it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_world.h"
#include "lyceum/v1/node.pb-c.h"
#include "stream/erasure.h"

enum { MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

struct bench {
	struct fake_world *world;
	struct fake_node *hub;
	struct fake_node *wales;
	struct fake_node *cork;
	struct fake_client *root; /* in wales */
};

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->world = fake_world_new(1);
	bench->hub = fake_node_add(bench->world, "hub", NULL);
	bench->wales = fake_node_add(bench->world, "wales", bench->hub);
	bench->cork = fake_node_add(bench->world, "cork", bench->hub);
	bench->root = fake_client_add(bench->wales, "root");
	fake_pass(bench->world, 500);
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

static void post(struct bench *bench, const char *id, const char *text, int visibility,
		 const char *audience)
{
	fake_post(bench->root, 0, id, text, visibility, audience);
	fake_settle(bench->world);
}

static bool holds(const struct fake_node *node, const char *text)
{
	for (size_t i = 0; i < node->record_count; i++) {
		const struct buf *record = &node->records[i].record;
		if (record->len > 0 && memmem(record->data, record->len, text, strlen(text)))
			return true;
	}
	return false;
}

static void ask(struct fake_client *client, const char *subject, const char *about)
{
	Lyceum__V1__EraseRequest request = LYCEUM__V1__ERASE_REQUEST__INIT;
	uint8_t body[600];
	request.subject = (char *)(uintptr_t)subject;
	request.about = (char *)(uintptr_t)about;
	struct packet packet = {.kind = PACKET_CALL};
	packet.call = (struct packet_call){
		.id = 77,
		.method = fake_text("lyceum.v1.Node/Erase"),
		.body = span_of(body, lyceum__v1__erase_request__pack(&request, body)),
		.timeout_ms = 9000};
	fake_send(client, &packet);
}

/* NULL: refused, with that status. */
static Lyceum__V1__EraseReply *reply(struct fake_client *client, enum lyc_status *ret_status)
{
	const struct packet *packet;
	while ((packet = fake_next(client))) {
		if (packet->kind != PACKET_REPLY)
			continue;
		*ret_status = (enum lyc_status)packet->reply.status;
		return *ret_status == LYC_OK
			       ? lyceum__v1__erase_reply__unpack(NULL, packet->reply.body.len,
								 packet->reply.body.data)
			       : NULL;
	}
	fail_msg("no reply");
	return NULL;
}

static enum lyc_status refusal(struct bench *bench, struct fake_client *client)
{
	enum lyc_status status = LYC_OK;
	fake_pass(bench->world, 4000);
	assert_null(reply(client, &status));
	return status;
}

#define SUBJECT "lyceum.notice.v1.Notice.wales.a"

static void test_erase_takes_the_bytes_everywhere(void **state)
{
	struct bench *bench = *state;
	post(bench, "a", "first words", MEMBERS, NULL);
	post(bench, "a", "second words", MEMBERS, NULL);
	post(bench, "b", "other words", MEMBERS, NULL);
	assert_true(holds(bench->hub, "first words") && holds(bench->cork, "second words"));
	ask(bench->root, SUBJECT, "");
	fake_pass(bench->world, 4000);
	struct fake_node *const all[] = {bench->hub, bench->wales, bench->cork};
	for (size_t i = 0; i < 3; i++) {
		assert_false(holds(all[i], "first words"));
		assert_false(holds(all[i], "second words"));
		assert_true(holds(all[i], "other words"));
	}
	/* A damaged record of before may not be healed from somewhere else; one of after may. */
	for (size_t i = 0; i < 3; i++) {
		const struct erasures *erasures = all[i]->daemon.stream.erasures;
		struct span origin = all[i] == bench->wales ? span_of(NULL, 0) : fake_text("wales");
		uint64_t last = all[i]->env.last_of(all[i], fake_text(SUBJECT));
		assert_true(erasures_covers(erasures, origin, fake_text(SUBJECT), last - 1));
		assert_false(erasures_covers(erasures, origin, fake_text(SUBJECT), last));
		assert_false(erasures_covers(erasures, fake_text("cork"), fake_text(SUBJECT), 1));
	}
	enum lyc_status status = LYC_OK;
	Lyceum__V1__EraseReply *told = reply(bench->root, &status);
	assert_non_null(told);
	assert_int_equal(told->n_erasure, 1);
	assert_string_equal(told->erasure[0]->subject, SUBJECT);
	assert_true(told->erasure[0]->is_done);
	assert_int_equal(told->erasure[0]->n_confirmed, 2);
	/* derry is a node of the hub that has never been there. */
	assert_int_equal(told->erasure[0]->n_waiting, 1);
	assert_string_equal(told->erasure[0]->waiting[0], "derry");
	lyceum__v1__erase_reply__free_unpacked(told, NULL);
}

static void test_erase_reaches_who_only_had_it_once(void **state)
{
	struct bench *bench = *state;
	post(bench, "a", "for cork once", AUDIENCE, "cork");
	post(bench, "a", "for nobody now", PRIVATE, NULL);
	post(bench, "a", "for nobody still", PRIVATE, NULL);
	assert_true(holds(bench->cork, "for cork once"));
	assert_true(holds(bench->hub, "for cork once")); /* the carrier */
	ask(bench->root, SUBJECT, "");
	fake_pass(bench->world, 4000);
	assert_false(holds(bench->cork, "for cork once"));
	assert_false(holds(bench->hub, "for cork once"));
	assert_false(holds(bench->wales, "for nobody"));
}

/* What is lost in a log cannot be found there: the files with the damaged bytes go, and nobody says
 * that all is gone while they lie there. */
static void test_erase_takes_what_is_damaged(void **state)
{
	struct bench *bench = *state;
	enum lyc_status status = LYC_OK;
	post(bench, "a", "first words", MEMBERS, NULL);
	bench->wales->keeps_damaged = true;
	ask(bench->root, SUBJECT, "");
	fake_pass(bench->world, 2000);
	assert_int_equal(bench->cork->forgot_damaged, 1);
	assert_int_equal(bench->hub->forgot_damaged, 1);
	assert_int_equal(bench->wales->forgot_damaged, 0);
	assert_true(erasures_are_due(bench->wales->daemon.stream.erasures));
	assert_false(erasures_are_due(bench->cork->daemon.stream.erasures));
	bench->wales->keeps_damaged = false;
	fake_pass(bench->world, 4000);
	assert_int_equal(bench->wales->forgot_damaged, 1);
	assert_false(erasures_are_due(bench->wales->daemon.stream.erasures));
	Lyceum__V1__EraseReply *told = reply(bench->root, &status);
	assert_non_null(told);
	assert_true(told->erasure[0]->is_done);
	assert_int_equal(told->erasure[0]->n_confirmed, 2);
	lyceum__v1__erase_reply__free_unpacked(told, NULL);
}

static void test_erase_of_what_never_left_waits_for_nobody(void **state)
{
	struct bench *bench = *state;
	post(bench, "a", "for nobody", PRIVATE, NULL);
	size_t before = bench->hub->record_count;
	ask(bench->root, SUBJECT, "");
	fake_pass(bench->world, 300);
	enum lyc_status status = LYC_OK;
	Lyceum__V1__EraseReply *told = reply(bench->root, &status);
	assert_non_null(told);
	assert_true(told->erasure[0]->is_done);
	assert_int_equal(told->erasure[0]->n_confirmed + told->erasure[0]->n_waiting, 0);
	assert_int_equal(bench->hub->record_count, before);
	lyceum__v1__erase_reply__free_unpacked(told, NULL);
}

static void test_erase_is_finished_by_who_was_away(void **state)
{
	struct bench *bench = *state;
	post(bench, "a", "some words", MEMBERS, NULL);
	bench->cork->is_refused = true;
	fake_cut(bench->cork);
	fake_pass(bench->world, 20000);
	bench->root = fake_client_add(bench->wales, "root");
	ask(bench->root, SUBJECT, "");
	fake_pass(bench->world, 4000);
	enum lyc_status status = LYC_OK;
	Lyceum__V1__EraseReply *told = reply(bench->root, &status);
	assert_int_equal(told->erasure[0]->n_confirmed, 1);
	assert_int_equal(told->erasure[0]->n_waiting, 2);
	lyceum__v1__erase_reply__free_unpacked(told, NULL);
	assert_true(holds(bench->cork, "some words"));
	/* It comes back, and the daemon begins again before it has done anything. */
	bench->cork->is_refused = false;
	for (int i = 0; i < 2000 && !bench->cork->removal; i++) {
		fake_tick(bench->world, 10);
		for (size_t n = 0; n < bench->world->node_count; n++) {
			struct fake_node *node = bench->world->nodes[n];
			fake_commit(node, SIZE_MAX);
			if (!node->removal || node != bench->cork)
				fake_serve(node, SIZE_MAX);
			while (fake_deliver_up(node) || fake_deliver_down(node))
				continue;
		}
	}
	assert_non_null(bench->cork->removal);
	fake_node_restart(bench->cork);
	assert_true(holds(bench->cork, "some words"));
	fake_pass(bench->world, 9000);
	assert_false(holds(bench->cork, "some words"));
	bench->root = fake_client_add(bench->wales, "root");
	ask(bench->root, SUBJECT, "");
	fake_pass(bench->world, 4000);
	told = reply(bench->root, &status);
	assert_int_equal(told->erasure[0]->n_confirmed, 2);
	lyceum__v1__erase_reply__free_unpacked(told, NULL);
}

static void test_erase_is_for_the_operator_of_the_home(void **state)
{
	struct bench *bench = *state;
	post(bench, "a", "some words", MEMBERS, NULL);
	struct fake_client *ann = fake_client_add(bench->wales, "ann");
	ask(ann, SUBJECT, "");
	assert_int_equal(refusal(bench, ann), LYC_PERMISSION_DENIED);
	struct fake_client *at_hub = fake_client_add(bench->hub, "root");
	ask(at_hub, SUBJECT, "");
	assert_int_equal(refusal(bench, at_hub), LYC_FAILED_PRECONDITION);
	assert_true(holds(bench->hub, "some words"));
	ask(bench->root, "lyceum.notice.v1.Notice.wales.z", "");
	assert_int_equal(refusal(bench, bench->root), LYC_NOT_FOUND);
	ask(bench->root, "lyceum.notice.v1.Notice.>", "");
	assert_int_equal(refusal(bench, bench->root), LYC_INVALID_ARGUMENT);
	ask(bench->root, "", "");
	assert_int_equal(refusal(bench, bench->root), LYC_INVALID_ARGUMENT);
	ask(bench->root, "", "nobody");
	assert_int_equal(refusal(bench, bench->root), LYC_NOT_FOUND);
}

static void test_erase_is_no_way_to_write_again_later(void **state)
{
	struct bench *bench = *state;
	post(bench, "a", "some words", MEMBERS, NULL);
	ask(bench->root, SUBJECT, "");
	fake_pass(bench->world, 4000);
	/* The same subject may be used again; what comes now stays, also over a new start. */
	bench->root = fake_client_add(bench->wales, "root");
	post(bench, "a", "new words", MEMBERS, NULL);
	fake_node_restart(bench->wales);
	fake_pass(bench->world, 5000);
	assert_true(holds(bench->wales, "new words"));
	assert_true(holds(bench->cork, "new words"));
	assert_false(holds(bench->cork, "some words"));
}

#define ERASE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ERASE_TEST(test_erase_takes_the_bytes_everywhere),
		ERASE_TEST(test_erase_reaches_who_only_had_it_once),
		ERASE_TEST(test_erase_takes_what_is_damaged),
		ERASE_TEST(test_erase_of_what_never_left_waits_for_nobody),
		ERASE_TEST(test_erase_is_finished_by_who_was_away),
		ERASE_TEST(test_erase_is_for_the_operator_of_the_home),
		ERASE_TEST(test_erase_is_no_way_to_write_again_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
