/* Chains: what the client says of them, and what follows from what belongs to one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_daemon.h"
#include "wire/trace.h"

#define METHOD "lyceum.echo.v1.Echo/Say"
#define TYPE "lyceum.echo.v1.Note"
#define CHAIN "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

struct story {
	struct lyc_client *client;
	int call_count;
	int ack_count;
	int delivery_count;
	uint64_t refusal;
	char delivered[LYC_TRACE_SIZE];
};

static void on_second_ack(const struct lyc_ack *ack, void *arg)
{
	struct story *story = arg;
	assert_int_equal(ack->status, LYC_OK);
	story->ack_count++;
}

static void publish(struct story *story, const char *trace, lyc_ack_fn on_ack)
{
	const struct lyc_publish_options options = {.durable = true, .trace = trace};
	assert_int_equal(
		lyc_client_publish_start(story->client, TYPE, "x", 1, &options, on_ack, story),
		LYC_OK);
}

/* What follows from a publish of the chain belongs to it, too. */
static void on_first_ack(const struct lyc_ack *ack, void *arg)
{
	struct story *story = arg;
	story->ack_count++;
	story->refusal = ack->refusal;
	publish(story, NULL, on_second_ack);
}

static void on_reply(const struct lyc_reply *reply, void *arg)
{
	struct story *story = arg;
	(void)reply;
	if (++story->call_count == 1)
		publish(story, NULL, on_first_ack);
}

static void ack(struct fake_daemon *daemon, uint64_t id, uint64_t refusal)
{
	struct packet packet = {.kind = PACKET_ACK, .ack = {.id = id, .refusal = refusal}};
	fake_send(daemon, &packet);
}

static void chain_script(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	const struct packet_call *call = &fake_expect(daemon, PACKET_CALL)->call;
	fake_check(daemon, span_is(call->trace, CHAIN));
	fake_reply(daemon, call->id, LYC_OK, "answer", false);
	const struct packet_publish *publish = &fake_expect(daemon, PACKET_PUBLISH)->publish;
	fake_check(daemon, span_is(publish->trace, CHAIN));
	ack(daemon, publish->id, 1017);
	publish = &fake_expect(daemon, PACKET_PUBLISH)->publish;
	fake_check(daemon, span_is(publish->trace, CHAIN));
	ack(daemon, publish->id, 0);
	/* Outside of it nothing belongs to it; and what is no traceparent is not sent. */
	for (int i = 0; i < 2; i++) {
		call = &fake_expect(daemon, PACKET_CALL)->call;
		fake_check(daemon, call->trace.len == 0);
		fake_reply(daemon, call->id, LYC_OK, "answer", false);
	}
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_chain_goes_on_in_callbacks(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, chain_script, NULL);
	struct story story = {.client = fake_open(&daemon)};
	const struct lyc_call_options in_chain = {.trace = CHAIN};
	const struct lyc_call_options malformed = {.trace = "00-nothing"};
	assert_int_equal(lyc_client_call_start(story.client, METHOD, "", 0, &in_chain, on_reply,
					       &story, NULL),
			 LYC_OK);
	fake_run_until(story.client, &story.ack_count, 2);
	assert_int_equal(story.refusal, 1017);
	assert_int_equal(
		lyc_client_call_start(story.client, METHOD, "", 0, NULL, on_reply, &story, NULL),
		LYC_OK);
	fake_run_until(story.client, &story.call_count, 2);
	assert_int_equal(lyc_client_call_start(story.client, METHOD, "", 0, &malformed, on_reply,
					       &story, NULL),
			 LYC_OK);
	fake_run_until(story.client, &story.call_count, 3);
	lyc_client_close(story.client);
	fake_daemon_stop(&daemon);
}

static void on_delivery(const struct lyc_delivery *delivery, void *arg)
{
	struct story *story = arg;
	snprintf(story->delivered, sizeof(story->delivered), "%s", delivery->trace);
	story->delivery_count++;
	publish(story, NULL, on_second_ack);
}

static const struct packet *next_but_credit(struct fake_daemon *daemon)
{
	const struct packet *packet;
	do {
		packet = fake_next(daemon, false);
	} while (packet->kind == PACKET_CREDIT);
	return packet;
}

static void deliver_script(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	uint64_t id = fake_expect(daemon, PACKET_SUBSCRIBE)->subscribe.id;
	for (int i = 0; i < 2; i++) {
		const char *chain = i == 0 ? CHAIN : "";
		struct packet packet = {.kind = PACKET_DELIVER,
					.deliver = {.id = id,
						    .subject = span_of(TYPE, strlen(TYPE)),
						    .trace = span_of(chain, strlen(chain))}};
		fake_send(daemon, &packet);
		const struct packet *came = next_but_credit(daemon);
		fake_check(daemon, came->kind == PACKET_PUBLISH);
		fake_check(daemon, span_is(came->publish.trace, chain));
		ack(daemon, came->publish.id, 0);
	}
	fake_check(daemon, next_but_credit(daemon)->kind == PACKET_GOODBYE);
}

static void test_chain_of_a_delivery_goes_on_in_its_callback(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	uint64_t id;
	fake_daemon_start(&daemon, FAKE_ROUTER, deliver_script, NULL);
	struct story story = {.client = fake_open(&daemon)};
	assert_int_equal(
		lyc_client_subscribe(story.client, TYPE, NULL, on_delivery, &story, &id, NULL),
		LYC_OK);
	fake_run_until(story.client, &story.delivery_count, 1);
	assert_string_equal(story.delivered, CHAIN);
	fake_run_until(story.client, &story.ack_count, 2);
	assert_string_equal(story.delivered, "");
	lyc_client_close(story.client);
	fake_daemon_stop(&daemon);
}

static void greet_only(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_chain_begun_is_another_each_time(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	char texts[2][LYC_TRACE_SIZE];
	struct trace traces[2];
	fake_daemon_start(&daemon, FAKE_ROUTER, greet_only, NULL);
	struct lyc_client *client = fake_open(&daemon);
	for (int i = 0; i < 2; i++) {
		lyc_trace_begin(client, texts[i]);
		assert_true(trace_read(span_of(texts[i], strlen(texts[i])), &traces[i]));
	}
	assert_false(trace_is_same(&traces[0], &traces[1]));
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain_goes_on_in_callbacks),
		cmocka_unit_test(test_chain_of_a_delivery_goes_on_in_its_callback),
		cmocka_unit_test(test_chain_begun_is_another_each_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
