/*
 * Overload: more comes than can be taken. Somebody reads slowly, a plugin stands still, a hundred
 * publish at full speed, one calls without end; each time the others go on, and nobody is left
 * without a word.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sanitizer.h"
#include "bystander.h"
#include "throng.h"
#include "inbox.h"
#include "raw_peer.h"

#define MIB (1024.0 * 1024)
#define SAY "lyceum.echo.v1.Echo/Say"

static struct node *one_with(const char *plugin, const char *path, const char *host,
			     const char *limits)
{
	struct network *network = network_new();
	struct node *node = network_add(network, "leeds", NULL);
	node_add_plugin(node, plugin, path, host);
	node_add_key(node, "anonymous", NULL, "call: ['lyceum.echo.v1.Echo/*'], publish: ['>']");
	node->has_plain = true;
	snprintf(node->extra, sizeof(node->extra), "limits: {%s}\n", limits);
	node_start(node);
	node_wait_for_plugin(node, plugin, LYCEUM__V1__PLUGIN__STATE__RUNNING);
	return node;
}

static void end(struct node *node)
{
	node_stop(node);
	network_free(node->network);
}

static struct lyc_client *open_plain(struct node *node)
{
	char plain[64];
	struct lyc_error error = {0};
	struct lyc_client *client = NULL;
	node_plain_endpoint(node, plain, sizeof(plain));
	if (node_try_open(node, plain, NULL, &client, &error) != LYC_OK)
		fail_msg("no client: %s", error.text);
	return client;
}

static struct raw_peer *greet_plain(struct node *node)
{
	char plain[64];
	struct packet packet;
	node_plain_endpoint(node, plain, sizeof(plain));
	struct raw_peer *peer = raw_peer_new(plain, NULL, NULL);
	assert_true(raw_peer_greet(peer, &packet));
	return peer;
}

/* ---- a slow subscriber ---- */

#define QUICK 3
#define FLOW 1500

static void subscribe(struct raw_peer *peer, uint64_t credit)
{
	static const char pattern[] = NOTE ".flow";
	struct packet packet = {.kind = PACKET_SUBSCRIBE};
	packet.subscribe = (struct packet_subscribe){
		.id = 1, .pattern = span_of(pattern, sizeof(pattern) - 1), .credit = credit};
	raw_peer_send(peer, &packet);
	packet = (struct packet){.kind = PACKET_PING, .ping = {.id = 1}};
	raw_peer_send(peer, &packet);
	assert_true(raw_peer_await(peer, PACKET_PONG, &packet, NETWORK_DEADLINE_MS));
}

static void publish_number(struct node *node, int number)
{
	char text[900];
	memset(text, ' ', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	text[snprintf(text, sizeof(text), "%d", number)] = ' ';
	note_publish(node_client(node), NOTE ".flow", text, NULL);
}

/* The number that a Note begins with. */
static int number_of(struct span body)
{
	return body.len > 3 ? atoi((const char *)body.data + 3) : -1;
}

static void test_overload_slow_subscriber_costs_the_others_nothing(void **state)
{
	(void)state;
	struct node *node = one_with("echo", NULL, "process", "heartbeat_ms: 60000");
	struct lyc_client *clients[QUICK];
	struct inbox *quick[QUICK];
	struct raw_peer *slow = greet_plain(node);
	struct raw_peer *deaf = greet_plain(node);
	struct packet packet;
	for (int i = 0; i < QUICK; i++) {
		clients[i] = open_plain(node);
		quick[i] = inbox_open(node->network, clients[i], NOTE ".flow", NULL);
	}
	subscribe(slow, 20000);
	subscribe(deaf, WIRE_MAX_CREDIT);
	/* Neither of the two reads while this goes on. */
	for (int number = 0; number < FLOW; number++) {
		publish_number(node, number);
		for (int i = 0; i < QUICK; i++)
			(void)lyc_client_run(clients[i], 0);
	}
	for (int i = 0; i < QUICK; i++) {
		inbox_wait(quick[i], FLOW);
		assert_int_equal(quick[i]->count, FLOW);
		assert_int_equal(quick[i]->missed, 0);
		for (int number = 0; number < FLOW; number++)
			assert_int_equal(atoi(quick[i]->items[number].text), number);
	}
	/* Who had little credit has the first ones in order, and learns how many it missed. */
	uint64_t got = 0;
	packet = (struct packet){.kind = PACKET_CREDIT, .credit = {.id = 1, .value = 20000}};
	raw_peer_send(slow, &packet);
	while (raw_peer_receive(slow, &packet, NETWORK_DEADLINE_MS) && packet.kind != PACKET_GAP) {
		if (packet.kind == PACKET_DELIVER)
			assert_int_equal(number_of(packet.deliver.body), got++);
	}
	assert_int_equal(packet.kind, PACKET_GAP);
	assert_in_range(got, 10, 30);
	assert_int_equal(packet.gap.missed, FLOW - got);
	/* And who had enough has all of them, whenever it reads. */
	for (int number = 0; number < FLOW; number++) {
		assert_true(raw_peer_await(deaf, PACKET_DELIVER, &packet, NETWORK_DEADLINE_MS));
		assert_int_equal(number_of(packet.deliver.body), number);
	}
	/* From here on the slow one misses nothing. */
	publish_number(node, FLOW);
	assert_true(raw_peer_await(slow, PACKET_DELIVER, &packet, NETWORK_DEADLINE_MS));
	assert_int_equal(number_of(packet.deliver.body), FLOW);
	for (int i = 0; i < QUICK; i++) {
		inbox_close(quick[i]);
		lyc_client_close(clients[i]);
	}
	raw_peer_free(slow);
	raw_peer_free(deaf);
	end(node);
}

/* ---- a plugin that stands still ---- */

#define LONG_TEXT 90000
/* More than the 8 MiB that a plugin takes. */
#define LONG_CALLS 120

static void send_long_call(struct raw_peer *peer, uint64_t id)
{
	static uint8_t body[LONG_TEXT + 4] = {0x0a, 0x90, 0xbf, 0x05};
	struct packet packet = {.kind = PACKET_CALL};
	memset(body + 4, 'x', LONG_TEXT);
	packet.call = (struct packet_call){.id = id,
					   .method = span_of(SAY, sizeof(SAY) - 1),
					   .body = span_of(body, sizeof(body)),
					   .timeout_ms = 100000};
	raw_peer_send(peer, &packet);
}

static void send_ping(struct raw_peer *peer)
{
	struct packet packet = {.kind = PACKET_PING, .ping = {.id = 7}};
	raw_peer_send(peer, &packet);
}

/* How many replies of this status came until the Pong. */
static int replies_until_pong(struct raw_peer *peer, enum lyc_status status)
{
	struct packet packet;
	int count = 0;
	while (raw_peer_receive(peer, &packet, NETWORK_DEADLINE_MS)) {
		if (packet.kind == PACKET_PONG)
			return count;
		if (packet.kind != PACKET_REPLY)
			continue;
		assert_int_equal(packet.reply.status, status);
		assert_true(packet.reply.text.len > 0);
		count++;
	}
	fail_msg("the daemon says nothing any more");
	return 0;
}

static void no_silence(struct node *node)
{
	struct outcome outcome =
		say(node, "is anybody there", 0, &(struct lyc_call_options){.timeout_ms = 300});
	if (outcome.status != LYC_UNAVAILABLE && outcome.status != LYC_DEADLINE_EXCEEDED)
		fail_msg("a call ended with %s: %s", lyc_status_name(outcome.status), outcome.text);
	assert_true(outcome.text[0] != '\0');
}

/* It stands still, its credit fills, whoever calls hears so; it goes on, and so do the calls. */
/* Another caller's calls wait, too, up to a bound; then it is told at once, however long it would
 * wait. Returns how many wait. */
static int fill_queue(struct node *node, struct raw_peer *caller)
{
	for (int count = 0; count < LONG_CALLS; count++) {
		send_long_call(caller, (uint64_t)count + 1);
		send_ping(caller);
		if (replies_until_pong(caller, LYC_UNAVAILABLE) > 0)
			return count;
		/* Until the plugin is full, which takes its time. */
		no_silence(node);
	}
	fail_msg("all calls wait for a plugin that stands still");
	return 0;
}

static void await_all(struct raw_peer *caller, int count)
{
	struct packet packet;
	for (int i = 0; i < count; i++) {
		assert_true(raw_peer_await(caller, PACKET_REPLY, &packet, NETWORK_DEADLINE_MS));
		assert_int_equal(packet.reply.status, LYC_OK);
	}
	/* Each call had one reply. */
	send_ping(caller);
	assert_int_equal(replies_until_pong(caller, LYC_OK), 0);
	raw_peer_free(caller);
}

static void check_standstill(struct node *node, void (*stall)(struct node *node),
			     void (*go_on)(struct node *node))
{
	struct raw_peer *caller = greet_plain(node);
	struct raw_peer *second = greet_plain(node);
	assert_int_equal(say(node, "before", 0, NULL).status, LYC_OK);
	stall(node);
	no_silence(node);
	for (uint64_t id = 1; id <= LONG_CALLS; id++)
		send_long_call(caller, id);
	send_ping(caller);
	/* What the plugin has no room for waits for its turn, or is refused. */
	int refused = replies_until_pong(caller, LYC_UNAVAILABLE);
	assert_in_range(refused, 0, LONG_CALLS / 3);
	int waiting = fill_queue(node, second);
	go_on(node);
	say_until(node, LYC_OK);
	await_all(caller, LONG_CALLS - refused);
	await_all(second, waiting);
}

#define STANDSTILL_LIMITS "call_credit: 33554432, heartbeat_ms: 60000"

static void signal_plugin(struct node *node, int number)
{
	Lyceum__V1__StatusReply *status = node_status(node);
	assert_int_equal(status->n_plugin, 1);
	assert_true(status->plugin[0]->pid > 0);
	assert_int_equal(kill((pid_t)status->plugin[0]->pid, number), 0);
	lyceum__v1__status_reply__free_unpacked(status, NULL);
}

static void stop_process(struct node *node)
{
	signal_plugin(node, SIGSTOP);
}

static void continue_process(struct node *node)
{
	signal_plugin(node, SIGCONT);
}

static void test_overload_process_that_stands_still_leaves_nobody_in_silence(void **state)
{
	(void)state;
	struct node *node = one_with("echo", "plugins/echo/echo.so, hang_ms: 600000", "process",
				     STANDSTILL_LIMITS);
	check_standstill(node, stop_process, continue_process);
	end(node);
}

static struct outcome standing;
static uint64_t standing_id;

/* Its method does not return before its caller cancels it. */
static void block_thread(struct node *node)
{
	standing_id = say_start(node_client(node), "until cancelled", 0,
				&(struct lyc_call_options){.timeout_ms = 100000}, &standing);
}

static void release_thread(struct node *node)
{
	lyc_client_cancel(node_client(node), standing_id);
	outcome_wait(node->network, node_client(node), &standing);
	assert_int_equal(standing.status, LYC_CANCELLED);
}

static void test_overload_thread_that_does_not_return_leaves_nobody_in_silence(void **state)
{
	(void)state;
	static char probe[160];
	static char config[] = "/tmp/lyc-probe-XXXXXX";
	int fd = mkstemp(config);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text: any\n", 10), 10);
	close(fd);
	snprintf(probe, sizeof(probe), "tests/host/probe.so, hang_ms: 600000, config_file: %s",
		 config);
	struct node *node = one_with("probe", probe, "thread", STANDSTILL_LIMITS);
	unlink(config);
	check_standstill(node, block_thread, release_thread);
	end(node);
}

/* ---- a hundred publishers ---- */

#define MEMORY_LIMIT 33554432
#define TRANSIENT 60
#define DURABLE 40
#define DEAF 10
#define FRAME_LEN 16384
/* What messages for a subscriber gather to, as config.proto says of limits.memory. */
#define DELIVER_LEN 65536

/* Memory that it shares with nobody, in MiB. */
static double private_mib(pid_t pid)
{
	char path[64];
	char line[200];
	unsigned long kib;
	unsigned long sum = 0;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Private_Clean: %lu", &kib) == 1 ||
		    sscanf(line, "Private_Dirty: %lu", &kib) == 1)
			sum += kib;
	}
	fclose(file);
	return (double)sum / 1024;
}

static void test_overload_memory_stays_within_its_bound(void **state)
{
	(void)state;
	char plain[64];
	struct node *node = one_with("echo", NULL, "process",
				     "memory: 33554432, heartbeat_ms: 60000, sessions_of_one: 500");
	node_plain_endpoint(node, plain, sizeof(plain));
	assert_int_equal(say(node, "before", 0, NULL).status, LYC_OK);
	double own = private_mib(node->pid);
	const struct throng_parts parts = {.endpoint = plain,
					   .transient_count = TRANSIENT,
					   .durable_count = DURABLE,
					   .deaf_count = DEAF,
					   .frame_len = FRAME_LEN,
					   .transient_len = (uint64_t)(200 * MIB),
					   .durable_len = (uint64_t)(40 * MIB)};
	struct throng *throng = throng_start(&parts);
	struct throng_view view;
	uint64_t deadline = network_now_ms() + 6ull * NETWORK_DEADLINE_MS;
	double most = 0;
	do {
		view = throng_look(throng);
		/* Others are answered meanwhile. */
		struct outcome outcome = say(node, "meanwhile", 0, NULL);
		if (outcome.status != LYC_OK)
			fail_msg("a call meanwhile: %s", outcome.text);
		double mib = private_mib(node->pid);
		most = mib > most ? mib : most;
	} while (!view.is_done && network_now_ms() < deadline);
	if (!view.is_done)
		fail_msg("%llu of %d connected, %llu MiB were sent, %llu records acknowledged, "
			 "%llu refused",
			 (unsigned long long)view.connected, TRANSIENT + DURABLE + DEAF,
			 (unsigned long long)(view.sent_len >> 20), (unsigned long long)view.acked,
			 (unsigned long long)view.refused);
	assert_int_equal(view.faults, 0);
	assert_true(view.acked > 0);
	/* limits.memory, and of each connection what ZeroMQ holds: 16 frames that came, and 32 that
	 * go to those who do not read them. */
	double bound = own + MEMORY_LIMIT / MIB +
		       (TRANSIENT + DURABLE) * 16.0 * (FRAME_LEN + 1024) / MIB +
		       DEAF * 32.0 * DELIVER_LEN / MIB + (TRANSIENT + DURABLE + DEAF) * 0.05;
	print_message("private memory: %.1f MiB before, %.1f at most, the bound is %.1f; %llu "
		      "records, %llu refused\n",
		      own, most, bound, (unsigned long long)view.acked,
		      (unsigned long long)view.refused);
	/* A sanitizer keeps what was freed. */
	if (!WITH_ADDRESS_SANITIZER && !WITH_THREAD_SANITIZER)
		assert_true(most <= bound);
	throng_end(throng);
	end(node);
}

/* ---- one who floods ---- */

#define SHORT_TEXT 1000
#define FLOOD_FRAME 40
/* As calls more than a plugin takes; the rest of them is refused, or waits. */
#define FLOOD_AT_ONCE 12000
#define CALLS_BESIDE 150

static void put_call(struct buf *frame, uint64_t id)
{
	static uint8_t body[SHORT_TEXT + 3] = {0x0a, 0xe8, 0x07};
	struct packet packet = {.kind = PACKET_CALL};
	memset(body + 3, 'x', SHORT_TEXT);
	packet.call = (struct packet_call){.id = id,
					   .method = span_of(SAY, sizeof(SAY) - 1),
					   .body = span_of(body, sizeof(body)),
					   .timeout_ms = 100000};
	packet_write(frame, &packet);
}

static void put_note(struct buf *frame, uint64_t id)
{
	static const char subject[] = NOTE ".flood";
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.id = id,
						 .subject = span_of(subject, sizeof(subject) - 1),
						 .body = span_of("\x0a\x05"
								 "flood",
								 7)};
	packet_write(frame, &packet);
}

/* Take what has come; returns how many were answered. */
static uint64_t take_answers(struct raw_peer *peer, int timeout_ms)
{
	struct packet packet;
	uint64_t count = 0;
	while (raw_peer_receive(peer, &packet, count == 0 ? timeout_ms : 0)) {
		if (packet.kind == PACKET_GOODBYE)
			fail_msg("the flooding peer was told to go");
		count += packet.kind == PACKET_REPLY || packet.kind == PACKET_ACK;
	}
	buf_clear(&peer->heard);
	return count;
}

static void check_flood(void (*put)(struct buf *frame, uint64_t id))
{
	struct keypair keys;
	struct lyc_error error;
	char path[96];
	struct node *node = one_with("echo", NULL, "process", STANDSTILL_LIMITS);
	snprintf(path, sizeof(path), "%s/operator.key", node->folder);
	assert_int_equal(keyfile_read(path, &keys, &error), LYC_OK);
	struct raw_peer *flooder = greet_plain(node);
	struct bystander *bystander = NULL;
	uint64_t sent = 0;
	uint64_t answered = 0;
	size_t called = 0;
	uint64_t deadline = network_now_ms() + 5ull * NETWORK_DEADLINE_MS;
	while (called < CALLS_BESIDE && network_now_ms() < deadline) {
		struct buf frame = {0};
		bool is_full = sent - answered >= FLOOD_AT_ONCE;
		for (int i = 0; i < FLOOD_FRAME && !is_full; i++)
			put(&frame, ++sent);
		if (frame.len > 0)
			raw_peer_send_bytes(flooder, frame.data, frame.len, false);
		buf_fini(&frame);
		answered += take_answers(flooder, is_full ? 100 : 0);
		/* The flood is there before the other one comes. */
		if (!bystander && sent >= FLOOD_AT_ONCE)
			bystander = bystander_start(node, &keys);
		if (!bystander)
			continue;
		struct bystander_view view = bystander_look(bystander);
		if (view.lost_count > 0)
			fail_msg("a call beside the flood was lost: %s", view.text);
		called += view.call_count;
	}
	assert_non_null(bystander);
	bystander_stop(bystander);
	if (called < CALLS_BESIDE)
		fail_msg("%zu calls were answered beside the flood", called);
	/* And all of the flood is answered in the end. */
	while (answered < sent) {
		uint64_t count = take_answers(flooder, NETWORK_DEADLINE_MS);
		assert_true(count > 0);
		answered += count;
	}
	raw_peer_free(flooder);
	end(node);
}

static void test_overload_flood_of_calls_leaves_others_answered(void **state)
{
	(void)state;
	check_flood(put_call);
}

static void test_overload_flood_of_publishes_leaves_others_answered(void **state)
{
	(void)state;
	check_flood(put_note);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overload_slow_subscriber_costs_the_others_nothing),
		cmocka_unit_test(test_overload_process_that_stands_still_leaves_nobody_in_silence),
		cmocka_unit_test(
			test_overload_thread_that_does_not_return_leaves_nobody_in_silence),
		cmocka_unit_test(test_overload_memory_stays_within_its_bound),
		cmocka_unit_test(test_overload_flood_of_calls_leaves_others_answered),
		cmocka_unit_test(test_overload_flood_of_publishes_leaves_others_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
