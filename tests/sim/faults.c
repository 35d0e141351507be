/* One fault at a time, at random moments; some last. */
#include "faults.h"

#include <string.h>

#include "board.h"
#include "line.h"
#include "node/summary.h"
#include "reader.h"
#include "sim_node.h"
#include "sim_peer.h"
#include "writer.h"

#define MAX_RESTORES 3

static struct sim_node *some_node(struct sim *sim)
{
	return sim->nodes[sim_below(sim, SIM_NODES)];
}

/* A line that is up: of a node, or of a peer. */
static struct line *some_line(struct sim *sim, bool is_of_node)
{
	struct line *line = NULL;
	for (int tries = 0; tries < 4 && !line; tries++) {
		if (is_of_node)
			line = sim->nodes[1 + sim_below(sim, SIM_NODES - 1)]->uplink;
		else
			line = sim->peers[sim_below(sim, sim->peer_count)]->line;
	}
	return line && line->is_connected ? line : NULL;
}

static const char *client_of(const struct line *line)
{
	return line->node ? line->node->name : line->peer->identity;
}

static void cut(struct sim *sim)
{
	struct line *line = some_line(sim, sim_chance(sim, 700));
	if (!line)
		return;
	/* Who hears of it, and when; never is until the heart stops beating. */
	uint64_t server = sim_chance(sim, 200) ? UINT64_MAX : sim_around(sim, 100000);
	uint64_t client = sim_chance(sim, 200) ? UINT64_MAX : sim_around(sim, 100000);
	sim->counts.cuts++;
	sim_note(sim, "cut %s from %s%s%s", client_of(line), line->server->name,
		 server == UINT64_MAX ? ", unseen there" : "",
		 client == UINT64_MAX ? ", unseen here" : "");
	line_cut(line, server, client);
}

static void change_line(struct sim *sim)
{
	struct line *line = some_line(sim, sim_chance(sim, 500));
	if (!line)
		return;
	sim->counts.cuts++;
	sim_note(sim, "%s at %s has another connection", client_of(line), line->server->name);
	line_swap(line);
}

static void stall(struct sim *sim)
{
	struct line *line = some_line(sim, sim_chance(sim, 500));
	if (!line)
		return;
	enum line_way way = sim_chance(sim, 500) ? LINE_UP : LINE_DOWN;
	uint64_t for_us = sim_around(sim, sim_chance(sim, 200) ? 1500000 : 300000);
	sim_note(sim, "the line of %s at %s stalls", client_of(line), line->server->name);
	line_stall(line, way, for_us);
	/* Somebody who does not read asks for more. */
	if (!line->peer || way != LINE_DOWN)
		return;
	if (strcmp(line->peer->identity, "ann") == 0) {
		for (int i = 0; i < 4; i++)
			ann_gulp(line->peer);
	}
	for (int i = 0; i < 10 && strcmp(line->peer->identity, "root") == 0; i++)
		caller_call(line->peer);
}

static void crash(struct sim *sim)
{
	struct sim_node *node = some_node(sim);
	uint64_t how = sim_below(sim, 3);
	if (!node->is_running)
		return;
	if (how == 0)
		sim_node_crash(node, false);
	else if (how == 1)
		sim_node_crash(node, true);
	else
		memory_disk_fail_after(node->disk, sim_below(sim, 12));
}

static void come_back(void *arg, uint64_t tag)
{
	struct sim_node *node = arg;
	(void)tag;
	node->is_apart = false;
}

static void set_apart(struct sim *sim)
{
	struct sim_node *node = some_node(sim);
	if (node->is_apart)
		return;
	sim_note(sim, "%s is apart", node->name);
	node->is_apart = true;
	for (struct line *line = sim->lines; line; line = line->next) {
		if (line->server == node && line->node)
			line_cut(line, sim_around(sim, 100000), sim_around(sim, 100000));
	}
	if (node->uplink)
		line_cut(node->uplink, sim_around(sim, 100000), sim_around(sim, 100000));
	sim_in(sim, sim_around(sim, 1000000), come_back, node, 0);
}

static void jump(struct sim *sim)
{
	struct sim_node *node = some_node(sim);
	int64_t by = (int64_t)sim_below(sim, 7200000) - 3600000;
	node->skew_ms += by;
	sim_note(sim, "the clock of %s jumps by %lld s", node->name, (long long)by / 1000);
}

static void get_room(void *arg, uint64_t tag)
{
	struct sim_node *node = arg;
	(void)tag;
	memory_disk_set_full(node->disk, false);
}

static void fill(struct sim *sim)
{
	struct sim_node *node = some_node(sim);
	sim_note(sim, "the disk of %s is full", node->name);
	memory_disk_set_full(node->disk, true);
	sim_in(sim, sim_around(sim, 500000), get_room, node, 0);
}

static void touch_plugin(struct sim *sim)
{
	struct sim_node *node = some_node(sim);
	if (!node->is_running)
		return;
	if (node->schema_wanted == 0 && sim_chance(sim, 300))
		board_upgrade(node->board);
	else
		sim_node_end_plugin(node);
}

/* Now and then what the daemon knows of its log is written down, as it does itself after many more
 * records than there are here. */
static void sum_up(struct sim *sim)
{
	struct sim_node *node = some_node(sim);
	if (!node->is_running)
		return;
	sim->current = node;
	summary_save(&node->daemon);
}

static void fault(void *arg, uint64_t tag)
{
	struct sim *sim = arg;
	(void)tag;
	if (sim->is_calm)
		return;
	if (sim_chance(sim, 400))
		sum_up(sim);
	if (sim->has_restores && sim_chance(sim, 150))
		sim_node_back_up(some_node(sim));
	if (sim->has_restores && sim->counts.restores < MAX_RESTORES && sim_chance(sim, 120))
		sim_node_restore(some_node(sim));
	uint64_t what = sim_below(sim, 100);
	if (what < 26)
		cut(sim);
	else if (what < 34)
		change_line(sim);
	else if (what < 52)
		stall(sim);
	else if (what < 70)
		crash(sim);
	else if (what < 73)
		sim_node_stop(some_node(sim));
	else if (what < 79)
		set_apart(sim);
	else if (what < 85)
		jump(sim);
	else if (what < 90)
		fill(sim);
	else
		touch_plugin(sim);
	sim_in(sim, sim_around(sim, sim->fault_us), fault, sim, 0);
}

void faults_start(struct sim *sim)
{
	sim_in(sim, sim_around(sim, sim->fault_us), fault, sim, 0);
}

void faults_end(struct sim *sim)
{
	sim->is_calm = true;
	sim_note(sim, "no more faults");
	for (size_t i = 0; i < SIM_NODES; i++) {
		struct sim_node *node = sim->nodes[i];
		node->is_apart = sim->mutation == MUTATION_STAY_APART && i == 3;
		if (node->is_apart && node->uplink)
			line_cut(node->uplink, 0, 0);
		memory_disk_set_full(node->disk, false);
	}
}
