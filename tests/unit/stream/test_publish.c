/* The way of a publish: what is refused and why, what is acknowledged and when, and who is told
 * when a label narrows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/pb.h"
#include "fake_world.h"

enum { PUBLIC = 1, MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

static const char notice[] = "lyceum.notice.v1.Notice";

struct bench {
	struct fake_world *world;
	struct fake_node *node;
	struct fake_client *root;
};

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->world = fake_world_new(1);
	bench->node = fake_node_add(bench->world, "hub", NULL);
	bench->root = fake_client_add(bench->node, "root");
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

static void expect_ack(struct fake_client *client, uint64_t id, enum lyc_status status,
		       uint64_t seq)
{
	const struct packet *packet = fake_expect(client, PACKET_ACK);
	assert_int_equal(packet->ack.id, id);
	assert_int_equal(packet->ack.status, status);
	assert_true(status == LYC_OK || packet->ack.text.len > 0);
	if (status == LYC_OK)
		assert_int_equal(packet->ack.seq, seq);
}

/* A Notice whose body names this home and id, published to this subject. */
static void publish(struct fake_client *client, const char *subject, const char *home,
		    int visibility, struct packet_publish publish)
{
	struct buf body = {0};
	struct packet packet = {.kind = PACKET_PUBLISH};
	fake_notice(&body, home, "1", "text", visibility, NULL);
	packet.publish = publish;
	packet.publish.id = 9;
	packet.publish.subject = fake_text(subject);
	packet.publish.durable = true;
	if (!publish.body.data && !publish.remove)
		packet.publish.body = span_of(body.data, body.len);
	fake_send(client, &packet);
	buf_fini(&body);
}

static void test_publish_is_acknowledged_after_the_disk_has_it(void **state)
{
	struct bench *bench = *state;
	fake_post(bench->root, 1, "a", "one", MEMBERS, NULL);
	fake_post(bench->root, 2, "b", "two", MEMBERS, NULL);
	fake_expect_nothing(bench->root);
	fake_commit(bench->node, 1);
	daemon_turn(&bench->node->daemon);
	expect_ack(bench->root, 1, LYC_OK, 1);
	fake_expect_nothing(bench->root);
	fake_settle(bench->world);
	expect_ack(bench->root, 2, LYC_OK, 2);
	bench->node->append_status = LYC_RESOURCE_EXHAUSTED;
	fake_post(bench->root, 3, "c", "three", MEMBERS, NULL);
	fake_settle(bench->world);
	expect_ack(bench->root, 3, LYC_RESOURCE_EXHAUSTED, 0);
	/* Nobody asked to hear of this one. */
	bench->node->append_status = LYC_OK;
	fake_post(bench->root, 0, "d", "four", MEMBERS, NULL);
	fake_settle(bench->world);
	fake_expect_nothing(bench->root);
	assert_int_equal(bench->node->record_count, 3);
}

static void test_publish_becomes_a_record_of_its_home(void **state)
{
	struct bench *bench = *state;
	fake_post(bench->root, 1, "a b", "one", AUDIENCE, "cork");
	fake_settle(bench->world);
	struct record record = fake_record_at(bench->node, 0);
	assert_true(span_is(record.subject, "lyceum.notice.v1.Notice.hub.a%20b"));
	assert_int_equal(record.origin.len, 0);
	assert_true(span_is(record.principal, "hub"));
	assert_int_equal(record.time_ms, bench->node->env.wall_ms(bench->node));
	assert_int_equal(record.body_crc, crc32c(0, record.body.data, record.body.len));
	assert_true(record.schema == schema_id(bench->world->schema));
	struct label label;
	assert_int_equal(label_read(record.label, &label), LYC_OK);
	assert_int_equal(label.visibility, AUDIENCE);
	assert_true(span_is(label.audience[0], "cork"));
	assert_int_equal(record.former.len, 0);
	/* Without a label of its own, a type that has one is private. */
	fake_post(bench->root, 2, "b", "two", 0, NULL);
	fake_settle(bench->world);
	record = fake_record_at(bench->node, 1);
	assert_int_equal(label_read(record.label, &label), LYC_OK);
	assert_int_equal(label.visibility, PRIVATE);
}

static void test_publish_refuses_what_cannot_be(void **state)
{
	struct bench *bench = *state;
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	static const struct {
		const char *subject;
		const char *home;
		enum lyc_status status;
	} cases[] = {
		{"lyceum.notice.v1.Notice.hub.1", "hub", LYC_OK},
		{"lyceum.notice.v1.Notice", "hub", LYC_OK},
		{"lyceum.notice.v1.Notice.hub.2", "hub", LYC_INVALID_ARGUMENT},
		{"lyceum.notice.v1.Notice.hub", "hub", LYC_INVALID_ARGUMENT},
		{"lyceum.notice.v1.Notice.hub.*", "hub", LYC_INVALID_ARGUMENT},
		{"", "hub", LYC_INVALID_ARGUMENT},
		{"lyceum.notice.v1.Unknown.x", "hub", LYC_NOT_FOUND},
		{"lyceum.notice.v1.Notice", "", LYC_INVALID_ARGUMENT},
	};
	uint64_t seq = 0;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		publish(bench->root, cases[i].subject, cases[i].home, MEMBERS,
			(struct packet_publish){0});
		fake_settle(bench->world);
		seq += cases[i].status == LYC_OK;
		expect_ack(bench->root, 9, cases[i].status, seq);
	}
	publish(bench->root, notice, "hub", MEMBERS,
		(struct packet_publish){.body = span_of("\x08\x01", 2)});
	expect_ack(bench->root, 9, LYC_INVALID_ARGUMENT, 0);
	publish(bench->root, notice, "hub", MEMBERS,
		(struct packet_publish){.principal = fake_text("eve@cork")});
	expect_ack(bench->root, 9, LYC_PERMISSION_DENIED, 0);
	publish(ann, notice, "hub", MEMBERS, (struct packet_publish){0});
	expect_ack(ann, 9, LYC_PERMISSION_DENIED, 0);
	publish(bench->root, "lyceum.notice.v1.Notice.hub.none", "hub", 0,
		(struct packet_publish){.remove = true});
	expect_ack(bench->root, 9, LYC_NOT_FOUND, 0);
	publish(bench->root, "lyceum.notice.v1.Notice.hub.1", "hub", 0,
		(struct packet_publish){.remove = true, .body = fake_text("x")});
	expect_ack(bench->root, 9, LYC_INVALID_ARGUMENT, 0);
	assert_int_equal(bench->node->record_count, seq);
}

/* The board says what it publishes, or is refused; then a Notice of its own. */
static void register_and_publish(struct bench *bench, struct fake_client *board,
				 const char *pattern, enum lyc_status registered,
				 enum lyc_status published)
{
	struct span service = fake_text("lyceum.notice.v1.Board");
	struct span publishes = fake_text(pattern ? pattern : "");
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){.id = 1,
					      .services = &service,
					      .service_count = 1,
					      .publishes = &publishes,
					      .publish_count = pattern ? 1 : 0};
	fake_send(board, &packet);
	assert_int_equal(fake_expect(board, PACKET_REGISTERED)->registered.status, registered);
	size_t before = bench->node->record_count;
	publish(board, notice, "hub", MEMBERS, (struct packet_publish){0});
	fake_settle(bench->world);
	assert_int_equal(fake_expect(board, PACKET_ACK)->ack.status, published);
	assert_int_equal(bench->node->record_count - before, published == LYC_OK);
}

static void test_publish_of_a_plugin_is_what_it_registered(void **state)
{
	struct bench *bench = *state;
	struct fake_client *board = fake_board_add(bench->node, "board");
	register_and_publish(bench, board, NULL, LYC_OK, LYC_PERMISSION_DENIED);
	/* The key tokens count, and are those of the body. */
	register_and_publish(bench, board, "lyceum.notice.v1.Notice.hub.2", LYC_OK,
			     LYC_PERMISSION_DENIED);
	register_and_publish(bench, board, notice, LYC_OK, LYC_PERMISSION_DENIED);
	register_and_publish(bench, board, "lyceum.notice.v1.Notice.hub.*", LYC_OK, LYC_OK);
	/* What is refused leaves what was registered before. */
	register_and_publish(bench, board, "lyceum..v1", LYC_INVALID_ARGUMENT, LYC_OK);
	register_and_publish(bench, board, NULL, LYC_OK, LYC_PERMISSION_DENIED);
}

static void test_publish_says_no_label_for_a_type_that_has_its_own(void **state)
{
	struct bench *bench = *state;
	publish(bench->root, notice, "hub", 0,
		(struct packet_publish){.label = span_of("\x10\x02", 2)});
	const struct packet *packet = fake_expect(bench->root, PACKET_ACK);
	assert_int_equal(packet->ack.status, LYC_INVALID_ARGUMENT);
	assert_true(span_is(packet->ack.text,
			    "the type lyceum.notice.v1.Notice says its own label in the field "
			    "'label'"));
	assert_int_equal(bench->node->record_count, 0);
}

static void test_publish_expectation_is_judged_by_the_log(void **state)
{
	struct bench *bench = *state;
	static const struct {
		uint64_t expect_seq;
		enum lyc_status status;
	} cases[] = {{1, LYC_FAILED_PRECONDITION},
		     {0, LYC_OK},
		     {0, LYC_FAILED_PRECONDITION},
		     {1, LYC_OK},
		     {2, LYC_OK},
		     {1, LYC_FAILED_PRECONDITION}};
	for (size_t i = 0; i < 6; i++)
		publish(bench->root, notice, "hub", MEMBERS,
			(struct packet_publish){.has_expect = true,
						.expect_seq = cases[i].expect_seq});
	fake_settle(bench->world);
	uint64_t seq = 0;
	for (size_t i = 0; i < 6; i++) {
		seq += cases[i].status == LYC_OK;
		expect_ack(bench->root, 9, cases[i].status, seq);
	}
}

static void test_publish_to_a_key_of_another_home_is_refused(void **state)
{
	struct bench *bench = *state;
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->node);
	struct fake_client *at_wales = fake_client_add(wales, "root");
	fake_post(at_wales, 1, "1", "theirs", MEMBERS, NULL);
	fake_pass(bench->world, 1000);
	assert_int_equal(bench->node->record_count, 1);
	publish(bench->root, notice, "wales", MEMBERS, (struct packet_publish){0});
	expect_ack(bench->root, 9, LYC_FAILED_PRECONDITION, 0);
	fake_node_restart(bench->node);
	struct fake_client *root = fake_client_add(bench->node, "root");
	publish(root, notice, "wales", MEMBERS, (struct packet_publish){0});
	expect_ack(root, 9, LYC_FAILED_PRECONDITION, 0);
}

/* A record that reaches fewer than the one before it says whom that one reached. */
static void test_publish_narrowing_remembers_the_former_label(void **state)
{
	struct bench *bench = *state;
	static const struct {
		int visibility;
		const char *audience;
		int former; /* 0: none */
	} steps[] = {{MEMBERS, NULL, 0},
		     {AUDIENCE, "cork", MEMBERS},
		     {AUDIENCE, "wales", AUDIENCE},
		     {PRIVATE, NULL, AUDIENCE},
		     {PRIVATE, NULL, 0},
		     {PUBLIC, NULL, 0},
		     {MEMBERS, NULL, 0},
		     {PRIVATE, NULL, MEMBERS}};
	/* With the disk keeping up, and with all of them under way at once. */
	for (int is_late = 0; is_late < 2; is_late++) {
		size_t first = bench->node->record_count;
		for (size_t i = 0; i < 8; i++) {
			fake_post(bench->root, 1, is_late ? "late" : "a", "text",
				  steps[i].visibility, steps[i].audience);
			if (!is_late)
				fake_settle(bench->world);
		}
		fake_settle(bench->world);
		for (size_t i = 0; i < 8; i++) {
			struct record record = fake_record_at(bench->node, first + i);
			struct label former = {0};
			if (record.former.len > 0)
				assert_int_equal(label_read(record.former, &former), LYC_OK);
			/* While others are under way it may say too much, never too little. */
			if (is_late && steps[i].former == 0)
				continue;
			if (is_late)
				assert_true(former.visibility > 0 &&
					    former.visibility <= steps[i].former);
			else
				assert_int_equal(former.visibility, steps[i].former);
		}
	}
}

/* What was under way and was not taken has not withdrawn anything. */
static void test_publish_narrowing_behind_a_refused_one_still_withdraws(void **state)
{
	struct bench *bench = *state;
	fake_post(bench->root, 1, "1", "open", MEMBERS, NULL);
	fake_settle(bench->world);
	publish(bench->root, notice, "hub", PRIVATE,
		(struct packet_publish){.has_expect = true, .expect_seq = 77});
	publish(bench->root, notice, "hub", PRIVATE, (struct packet_publish){0});
	fake_settle(bench->world);
	assert_int_equal(bench->node->record_count, 2);
	struct record record = fake_record_at(bench->node, 1);
	struct label former = {0};
	assert_int_equal(label_read(record.former, &former), LYC_OK);
	assert_int_equal(former.visibility, MEMBERS);
}

/* Two audiences, one after the other, and then nobody: either may have it by then. */
static void test_publish_narrowing_behind_two_audiences_withdraws_from_both(void **state)
{
	struct bench *bench = *state;
	fake_post(bench->root, 1, "a", "text", AUDIENCE, "cork");
	fake_post(bench->root, 2, "a", "text", AUDIENCE, "wales");
	fake_post(bench->root, 3, "a", "text", PRIVATE, NULL);
	fake_settle(bench->world);
	struct record record = fake_record_at(bench->node, 2);
	struct label former = {0};
	assert_int_equal(label_read(record.former, &former), LYC_OK);
	assert_int_equal(former.visibility, AUDIENCE);
	assert_int_equal(former.audience_count, 2);
	assert_true(span_is(former.audience[0], "cork"));
	assert_true(span_is(former.audience[1], "wales"));
}

static void test_publish_removal_reaches_whom_the_last_record_reached(void **state)
{
	struct bench *bench = *state;
	fake_post(bench->root, 1, "a", "text", AUDIENCE, "cork");
	fake_remove(bench->root, 2, "a");
	fake_settle(bench->world);
	struct record record = fake_record_at(bench->node, 1);
	struct label label = {0};
	assert_true(record.removed);
	assert_int_equal(record.body.len, 0);
	assert_int_equal(label_read(record.label, &label), LYC_OK);
	assert_int_equal(label.visibility, AUDIENCE);
	assert_true(span_is(label.audience[0], "cork"));
}

/* The label beside the body says who may see the record; whom it is about only the body says. */
static void test_publish_keeps_about_in_the_body_only(void **state)
{
	struct bench *bench = *state;
	struct buf body = {0};
	fake_notice(&body, "hub", "1", "text", 0, NULL);
	size_t label = pb_begin(&body, 4);
	pb_write_uint(&body, 2, AUDIENCE);
	pb_write_text(&body, 3, "cork");
	pb_write_text(&body, 4, "orcid 0000-0001");
	pb_end(&body, label);
	publish(bench->root, notice, "hub", 0,
		(struct packet_publish){.body = span_of(body.data, body.len)});
	fake_settle(bench->world);
	expect_ack(bench->root, 9, LYC_OK, 1);
	struct record record = fake_record_at(bench->node, 0);
	assert_null(memmem(record.label.data, record.label.len, "orcid", 5));
	assert_non_null(memmem(record.body.data, record.body.len, "orcid", 5));
	buf_fini(&body);
	/* A label that says only that is private, as before. */
	fake_notice(&body, "hub", "2", "text", 0, NULL);
	label = pb_begin(&body, 4);
	pb_write_text(&body, 4, "orcid 0000-0001");
	pb_end(&body, label);
	publish(bench->root, notice, "hub", 0,
		(struct packet_publish){.body = span_of(body.data, body.len)});
	fake_settle(bench->world);
	struct label kept;
	record = fake_record_at(bench->node, 1);
	assert_int_equal(label_read(record.label, &kept), LYC_OK);
	assert_int_equal(kept.visibility, PRIVATE);
	buf_fini(&body);
}

/* As if limits.publish_credit had been this when they said Hello. */
static void grant_much(struct bench *bench)
{
	list_each (node, &bench->node->daemon.sessions.all)
		list_entry(node, struct session, all)->publishes_granted = 64u << 20;
}

static void test_publish_bounds_labels(void **state)
{
	struct bench *bench = *state;
	grant_much(bench);
	for (uint32_t field = 3; field <= 4; field++) {
		struct buf body = {0};
		fake_notice(&body, "hub", "1", "text", 0, NULL);
		size_t label = pb_begin(&body, 4);
		for (int i = 0; i < 65; i++)
			pb_write_text(&body, field, "cork");
		pb_end(&body, label);
		publish(bench->root, notice, "hub", 0,
			(struct packet_publish){.body = span_of(body.data, body.len)});
		expect_ack(bench->root, 9, LYC_INVALID_ARGUMENT, 0);
		buf_fini(&body);
	}
	struct buf label = {0};
	uint8_t *about = mem_get(600000);
	pb_write_bytes(&label, 4, about, 600000);
	publish(bench->root, "lyceum.notice.v1.Remark", "hub", 0,
		(struct packet_publish){.body = span_of("\x0a\x01x", 3),
					.label = span_of(label.data, label.len)});
	expect_ack(bench->root, 9, LYC_INVALID_ARGUMENT, 0);
	free(about);
	buf_fini(&label);
}

/* What is acknowledged can travel: a body at its limit does, labels that would not fit beside it
 * are refused. */
static void test_publish_refuses_what_no_link_can_carry(void **state)
{
	struct bench *bench = *state;
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->node);
	grant_much(bench);
	fake_pass(bench->world, 100);
	char *text = mem_get(WIRE_MAX_BODY);
	memset(text, 'x', WIRE_MAX_BODY);
	for (int is_small = 0; is_small < 2; is_small++) {
		struct buf body = {0};
		/* Two labels of 40 KB: the former audience and the narrower one. */
		for (size_t i = 0; i < 2; i++) {
			buf_clear(&body);
			fake_notice(&body, "hub", is_small ? "small" : "large", "text", 0, NULL);
			size_t part = pb_begin(&body, 5);
			pb_write_bytes(&body, 1, text,
				       is_small || i == 0 ? 1000 : WIRE_MAX_BODY - 60000);
			pb_end(&body, part);
			size_t label = pb_begin(&body, 4);
			pb_write_uint(&body, 2, AUDIENCE);
			for (size_t k = i; k < 64; k++) {
				uint8_t entry[800];
				for (size_t at = 0; at < sizeof(entry); at += 4)
					memcpy(entry + at, "\xf0\x9f\x8c\x8d", 4);
				entry[3] = (uint8_t)(0x80 + k);
				pb_write_message(&body, 3, span_of(entry, sizeof(entry)));
			}
			pb_end(&body, label);
			publish(bench->root, notice, "hub", 0,
				(struct packet_publish){.body = span_of(body.data, body.len)});
			fake_settle(bench->world);
			const struct packet *packet = fake_expect(bench->root, PACKET_ACK);
			assert_int_equal(packet->ack.status,
					 is_small || i == 0 ? LYC_OK : LYC_INVALID_ARGUMENT);
		}
		buf_fini(&body);
	}
	free(text);
	fake_post(bench->root, 1, "after", "text", MEMBERS, NULL);
	fake_pass(bench->world, 3000);
	struct record last = fake_record_at(wales, wales->record_count - 1);
	assert_true(span_is(last.subject, "lyceum.notice.v1.Notice.hub.after"));
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_publish_is_acknowledged_after_the_disk_has_it),
		on_bench(test_publish_becomes_a_record_of_its_home),
		on_bench(test_publish_refuses_what_cannot_be),
		on_bench(test_publish_of_a_plugin_is_what_it_registered),
		on_bench(test_publish_says_no_label_for_a_type_that_has_its_own),
		on_bench(test_publish_expectation_is_judged_by_the_log),
		on_bench(test_publish_to_a_key_of_another_home_is_refused),
		on_bench(test_publish_narrowing_remembers_the_former_label),
		on_bench(test_publish_narrowing_behind_a_refused_one_still_withdraws),
		on_bench(test_publish_narrowing_behind_two_audiences_withdraws_from_both),
		on_bench(test_publish_removal_reaches_whom_the_last_record_reached),
		on_bench(test_publish_keeps_about_in_the_body_only),
		on_bench(test_publish_bounds_labels),
		on_bench(test_publish_refuses_what_no_link_can_carry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
