/* Publishes: what is sent, Acks, credit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lyceum/v1/label.pb-c.h>

#include "fake_daemon.h"

struct acks {
	int count;
	enum lyc_status status;
	uint64_t seq;
	char text[80];
};

static void take_ack(const struct lyc_ack *ack, void *arg)
{
	struct acks *acks = arg;
	acks->count++;
	acks->status = ack->status;
	acks->seq = ack->seq;
	snprintf(acks->text, sizeof(acks->text), "%s", ack->text);
}

static void ack(struct fake_daemon *daemon, uint64_t id, uint32_t status, uint64_t seq)
{
	struct packet packet = {.kind = PACKET_ACK,
				.ack = {.id = id,
					.status = status,
					.text = span_of("because", status ? 7 : 0),
					.field = span_of("expert.name", status ? 11 : 0),
					.seq = seq}};
	fake_send(daemon, &packet);
}

static void check_label(struct fake_daemon *daemon, struct span bytes)
{
	Lyceum__V1__Label *label = lyceum__v1__label__unpack(NULL, bytes.len, bytes.data);
	fake_check(daemon, label != NULL);
	fake_check(daemon, label->visibility == LYCEUM__V1__VISIBILITY__AUDIENCE);
	fake_check(daemon, label->n_audience == 1 && strcmp(label->audience[0], "hub") == 0);
	lyceum__v1__label__free_unpacked(label, NULL);
}

static void answer_publishes(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	const struct packet_publish *publish = &fake_expect(daemon, PACKET_PUBLISH)->publish;
	fake_check(daemon, span_is(publish->subject, "a.B.key") && span_is(publish->body, "body"));
	fake_check(daemon, publish->durable && publish->has_expect && publish->expect_seq == 4);
	fake_check(daemon, span_is(publish->principal, "ann@wales") && !publish->remove);
	check_label(daemon, publish->label);
	ack(daemon, publish->id, LYC_OK, 99);
	publish = &fake_expect(daemon, PACKET_PUBLISH)->publish;
	fake_check(daemon, publish->remove && publish->durable && publish->label.len == 0);
	ack(daemon, publish->id, LYC_ABORTED, 5);
	publish = &fake_expect(daemon, PACKET_PUBLISH)->publish;
	fake_check(daemon, publish->id == 0 && !publish->durable);
	publish = &fake_expect(daemon, PACKET_PUBLISH)->publish;
	fake_check(daemon, publish->id != 0 && !publish->durable);
	ack(daemon, publish->id, LYC_OK, 0);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_publish_is_acknowledged_or_refused(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, answer_publishes, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_publish_options options = {.durable = true,
					      .expect = true,
					      .expect_seq = 4,
					      .to = "hub",
					      .principal = "ann@wales"};
	uint64_t seq = 0;
	struct lyc_error error = {0};
	assert_int_equal(lyc_client_publish(client, "a.B.key", "body", 4, &options, &seq, &error),
			 LYC_OK);
	assert_int_equal(seq, 99);
	struct lyc_publish_options withdraw = {.durable = true, .remove = true};
	assert_int_equal(lyc_client_publish(client, "a.B.key", NULL, 0, &withdraw, NULL, &error),
			 LYC_ABORTED);
	assert_string_equal(error.text, "because");
	assert_string_equal(error.field, "expert.name");
	assert_int_equal(lyc_client_publish_start(client, "a.B", "x", 1, NULL, NULL, NULL), LYC_OK);
	struct acks acks = {0};
	assert_int_equal(lyc_client_publish_start(client, "a.B", "x", 1, NULL, take_ack, &acks),
			 LYC_OK);
	fake_run_until(client, &acks.count, 1);
	assert_int_equal(acks.status, LYC_OK);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void greet_only(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	daemon->welcome.max_body = 10;
	fake_greet(daemon);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_publish_refuses_what_cannot_be_sent(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, greet_only, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_publish_options durable = {.durable = true};
	struct lyc_publish_options bad = {.to = "\xff"};
	struct acks acks = {0};
	assert_int_equal(lyc_client_publish_start(client, "a.*", "", 0, NULL, NULL, NULL),
			 LYC_INVALID_ARGUMENT);
	assert_int_equal(lyc_client_publish_start(client, NULL, "", 0, NULL, NULL, NULL),
			 LYC_INVALID_ARGUMENT);
	assert_int_equal(lyc_client_publish_start(client, "a", "", 0, &durable, NULL, NULL),
			 LYC_INVALID_ARGUMENT);
	assert_int_equal(lyc_client_publish_start(client, "a", "", 0, &bad, take_ack, &acks),
			 LYC_INVALID_ARGUMENT);
	assert_int_equal(lyc_client_publish_start(client, "a", "01234567890", 11, NULL, NULL, NULL),
			 LYC_INVALID_ARGUMENT);
	lyc_client_close(client);
	assert_int_equal(acks.count, 0);
	fake_daemon_stop(&daemon);
}

#define CREDIT 200

static void give_little_credit(struct fake_daemon *daemon, void *arg)
{
	int *seen = arg;
	daemon->welcome.publish_credit = CREDIT;
	fake_greet(daemon);
	size_t outstanding = 0;
	uint64_t held = 0;
	size_t held_len = 0;
	for (;;) {
		const struct packet *packet = fake_next(daemon, false);
		if (packet->kind == PACKET_GOODBYE)
			return;
		fake_check(daemon, packet->kind == PACKET_PUBLISH);
		outstanding += packet->len;
		fake_check(daemon, outstanding <= CREDIT);
		(*seen)++;
		uint64_t id = packet->publish.id;
		size_t len = packet->len;
		if (held) {
			outstanding -= held_len;
			ack(daemon, held, LYC_OK, (uint64_t)*seen);
		}
		held = id;
		held_len = len;
		if (*seen == 31)
			ack(daemon, held, LYC_OK, 31);
	}
}

static void test_publish_keeps_to_the_credit(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	int seen = 0;
	fake_daemon_start(&daemon, FAKE_ROUTER, give_little_credit, &seen);
	struct lyc_client *client = fake_open(&daemon);
	struct acks acks = {0};
	struct lyc_publish_options durable = {.durable = true};
	int refused = 0;
	for (int started = 0; started < 30;) {
		enum lyc_status status = lyc_client_publish_start(
			client, "a.B.key", "0123456789012345", 16, &durable, take_ack, &acks);
		if (status == LYC_OK) {
			started++;
			continue;
		}
		assert_int_equal(status, LYC_RESOURCE_EXHAUSTED);
		refused++;
		int before = acks.count;
		fake_run_until(client, &acks.count, before + 1);
	}
	assert_true(refused > 0);
	uint64_t seq;
	assert_int_equal(lyc_client_publish(client, "a.B.key", "x", 1, &durable, &seq, NULL),
			 LYC_OK);
	assert_int_equal(seq, 31);
	assert_int_equal(acks.count, 30);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

/* Gives back what came when nothing more may come, in two halves. */
static void give_back_late(struct fake_daemon *daemon, void *arg)
{
	int *seen = arg;
	daemon->welcome.publish_credit = CREDIT;
	fake_greet(daemon);
	size_t outstanding = 0;
	for (;;) {
		const struct packet *came = fake_next(daemon, false);
		if (came->kind == PACKET_GOODBYE)
			return;
		fake_check(daemon, came->kind == PACKET_PUBLISH && !came->publish.durable);
		outstanding += came->len;
		fake_check(daemon, outstanding <= CREDIT);
		(*seen)++;
		if (outstanding + came->len <= CREDIT)
			continue;
		for (int i = 0; i < 2; i++) {
			size_t half = i == 0 ? outstanding / 2 : outstanding - outstanding / 2;
			struct packet credit = {.kind = PACKET_CREDIT, .credit.value = half};
			fake_send(daemon, &credit);
		}
		outstanding = 0;
	}
}

static void test_publish_without_an_ack_keeps_to_the_credit(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	int seen = 0;
	fake_daemon_start(&daemon, FAKE_ROUTER, give_back_late, &seen);
	struct lyc_client *client = fake_open(&daemon);
	struct acks acks = {0};
	int started = 0;
	int refused = 0;
	while (started < 30) {
		/* With an Ack, which does not come, or without. */
		enum lyc_status status =
			lyc_client_publish_start(client, "a.B.key", "0123456789012345", 16, NULL,
						 started % 2 ? take_ack : NULL, &acks);
		if (status == LYC_OK) {
			started++;
			continue;
		}
		assert_int_equal(status, LYC_RESOURCE_EXHAUSTED);
		/* Never fits. */
		char most[CREDIT] = {0};
		assert_int_equal(lyc_client_publish_start(client, "a.B.key", most,
							  CREDIT - CREDIT / 8 + 1, NULL, NULL,
							  NULL),
				 LYC_INVALID_ARGUMENT);
		assert_int_equal(lyc_client_run(client, 5000), LYC_OK);
		assert_in_range(++refused, 1, 30);
	}
	assert_true(refused > 0);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
	assert_int_equal(seen, 30);
}

static void lose_a_publish(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	fake_expect(daemon, PACKET_PUBLISH);
	fake_restart(daemon);
	fake_greet(daemon);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_publish_ends_with_the_session(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, lose_a_publish, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct lyc_publish_options durable = {.durable = true};
	struct lyc_error error = {0};
	assert_int_equal(lyc_client_publish(client, "a.B", "x", 1, &durable, NULL, &error),
			 LYC_UNAVAILABLE);
	assert_non_null(strstr(error.text, "whether it was published is not known"));
	while (!client_is_open(client))
		lyc_client_run(client, 100);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_publish_is_acknowledged_or_refused),
		cmocka_unit_test(test_publish_refuses_what_cannot_be_sent),
		cmocka_unit_test(test_publish_keeps_to_the_credit),
		cmocka_unit_test(test_publish_without_an_ack_keeps_to_the_credit),
		cmocka_unit_test(test_publish_ends_with_the_session),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
