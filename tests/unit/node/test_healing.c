/*
 * Healing among peers that lie, answer twice, late or never. The hub's log is a real one in which a
 * record was damaged; its nodes' answers are made here, packet by packet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../store/temp_log.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "base/pb.h"
#include "fake_world.h"

#define MEMBERS 2
#define FIRST "00000000000000000001.log"
#define SECOND "the second of all that the hub has written"
#define MAX_LINES 8

struct net {
	struct fake_world *world;
	struct fake_node *hub;
	struct fake_node *wales;
	struct fake_node *cork;
	struct temp_log *disk; /* the hub's */
	struct log_heal *heals;
	enum lyc_status heal_status; /* the machine's answer, unless OK */
	size_t heal_count;
	size_t asked_wales;
	size_t asked_cork;
};

static struct net *net;

/* ---- the hub's disk ---- */

static void env_heal(void *world, struct log_heal *heal)
{
	(void)world;
	heal->next = net->heals;
	net->heals = heal;
	net->heal_count++;
}

static void env_lost(void *world, log_lost_fn on_lost, void *arg)
{
	(void)world;
	store_lost(net->disk->store, on_lost, arg);
}

static void serve_heals(void)
{
	while (net->heals) {
		struct log_heal *heal = net->heals;
		net->heals = heal->next;
		struct store_healed healed = {
			.seq = heal->seq,
			.subject = span_of(heal->subject.data, heal->subject.len),
			.record = span_of(heal->record.data, heal->record.len),
			.is_vouched = heal->is_vouched};
		heal->status = net->heal_status;
		if (heal->status == LYC_OK) {
			assert_int_equal(store_heal(net->disk->store, &healed, 1, NULL), LYC_OK);
			heal->status = healed.ret_status;
		}
		heal->on_done(heal);
	}
}

static void copy_disk(void)
{
	for (size_t i = 0; i < net->hub->record_count; i++) {
		const struct fake_record *record = &net->hub->records[i];
		struct store_item item = {
			.subject = span_of(record->subject.data, record->subject.len),
			.record = span_of(record->record.data, record->record.len)};
		assert_int_equal(store_append(net->disk->store, &item, 1, NULL), LYC_OK);
		assert_int_equal(item.ret_seq, i + 1);
	}
}

/* Change `len` bytes from this distance to the end of the text on, and look at what is lost. */
static void damage(const char *text, int from, size_t len)
{
	struct buf bytes = {0};
	temp_log_close(net->disk);
	temp_log_load(net->disk, FIRST, &bytes);
	uint8_t *at = memmem(bytes.data, bytes.len, text, strlen(text));
	assert_non_null(at);
	for (size_t i = 0; i < len; i++)
		at[(int)strlen(text) + from + (int)i] ^= 0x5a;
	temp_log_save(net->disk, FIRST, span_of(bytes.data, bytes.len));
	buf_fini(&bytes);
	temp_log_open(net->disk);
	daemon_damaged(&net->hub->daemon);
}

static size_t lost_count(void)
{
	struct store_stats stats;
	store_stats(net->disk->store, &stats);
	return (size_t)stats.lost_count;
}

/* ---- the nodes ---- */

/* Frames from the hub arrive, except those that ask for something lost; how many ask. */
static size_t count_wants(struct fake_node *node)
{
	struct buf bytes;
	struct frame_reader reader;
	struct packet packet;
	size_t count = 0;
	while (fake_frames_take(&node->down, &bytes)) {
		size_t before = count;
		frame_start(&reader, span_of(bytes.data, bytes.len));
		while (frame_next(&reader, &packet) == FRAME_PACKET)
			count += packet.kind == PACKET_WANT;
		if (count == before)
			daemon_frame(&node->daemon, PORT_UPLINK, span_of(NULL, 0), "hub", 7,
				     span_of(bytes.data, bytes.len));
		daemon_turn(&node->daemon);
		buf_fini(&bytes);
	}
	return count;
}

static void pass(uint64_t ms)
{
	struct fake_node *const all[] = {net->hub, net->wales, net->cork};
	for (uint64_t passed = 0; passed < ms; passed += 50) {
		fake_tick(net->world, 50);
		for (size_t i = 0; i < 3; i++) {
			(void)fake_commit(all[i], SIZE_MAX);
			(void)fake_serve(all[i], SIZE_MAX);
			daemon_turn(&all[i]->daemon);
			while (fake_deliver_up(all[i]))
				continue;
		}
		serve_heals();
		net->asked_wales += count_wants(net->wales);
		net->asked_cork += count_wants(net->cork);
	}
}

/* A frame of that node's connection. */
static void say(struct fake_node *node, struct span frame)
{
	char id[48];
	snprintf(id, sizeof(id), "%s#%u", node->name, node->connection);
	daemon_frame(&net->hub->daemon, FAKE_LISTENER, fake_text(id), node->name, 7, frame);
	daemon_turn(&net->hub->daemon);
}

static void give_bytes(struct fake_node *node, struct span record)
{
	struct buf records = {0};
	struct buf frame = {0};
	struct packet packet = {.kind = PACKET_FOUND};
	pb_write_message(&records, 1, record);
	packet.copy.records = span_of(records.data, records.len);
	packet_write(&frame, &packet);
	say(node, span_of(frame.data, frame.len));
	buf_fini(&records);
	buf_fini(&frame);
}

static void give(struct fake_node *node, const struct record *record)
{
	struct buf bytes = {0};
	record_write(&bytes, record);
	give_bytes(node, span_of(bytes.data, bytes.len));
	buf_fini(&bytes);
}

/* The copy that wales holds of the record with this text. */
static struct record copy_of(const char *text)
{
	struct record record = {0};
	for (size_t i = 0; i < net->wales->record_count; i++) {
		const struct buf *bytes = &net->wales->records[i].record;
		if (memmem(bytes->data, bytes->len, text, strlen(text)))
			assert_int_equal(record_read(span_of(bytes->data, bytes->len), &record),
					 LYC_OK);
	}
	assert_true(record.body.len > 0);
	return record;
}

static const char *fate_of(uint64_t seq)
{
	static struct lost_line lines[MAX_LINES];
	size_t count = healing_list(&net->hub->daemon, lines, MAX_LINES);
	for (size_t i = 0; i < count; i++) {
		if (lines[i].first_seq <= seq && seq <= lines[i].last_seq)
			return lines[i].text;
	}
	return "it is not lost";
}

static int setup(void **state)
{
	(void)state;
	net = mem_new(struct net);
	net->world = fake_world_new(1);
	net->hub = fake_node_add(net->world, "hub", NULL);
	net->wales = fake_node_add(net->world, "wales", net->hub);
	net->cork = fake_node_add(net->world, "cork", net->hub);
	fake_settle(net->world);
	struct fake_client *root = fake_client_add(net->hub, "root");
	fake_post(root, 1, "a", "the first of all that the hub has written", MEMBERS, NULL);
	fake_post(root, 2, "b", SECOND, MEMBERS, NULL);
	fake_post(root, 3, "c", "the third of all that the hub has written", MEMBERS, NULL);
	fake_pass(net->world, 3000);
	net->disk = temp_log_new(1u << 20);
	temp_log_open(net->disk);
	copy_disk();
	net->hub->daemon.env.heal = env_heal;
	net->hub->daemon.env.lost = env_lost;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	serve_heals();
	fake_world_free(net->world);
	temp_log_free(net->disk);
	free(net);
	return 0;
}

static void assert_healed(void)
{
	struct buf record = {0};
	const struct buf *before = &net->hub->records[1].record;
	assert_int_equal(lost_count(), 0);
	assert_int_equal(store_read_one(net->disk->store, 2, &record, NULL), LYC_OK);
	assert_int_equal(record.len, before->len);
	assert_memory_equal(record.data, before->data, before->len);
	assert_string_equal(fate_of(2), "it is not lost");
	buf_fini(&record);
}

static void assert_still_lost(const char *lie)
{
	struct buf record = {0};
	serve_heals();
	if (lost_count() == 0)
		fail_msg("%s was taken for the lost record", lie);
	assert_int_equal(store_read_one(net->disk->store, 2, &record, NULL), LYC_DATA_LOSS);
	buf_fini(&record);
}

/* ---- one peer that lies ---- */

/* The record with another text in its body, with everything that whoever makes it up can make fit.
 */
static void lie_body(struct record *record, struct buf *body, const char *text)
{
	buf_add(body, record->body.data, record->body.len);
	uint8_t *at = memmem(body->data, body->len, SECOND, strlen(SECOND));
	assert_non_null(at);
	memcpy(at, text, strlen(SECOND));
	record->body = span_of(body->data, body->len);
	record->body_crc = crc32c(0, body->data, body->len);
}

static void test_healing_takes_no_made_up_text_of_the_same_length(void **state)
{
	(void)state;
	struct buf body = {0};
	damage(SECOND, -1, 1);
	pass(100);
	assert_int_equal(net->asked_wales, 1);
	struct record lie = copy_of(SECOND);
	lie_body(&lie, &body, "QWERTZUIOPASDFGHJKLYXCVBNM QWERTZUIOPASDFG");
	/* As if from before there were seals. */
	lie.seal = 0;
	give(net->wales, &lie);
	assert_still_lost("a body without a seal");
	assert_string_equal(fate_of(2), "what 'wales' gave is not the record that was here");
	assert_false(temp_log_contains(net->disk, "QWERTZ"));
	/* Nothing more is taken from it for now. */
	struct record whole = copy_of(SECOND);
	give(net->wales, &whole);
	assert_still_lost("a second answer");
	/* And the other node has it whole. */
	pass(100);
	assert_int_equal(net->asked_cork, 1);
	assert_string_equal(fate_of(2),
			    "'wales' gave another record; 'cork' was asked and has not given it");
	give(net->cork, &whole);
	serve_heals();
	assert_healed();
	buf_fini(&body);
}

/* Two neighbours are damaged: the checksum of each still stands among what is left. */
static void test_healing_of_neighbours_looks_at_each_checksum(void **state)
{
	(void)state;
	struct buf body = {0};
	damage(SECOND, -1, 1);
	damage("the third of all that the hub has written", -2, 1);
	assert_int_equal(lost_count(), 2);
	pass(100);
	struct record lie = copy_of(SECOND);
	lie_body(&lie, &body, "QWERTZUIOPASDFGHJKLYXCVBNM QWERTZUIOPASDFG");
	lie.seal = 0;
	give(net->wales, &lie);
	assert_still_lost("a made up body");
	struct record whole = copy_of(SECOND);
	pass(100);
	give(net->cork, &whole);
	serve_heals();
	assert_int_equal(lost_count(), 1);
	buf_fini(&body);
}

static void test_healing_of_one_stretch_looks_at_each_checksum(void **state)
{
	(void)state;
	struct buf body = {0};
	const char *third = "the third of all that the hub has written";
	struct buf bytes = {0};
	temp_log_close(net->disk);
	temp_log_load(net->disk, FIRST, &bytes);
	uint8_t *at = memmem(bytes.data, bytes.len, SECOND, strlen(SECOND));
	at[3] ^= 1;
	at = memmem(bytes.data, bytes.len, third, strlen(third));
	at[3] ^= 1;
	temp_log_save(net->disk, FIRST, span_of(bytes.data, bytes.len));
	buf_fini(&bytes);
	temp_log_open(net->disk);
	daemon_damaged(&net->hub->daemon);
	assert_int_equal(lost_count(), 2);
	pass(100);
	struct record lie = copy_of(SECOND);
	lie_body(&lie, &body, "QWERTZUIOPASDFGHJKLYXCVBNM QWERTZUIOPASDFG");
	lie.seal = 0;
	give(net->wales, &lie);
	assert_still_lost("a made up body");
	assert_false(temp_log_contains(net->disk, "QWERTZ"));
	pass(2500);
	lie = copy_of(SECOND);
	give(net->cork, &lie);
	serve_heals();
	lie = copy_of(third);
	give(net->cork, &lie);
	serve_heals();
	assert_int_equal(lost_count(), 0);
	assert_healed();
	buf_fini(&body);
}

static void test_healing_takes_nothing_that_is_not_that_record(void **state)
{
	(void)state;
	static uint8_t much[1u << 20];
	damage(SECOND, -1, 1);
	pass(100);
	struct record whole = copy_of(SECOND);
	struct record lies[9];
	for (size_t i = 0; i < 9; i++)
		lies[i] = whole;
	lies[0].body_crc++;
	lies[1].origin = fake_text("cork");
	lies[2].origin_seq++;
	lies[3].epoch++;
	lies[4].subject = fake_text("lyceum.notice.v1.Notice.hub.c");
	lies[5].time_ms++;
	lies[6].body = span_of(much, sizeof(much));
	lies[6].body_crc = crc32c(0, much, sizeof(much));
	lies[7] = copy_of("the third of all");
	lies[8].removed = true;
	for (size_t i = 0; i < 9; i++) {
		char name[24];
		snprintf(name, sizeof(name), "lie %zu", i);
		for (int k = 0; k < 2; k++) {
			give(net->wales, &lies[i]);
			assert_still_lost(name);
			assert_non_null(strstr(fate_of(2), "wales"));
			lies[i].seal = 0;
			/* As in another round. */
			net->hub->daemon.healing.items[0].refused_turn = 0;
		}
	}
	give(net->wales, &whole);
	serve_heals();
	assert_healed();
}

static void test_healing_names_who_sends_what_is_no_record(void **state)
{
	(void)state;
	struct buf bytes = {0};
	damage(SECOND, -1, 1);
	pass(100);
	struct record whole = copy_of(SECOND);
	record_write(&bytes, &whole);
	/* Without its seal it is whole. */
	whole.seal = whole.mark = 0;
	struct buf unsealed = {0};
	record_write(&unsealed, &whole);
	for (size_t len = 0; len < unsealed.len; len++) {
		give_bytes(net->wales, span_of(bytes.data, len));
		assert_still_lost("half a record");
		net->hub->daemon.healing.items[0].refused_turn = 0;
	}
	buf_fini(&unsealed);
	give_bytes(net->wales, span_of(bytes.data, bytes.len / 2));
	assert_string_equal(fate_of(2), "'wales' gave what is no record");
	give(net->wales, &whole);
	serve_heals();
	assert_healed();
	buf_fini(&bytes);
}

/* A frame that ends too early ends the session, and the next one is asked. */
static void test_healing_goes_on_after_half_a_frame(void **state)
{
	(void)state;
	struct buf frame = {0};
	struct buf records = {0};
	struct buf bytes = {0};
	damage(SECOND, -1, 1);
	pass(100);
	struct record whole = copy_of(SECOND);
	record_write(&bytes, &whole);
	pb_write_message(&records, 1, span_of(bytes.data, bytes.len));
	struct packet packet = {.kind = PACKET_FOUND};
	packet.copy.records = span_of(records.data, records.len);
	packet_write(&frame, &packet);
	say(net->wales, span_of(frame.data, frame.len - 5));
	assert_still_lost("half a frame");
	pass(2500);
	assert_int_equal(net->asked_cork, 1);
	give(net->cork, &whole);
	serve_heals();
	assert_healed();
	buf_fini(&frame);
	buf_fini(&records);
	buf_fini(&bytes);
}

/* ---- several peers, and time ---- */

static void test_healing_takes_an_answer_once(void **state)
{
	(void)state;
	damage(SECOND, -1, 1);
	pass(100);
	struct record whole = copy_of(SECOND);
	give(net->wales, &whole);
	give(net->wales, &whole);
	assert_int_equal(net->heal_count, 1);
	serve_heals();
	assert_healed();
	give(net->wales, &whole);
	give(net->cork, &whole);
	assert_int_equal(net->heal_count, 1);
}

static void test_healing_asks_the_next_who_answers_for_one_that_never_does(void **state)
{
	(void)state;
	damage(SECOND, -1, 1);
	pass(1900);
	assert_int_equal(net->asked_wales, 1);
	assert_int_equal(net->asked_cork, 0);
	struct record whole = copy_of(SECOND);
	/* Nobody asked it. */
	give(net->cork, &whole);
	assert_still_lost("an answer without a question");
	pass(300);
	assert_int_equal(net->asked_cork, 1);
	give(net->cork, &whole);
	serve_heals();
	assert_healed();
}

static void test_healing_takes_what_comes_late(void **state)
{
	(void)state;
	damage(SECOND, -1, 1);
	pass(2500);
	assert_int_equal(net->asked_cork, 1);
	struct record whole = copy_of(SECOND);
	give(net->wales, &whole);
	serve_heals();
	assert_healed();
}

static void test_healing_asks_all_again_when_nobody_had_it(void **state)
{
	(void)state;
	damage(SECOND, -1, 1);
	pass(5000);
	assert_int_equal(net->asked_wales, 1);
	assert_int_equal(net->asked_cork, 1);
	pass(11 * 60 * 1000);
	assert_int_equal(net->asked_wales, 2);
	assert_int_equal(net->asked_cork, 2);
	assert_non_null(strstr(fate_of(2), "'cork' was asked and has not given it"));
}

/* A node that never says what it holds does not keep the hub from asking the others. */
static void test_healing_passes_by_a_node_that_is_not_ready(void **state)
{
	(void)state;
	struct link *link = links_find(&net->hub->daemon.links, "wales");
	link->is_followed = false;
	damage(SECOND, -1, 1);
	pass(100);
	assert_int_equal(net->asked_wales, 0);
	assert_int_equal(net->asked_cork, 1);
}

/* The disk is full: no fault of who gave it, and the record is asked for again. */
static void test_healing_blames_nobody_for_the_machine(void **state)
{
	(void)state;
	damage(SECOND, -1, 1);
	pass(100);
	struct record whole = copy_of(SECOND);
	net->heal_status = LYC_RESOURCE_EXHAUSTED;
	give(net->wales, &whole);
	serve_heals();
	assert_still_lost("nothing");
	assert_non_null(strstr(fate_of(2), "cannot be put back"));
	net->heal_status = LYC_OK;
	pass(31000);
	assert_int_equal(net->asked_wales, 2);
	give(net->wales, &whole);
	serve_heals();
	assert_healed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_healing_takes_no_made_up_text_of_the_same_length, setup, teardown),
		cmocka_unit_test_setup_teardown(test_healing_of_neighbours_looks_at_each_checksum,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_healing_of_one_stretch_looks_at_each_checksum,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_healing_takes_nothing_that_is_not_that_record,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_healing_names_who_sends_what_is_no_record,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_healing_goes_on_after_half_a_frame, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_healing_takes_an_answer_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_healing_asks_the_next_who_answers_for_one_that_never_does, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_healing_takes_what_comes_late, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_healing_asks_all_again_when_nobody_had_it,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_healing_passes_by_a_node_that_is_not_ready,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_healing_blames_nobody_for_the_machine, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
