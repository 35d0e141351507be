/* The daemon's life: start, turns, crash, restart; and its connections. */
#include "sim_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "damage.h"
#include "line.h"
#include "shared.h"
#include "sim_peer.h"
#include "store/backup.h"
#include "tokens.h"
#include "writes.h"

#define STOP_US 4000000

const char *const sim_node_names[SIM_NODES] = {"hub",   "wales", "cork",  "derry",
					       "essex", "fife",  "gwent", "jura"};

size_t sim_node_find(struct span name)
{
	size_t i = 0;
	while (i < SIM_NODES && !span_is(name, sim_node_names[i]))
		i++;
	return i;
}

/* ---- struct env ---- */

static uint64_t env_now(void *arg)
{
	const struct sim_node *node = arg;
	return 1000000 + 1000 * node->index + sim_ms(node->sim);
}

uint64_t sim_node_wall_ms(const struct sim_node *node)
{
	return (uint64_t)((int64_t)(1700000000000u + sim_ms(node->sim)) + node->skew_ms);
}

static uint64_t env_wall(void *arg)
{
	return sim_node_wall_ms(arg);
}

static enum lyc_status env_send(void *arg, uint32_t port, struct span routing_id, struct buf *frame)
{
	struct sim_node *node = arg;
	if (!node->is_running)
		return LYC_UNAVAILABLE;
	if (port == PORT_UPLINK)
		return node->uplink ? line_send(node->uplink, LINE_UP, frame) : LYC_UNAVAILABLE;
	struct line *line = line_find(node, routing_id);
	return line ? line_send(line, LINE_DOWN, frame) : LYC_UNAVAILABLE;
}

/* Descriptors are the numbers of lines. */
static void env_cut(void *arg, int fd)
{
	struct sim_node *node = arg;
	struct line *line = line_by_id(node->sim, (uint64_t)fd);
	if (line)
		line_cut(line, 0, 1000);
}

static uint64_t env_random(void *arg)
{
	return rng_next(&((struct sim_node *)arg)->sim->rng);
}

static enum lyc_status env_uplink_open(void *arg, struct lyc_error *error)
{
	struct sim_node *node = arg;
	(void)error;
	node->uplink = line_open(node->sim, node->hub, node, NULL, node->name);
	return LYC_OK;
}

static void env_uplink_close(void *arg)
{
	struct sim_node *node = arg;
	if (node->uplink)
		line_close(node->uplink);
	node->uplink = NULL;
}

static bool env_uplink_failed(void *arg, char *ret_text, size_t size)
{
	const struct sim_node *node = arg;
	snprintf(ret_text, size, "no daemon answers");
	return !node->uplink || (!node->uplink->is_connected && !node->hub->is_running);
}

static enum lyc_status env_plugin_start(void *arg, struct plugin *plugin, struct lyc_error *error)
{
	struct sim_node *node = arg;
	(void)error;
	policy_grant(&node->daemon.policy, plugin->identity, "", ROLE_PLUGIN);
	plugin->instance = node->board;
	node->plugin = plugin;
	sim_note(node->sim, "%s: plugin starts", node->name);
	sim_peer_start(node->board, sim_around(node->sim, 100000));
	return LYC_OK;
}

static void plugin_ended(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	if (node->life != life || !node->is_running || !node->plugin)
		return;
	struct plugin *plugin = node->plugin;
	node->plugin = NULL;
	node->sim->current = node;
	daemon_instance_ended(&node->daemon, plugin, false, "it has ended");
	sim_node_turn(node);
}

static void env_plugin_stop(void *arg, struct plugin *plugin, uint32_t grace_ms)
{
	struct sim_node *node = arg;
	(void)plugin;
	(void)grace_ms;
	sim_node_end_plugin(node);
}

void sim_node_end_plugin(struct sim_node *node)
{
	if (!node->plugin)
		return;
	sim_note(node->sim, "%s: plugin ends", node->name);
	sim_peer_stop(node->board);
	node->schema_known = -1;
	sim_in(node->sim, sim_around(node->sim, 20000), plugin_ended, node, node->life);
}

static void storage(void *arg, struct store_stats *ret_stats, const char **ret_folder,
		    uint64_t *ret_free_bytes)
{
	const struct sim_node *node = arg;
	store_stats(node->store, ret_stats);
	*ret_folder = "memory";
	*ret_free_bytes = 1u << 30;
}

/* ---- turns ---- */

static void check_bounds(struct sim_node *node)
{
	const struct daemon *daemon = &node->daemon;
	list_each (at, &daemon->sessions.all) {
		const struct session *session = list_entry(at, struct session, all);
		size_t most = (session_is_link(session) ? 2 : 1) * SIM_BACKLOG + WIRE_MAX_PACKET;
		if (session->waiting_len > (session_is_link(session) ? 2 : 1) * SIM_BACKLOG ||
		    session_backlog(session) > most)
			sim_broken(node->sim, PROMISE_BOUNDED,
				   "at %s %zu bytes wait for '%s', and the limit is %u", node->name,
				   session_backlog(session), session->identity, SIM_BACKLOG);
		if (session->publishes_len >
		    SIM_PUBLISH_CREDIT * (session_is_link(session) ? LINK_CREDIT_SCALE : 1))
			sim_broken(node->sim, PROMISE_BOUNDED,
				   "at %s '%s' has %llu bytes of publishes under way", node->name,
				   session->identity, (unsigned long long)session->publishes_len);
		if (session->transient_len > (session_is_link(session) ? 0 : SIM_PUBLISH_CREDIT) ||
		    session->owed_len > session->transient_len)
			sim_broken(node->sim, PROMISE_BOUNDED,
				   "at %s '%s' has %llu bytes of credit that has not come back",
				   node->name, session->identity,
				   (unsigned long long)session->transient_len);
	}
}

static void turn(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	if (node->life != life || !node->is_running)
		return;
	node->has_turn = false;
	node->sim->current = node;
	daemon_turn(&node->daemon);
	check_bounds(node);
}

void sim_node_turn(struct sim_node *node)
{
	if (node->has_turn || !node->is_running)
		return;
	node->has_turn = true;
	if (sim_chance(node->sim, 600))
		turn(node, node->life);
	else
		sim_in(node->sim, sim_below(node->sim, 1500), turn, node, node->life);
}

static void tick(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	if (node->life != life || !node->is_running)
		return;
	node->sim->current = node;
	daemon_tick(&node->daemon);
	sim_in(node->sim, SIM_TICK_US + sim_below(node->sim, 5000), tick, node, life);
	sim_node_turn(node);
}

void sim_node_frame(struct sim_node *node, uint32_t port, struct span routing_id,
		    const char *identity, struct span frame)
{
	if (!node->is_running)
		return;
	node->sim->current = node;
	const struct line *line = port == PORT_UPLINK ? NULL : line_find(node, routing_id);
	daemon_frame(&node->daemon, port, routing_id, identity, line ? (int)line->id : -1, frame);
	sim_node_turn(node);
}

void sim_node_uplink_lost(struct sim_node *node, const struct line *line)
{
	if (!node->is_running || node->uplink != line)
		return;
	node->sim->current = node;
	daemon_uplink_cut(&node->daemon);
	sim_node_turn(node);
}

bool sim_node_is_reached(const struct sim_node *node)
{
	return node->is_running && !node->is_apart;
}

/* ---- life ---- */

static void start_again(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	if (node->life == life && !node->is_running)
		sim_node_start(node);
}

void sim_node_start(struct sim_node *node)
{
	struct sim *sim = node->sim;
	struct store_stats stats;
	struct lyc_error error = {0};
	node->life++;
	if (!sim_log_open(node)) {
		memory_disk_kill(node->disk);
		sim_in(sim, 100000, start_again, node, node->life);
		return;
	}
	store_stats(node->store, &stats);
	if (sim_node_configure(node, stats.epoch, &error) != LYC_OK) {
		sim_broken(sim, PROMISE_CONVERGES, "%s does not start: %s", node->name, error.text);
		return;
	}
	node->daemon.storage = storage;
	/* What is held goes with the next turn of a later millisecond, at the latest that of a
	 * tick. */
	node->daemon.sessions.may_hold = true;
	if (sim->mutation == MUTATION_UNBOUNDED)
		node->daemon.sessions.max_backlog = SIZE_MAX / 4;
	if (!sim_log_replay(node)) {
		sim_log_close(node);
		daemon_fini(&node->daemon);
		memory_disk_kill(node->disk);
		sim_in(sim, 100000, start_again, node, ++node->life);
		return;
	}
	node->is_running = true;
	node->is_stopping = false;
	node->has_turn = false;
	node->schema_known = -1;
	sim_note(sim, "%s: starts with %llu records", node->name,
		 (unsigned long long)stats.last_seq);
	shared_begin(node);
	daemon_start(&node->daemon);
	damage_started(node);
	sim_in(sim, SIM_TICK_US, tick, node, node->life);
	writes_check_kept(sim, node);
}

static void end(struct sim_node *node)
{
	struct sim *sim = node->sim;
	node->is_running = false;
	node->life++;
	sim->current = node;
	for (struct line *line = sim->lines; line; line = line->next) {
		if (line->server == node)
			line_cut(line, 0, sim_around(sim, 50000));
	}
	env_uplink_close(node);
	sim_log_close(node);
	daemon_fini(&node->daemon);
	node->plugin = NULL;
	sim_peer_stop(node->board);
}

void sim_node_crash(struct sim_node *node, bool is_power)
{
	struct sim *sim = node->sim;
	if (!node->is_running)
		return;
	sim->counts.crashes++;
	sim_note(sim, "%s: %s", node->name, is_power ? "power cut" : "killed");
	memory_disk_fail_after(node->disk, 0); /* closing writes nothing any more */
	end(node);
	if (is_power)
		memory_disk_cut_power(node->disk, &sim->rng);
	else
		memory_disk_kill(node->disk);
	sim_in(sim, sim_around(sim, 600000), start_again, node, node->life);
}

/* ---- backups ---- */

void sim_node_back_up(struct sim_node *node)
{
	struct lyc_error error = {0};
	struct backup_summary summary;
	char folder[80];
	if (!node->is_running)
		return;
	snprintf(folder, sizeof(folder), MEMORY_DISK_ROOT "%s/backup-%u", node->name,
		 node->backup_count + 1);
	const struct backup_options options = {
		.folder = folder, .daemon = node->name, .time_ms = sim_node_wall_ms(node)};
	node->sim->current = node;
	if (backup_make(node->store, &options, &summary, &error) == LYC_OK) {
		node->backup_count++;
		node->has_backup = true;
		node->backup_seq = summary.last_seq;
		sim_note(node->sim, "%s: backup up to %llu", node->name,
			 (unsigned long long)summary.last_seq);
	} else {
		sim_note(node->sim, "%s: no backup: %s", node->name, error.text);
	}
	if (memory_disk_is_dead(node->disk))
		sim_node_crash(node, true);
}

void sim_node_restore(struct sim_node *node)
{
	struct sim *sim = node->sim;
	struct lyc_error error = {0};
	struct backup_summary summary;
	char folder[80];
	char log[80];
	if (!node->is_running || !node->has_backup)
		return;
	sim_node_crash(node, false);
	snprintf(folder, sizeof(folder), MEMORY_DISK_ROOT "%s/backup-%u", node->name,
		 node->backup_count);
	snprintf(log, sizeof(log), MEMORY_DISK_ROOT "%s/log", node->name);
	memory_disk_forget(node->disk, log);
	/* Whoever restores makes room first, and sets the clock. */
	memory_disk_set_full(node->disk, false);
	node->skew_ms = 0;
	const struct restore_options options = {.folder = folder,
						.to = log,
						.daemon = node->name,
						.now_ms = sim_node_wall_ms(node),
						.waits_for_hub = node->hub != NULL};
	sim->current = node;
	if (backup_restore(&options, &summary, &error) != LYC_OK)
		sim_broken(sim, PROMISE_DURABLE, "the backup of %s cannot be restored: %s",
			   node->name, error.text);
	sim_note(sim, "%s: restored up to %llu", node->name, (unsigned long long)node->backup_seq);
	node->restore_count++;
	sim->counts.restores++;
	writes_forgive(sim, node->index, node->backup_seq);
	tokens_forgive(sim->tokens, node->index);
	shared_forget(node);
}

/* ---- told to end ---- */

static void stop_when_quiet(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	if (node->life != life || !node->is_running)
		return;
	bool is_quiet = daemon_is_quiet(&node->daemon) && !node->values && !node->is_saving;
	if (!is_quiet && node->is_stopping) {
		sim_in(node->sim, SIM_TICK_US, stop_when_quiet, node, life);
		return;
	}
	sim_note(node->sim, "%s: stopped", node->name);
	end(node);
	memory_disk_kill(node->disk);
	sim_in(node->sim, sim_around(node->sim, 300000), start_again, node, node->life);
}

static void give_up(void *arg, uint64_t life)
{
	struct sim_node *node = arg;
	if (node->life == life)
		node->is_stopping = false;
}

void sim_node_stop(struct sim_node *node)
{
	if (!node->is_running || node->is_stopping)
		return;
	node->is_stopping = true;
	sim_note(node->sim, "%s: told to stop", node->name);
	node->sim->current = node;
	daemon_stop(&node->daemon);
	sim_node_turn(node);
	sim_in(node->sim, SIM_TICK_US, stop_when_quiet, node, node->life);
	sim_in(node->sim, STOP_US, give_up, node, node->life);
}

struct sim_node *sim_node_new(struct sim *sim, size_t index, const char *name, struct sim_node *hub)
{
	struct sim_node *node = mem_new(struct sim_node);
	char root[64];
	node->sim = sim;
	node->index = index;
	node->hub = hub;
	node->schema_known = -1;
	snprintf(node->name, sizeof(node->name), "%s", name);
	snprintf(root, sizeof(root), MEMORY_DISK_ROOT "%s", name);
	node->disk = memory_disk_new(root);
	memory_disk_set_lying(node->disk, sim->mutation == MUTATION_LYING_DISK);
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
	sim_log_env(&node->env);
	sim->nodes[index] = node;
	return node;
}

void sim_node_free(struct sim_node *node)
{
	if (!node)
		return;
	if (node->is_running)
		end(node);
	memory_disk_free(node->disk);
	free(node);
}
