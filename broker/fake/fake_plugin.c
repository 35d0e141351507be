/* Plugins with a baton: their threads, and what carries their frames. */
#include "fake/fake_plugin.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <lyceum/plugin.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "client/runner.h"
#include "client/transport.h"
#include "io/clock.h"

#define LAST_TURNS 100000

struct fake_plugin {
	struct fake_plugin *next;
	struct fake_node *node;
	struct plugin *plugin;
	struct fake_plugin_options options;

	pthread_t thread;
	sem_t turn;
	sem_t back;
	bool has_ended;
	enum lyc_status status;
	struct lyc_error error;

	/* Its end at the daemon, and what it has sent and the daemon has not got. */
	struct fake_client *wire;
	struct fake_frames out;
	bool is_lost;
	int stop_fd;

	/* What it waits for. */
	uint64_t due_ms;
	int wait_fd;
	/* It is that much ahead of the world: only while it is made to end. */
	uint64_t ahead_ms;

	struct clock clock;
	struct transport transport;
	struct runner_options runner;
};

/* ---- on the plugin's thread ---- */

static uint64_t clock_mono(void *arg)
{
	const struct fake_plugin *it = arg;
	return it->node->world->now_ms + it->ahead_ms;
}

static uint64_t clock_wall(void *arg)
{
	const struct fake_plugin *it = arg;
	return (uint64_t)((int64_t)clock_mono(arg) + it->node->world->wall_offset_ms);
}

static void close_wire(void *arg)
{
	struct fake_plugin *it = arg;
	if (it->wire)
		fake_client_free(it->wire);
	it->wire = NULL;
	fake_frames_drop(&it->out);
}

static bool open_wire(void *arg)
{
	struct fake_plugin *it = arg;
	close_wire(it);
	if (it->is_lost)
		return false;
	it->wire = fake_client_new(it->node, it->plugin->identity);
	return true;
}

static bool send_frame(void *arg, struct span frame)
{
	struct fake_plugin *it = arg;
	struct buf copy = {0};
	buf_add(&copy, frame.data, frame.len);
	if (it->is_lost)
		buf_fini(&copy);
	else
		fake_frames_add(&it->out, &copy);
	return true;
}

static bool receive_frame(void *arg, struct buf *ret_frame)
{
	struct fake_plugin *it = arg;
	return it->wire && fake_frames_take(&it->wire->in, ret_frame);
}

static bool is_lost(void *arg)
{
	return ((struct fake_plugin *)arg)->is_lost;
}

static bool wait_turn(void *arg, bool is_reading, int wait_fd, int timeout_ms)
{
	(void)is_reading;
	struct fake_plugin *it = arg;
	it->wait_fd = wait_fd;
	it->due_ms = timeout_ms < 0 ? UINT64_MAX : clock_mono(it) + (uint64_t)timeout_ms;
	sem_post(&it->back);
	while (sem_wait(&it->turn) != 0)
		continue;
	return true;
}

static void on_log(int level, const char *text, void *arg)
{
	struct fake_plugin *it = arg;
	if (it->options.on_line)
		it->options.on_line(level, text, it->options.arg);
	else
		host_line(&it->node->daemon.host, it->plugin, level, text);
}

static void *run(void *arg)
{
	struct fake_plugin *it = arg;
	while (sem_wait(&it->turn) != 0)
		continue;
	clock_use(&it->clock);
	it->status = runner_run(&it->runner, &it->error);
	it->has_ended = true;
	sem_post(&it->back);
	return NULL;
}

/* ---- on the thread that runs the world ---- */

static void hand_over(struct fake_plugin *it)
{
	sem_post(&it->turn);
	while (sem_wait(&it->back) != 0)
		continue;
}

static void it_free(struct fake_plugin *it)
{
	struct fake_plugin **at = &it->node->world->plugins;
	while (*at != it)
		at = &(*at)->next;
	*at = it->next;
	pthread_join(it->thread, NULL);
	close_wire(it);
	close(it->stop_fd);
	sem_destroy(&it->turn);
	sem_destroy(&it->back);
	free(it);
}

enum lyc_status fake_plugin_start(struct fake_node *node, struct plugin *plugin,
				  const struct fake_plugin_options *options,
				  struct lyc_error *error)
{
	(void)error;
	struct fake_plugin *it = mem_new(struct fake_plugin);
	it->node = node;
	it->plugin = plugin;
	it->options = *options;
	it->wait_fd = -1;
	it->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ensure(it->stop_fd >= 0);
	sem_init(&it->turn, 0, 0);
	sem_init(&it->back, 0, 0);
	it->clock = (struct clock){.mono_ms = clock_mono, .wall_ms = clock_wall, .arg = it};
	it->transport = (struct transport){.open = open_wire,
					   .close = close_wire,
					   .send = send_frame,
					   .receive = receive_frame,
					   .is_lost = is_lost,
					   .wait = wait_turn,
					   .arg = it};
	it->runner = (struct runner_options){.path = plugin->path,
					     .plugin = options->linked,
					     .name = plugin->name,
					     .transport = &it->transport,
					     .data_folder = options->data_folder,
					     .config_file = options->config_file,
					     .on_log = on_log,
					     .log_arg = it,
					     .stop_fd = it->stop_fd};
	policy_grant(&node->daemon.policy, plugin->identity, "", ROLE_PLUGIN);
	/* The last one: they take turns in the order in which they began. */
	struct fake_plugin **end = &node->world->plugins;
	while (*end)
		end = &(*end)->next;
	*end = it;
	plugin->instance = it;
	ensure(pthread_create(&it->thread, NULL, run, it) == 0);
	return LYC_OK;
}

void fake_plugin_stop(struct plugin *plugin)
{
	const struct fake_plugin *it = plugin->instance;
	uint64_t one = 1;
	ensure(write(it->stop_fd, &one, sizeof(one)) == sizeof(one));
}

static bool has_stirred(const struct fake_plugin *it)
{
	struct pollfd item = {.fd = it->wait_fd, .events = POLLIN};
	return it->wait_fd >= 0 && poll(&item, 1, 0) > 0;
}

static bool is_ready(const struct fake_plugin *it)
{
	return it->node->world->now_ms >= it->due_ms || (it->wire && it->wire->in.count > 0) ||
	       has_stirred(it);
}

/* Trying again is no use. */
static bool is_refusal(enum lyc_status status)
{
	return status != LYC_OK && status != LYC_UNAVAILABLE && status != LYC_RESOURCE_EXHAUSTED &&
	       status != LYC_DEADLINE_EXCEEDED && status != LYC_ABORTED;
}

static void deliver(struct fake_plugin *it)
{
	struct buf frame;
	while (it->wire && fake_frames_take(&it->out, &frame)) {
		fake_send_bytes(it->wire, span_of(frame.data, frame.len));
		buf_fini(&frame);
	}
}

static void ended(struct fake_plugin *it)
{
	struct daemon *daemon = &it->node->daemon;
	struct plugin *plugin = it->plugin;
	char text[sizeof(it->error.text)] = "it has stopped";
	bool is_refused = is_refusal(it->status);
	if (it->status != LYC_OK)
		snprintf(text, sizeof(text), "%s", it->error.text);
	it_free(it);
	daemon_instance_ended(daemon, plugin, is_refused, text);
}

bool fake_plugins_run(struct fake_world *world)
{
	bool is_busy = false;
	struct fake_plugin *next;
	for (struct fake_plugin *it = world->plugins; it; it = next) {
		next = it->next;
		if (!is_ready(it))
			continue;
		is_busy = true;
		hand_over(it);
		deliver(it);
		if (it->has_ended)
			ended(it);
	}
	return is_busy;
}

uint64_t fake_plugins_due(const struct fake_world *world)
{
	uint64_t due_ms = UINT64_MAX;
	for (const struct fake_plugin *it = world->plugins; it; it = it->next)
		due_ms = it->due_ms < due_ms ? it->due_ms : due_ms;
	return due_ms;
}

/* Its time passes as fast as it waits. */
static void drop(struct fake_plugin *it)
{
	uint64_t one = 1;
	it->is_lost = true;
	ensure(write(it->stop_fd, &one, sizeof(one)) == sizeof(one));
	for (int turn = 0; !it->has_ended; turn++) {
		ensure(turn < LAST_TURNS);
		hand_over(it);
		if (it->due_ms != UINT64_MAX && it->due_ms > clock_mono(it))
			it->ahead_ms += it->due_ms - clock_mono(it);
	}
	it->plugin->instance = NULL;
	it_free(it);
}

void fake_plugins_drop(struct fake_node *node)
{
	struct fake_plugin *next;
	for (struct fake_plugin *it = node->world->plugins; it; it = next) {
		next = it->next;
		if (it->node == node)
			drop(it);
	}
}
