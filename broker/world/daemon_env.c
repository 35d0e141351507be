/* What the daemon's core asks of the world (route/env.h), passed on to those who do it. */
#include <stdio.h>

#include <sodium.h>

#include "io/clock.h"
#include "world/parts.h"

static uint64_t env_now_ms(void *arg)
{
	struct world *world = arg;
	return uv_now(&world->loop);
}

/* Every record asks: the clock is looked at once in a millisecond of the loop. */
static uint64_t env_wall_ms(void *arg)
{
	struct world *world = arg;
	uint64_t now_ms = uv_now(&world->loop);
	if (world->wall_ms == 0 || world->wall_of_ms != now_ms) {
		world->wall_ms = wall_ms();
		world->wall_of_ms = now_ms;
	}
	return world->wall_ms;
}

static enum lyc_status env_send(void *arg, uint32_t number, struct span routing_id,
				struct buf *frame)
{
	struct world *world = arg;
	struct port *port = &world->uplink;
	if (number != PORT_UPLINK)
		port = number <= world->port_count ? world->ports[number - 1] : NULL;
	if (port && port->channel)
		return channel_watch_send(port->channel, frame);
	if (!port || !port->zsock)
		return LYC_UNAVAILABLE;
	return zsock_send(port->zsock, routing_id, frame);
}

static void env_cut(void *arg, int fd)
{
	(void)arg;
	zsock_cut(fd);
}

static void env_append(void *arg, struct append *append)
{
	struct world *world = arg;
	if (world->log_threads) {
		log_threads_append(world->log_threads, append);
		return;
	}
	append->status = LYC_UNAVAILABLE;
	snprintf(append->text, sizeof(append->text), "the daemon is stopping");
	append->on_done(append);
}

static void env_read(void *arg, struct log_read *read)
{
	struct world *world = arg;
	if (world->log_threads) {
		log_threads_read(world->log_threads, read);
		return;
	}
	read->status = LYC_UNAVAILABLE;
	snprintf(read->text, sizeof(read->text), "the daemon is stopping");
	read->on_done(read);
}

static void env_remove(void *arg, struct log_removal *removal)
{
	struct world *world = arg;
	if (world->log_keeper) {
		log_keeper_remove(world->log_keeper, removal);
		return;
	}
	removal->status = LYC_UNAVAILABLE;
	snprintf(removal->text, sizeof(removal->text), "the daemon is stopping");
	removal->on_done(removal);
}

static uint64_t env_last_of(void *arg, struct span subject)
{
	struct world *world = arg;
	return store_last_of(world->store, subject);
}

static void env_save(void *arg, const char *key, struct span value)
{
	struct world *world = arg;
	if (world->log_threads)
		log_threads_save(world->log_threads, key, value);
}

static void env_load(void *arg, const char *key, struct buf *ret_value)
{
	struct world *world = arg;
	if (world->log_threads && log_threads_saved(world->log_threads, key, ret_value))
		return;
	if (store_get_meta(world->store, key, ret_value) != LYC_OK)
		buf_clear(ret_value);
}

static bool env_was_damaged(void *arg, const char *key)
{
	struct world *world = arg;
	return store_meta_was_damaged(world->store, key);
}

static void env_damaged(void *arg, void (*on_key)(const char *key, void *arg), void *key_arg)
{
	struct world *world = arg;
	store_damaged_meta(world->store, on_key, key_arg);
}

static size_t env_saved_count(void *arg, const char *prefix)
{
	struct world *world = arg;
	return store_count_meta(world->store, prefix);
}

static bool env_is_saved(void *arg, const char *key)
{
	struct world *world = arg;
	return store_has_meta(world->store, key);
}

static void env_heal(void *arg, struct log_heal *heal)
{
	struct world *world = arg;
	if (world->log_threads) {
		log_threads_heal(world->log_threads, heal);
		return;
	}
	heal->status = LYC_UNAVAILABLE;
	heal->on_done(heal);
}

static void env_lost(void *arg, log_lost_fn on_lost, void *lost_arg)
{
	struct world *world = arg;
	store_lost(world->store, on_lost, lost_arg);
}

static uint64_t env_random(void *arg)
{
	(void)arg;
	uint64_t bits;
	randombytes_buf(&bits, sizeof(bits));
	return bits;
}

static enum lyc_status env_uplink_open(void *arg, struct lyc_error *error)
{
	return port_open_uplink(arg, error);
}

static void env_uplink_close(void *arg)
{
	struct world *world = arg;
	port_close(&world->uplink);
}

static bool env_uplink_failed(void *arg, char *ret_text, size_t size)
{
	return port_uplink_failed(arg, ret_text, size);
}

static enum lyc_status env_plugin_start(void *arg, struct plugin *plugin, struct lyc_error *error)
{
	return running_start(arg, plugin, error);
}

static void env_plugin_stop(void *arg, struct plugin *plugin, uint32_t grace_ms)
{
	(void)arg;
	running_stop(plugin, grace_ms);
}

struct env daemon_env(struct world *world)
{
	return (struct env){
		.world = world,
		.now_ms = env_now_ms,
		.wall_ms = env_wall_ms,
		.send = env_send,
		.cut = env_cut,
		.append = env_append,
		.read = env_read,
		.remove = env_remove,
		.last_of = env_last_of,
		.save = env_save,
		.load = env_load,
		.was_damaged = env_was_damaged,
		.damaged = env_damaged,
		.saved_count = env_saved_count,
		.is_saved = env_is_saved,
		.backup = backup_thread_start,
		.heal = env_heal,
		.lost = env_lost,
		.random = env_random,
		.uplink_open = env_uplink_open,
		.uplink_close = env_uplink_close,
		.uplink_failed = env_uplink_failed,
		.plugin_start = env_plugin_start,
		.plugin_stop = env_plugin_stop,
	};
}
