/* The scripted daemon: one end of a channel on a loop, and one instance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/pb.h"
#include "io/channel_watch.h"

#define DEADLINE_MS 5000

struct kept {
	struct list of_harness;
	size_t len;
	uint8_t bytes[];
};

struct harness {
	uv_loop_t loop;
	uv_timer_t watchdog;
	bool is_late;
	struct channel_watch *channel;
	int plugin_fd;

	struct list packets;
	struct frame_reader in;
	struct frame_reader out;
	struct packet packet;
	struct kept *last;

	struct instance *instance;
	bool has_ended;
	bool was_clean;
	bool was_refused;
	char exit_text[640];
	struct buf lines;

	char folder[64];
};

static bool as_thread;
static const char *runner;

void harness_configure(bool thread, const char *runner_path)
{
	as_thread = thread;
	runner = runner_path;
}

bool harness_is_thread(void)
{
	return as_thread;
}

static void welcome(struct harness *harness)
{
	struct packet packet = {.kind = PACKET_WELCOME,
				.welcome = {.version = WIRE_VERSION,
					    .daemon = span_of(HARNESS_NODE, strlen(HARNESS_NODE)),
					    .epoch = HARNESS_EPOCH,
					    .identity = span_of("probe", 5),
					    .call_credit = 1 << 20,
					    .publish_credit = 1 << 20,
					    .max_body = WIRE_MAX_BODY,
					    .heartbeat_ms = 10000}};
	harness_send(harness, &packet);
}

static void keep(struct harness *harness, const uint8_t *bytes, size_t len)
{
	struct kept *kept = mem_get(sizeof(*kept) + len);
	kept->len = len;
	memcpy(kept->bytes, bytes, len);
	list_add_last(&harness->packets, &kept->of_harness);
}

static void on_frame(struct span frame, void *arg)
{
	struct harness *harness = arg;
	struct packet packet;
	frame_start(&harness->in, frame);
	for (;;) {
		const uint8_t *start = harness->in.at;
		enum frame_result result = frame_next(&harness->in, &packet);
		if (result == FRAME_END)
			return;
		assert_int_equal(result, FRAME_PACKET);
		if (packet.kind == PACKET_HELLO) {
			welcome(harness);
		} else if (packet.kind == PACKET_PING) {
			struct packet pong = {.kind = PACKET_PONG, .pong = packet.ping};
			harness_send(harness, &pong);
		} else if (packet.kind == PACKET_REGISTER && packet.reg.service_count == 0) {
			/* It is about to stop. */
			struct packet answer = {.kind = PACKET_REGISTERED,
						.registered = {.id = packet.reg.id}};
			harness_send(harness, &answer);
		} else {
			keep(harness, start, (size_t)(harness->in.at - start));
		}
	}
}

static void on_line(int level, const char *text, void *arg)
{
	struct harness *harness = arg;
	buf_add_format(&harness->lines, "%d %s\n", level, text);
}

static void on_exit_of(bool clean, const char *text, void *arg)
{
	struct harness *harness = arg;
	harness->has_ended = true;
	harness->was_clean = clean;
	harness->was_refused = instance_was_refused(harness->instance);
	snprintf(harness->exit_text, sizeof(harness->exit_text), "%s", text);
	harness->instance = NULL;
}

static void watchdog_fired(uv_timer_t *timer)
{
	struct harness *harness = timer->data;
	harness->is_late = true;
}

/* One turn of the loop towards something that has a deadline. */
static bool turn(struct harness *harness)
{
	uv_run(&harness->loop, UV_RUN_ONCE);
	if (harness->is_late)
		print_error("too late; it had said:\n%s\n",
			    harness->lines.len ? buf_text(&harness->lines) : "(nothing)");
	return !harness->is_late;
}

static void begin_wait(struct harness *harness)
{
	harness->is_late = false;
	uv_timer_start(&harness->watchdog, watchdog_fired, DEADLINE_MS, 0);
}

struct harness *harness_open(void)
{
	struct harness *harness = mem_new(struct harness);
	struct lyc_error error;
	int ends[2];
	list_init(&harness->packets);
	uv_loop_init(&harness->loop);
	uv_timer_init(&harness->loop, &harness->watchdog);
	harness->watchdog.data = harness;
	snprintf(harness->folder, sizeof(harness->folder), "/tmp/lyc-plugin-XXXXXX");
	assert_non_null(mkdtemp(harness->folder));
	assert_int_equal(channel_pair(ends, &error), LYC_OK);
	harness->plugin_fd = ends[1];
	struct channel_watch_options options = {.on_frame = on_frame, .arg = harness};
	assert_int_equal(
		channel_watch_open(&harness->loop, ends[0], &options, &harness->channel, &error),
		LYC_OK);
	return harness;
}

void harness_start(struct harness *harness, const char *path, const char *name, const char *config)
{
	struct lyc_error error = {0};
	struct instance_options options = {
		.name = name,
		.path = path,
		.data_folder = harness->folder,
		.config_file = config,
		.channel_fd = harness->plugin_fd,
		.as_thread = as_thread,
		.runner = runner,
		.on_line = on_line,
		.on_exit = on_exit_of,
		.arg = harness,
	};
	enum lyc_status status =
		instance_start(&harness->loop, &options, &harness->instance, &error);
	harness->plugin_fd = -1;
	if (status != LYC_OK)
		print_error("%s\n", error.text);
	assert_int_equal(status, LYC_OK);
}

void harness_send(struct harness *harness, const struct packet *packet)
{
	struct buf frame = {0};
	packet_write(&frame, packet);
	assert_int_equal(channel_watch_send(harness->channel, &frame), LYC_OK);
	buf_fini(&frame);
}

/* Takes the first packet that is kept; false when there is none. */
static bool take(struct harness *harness)
{
	if (list_is_empty(&harness->packets))
		return false;
	free(harness->last);
	harness->last = list_entry(harness->packets.next, struct kept, of_harness);
	list_remove(&harness->last->of_harness);
	frame_start(&harness->out, span_of(harness->last->bytes, harness->last->len));
	assert_int_equal(frame_next(&harness->out, &harness->packet), FRAME_PACKET);
	return true;
}

const struct packet *harness_expect(struct harness *harness, enum packet_kind kind)
{
	begin_wait(harness);
	for (;;) {
		while (take(harness)) {
			if (harness->packet.kind == kind)
				return &harness->packet;
		}
		if (harness->has_ended)
			print_error("the instance ended: %s\n%s\n", harness->exit_text,
				    harness->lines.len ? buf_text(&harness->lines) : "");
		assert_false(harness->has_ended);
		assert_true(turn(harness));
	}
}

const struct packet_reply *harness_expect_reply(struct harness *harness, uint64_t id)
{
	const struct packet *packet;
	do {
		packet = harness_expect(harness, PACKET_REPLY);
	} while (packet->reply.id != id);
	return &packet->reply;
}

void harness_say(struct harness *harness, uint64_t id, const char *text, uint32_t timeout_ms)
{
	struct buf body = {0};
	static const char method[] = "lyceum.echo.v1.Echo/Say";
	pb_write_text(&body, 1, text);
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = id,
					 .method = span_of(method, strlen(method)),
					 .principal = span_of("ann@wales", 9),
					 .timeout_ms = timeout_ms,
					 .body = span_of(body.data, body.len)}};
	harness_send(harness, &packet);
	buf_fini(&body);
}

bool harness_said(const struct packet_reply *reply, const char *text)
{
	struct pb_reader reader = pb_reader_of(reply->body);
	struct pb_field field;
	if (reply->status != LYC_OK)
		print_error("status %u: %.*s\n", reply->status, (int)reply->text.len,
			    reply->text.len ? (const char *)reply->text.data : "");
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1 && !span_is(field.bytes, text))
			print_error("said: %.*s\n", (int)field.bytes.len,
				    (const char *)field.bytes.data);
		if (field.number == 1)
			return reply->status == LYC_OK && span_is(field.bytes, text);
	}
	return false;
}

void harness_register(struct harness *harness)
{
	const struct packet *packet = harness_expect(harness, PACKET_REGISTER);
	assert_true(packet->reg.schema.len > 0);
	assert_int_equal(packet->reg.service_count, 1);
	assert_true(span_is(packet->reg.services[0], "lyceum.echo.v1.Echo"));
	struct packet answer = {.kind = PACKET_REGISTERED,
				.registered = {.id = packet->reg.id, .status = LYC_OK}};
	harness_send(harness, &answer);
}

void harness_wait_exit(struct harness *harness)
{
	begin_wait(harness);
	while (!harness->has_ended)
		assert_true(turn(harness));
}

void harness_stop(struct harness *harness, uint32_t grace_ms)
{
	assert_non_null(harness->instance);
	instance_stop(harness->instance, grace_ms);
	harness_wait_exit(harness);
}

void harness_expect_line(struct harness *harness, const char *part)
{
	begin_wait(harness);
	while (!harness->lines.len || !strstr(buf_text(&harness->lines), part))
		assert_true(turn(harness));
}

bool harness_was_clean(const struct harness *harness)
{
	return harness->was_clean;
}

bool harness_was_refused(const struct harness *harness)
{
	return harness->was_refused;
}

const char *harness_exit_text(const struct harness *harness)
{
	return harness->exit_text;
}

void harness_close(struct harness *harness)
{
	if (harness->instance)
		harness_stop(harness, 2000);
	channel_watch_close(harness->channel);
	if (harness->plugin_fd >= 0)
		close(harness->plugin_fd);
	uv_close((uv_handle_t *)&harness->watchdog, NULL);
	uv_run(&harness->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&harness->loop), 0);
	list_each_safe (node, &harness->packets)
		free(list_entry(node, struct kept, of_harness));
	free(harness->last);
	buf_fini(&harness->lines);
	rmdir(harness->folder);
	free(harness);
}
