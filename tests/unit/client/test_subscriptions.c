/* Subscriptions: deliveries, gaps, and the credit that comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_daemon.h"

struct log {
	struct lyc_client *client;
	uint64_t id;
	int count;
	int caught_up;
	uint64_t missed;
	uint64_t last_seq;
	int unsubscribe_at;
	enum lyc_status status;
};

static void take(const struct lyc_delivery *delivery, void *arg)
{
	struct log *log = arg;
	log->count++;
	log->missed += delivery->missed;
	log->caught_up += delivery->caught_up;
	if (delivery->status != LYC_OK) {
		log->status = delivery->status;
		assert_string_equal(delivery->text, "not in the list");
	}
	if (delivery->seq)
		log->last_seq = delivery->seq;
	if (!delivery->subject)
		return;
	assert_string_equal(delivery->subject, "a.b");
	assert_string_equal(delivery->origin, "wales");
	assert_string_equal(delivery->principal, "ann@wales");
	if (log->count == log->unsubscribe_at)
		lyc_client_unsubscribe(log->client, log->id, true);
}

/* A packet of a delivery of about 100 bytes. */
static struct packet delivery_of(uint64_t id, uint64_t seq)
{
	static const uint8_t body[60];
	return (struct packet){.kind = PACKET_DELIVER,
			       .deliver = {.id = id,
					   .seq = seq,
					   .subject = span_of("a.b", 3),
					   .body = span_of(body, sizeof(body)),
					   .origin = span_of("wales", 5),
					   .epoch = 3,
					   .origin_seq = seq,
					   .principal = span_of("ann@wales", 9)}};
}

static size_t put_deliveries(struct fake_daemon *daemon, uint64_t id, uint64_t from, int count,
			     bool has_seq)
{
	size_t before = daemon->out.len;
	for (int i = 0; i < count; i++) {
		struct packet packet = delivery_of(id, has_seq ? from + (uint64_t)i : 0);
		fake_put(daemon, &packet);
	}
	return daemon->out.len - before;
}

static void send_transient(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	const struct packet_subscribe *subscribe =
		&fake_expect(daemon, PACKET_SUBSCRIBE)->subscribe;
	fake_check(daemon, subscribe->credit == 1000 && span_is(subscribe->pattern, "a.*"));
	fake_check(daemon, span_is(subscribe->group, "g") && !subscribe->durable.len);
	uint64_t id = subscribe->id;
	/* More than half of the credit comes back at once, the rest when nothing more comes, if it
	 * is worth a packet. */
	size_t len = put_deliveries(daemon, id, 0, 9, false);
	fake_flush(daemon);
	const struct packet *credit = fake_expect(daemon, PACKET_CREDIT);
	fake_check(daemon, credit->credit.id == id);
	fake_check(daemon, credit->credit.value >= 500);
	uint64_t sum = credit->credit.value;
	while (sum < len)
		sum += fake_expect(daemon, PACKET_CREDIT)->credit.value;
	fake_check(daemon, sum == len);
	/* Less than an eighth of it waits for more. */
	struct packet ping = {.kind = PACKET_PING, .ping = {.id = 77}};
	len = put_deliveries(daemon, id, 0, 1, false);
	fake_check(daemon, len < 125);
	fake_put(daemon, &ping);
	fake_flush(daemon);
	fake_check(daemon, fake_next(daemon, true)->kind == PACKET_PONG);
	/* Records of a subscription that follows none come back by Credit, too. */
	len += put_deliveries(daemon, id, 50, 1, true);
	fake_flush(daemon);
	fake_check(daemon, fake_expect(daemon, PACKET_CREDIT)->credit.value == len);
	struct packet gap = {.kind = PACKET_GAP, .gap = {.id = id, .missed = 7}};
	fake_send(daemon, &gap);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_subscription_returns_credit_for_transient_messages(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, send_transient, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_subscribe_options options = {.credit = 1000, .group = "g"};
	struct log log = {0};
	assert_int_equal(lyc_client_subscribe(client, "a.*", &options, take, &log, &log.id, NULL),
			 LYC_OK);
	fake_run_until(client, &log.count, 12);
	assert_int_equal(log.missed, 7);
	assert_int_equal(log.caught_up, 0);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void send_records(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	const struct packet_subscribe *subscribe =
		&fake_expect(daemon, PACKET_SUBSCRIBE)->subscribe;
	fake_check(daemon, subscribe->start == SUBSCRIBE_SEQ && subscribe->from == 10);
	uint64_t id = subscribe->id;
	put_deliveries(daemon, id, 10, 5, true);
	size_t transient = put_deliveries(daemon, id, 0, 1, false);
	struct packet gap = {.kind = PACKET_GAP, .gap = {.id = id, .seq = 20}};
	fake_put(daemon, &gap);
	fake_flush(daemon);
	bool has_credit = false;
	uint64_t seq = 0;
	while (seq < 14 || !has_credit) {
		const struct packet *packet = fake_next(daemon, false);
		if (packet->kind == PACKET_CREDIT) {
			fake_check(daemon, packet->credit.value == transient);
			has_credit = true;
			continue;
		}
		fake_check(daemon, packet->kind == PACKET_CONSUMED);
		fake_check(daemon, packet->consumed.value > seq);
		seq = packet->consumed.value;
	}
	fake_check(daemon, seq <= 20);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_subscription_tells_what_it_consumed(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, send_records, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_subscribe_options options = {.start = LYC_START_SEQ, .from = 10, .credit = 600};
	struct log log = {0};
	assert_int_equal(lyc_client_subscribe(client, "a.>", &options, take, &log, &log.id, NULL),
			 LYC_OK);
	fake_run_until(client, &log.caught_up, 1);
	assert_int_equal(log.count, 7);
	assert_int_equal(log.last_seq, 20);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void send_to_manual(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	uint64_t id = fake_expect(daemon, PACKET_SUBSCRIBE)->subscribe.id;
	put_deliveries(daemon, id, 1, 6, true);
	fake_flush(daemon);
	fake_check(daemon, fake_expect(daemon, PACKET_CONSUMED)->consumed.value == 4);
	put_deliveries(daemon, id, 7, 1, true);
	fake_flush(daemon);
	fake_check(daemon, fake_expect(daemon, PACKET_CONSUMED)->consumed.value == 7);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_subscription_waits_for_a_manual_owner(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, send_to_manual, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_subscribe_options options = {.durable = "view", .manual = true, .credit = 5000};
	struct log log = {0};
	assert_int_equal(lyc_client_subscribe(client, "a.>", &options, take, &log, &log.id, NULL),
			 LYC_OK);
	fake_run_until(client, &log.count, 6);
	lyc_client_run(client, 0);
	lyc_client_consumed(client, log.id, 4);
	lyc_client_consumed(client, log.id, 2);
	fake_run_until(client, &log.count, 7);
	lyc_client_consumed(client, log.id, 7);
	lyc_client_consumed(client, 999, 7);
	lyc_client_run(client, 0);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void send_to_one_who_leaves(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	uint64_t id = fake_expect(daemon, PACKET_SUBSCRIBE)->subscribe.id;
	put_deliveries(daemon, id, 1, 5, true);
	fake_flush(daemon);
	const struct packet *packet = fake_next(daemon, false);
	while (packet->kind == PACKET_CONSUMED)
		packet = fake_next(daemon, false);
	fake_check(daemon, packet->kind == PACKET_UNSUBSCRIBE && packet->unsubscribe.forget);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_subscription_may_end_in_its_own_callback(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, send_to_one_who_leaves, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_subscribe_options options = {.durable = "view"};
	struct log log = {.client = client, .unsubscribe_at = 3};
	assert_int_equal(lyc_client_subscribe(client, "a.>", &options, take, &log, &log.id, NULL),
			 LYC_OK);
	fake_run_until(client, &log.count, 3);
	lyc_client_run(client, 0);
	lyc_client_unsubscribe(client, log.id, true);
	lyc_client_close(client);
	assert_int_equal(log.count, 3);
	fake_daemon_stop(&daemon);
}

static void greet_only(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_subscription_refuses_a_bad_pattern(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, greet_only, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct log log = {0};
	struct lyc_error error = {0};
	assert_int_equal(lyc_client_subscribe(client, "a.>.b", NULL, take, &log, &log.id, &error),
			 LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "a.>.b"));
	assert_int_equal(lyc_client_subscribe(client, NULL, NULL, take, &log, &log.id, &error),
			 LYC_INVALID_ARGUMENT);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void refuse_one(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	const struct packet *packet = fake_expect(daemon, PACKET_SUBSCRIBE);
	struct packet refusal = {.kind = PACKET_UNSUBSCRIBE,
				 .unsubscribe = {.id = packet->subscribe.id,
						 .status = LYC_PERMISSION_DENIED,
						 .text = span_of("not in the list", 15)}};
	fake_send(daemon, &refusal);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_subscription_is_told_why_it_was_refused(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, refuse_one, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct log log = {0};
	assert_int_equal(lyc_client_subscribe(client, "a.>", NULL, take, &log, &log.id, NULL),
			 LYC_OK);
	fake_run_until(client, &log.count, 1);
	assert_int_equal(log.status, LYC_PERMISSION_DENIED);
	/* It is gone: ending it once more does nothing. */
	lyc_client_unsubscribe(client, log.id, false);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subscription_returns_credit_for_transient_messages),
		cmocka_unit_test(test_subscription_tells_what_it_consumed),
		cmocka_unit_test(test_subscription_waits_for_a_manual_owner),
		cmocka_unit_test(test_subscription_may_end_in_its_own_callback),
		cmocka_unit_test(test_subscription_refuses_a_bad_pattern),
		cmocka_unit_test(test_subscription_is_told_why_it_was_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
