/* Why: traces over two hops, refusals of each kind, what became of a record, and who is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_world.h"
#include "lyceum/v1/why.pb-c.h"
#include "stream/record.h"

#define TRACE_ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define CHAIN "00-" TRACE_ID "-00f067aa0ba902b7-01"
#define READ "lyceum.notice.v1.Board/Read"
#define NOTICE "lyceum.notice.v1.Notice"

enum { PUBLIC = 1, MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

struct bench {
	struct fake_world *world;
	struct fake_node *hub;
	struct fake_node *wales;
	struct fake_node *cork;
	struct fake_client *board; /* at the hub */
	struct fake_client *ann;   /* at wales */
	struct fake_client *root;
	struct fake_client *hub_root;
	struct fake_client *cork_root;
};

static int start(void **state)
{
	static struct bench bench;
	bench.world = fake_world_new(1);
	bench.hub = fake_node_add(bench.world, "hub", NULL);
	bench.wales = fake_node_add(bench.world, "wales", bench.hub);
	bench.cork = fake_node_add(bench.world, "cork", bench.hub);
	bench.board = fake_board_add(bench.hub, "board");
	fake_pass(bench.world, 1000);
	bench.ann = fake_client_add(bench.wales, "ann");
	bench.root = fake_client_add(bench.wales, "root");
	bench.hub_root = fake_client_add(bench.hub, "root");
	bench.cork_root = fake_client_add(bench.cork, "root");
	*state = &bench;
	return 0;
}

static int stop(void **state)
{
	fake_world_free(((struct bench *)*state)->world);
	return 0;
}

/* ---- Words ---- */

static const struct packet *next_of(struct fake_client *client, enum packet_kind kind)
{
	const struct packet *packet;
	while ((packet = fake_next(client)) && packet->kind != kind)
		continue;
	if (!packet)
		fail_msg("'%s' at %s got no packet of kind %d", client->identity,
			 client->node->name, (int)kind);
	return packet;
}

static const struct packet *next_reply(struct fake_client *client)
{
	return next_of(client, PACKET_REPLY);
}

static void call_as(struct fake_client *client, uint64_t id, const char *method, const char *at,
		    struct span body, const char *trace, uint32_t timeout_ms)
{
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = id,
					 .method = fake_text(method),
					 .at = fake_text(at),
					 .body = body,
					 .timeout_ms = timeout_ms,
					 .trace = fake_text(trace)}};
	fake_send(client, &packet);
	fake_settle(client->node->world);
}

static void read_board(struct fake_client *client, uint64_t id, const char *trace)
{
	call_as(client, id, READ, "", span_of(NULL, 0), trace, 30000);
}

static void answer(struct bench *bench, uint32_t status)
{
	const struct packet *packet = next_of(bench->board, PACKET_CALL);
	struct packet reply = {.kind = PACKET_REPLY,
			       .reply = {.id = packet->call.id,
					 .status = status,
					 .text = fake_text("a sentence of the plugin")}};
	fake_send(bench->board, &reply);
	fake_settle(bench->world);
}

static struct Lyceum__V1__WhyReply *ask_at(struct fake_client *client, const char *at,
					   const char *id, enum lyc_status expected)
{
	struct Lyceum__V1__WhyRequest request = LYCEUM__V1__WHY_REQUEST__INIT;
	uint8_t body[600];
	request.id = (char *)(uintptr_t)id;
	size_t len = lyceum__v1__why_request__pack(&request, body);
	call_as(client, 77, "lyceum.v1.Node/Why", at, span_of(body, len), "", 5000);
	fake_pass(client->node->world, 300);
	const struct packet *packet = next_reply(client);
	if (packet->reply.status != expected)
		fail_msg("%s: status %u, %.*s", id, packet->reply.status,
			 (int)packet->reply.text.len, (const char *)packet->reply.text.data);
	if (expected != LYC_OK)
		return NULL;
	Lyceum__V1__WhyReply *reply = lyceum__v1__why_reply__unpack(NULL, packet->reply.body.len,
								    packet->reply.body.data);
	assert_non_null(reply);
	return reply;
}

/* Each of the texts has to stand in what is told. */
static void check_why(struct fake_client *client, const char *at, const char *id,
		      const char *const *texts)
{
	Lyceum__V1__WhyReply *reply = ask_at(client, at, id, LYC_OK);
	for (; *texts; texts++) {
		if (!strstr(reply->text, *texts))
			fail_msg("'%s' is not in:\n%s", *texts, reply->text);
	}
	lyceum__v1__why_reply__free_unpacked(reply, NULL);
}

#define check_why(client, at, id, ...)                                                             \
	check_why(client, at, id, (const char *const[]){__VA_ARGS__, NULL})

static uint64_t refusal_of_reply(struct fake_client *client, enum lyc_status status)
{
	const struct packet *packet = next_reply(client);
	assert_int_equal(packet->reply.status, status);
	assert_true(packet->reply.refusal > 0);
	return packet->reply.refusal;
}

static void check_refusal(struct fake_client *asks, uint64_t number, const char *rule,
			  const char *text)
{
	char id[40];
	snprintf(id, sizeof(id), "r%llu", (unsigned long long)number);
	check_why(asks, "", id, id, rule, text);
}

/* ---- Traces ---- */

static void test_why_tells_each_hop_of_a_trace(void **state)
{
	struct bench *bench = *state;
	read_board(bench->ann, 1, CHAIN);
	answer(bench, LYC_OK);
	Lyceum__V1__WhyReply *reply = ask_at(bench->root, "", TRACE_ID, LYC_OK);
	assert_int_equal(reply->n_hop, 2);
	assert_string_equal(reply->hop[0]->daemon, "wales");
	assert_string_equal(reply->hop[0]->parent, "00f067aa0ba902b7");
	assert_string_equal(reply->hop[0]->from, "ann");
	assert_string_equal(reply->hop[0]->to, "hub");
	assert_int_equal(reply->hop[0]->reason, LYCEUM__V1__HOP__REASON__HUB_FINDS);
	assert_string_equal(reply->hop[1]->daemon, "hub");
	assert_string_equal(reply->hop[1]->parent, reply->hop[0]->span);
	assert_string_equal(reply->hop[1]->from, "wales");
	assert_string_equal(reply->hop[1]->principal, "ann@wales");
	assert_string_equal(reply->hop[1]->to, "board");
	assert_int_equal(reply->hop[1]->reason, LYCEUM__V1__HOP__REASON__SERVED_HERE);
	assert_true(reply->hop[1]->has_ended);
	assert_int_equal(reply->n_asked, 1);
	assert_true(reply->asked[0]->has_answered);
	/* One hop a line, the second below the first. */
	assert_non_null(strstr(reply->text, "wales, 2023-"));
	assert_non_null(strstr(reply->text, "\n  hub, 2023-"));
	lyceum__v1__why_reply__free_unpacked(reply, NULL);
}

static void test_why_tells_a_trace_of_which_nothing_came_back(void **state)
{
	struct bench *bench = *state;
	read_board(bench->ann, 1, CHAIN);
	check_why(bench->ann, "", CHAIN, "it has not been answered yet", "hub, 2023-");
	answer(bench, LYC_NOT_FOUND);
	next_reply(bench->ann);
	check_why(bench->ann, "", TRACE_ID, "answered NOT_FOUND after");
	/* What a plugin says to its caller is between the two. */
	Lyceum__V1__WhyReply *reply = ask_at(bench->root, "", TRACE_ID, LYC_OK);
	assert_null(strstr(reply->text, "a sentence of the plugin"));
	lyceum__v1__why_reply__free_unpacked(reply, NULL);
}

static void test_why_says_which_daemon_is_silent(void **state)
{
	struct bench *bench = *state;
	read_board(bench->ann, 1, CHAIN);
	answer(bench, LYC_OK);
	next_reply(bench->ann);
	bench->wales->is_refused = true;
	fake_cut(bench->wales);
	fake_pass(bench->world, 2000);
	check_why(bench->root, "", TRACE_ID, "wales, 2023-", "hub was asked and did not answer",
		  "is down");
}

static void test_why_tells_people_of_their_own_calls_only(void **state)
{
	struct bench *bench = *state;
	read_board(bench->root, 1, CHAIN);
	answer(bench, LYC_OK);
	next_reply(bench->root);
	/* Not to a person, not to another node, not to somebody who knows only the number. */
	ask_at(bench->ann, "", TRACE_ID, LYC_NOT_FOUND);
	ask_at(bench->cork_root, "", TRACE_ID, LYC_NOT_FOUND);
	ask_at(bench->cork_root, "hub", TRACE_ID, LYC_NOT_FOUND);
	ask_at(bench->cork_root, "wales", TRACE_ID, LYC_NOT_FOUND);
	check_why(bench->root, "", TRACE_ID, "wales, 2023-", "hub, 2023-");
	check_why(bench->root, "hub", TRACE_ID, "hub, 2023-");
	check_why(bench->hub_root, "", TRACE_ID, "hub, 2023-");
}

static void test_why_does_not_keep_what_is_not_sampled(void **state)
{
	struct bench *bench = *state;
	read_board(bench->ann, 1, "00-" TRACE_ID "-00f067aa0ba902b7-00");
	answer(bench, LYC_OK);
	next_reply(bench->ann);
	ask_at(bench->root, "", TRACE_ID, LYC_NOT_FOUND);
}

static void test_why_tells_what_a_publish_became(void **state)
{
	struct bench *bench = *state;
	struct buf body = {0};
	fake_notice(&body, "wales", "1", "traced", MEMBERS, NULL);
	struct packet packet = {.kind = PACKET_PUBLISH,
				.publish = {.id = 1,
					    .subject = fake_text(NOTICE),
					    .body = span_of(body.data, body.len),
					    .durable = true,
					    .trace = fake_text(CHAIN)}};
	fake_send(bench->root, &packet);
	fake_pass(bench->world, 100);
	check_why(bench->root, "", TRACE_ID, "published " NOTICE ".wales.1", "it became record");
	check_why(bench->root, "", NOTICE ".wales.1", "What led to it: lyceum why " TRACE_ID);
	buf_fini(&body);
}

/* ---- Refusals ---- */

static void test_why_explains_a_schema_rule(void **state)
{
	struct bench *bench = *state;
	struct buf body = {0};
	char text[5100];
	memset(text, 'x', sizeof(text));
	buf_add_byte(&body, 10);
	buf_add_byte(&body, 0xec);
	buf_add_byte(&body, 0x27);
	buf_add(&body, text, 5100);
	/* The hub knows the type and refuses. */
	call_as(bench->hub_root, 1, READ, "", span_of(body.data, body.len), "", 1000);
	uint64_t number = refusal_of_reply(bench->hub_root, LYC_INVALID_ARGUMENT);
	check_refusal(bench->hub_root, number, "a rule of its schema (field text)",
		      "at most 5000 are allowed");
	buf_fini(&body);
}

static void test_why_explains_a_right(void **state)
{
	struct bench *bench = *state;
	fake_post(bench->ann, 1, "a", "text", MEMBERS, NULL);
	const struct packet *ack = next_of(bench->ann, PACKET_ACK);
	assert_int_equal(ack->ack.status, LYC_PERMISSION_DENIED);
	uint64_t number = ack->ack.refusal;
	check_refusal(bench->ann, number, "PERMISSION_DENIED, because of its right to do so",
		      "`publish` list");
	check_refusal(bench->root, number, "'ann' published", "for ann@wales");
}

static void test_why_explains_a_principal_and_a_link_and_nobody(void **state)
{
	struct bench *bench = *state;
	struct packet packet = {
		.kind = PACKET_CALL,
		.call = {.id = 1, .method = fake_text(READ), .principal = fake_text("bob@wales")}};
	fake_send(bench->ann, &packet);
	check_refusal(bench->ann, refusal_of_reply(bench->ann, LYC_PERMISSION_DENIED),
		      "for whom it may speak", "bob@wales");
	call_as(bench->hub_root, 2, "lyceum.nobody.v1.Nobody/Serve", "", span_of(NULL, 0), "",
		1000);
	check_refusal(bench->hub_root, refusal_of_reply(bench->hub_root, LYC_UNIMPLEMENTED),
		      "nobody who serves it", "nobody serves");
	bench->wales->is_refused = true;
	fake_cut(bench->wales);
	fake_pass(bench->world, 2000);
	read_board(bench->ann, 3, "");
	check_refusal(bench->ann, refusal_of_reply(bench->ann, LYC_UNAVAILABLE),
		      "a link that is down", "the link to the hub");
}

static void test_why_explains_a_deadline_and_a_callee_that_went_away(void **state)
{
	struct bench *bench = *state;
	call_as(bench->hub_root, 1, READ, "", span_of(NULL, 0), "", 50);
	fake_pass(bench->world, 200);
	check_refusal(bench->hub_root, refusal_of_reply(bench->hub_root, LYC_DEADLINE_EXCEEDED),
		      "its deadline", "did not answer in time");
	read_board(bench->hub_root, 2, "");
	struct packet bye = {.kind = PACKET_GOODBYE};
	fake_send(bench->board, &bye);
	fake_settle(bench->world);
	check_refusal(bench->hub_root, refusal_of_reply(bench->hub_root, LYC_UNAVAILABLE),
		      "a callee that went away", "'board' went away");
}

static void test_why_explains_credit(void **state)
{
	struct bench *bench = *state;
	/* What the callee has is full: its credit is what it said in Hello. */
	struct session *board = session_find(&bench->hub->daemon.sessions, FAKE_LISTENER,
					     fake_text(bench->board->routing_id));
	assert_non_null(board);
	board->call_credit = 10;
	read_board(bench->hub_root, 1, "");
	check_refusal(bench->hub_root, refusal_of_reply(bench->hub_root, LYC_UNAVAILABLE),
		      "because of credit", "is busy");
}

static void test_why_explains_an_expectation_a_home_and_a_subscription(void **state)
{
	struct bench *bench = *state;
	struct buf body = {0};
	fake_notice(&body, "wales", "1", "text", MEMBERS, NULL);
	struct packet packet = {.kind = PACKET_PUBLISH,
				.publish = {.id = 1,
					    .subject = fake_text(NOTICE),
					    .body = span_of(body.data, body.len),
					    .durable = true,
					    .has_expect = true,
					    .expect_seq = 400}};
	fake_send(bench->root, &packet);
	fake_settle(bench->world);
	check_refusal(bench->root, next_of(bench->root, PACKET_ACK)->ack.refusal,
		      "the sequence that it expected", "FAILED_PRECONDITION");
	packet.publish.has_expect = false;
	fake_send(bench->cork_root, &packet);
	fake_settle(bench->world);
	check_refusal(bench->cork_root, next_of(bench->cork_root, PACKET_ACK)->ack.refusal,
		      "the home of its key", "has its home at 'wales'");
	packet = (struct packet){.kind = PACKET_SUBSCRIBE,
				 .subscribe = {.id = 1, .pattern = fake_text("a..b")}};
	fake_send(bench->ann, &packet);
	check_refusal(bench->ann, next_of(bench->ann, PACKET_UNSUBSCRIBE)->unsubscribe.refusal,
		      "'ann' subscribed to a..b", "the pattern is not valid");
	buf_fini(&body);
}

static void test_why_lists_the_last_refusals(void **state)
{
	struct bench *bench = *state;
	for (uint64_t i = 1; i <= 30; i++) {
		call_as(bench->hub_root, i, "lyceum.nobody.v1.Nobody/Serve", "", span_of(NULL, 0),
			"", 1000);
		next_reply(bench->hub_root);
	}
	Lyceum__V1__WhyReply *reply = ask_at(bench->hub_root, "", "", LYC_OK);
	assert_int_equal(reply->n_hop, 20);
	assert_int_equal(reply->hop[19]->refusal, reply->hop[0]->refusal + 19);
	lyceum__v1__why_reply__free_unpacked(reply, NULL);
	reply = ask_at(bench->cork_root, "hub", "", LYC_OK);
	assert_int_equal(reply->n_hop, 0);
	lyceum__v1__why_reply__free_unpacked(reply, NULL);
	ask_at(bench->root, "", "r999999", LYC_NOT_FOUND);
	ask_at(bench->root, "", "a b", LYC_INVALID_ARGUMENT);
}

static void test_why_explains_a_copy_that_the_hub_does_not_take(void **state)
{
	struct bench *bench = *state;
	struct record record = {.origin = fake_text("cork"),
				.epoch = 1,
				.origin_seq = 1,
				.subject = fake_text("lyceum.notice.v1.Remark.x"),
				.principal = fake_text("eve@cork"),
				.label = span_of("\x10\x02", 2)};
	struct buf bytes = {0};
	struct buf frame = {0};
	char id[40];
	record_write(&bytes, &record);
	packet_write_copy(&frame, span_of(bytes.data, bytes.len));
	snprintf(id, sizeof(id), "wales#%u", bench->wales->connection);
	daemon_frame(&bench->hub->daemon, FAKE_LISTENER, fake_text(id), "wales", -1,
		     span_of(frame.data, frame.len));
	check_why(bench->hub_root, "", "",
		  "'wales' published lyceum.notice.v1.Remark.x for eve@cork",
		  "not a record that this peer may send");
	buf_fini(&bytes);
	buf_fini(&frame);
}

/* ---- Records ---- */

static void test_why_tells_how_far_a_record_has_come(void **state)
{
	struct bench *bench = *state;
	char id[60];
	fake_post(bench->root, 1, "1", "for all", MEMBERS, NULL);
	fake_pass(bench->world, 3000);
	uint64_t seq = next_of(bench->root, PACKET_ACK)->ack.seq;
	snprintf(id, sizeof(id), "wales/%llu/%llu", (unsigned long long)bench->wales->epoch,
		 (unsigned long long)seq);
	check_why(bench->root, "", id, "Record wales/", NOTICE ".wales.1",
		  "Its home is wales, here.", "every node of the network",
		  "the last record of its subject", "hub has it", "cork has it (as 'hub' says)",
		  "derry has not confirmed it yet: it has not been connected");
	/* Another node may see it, and is told no more than that. */
	Lyceum__V1__WhyReply *reply = ask_at(bench->cork_root, "hub", id, LYC_OK);
	assert_int_equal(reply->record->n_reach, 0);
	assert_int_equal(reply->record->n_passed, 0);
	lyceum__v1__why_reply__free_unpacked(reply, NULL);
	check_why(bench->cork_root, "", id, "of the log of cork", "Its home is wales.");

	bench->wales->is_refused = true;
	fake_cut(bench->wales);
	fake_pass(bench->world, 2000);
	fake_post(bench->root, 2, "1", "for all, later", MEMBERS, NULL);
	fake_settle(bench->world);
	check_why(bench->root, "", id, "It was superseded: record");
	check_why(bench->root, "", NOTICE ".wales.1",
		  "hub has not confirmed it yet: the link has been down for",
		  "hub was asked and did not answer");
	fake_remove(bench->root, 3, "1");
	fake_settle(bench->world);
	check_why(bench->root, "", id, "Its subject was withdrawn by record");
	check_why(bench->root, "", NOTICE ".wales.1", "It withdraws its subject");
}

static void test_why_keeps_a_private_record_at_its_home(void **state)
{
	struct bench *bench = *state;
	fake_post(bench->root, 1, "p", "private", PRIVATE, NULL);
	fake_post(bench->root, 2, "c", "for cork", AUDIENCE, "cork");
	fake_pass(bench->world, 3000);
	check_why(bench->root, "", NOTICE ".wales.p", "it never leaves it (PRIVATE)",
		  "hub does not get it: its label is private to its home");
	check_why(bench->ann, "", NOTICE ".wales.p", "(PRIVATE)");
	check_why(bench->root, "", NOTICE ".wales.c", "wales and cork only (AUDIENCE)",
		  "it carries it for others", "derry does not get it: its label names others only");
	/* From elsewhere: as if there were none, word by word. */
	char texts[2][300];
	static const char *const ids[] = {NOTICE ".wales.p", NOTICE ".wales.q"};
	for (size_t i = 0; i < 2; i++) {
		struct Lyceum__V1__WhyRequest request = LYCEUM__V1__WHY_REQUEST__INIT;
		uint8_t body[200];
		request.id = (char *)(uintptr_t)ids[i];
		size_t len = lyceum__v1__why_request__pack(&request, body);
		call_as(bench->cork_root, 5, "lyceum.v1.Node/Why", "wales", span_of(body, len), "",
			1000);
		const struct packet *packet = next_reply(bench->cork_root);
		assert_int_equal(packet->reply.status, LYC_NOT_FOUND);
		assert_int_equal(packet->reply.refusal, 0);
		snprintf(texts[i], sizeof(texts[i]), "%.*s", (int)packet->reply.text.len,
			 (const char *)packet->reply.text.data);
		*strstr(texts[i], ids[i]) = '?';
		strstr(texts[i], "wales.")[6] = '?';
	}
	assert_string_equal(texts[0], texts[1]);
}

static void test_why_tells_which_followers_have_passed(void **state)
{
	struct bench *bench = *state;
	fake_subscribe(bench->root, &(struct packet_subscribe){.id = 9,
							       .pattern = fake_text(NOTICE ".>"),
							       .durable = fake_text("mine"),
							       .credit = 1});
	fake_post(bench->root, 1, "1", "for all", MEMBERS, NULL);
	fake_post(bench->root, 2, "2", "for all", MEMBERS, NULL);
	fake_pass(bench->world, 1000);
	check_why(bench->root, "", NOTICE ".wales.2",
		  "The durable subscriber 'mine' of 'root' has not come to it yet, ");
	struct packet packet = {.kind = PACKET_CREDIT, .credit = {.id = 9, .value = 10000}};
	fake_send(bench->root, &packet);
	fake_pass(bench->world, 1000);
	uint64_t seq = bench->wales->daemon.stream.last_seq;
	packet = (struct packet){.kind = PACKET_CONSUMED, .consumed = {.id = 9, .value = seq}};
	fake_send(bench->root, &packet);
	check_why(bench->root, "", NOTICE ".wales.2",
		  "The durable subscriber 'mine' of 'root' has passed it.");
	/* It goes, and comes back; then its name is given up. */
	packet = (struct packet){.kind = PACKET_UNSUBSCRIBE, .unsubscribe = {.id = 9}};
	fake_send(bench->root, &packet);
	fake_post(bench->root, 3, "3", "for all", MEMBERS, NULL);
	fake_pass(bench->world, 100);
	check_why(bench->root, "", NOTICE ".wales.3",
		  "'mine' of 'root' has not come to it yet and is not connected, 1 record behind");
	fake_subscribe(bench->root, &(struct packet_subscribe){.id = 10,
							       .pattern = fake_text(NOTICE ".>"),
							       .durable = fake_text("mine"),
							       .credit = 100000});
	fake_pass(bench->world, 100);
	packet = (struct packet){.kind = PACKET_UNSUBSCRIBE,
				 .unsubscribe = {.id = 10, .forget = true}};
	fake_send(bench->root, &packet);
	fake_pass(bench->world, 100);
	Lyceum__V1__WhyReply *reply = ask_at(bench->root, "", NOTICE ".wales.3", LYC_OK);
	assert_int_equal(reply->record->n_passed, 0);
	lyceum__v1__why_reply__free_unpacked(reply, NULL);
}

int main(void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown(name_, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(test_why_tells_each_hop_of_a_trace),
		TEST(test_why_tells_a_trace_of_which_nothing_came_back),
		TEST(test_why_says_which_daemon_is_silent),
		TEST(test_why_tells_people_of_their_own_calls_only),
		TEST(test_why_does_not_keep_what_is_not_sampled),
		TEST(test_why_tells_what_a_publish_became),
		TEST(test_why_explains_a_schema_rule),
		TEST(test_why_explains_a_right),
		TEST(test_why_explains_a_principal_and_a_link_and_nobody),
		TEST(test_why_explains_a_deadline_and_a_callee_that_went_away),
		TEST(test_why_explains_credit),
		TEST(test_why_explains_an_expectation_a_home_and_a_subscription),
		TEST(test_why_lists_the_last_refusals),
		TEST(test_why_explains_a_copy_that_the_hub_does_not_take),
		TEST(test_why_tells_how_far_a_record_has_come),
		TEST(test_why_keeps_a_private_record_at_its_home),
		TEST(test_why_tells_which_followers_have_passed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
