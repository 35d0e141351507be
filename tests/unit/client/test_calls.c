/* Calls: replies, streams, cancelling, deadlines, credit, and waiting within a callback. */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_daemon.h"
#include "io/clock.h"

#define METHOD "lyceum.echo.v1.Echo/Say"

/* What on_reply has been given, in order. */
struct replies {
	int count;
	int last_count;
	enum lyc_status status;
	char text[100];
	char bodies[100];
};

static void take_reply(const struct lyc_reply *reply, void *arg)
{
	struct replies *replies = arg;
	replies->count++;
	replies->last_count += !reply->more;
	replies->status = reply->status;
	snprintf(replies->text, sizeof(replies->text), "%s", reply->text);
	size_t len = strlen(replies->bodies);
	snprintf(replies->bodies + len, sizeof(replies->bodies) - len, "%.*s", (int)reply->body_len,
		 reply->body_len ? (const char *)reply->body : "");
}

static void answer_two(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	const struct packet_call *call = &fake_expect(daemon, PACKET_CALL)->call;
	fake_check(daemon, span_is(call->method, METHOD));
	fake_check(daemon, span_is(call->body, "question"));
	fake_check(daemon, span_is(call->at, "wales"));
	fake_check(daemon, span_is(call->principal, "ann@wales"));
	fake_check(daemon, span_is(call->idempotency_key, "once"));
	fake_check(daemon, call->timeout_ms > 2900 && call->timeout_ms <= 3000);
	fake_check(daemon, call->want_as_of && call->after_count == 1);
	fake_check(daemon, span_is(call->after[0].origin, "hub") && call->after[0].seq == 12);
	fake_reply(daemon, call->id, LYC_OK, "answer", false);
	call = &fake_expect(daemon, PACKET_CALL)->call;
	struct packet refusal = {.kind = PACKET_REPLY,
				 .reply = {.id = call->id,
					   .status = LYC_INVALID_ARGUMENT,
					   .text = span_of("the text is too long", 20),
					   .field = span_of("say.text", 8)}};
	fake_send(daemon, &refusal);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_call_waits_for_its_reply(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, answer_two, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_position after = {.origin = "hub", .epoch = 1, .seq = 12};
	struct lyc_call_options options = {.at = "wales",
					   .principal = "ann@wales",
					   .timeout_ms = 3000,
					   .want_as_of = true,
					   .idempotency_key = "once",
					   .after = &after,
					   .after_count = 1};
	uint8_t *body;
	size_t body_len;
	struct lyc_error error = {0};
	assert_int_equal(
		lyc_client_call(client, METHOD, "question", 8, &options, &body, &body_len, &error),
		LYC_OK);
	assert_int_equal(body_len, 6);
	assert_memory_equal(body, "answer", 6);
	free(body);
	assert_int_equal(lyc_client_call(client, METHOD, NULL, 0, NULL, &body, &body_len, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, "the text is too long");
	assert_string_equal(error.field, "say.text");
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void greet_only(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_call_refuses_what_cannot_be_sent(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, greet_only, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct replies replies = {0};
	uint8_t *big = calloc(1, WIRE_MAX_BODY + 1);
	assert_non_null(big);
	const struct lyc_call_options bad = {.principal = "\xff"};
	const struct lyc_call_options many = {.after_count = WIRE_MAX_POSITIONS + 1};
	assert_int_equal(
		lyc_client_call_start(client, "Say", "", 0, NULL, take_reply, &replies, NULL),
		LYC_INVALID_ARGUMENT);
	assert_int_equal(lyc_client_call_start(client, METHOD, big, WIRE_MAX_BODY + 1, NULL,
					       take_reply, &replies, NULL),
			 LYC_INVALID_ARGUMENT);
	/* As large as a body may be, but its packet exceeds all the credit there is. */
	assert_int_equal(lyc_client_call_start(client, METHOD, big, WIRE_MAX_BODY, NULL, take_reply,
					       &replies, NULL),
			 LYC_INVALID_ARGUMENT);
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "", 0, &bad, take_reply, &replies, NULL),
		LYC_INVALID_ARGUMENT);
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "", 0, &many, take_reply, &replies, NULL),
		LYC_INVALID_ARGUMENT);
	assert_int_equal(replies.count, 0);
	free(big);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void stream_three(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	uint64_t id = fake_expect(daemon, PACKET_CALL)->call.id;
	fake_reply(daemon, id, LYC_OK, "a", true);
	fake_reply(daemon, id, LYC_OK, "b", true);
	struct packet last = {.kind = PACKET_REPLY, .reply = {.id = id, .body = span_of("c", 1)}};
	fake_put(daemon, &last);
	/* Nobody waits for these. */
	fake_put(daemon, &last);
	last.reply.id = 12345;
	fake_put(daemon, &last);
	fake_flush(daemon);
	id = fake_expect(daemon, PACKET_CALL)->call.id;
	fake_reply(daemon, id, LYC_OK, "a", true);
	fake_check(daemon, fake_expect(daemon, PACKET_CANCEL)->cancel.id == id);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_call_gets_a_stream_in_order(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, stream_three, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct replies replies = {0};
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "", 0, NULL, take_reply, &replies, NULL),
		LYC_OK);
	fake_run_until(client, &replies.last_count, 1);
	assert_int_equal(replies.count, 3);
	assert_string_equal(replies.bodies, "abc");
	/* One that waits wants one reply. */
	uint8_t *body;
	size_t body_len;
	struct lyc_error error = {0};
	assert_int_equal(lyc_client_call(client, METHOD, "", 0, NULL, &body, &body_len, &error),
			 LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "lyc_client_call_start"));
	lyc_client_close(client);
	assert_int_equal(replies.count, 3);
	fake_daemon_stop(&daemon);
}

/* Of 100 bytes each, which count as 164, of a credit of 1,000: half of it is 4 replies. */
static void stream_with_credit(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	char body[101];
	memset(body, 'x', 100);
	body[100] = '\0';
	fake_greet(daemon);
	for (int round = 0; round < 2; round++) {
		const struct packet_call *call = &fake_expect(daemon, PACKET_CALL)->call;
		uint64_t id = call->id;
		fake_check(daemon, call->credit == 1000);
		for (int i = 0; i < 4; i++)
			fake_reply(daemon, id, LYC_OK, body, true);
		const struct packet_credit *credit = &fake_expect(daemon, PACKET_CREDIT)->credit;
		fake_check(daemon, credit->call == id && credit->id == 0);
		fake_check(daemon, credit->value == 4 * 164);
		fake_reply(daemon, id, LYC_OK, "", false);
	}
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_call_returns_the_credit_of_its_stream(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, stream_with_credit, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_call_options options = {.credit = 1000};
	struct replies replies = {0};
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "", 0, &options, take_reply, &replies, NULL),
		LYC_OK);
	fake_run_until(client, &replies.last_count, 1);
	assert_int_equal(replies.count, 5);
	/* And where the caller says when it has handled them. */
	uint64_t id;
	options.manual = true;
	memset(&replies, 0, sizeof(replies));
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "", 0, &options, take_reply, &replies, &id),
		LYC_OK);
	fake_run_until(client, &replies.count, 4);
	for (int i = 0; i < 4; i++)
		lyc_client_call_handled(client, id, 100);
	fake_run_until(client, &replies.last_count, 1);
	lyc_client_call_handled(client, id, 100);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void see_cancel(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	uint64_t id = fake_expect(daemon, PACKET_CALL)->call.id;
	fake_check(daemon, fake_expect(daemon, PACKET_CANCEL)->cancel.id == id);
	fake_reply(daemon, id, LYC_CANCELLED, "", false);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_call_is_cancelled_once(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, see_cancel, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct replies replies = {0};
	uint64_t id;
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "", 0, NULL, take_reply, &replies, &id),
		LYC_OK);
	lyc_client_cancel(client, id);
	lyc_client_cancel(client, id);
	fake_run_until(client, &replies.last_count, 1);
	assert_int_equal(replies.status, LYC_CANCELLED);
	lyc_client_cancel(client, id);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void never_answer(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	uint64_t id = fake_expect(daemon, PACKET_CALL)->call.id;
	fake_check(daemon, fake_expect(daemon, PACKET_CANCEL)->cancel.id == id);
	fake_expect(daemon, PACKET_CALL);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_call_ends_at_its_deadline_and_at_close(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, never_answer, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_call_options options = {.timeout_ms = 20};
	uint8_t *body;
	size_t body_len;
	struct lyc_error error = {0};
	uint64_t begun_ms = mono_ms();
	assert_int_equal(lyc_client_call(client, METHOD, "", 0, &options, &body, &body_len, &error),
			 LYC_DEADLINE_EXCEEDED);
	assert_true(mono_ms() - begun_ms >= 20);
	struct replies replies = {0};
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "", 0, NULL, take_reply, &replies, NULL),
		LYC_OK);
	lyc_client_close(client);
	assert_int_equal(replies.last_count, 1);
	assert_int_equal(replies.status, LYC_CANCELLED);
	fake_daemon_stop(&daemon);
}

#define CREDIT 300

static void give_little_credit(struct fake_daemon *daemon, void *arg)
{
	int *seen = arg;
	daemon->welcome.call_credit = CREDIT;
	fake_greet(daemon);
	size_t outstanding = 0;
	uint64_t ids[64];
	size_t lens[64];
	int first = 0;
	for (;;) {
		const struct packet *packet = fake_next(daemon, false);
		if (packet->kind == PACKET_GOODBYE)
			return;
		if (packet->kind == PACKET_CANCEL)
			continue;
		fake_check(daemon, packet->kind == PACKET_CALL && *seen < 64);
		ids[*seen] = packet->call.id;
		lens[*seen] = packet->len;
		outstanding += packet->len;
		fake_check(daemon, outstanding <= CREDIT);
		(*seen)++;
		/* Held back until the credit is nearly used up. */
		if (outstanding + packet->len > CREDIT || *seen == 20) {
			outstanding -= lens[first];
			fake_reply(daemon, ids[first++], LYC_OK, "r", false);
		}
	}
}

static void test_call_keeps_to_the_credit(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	int seen = 0;
	fake_daemon_start(&daemon, FAKE_ROUTER, give_little_credit, &seen);
	struct lyc_client *client = fake_open(&daemon);
	struct replies replies = {0};
	int started = 0;
	int refused = 0;
	while (started < 19) {
		enum lyc_status status = lyc_client_call_start(client, METHOD, "0123456789", 10,
							       NULL, take_reply, &replies, NULL);
		if (status == LYC_OK) {
			started++;
			continue;
		}
		assert_int_equal(status, LYC_RESOURCE_EXHAUSTED);
		refused++;
		int before = replies.count;
		fake_run_until(client, &replies.count, before + 1);
	}
	assert_true(refused > 0);
	/* A waiting call runs until there is credit. Its reply does not come, but that of one
	 * before it does. */
	struct lyc_call_options options = {.timeout_ms = 100};
	uint8_t *body;
	size_t body_len;
	struct lyc_error error = {0};
	assert_int_equal(lyc_client_call(client, METHOD, "0123456789", 10, &options, &body,
					 &body_len, &error),
			 LYC_DEADLINE_EXCEEDED);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
	assert_int_equal(seen, 20);
}

#define MANY 2000

static void answer_many(struct fake_daemon *daemon, void *arg)
{
	fake_greet(daemon);
	unsigned before = daemon->frame_count;
	for (int i = 0; i < MANY; i++) {
		const struct packet *packet = fake_expect(daemon, PACKET_CALL);
		struct packet reply = {.kind = PACKET_REPLY,
				       .reply = {.id = packet->call.id, .body = packet->call.body}};
		fake_put(daemon, &reply);
	}
	*(unsigned *)arg = daemon->frame_count - before;
	fake_flush(daemon);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_calls_share_frames(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	unsigned frame_count = 0;
	fake_daemon_start(&daemon, FAKE_ROUTER, answer_many, &frame_count);
	struct lyc_client *client = fake_open(&daemon);
	struct replies replies = {0};
	for (int i = 0; i < MANY; i++)
		assert_int_equal(lyc_client_call_start(client, METHOD, "x", 1, NULL, take_reply,
						       &replies, NULL),
				 LYC_OK);
	fake_run_until(client, &replies.last_count, MANY);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
	/* A packet of such a call has less than 60 bytes. */
	assert_in_range(frame_count, 1, MANY * 60 / WIRE_FRAME_LEN + 3);
}

#define ROUND 100
#define BODY_LEN 600

/* All replies of the first round are one frame; it counts those of the calls that answer it. */
static void answer_in_one_frame(struct fake_daemon *daemon, void *arg)
{
	uint64_t ids[ROUND];
	fake_greet(daemon);
	for (int round = 0; round < 2; round++) {
		unsigned before = daemon->frame_count;
		for (int i = 0; i < ROUND; i++)
			ids[i] = fake_expect(daemon, PACKET_CALL)->call.id;
		*(unsigned *)arg = daemon->frame_count - before;
		for (int i = 0; i < ROUND; i++) {
			struct packet reply = {.kind = PACKET_REPLY, .reply = {.id = ids[i]}};
			fake_put(daemon, &reply);
		}
		fake_flush(daemon);
	}
	fake_expect(daemon, PACKET_GOODBYE);
}

struct again {
	struct lyc_client *client;
	int count;
};

static void call_again(const struct lyc_reply *reply, void *arg)
{
	struct again *again = arg;
	static const uint8_t body[BODY_LEN];
	(void)reply;
	if (again->count++ < ROUND)
		assert_int_equal(lyc_client_call_start(again->client, METHOD, body, BODY_LEN, NULL,
						       call_again, again, NULL),
				 LYC_OK);
}

/* Longer than a frame that others write: cut, the rest would travel as a frame of a few calls. */
static void test_calls_that_answer_one_frame_are_one_frame(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	unsigned frame_count = 0;
	static_assert(ROUND * BODY_LEN > WIRE_FRAME_LEN, "more than a usual frame");
	fake_daemon_start(&daemon, FAKE_ROUTER, answer_in_one_frame, &frame_count);
	struct again again = {.client = fake_open(&daemon)};
	static const uint8_t body[BODY_LEN];
	for (int i = 0; i < ROUND; i++)
		assert_int_equal(lyc_client_call_start(again.client, METHOD, body, BODY_LEN, NULL,
						       call_again, &again, NULL),
				 LYC_OK);
	fake_run_until(again.client, &again.count, 2 * ROUND);
	lyc_client_close(again.client);
	fake_daemon_stop(&daemon);
	assert_int_equal(frame_count, 1);
}

/* A reply's callback calls again and waits. */
struct nested {
	struct lyc_client *client;
	int done;
	char order[32];
};

static void note(struct nested *nested, char what)
{
	size_t len = strlen(nested->order);
	nested->order[len] = what;
	nested->order[len + 1] = '\0';
}

static void call_within(const struct lyc_delivery *delivery, void *arg)
{
	struct nested *nested = arg;
	uint8_t *body;
	size_t body_len;
	struct lyc_call_options options = {.timeout_ms = 3000};
	note(nested, delivery->subject[0]);
	if (delivery->subject[0] == 'a') {
		assert_int_equal(lyc_client_call(nested->client, METHOD, "", 0, &options, &body,
						 &body_len, NULL),
				 LYC_OK);
		note(nested, '!');
		/* What the outer callback was given is still there. */
		assert_string_equal(delivery->subject, "a");
		assert_memory_equal(delivery->body, "outer", 5);
		free(body);
	}
	nested->done++;
}

static void take_stream(const struct lyc_reply *reply, void *arg)
{
	note(arg, (char)reply->body[0]);
}

static void deliver_while_waiting(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	fake_expect(daemon, PACKET_SUBSCRIBE);
	uint64_t stream = fake_expect(daemon, PACKET_CALL)->call.id;
	struct packet deliver = {
		.kind = PACKET_DELIVER,
		.deliver = {.id = 1, .subject = span_of("a", 1), .body = span_of("outer", 5)}};
	struct packet reply = {.kind = PACKET_REPLY,
			       .reply = {.id = stream, .body = span_of("1", 1), .more = true}};
	/* Behind the delivery that waits, in its own frame: a delivery and a reply. */
	fake_put(daemon, &deliver);
	deliver.deliver.subject = span_of("b", 1);
	fake_put(daemon, &deliver);
	fake_put(daemon, &reply);
	fake_flush(daemon);
	uint64_t id = fake_expect(daemon, PACKET_CALL)->call.id;
	deliver.deliver.subject = span_of("c", 1);
	fake_put(daemon, &deliver);
	reply.reply.body = span_of("2", 1);
	reply.reply.more = false;
	fake_put(daemon, &reply);
	fake_flush(daemon);
	fake_reply(daemon, id, LYC_OK, "", false);
	while (fake_next(daemon, false)->kind != PACKET_GOODBYE)
		continue;
}

static void test_call_within_a_callback_gets_replies_only(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, deliver_while_waiting, NULL);
	struct nested nested = {.client = fake_open(&daemon)};
	uint64_t id;
	assert_int_equal(
		lyc_client_subscribe(nested.client, ">", NULL, call_within, &nested, &id, NULL),
		LYC_OK);
	assert_int_equal(lyc_client_call_start(nested.client, METHOD, "", 0, NULL, take_stream,
					       &nested, NULL),
			 LYC_OK);
	fake_run_until(nested.client, &nested.done, 3);
	assert_string_equal(nested.order, "a12!bc");
	lyc_client_close(nested.client);
	fake_daemon_stop(&daemon);
}

/* A call with a key is asked again after UNAVAILABLE and after a lost session, and no longer once
 * the home says that it remembers. */
static void answer_the_third(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	struct packet_call call = fake_expect(daemon, PACKET_CALL)->call;
	uint64_t first = call.id;
	fake_check(daemon, span_is(call.idempotency_key, "once") && call.timeout_ms == 4000);
	fake_reply(daemon, call.id, LYC_UNAVAILABLE, "", false);
	call = fake_expect(daemon, PACKET_CALL)->call;
	fake_check(daemon, call.id != first && span_is(call.idempotency_key, "once"));
	fake_check(daemon, span_is(call.body, "question") && span_is(call.at, "wales"));
	fake_check(daemon, call.timeout_ms < 4000 && call.timeout_ms > 3000);
	fake_restart(daemon);
	fake_greet(daemon);
	call = fake_expect(daemon, PACKET_CALL)->call;
	fake_check(daemon, span_is(call.idempotency_key, "once"));
	fake_reply(daemon, call.id, LYC_OK, "answer", false);
	call = fake_expect(daemon, PACKET_CALL)->call;
	struct packet final = {.kind = PACKET_REPLY,
			       .reply = {.id = call.id,
					 .status = LYC_UNAVAILABLE,
					 .text = span_of("somebody else is away", 21),
					 .remembered = true}};
	fake_send(daemon, &final);
	/* Cancelled while it waits for its next attempt. */
	call = fake_expect(daemon, PACKET_CALL)->call;
	fake_reply(daemon, call.id, LYC_UNAVAILABLE, "", false);
	/* Until the deadline. */
	call = fake_expect(daemon, PACKET_CALL)->call;
	fake_reply(daemon, call.id, LYC_UNAVAILABLE, "", false);
	const struct packet *packet = fake_next(daemon, false);
	while (packet->kind == PACKET_CALL) {
		fake_reply(daemon, packet->call.id, LYC_UNAVAILABLE, "", false);
		packet = fake_next(daemon, false);
	}
	fake_check(daemon, packet->kind == PACKET_GOODBYE);
}

static void test_call_with_a_key_is_asked_again(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, answer_the_third, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_call_options options = {
		.at = "wales", .timeout_ms = 4000, .idempotency_key = "once"};
	uint8_t *body;
	size_t body_len;
	struct lyc_error error = {0};
	assert_int_equal(
		lyc_client_call(client, METHOD, "question", 8, &options, &body, &body_len, &error),
		LYC_OK);
	assert_memory_equal(body, "answer", 6);
	free(body);
	assert_int_equal(
		lyc_client_call(client, METHOD, "question", 8, &options, &body, &body_len, &error),
		LYC_UNAVAILABLE);
	assert_string_equal(error.text, "somebody else is away");
	struct replies replies = {0};
	uint64_t id;
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "", 0, &options, take_reply, &replies, &id),
		LYC_OK);
	uint64_t begun_ms = mono_ms();
	while (mono_ms() - begun_ms < 40 && replies.count == 0)
		(void)lyc_client_run(client, 10);
	assert_int_equal(replies.count, 0);
	lyc_client_cancel(client, id);
	fake_run_until(client, &replies.last_count, 1);
	assert_int_equal(replies.status, LYC_CANCELLED);
	options.timeout_ms = 300;
	begun_ms = mono_ms();
	assert_int_equal(
		lyc_client_call(client, METHOD, "question", 8, &options, &body, &body_len, &error),
		LYC_UNAVAILABLE);
	assert_in_range(mono_ms() - begun_ms, 100, 2000);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_waits_for_its_reply),
		cmocka_unit_test(test_call_refuses_what_cannot_be_sent),
		cmocka_unit_test(test_call_gets_a_stream_in_order),
		cmocka_unit_test(test_call_returns_the_credit_of_its_stream),
		cmocka_unit_test(test_call_is_cancelled_once),
		cmocka_unit_test(test_call_with_a_key_is_asked_again),
		cmocka_unit_test(test_call_ends_at_its_deadline_and_at_close),
		cmocka_unit_test(test_call_keeps_to_the_credit),
		cmocka_unit_test(test_calls_share_frames),
		cmocka_unit_test(test_calls_that_answer_one_frame_are_one_frame),
		cmocka_unit_test(test_call_within_a_callback_gets_replies_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
