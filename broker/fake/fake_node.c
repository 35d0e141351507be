/* Daemons without sockets, files, threads and clocks. */
#include "fake/fake_node.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "fake/fake_plugin.h"
#include "log.h"
#include "lyceum/v1/config.pb-c.h"

#define SETTLE_ROUNDS 100000

/* ---- frames ---- */

void fake_frames_add(struct fake_frames *frames, struct buf *frame)
{
	size_t end = frames->first + frames->count;
	struct buf *items = realloc(frames->items, (end + 1) * sizeof(*items));
	ensure(items != NULL);
	frames->items = items;
	items[end] = *frame;
	frames->count++;
	*frame = (struct buf){0};
}

bool fake_frames_take(struct fake_frames *frames, struct buf *ret_frame)
{
	if (frames->count == 0)
		return false;
	*ret_frame = frames->items[frames->first++];
	frames->count--;
	if (frames->count == 0)
		frames->first = 0;
	return true;
}

void fake_frames_drop(struct fake_frames *frames)
{
	struct buf frame;
	while (fake_frames_take(frames, &frame))
		buf_fini(&frame);
	free(frames->items);
	*frames = (struct fake_frames){0};
}

/* ---- struct env ---- */

static uint64_t env_now(void *arg)
{
	return ((struct fake_node *)arg)->world->now_ms;
}

static uint64_t env_wall(void *arg)
{
	const struct fake_world *world = ((struct fake_node *)arg)->world;
	return (uint64_t)((int64_t)world->now_ms + world->wall_offset_ms);
}

static void link_id(const struct fake_node *node, char *to, size_t size)
{
	snprintf(to, size, "%s#%u", node->name, node->connection);
}

/* Who has this routing id at a daemon's listener: a node's link, or a client. */
static struct fake_frames *find_receiver(struct fake_node *at, struct span routing_id,
					 struct buf **ret_seen)
{
	struct fake_world *world = at->world;
	char id[48];
	for (size_t i = 0; i < world->node_count; i++) {
		struct fake_node *node = world->nodes[i];
		link_id(node, id, sizeof(id));
		if (node->hub == at && node->is_open && span_is(routing_id, id)) {
			*ret_seen = &node->seen_down;
			return &node->down;
		}
	}
	for (size_t i = 0; i < world->client_count; i++) {
		struct fake_client *client = world->clients[i];
		if (client->node == at && span_is(routing_id, client->routing_id))
			return client->is_full ? NULL : &client->in;
	}
	return NULL;
}

static bool is_full(const struct fake_node *at, struct span routing_id)
{
	for (size_t i = 0; i < at->world->client_count; i++) {
		const struct fake_client *client = at->world->clients[i];
		if (client->node == at && span_is(routing_id, client->routing_id))
			return client->is_full;
	}
	return false;
}

static enum lyc_status env_send(void *arg, uint32_t port, struct span routing_id, struct buf *frame)
{
	struct fake_node *node = arg;
	struct buf *seen = NULL;
	if (port == PORT_UPLINK) {
		if (!node->is_open)
			return LYC_UNAVAILABLE;
		buf_add(&node->seen_up, frame->data, frame->len);
		fake_frames_add(&node->up, frame);
		return LYC_OK;
	}
	if (is_full(node, routing_id))
		return LYC_RESOURCE_EXHAUSTED;
	struct fake_frames *to = find_receiver(node, routing_id, &seen);
	if (!to)
		return LYC_UNAVAILABLE;
	if (seen)
		buf_add(seen, frame->data, frame->len);
	fake_frames_add(to, frame);
	return LYC_OK;
}

static void env_cut(void *arg, int fd)
{
	struct fake_node *node = arg;
	node->cut_fd = fd;
	node->cut_count++;
}

static uint64_t env_random(void *arg)
{
	return rng_next(&((struct fake_node *)arg)->world->rng);
}

static enum lyc_status env_uplink_open(void *arg, struct lyc_error *error)
{
	struct fake_node *node = arg;
	(void)error;
	node->connection++;
	node->is_open = !node->is_refused;
	return LYC_OK;
}

static void env_uplink_close(void *arg)
{
	struct fake_node *node = arg;
	node->is_open = false;
	fake_frames_drop(&node->up);
	fake_frames_drop(&node->down);
}

static bool env_uplink_failed(void *arg, char *ret_text, size_t size)
{
	const struct fake_node *node = arg;
	snprintf(ret_text, size, "%s", node->uplink_fault ? node->uplink_fault : "no answer");
	return node->uplink_fault != NULL;
}

static enum lyc_status env_plugin_start(void *arg, struct plugin *plugin, struct lyc_error *error)
{
	struct fake_node *node = arg;
	if (node->world->hooks.plugin_start)
		return node->world->hooks.plugin_start(node, plugin, error);
	node->start_count++;
	if (node->start_status != LYC_OK) {
		snprintf(error->text, sizeof(error->text), "it cannot be started");
		return node->start_status;
	}
	plugin->instance = node;
	return LYC_OK;
}

static void env_plugin_stop(void *arg, struct plugin *plugin, uint32_t grace_ms)
{
	struct fake_node *node = arg;
	if (node->world->hooks.plugin_stop) {
		node->world->hooks.plugin_stop(node, plugin, grace_ms);
		return;
	}
	node->stop_count++;
}

static void storage(void *arg, struct store_stats *ret_stats, const char **ret_folder,
		    uint64_t *ret_free_bytes)
{
	const struct fake_node *node = arg;
	ret_stats->last_seq = node->record_count;
	*ret_folder = "nowhere";
	*ret_free_bytes = 12345;
}

/* ---- daemons ---- */

static void read_stretch(uint64_t from, summary_record_fn on_record, void *on_arg, void *arg)
{
	const struct fake_node *node = arg;
	for (uint64_t seq = from; seq <= node->record_count; seq++) {
		const struct buf *record = &node->records[seq - 1].record;
		if (record->len > 0 && !on_record(seq, span_of(record->data, record->len), on_arg))
			return;
	}
}

static void node_start(struct fake_node *node)
{
	const struct fake_hooks *hooks = &node->world->hooks;
	Lyceum__V1__Config config = LYCEUM__V1__CONFIG__INIT;
	Lyceum__V1__Limits limits = LYCEUM__V1__LIMITS__INIT;
	Lyceum__V1__Uplink uplink = LYCEUM__V1__UPLINK__INIT;
	limits.call_credit = 200000;
	limits.publish_credit = 200000;
	config.name = node->name;
	config.limits = &limits;
	if (node->hub) {
		uplink.name = node->hub->name;
		uplink.endpoint = (char *)(uintptr_t) "fake://hub";
		uplink.server_key = (char *)(uintptr_t)FAKE_KEY;
		config.uplink = &uplink;
	}
	if (hooks->configure)
		hooks->configure(node, &config);
	struct lyc_error error = {0};
	if (daemon_init(&node->daemon, &config, &node->env, node->epoch, "/plugins", &error) !=
	    LYC_OK)
		fprintf(stderr, "%s cannot start: %s: %s\n", node->name, error.field, error.text);
	ensure(error.status == LYC_OK);
	node->daemon.storage = storage;
	if (node->world->schema)
		ensure(types_add(&node->daemon.types, node->world->schema, true, NULL) == LYC_OK);
	for (size_t i = 0; i < node->world->node_count; i++) {
		const struct fake_node *other = node->world->nodes[i];
		if (other->hub == node)
			policy_grant(&node->daemon.policy, other->name, FAKE_KEY, ROLE_NODE);
	}
	if (hooks->prepare)
		hooks->prepare(node);
	uint64_t from = summary_restore(&node->daemon, node->record_count, read_stretch, node);
	for (uint64_t i = from - 1; i < node->record_count; i++) {
		const struct buf *record = &node->records[i].record;
		if (record->len > 0)
			daemon_replay(&node->daemon, i + 1, span_of(record->data, record->len));
	}
	daemon_replayed(&node->daemon, node->record_count);
	daemon_start(&node->daemon);
	node->is_running = true;
}

static void node_end(struct fake_node *node)
{
	fake_plugins_drop(node);
	while (node->appends) {
		node->append_status = LYC_UNAVAILABLE;
		fake_commit(node, 1);
	}
	while (node->reads) {
		struct log_read *read = node->reads;
		node->reads = read->next;
		read->status = LYC_UNAVAILABLE;
		read->on_done(read);
	}
	if (node->removal) {
		struct log_removal *removal = node->removal;
		node->removal = NULL;
		removal->status = LYC_UNAVAILABLE;
		removal->on_done(removal);
	}
	node->append_status = LYC_OK;
	daemon_fini(&node->daemon);
	node->is_running = false;
	env_uplink_close(node);
}

struct fake_node *fake_node_add(struct fake_world *world, const char *name, struct fake_node *hub)
{
	struct fake_node *node = mem_new(struct fake_node);
	ensure(world->node_count < FAKE_MAX_NODES);
	world->nodes[world->node_count++] = node;
	node->world = world;
	node->hub = hub;
	node->epoch = 1000 + world->node_count;
	snprintf(node->name, sizeof(node->name), "%s", name);
	node->env = (struct env){.world = node,
				 .now_ms = env_now,
				 .wall_ms = env_wall,
				 .send = env_send,
				 .cut = env_cut,
				 .random = env_random,
				 .uplink_open = env_uplink_open,
				 .uplink_close = env_uplink_close,
				 .uplink_failed = env_uplink_failed,
				 .plugin_start = env_plugin_start,
				 .plugin_stop = env_plugin_stop};
	fake_disk_env(&node->env);
	if (hub)
		policy_grant(&hub->daemon.policy, name, FAKE_KEY, ROLE_NODE);
	node_start(node);
	return node;
}

static void end_abruptly(struct fake_node *node)
{
	node_end(node);
	for (size_t i = 0; i < node->world->node_count; i++) {
		struct fake_node *other = node->world->nodes[i];
		if (other->hub == node)
			fake_cut(other);
	}
}

void fake_node_restart(struct fake_node *node)
{
	end_abruptly(node);
	node_start(node);
}

void fake_node_restore(struct fake_node *node, const struct fake_backup *backup, bool waits_for_hub)
{
	end_abruptly(node);
	fake_disk_restore(node, backup, waits_for_hub);
	node_start(node);
}

static void node_free(struct fake_node *node)
{
	fake_disk_clear(node);
	buf_fini(&node->seen_up);
	buf_fini(&node->seen_down);
	free(node);
}

struct fake_world *fake_world_make(uint64_t seed, const struct fake_hooks *hooks)
{
	struct fake_world *world = mem_new(struct fake_world);
	log_configure(LOG_TEXT, LOG_ERROR, "test");
	rng_init(&world->rng, seed);
	world->now_ms = 1000000;
	world->wall_offset_ms = 1700000000000;
	if (hooks)
		world->hooks = *hooks;
	return world;
}

void fake_world_free(struct fake_world *world)
{
	for (size_t i = 0; i < world->node_count; i++)
		fake_plugins_drop(world->nodes[i]);
	while (world->client_count > 0)
		fake_client_free(world->clients[world->client_count - 1]);
	/* A daemon says farewell to the others: they are freed when all have ended. */
	for (size_t i = 0; i < world->node_count; i++)
		node_end(world->nodes[i]);
	for (size_t i = 0; i < world->node_count; i++)
		node_free(world->nodes[i]);
	schema_unref(world->schema);
	free(world);
}

/* ---- links and time ---- */

bool fake_deliver_up(struct fake_node *node)
{
	struct buf frame;
	char id[48];
	if (!node->hub || !fake_frames_take(&node->up, &frame))
		return false;
	link_id(node, id, sizeof(id));
	daemon_frame(&node->hub->daemon, FAKE_LISTENER, fake_text(id), node->name, 7,
		     span_of(frame.data, frame.len));
	daemon_turn(&node->hub->daemon);
	buf_fini(&frame);
	return true;
}

bool fake_deliver_down(struct fake_node *node)
{
	struct buf frame;
	if (!fake_frames_take(&node->down, &frame))
		return false;
	daemon_frame(&node->daemon, PORT_UPLINK, span_of(NULL, 0), node->hub->name, 7,
		     span_of(frame.data, frame.len));
	daemon_turn(&node->daemon);
	buf_fini(&frame);
	return true;
}

void fake_cut(struct fake_node *node)
{
	fake_frames_drop(&node->up);
	fake_frames_drop(&node->down);
	node->connection++;
}

static bool step(struct fake_world *world)
{
	bool is_busy = false;
	for (size_t i = 0; i < world->node_count; i++) {
		struct fake_node *node = world->nodes[i];
		is_busy |= !node->is_held && fake_commit(node, SIZE_MAX) > 0;
		is_busy |= fake_serve(node, SIZE_MAX) > 0;
		daemon_turn(&node->daemon);
	}
	for (size_t i = 0; i < world->node_count; i++) {
		while (fake_deliver_up(world->nodes[i]))
			is_busy = true;
		while (fake_deliver_down(world->nodes[i]))
			is_busy = true;
	}
	is_busy |= fake_plugins_run(world);
	if (world->hooks.run)
		is_busy |= world->hooks.run(world);
	return is_busy;
}

void fake_settle(struct fake_world *world)
{
	for (int round = 0; step(world); round++)
		ensure(round < SETTLE_ROUNDS);
}

void fake_tick(struct fake_world *world, uint64_t ms)
{
	world->now_ms += ms;
	for (size_t i = 0; i < world->node_count; i++) {
		daemon_tick(&world->nodes[i]->daemon);
		daemon_turn(&world->nodes[i]->daemon);
	}
}

void fake_pass(struct fake_world *world, uint64_t ms)
{
	fake_settle(world);
	for (uint64_t passed = 0; passed < ms; passed += 10) {
		fake_tick(world, ms - passed < 10 ? ms - passed : 10);
		fake_settle(world);
	}
}
