/* Frames in flight. */
#include "line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "sim_node.h"
#include "sim_peer.h"
#include "writes.h"

/* Frames that a socket takes before it says that it is full. */
#define HIGH_WATER 12
#define HIGH_WATER_LEN 12000u
#define HIGH_WATER_UP 200

static struct line_queue *queue_of(struct line *line, enum line_way way)
{
	return &line->ways[way];
}

static void queue_add(struct line_queue *queue, struct buf *frame)
{
	if (queue->first + queue->count == queue->cap) {
		if (queue->first > 0) {
			memmove(queue->frames, queue->frames + queue->first,
				queue->count * sizeof(*queue->frames));
			queue->first = 0;
		}
		if (queue->count == queue->cap) {
			queue->cap = queue->cap ? 2 * queue->cap : 8;
			queue->frames = realloc(queue->frames, queue->cap * sizeof(struct buf));
			ensure(queue->frames != NULL);
		}
	}
	queue->len += frame->len;
	queue->frames[queue->first + queue->count++] = *frame;
	*frame = (struct buf){0};
}

static bool queue_take(struct line_queue *queue, struct buf *ret_frame)
{
	if (queue->count == 0)
		return false;
	*ret_frame = queue->frames[queue->first++];
	queue->len -= ret_frame->len;
	if (--queue->count == 0)
		queue->first = 0;
	return true;
}

/* What is in flight is lost, and what comes next is of a new connection. */
static void drop_all(struct line *line)
{
	struct buf frame;
	for (int way = 0; way < 2; way++) {
		while (queue_take(queue_of(line, (enum line_way)way), &frame))
			buf_fini(&frame);
		line->ways[way].last_us = 0;
		line->ways[way].stalled_until_us = 0;
	}
	line->generation++;
}

static void name_line(struct line *line)
{
	struct sim *sim = line->sim;
	if ((sim->line_count & (sim->line_count - 1)) == 0) {
		size_t cap = sim->line_count ? 2 * sim->line_count : 2;
		sim->line_of = realloc(sim->line_of, cap * sizeof(struct line *));
		ensure(sim->line_of != NULL);
	}
	line->id = sim->line_count++;
	sim->line_of[line->id] = line;
	snprintf(line->routing_id, sizeof(line->routing_id), "r%llu", (unsigned long long)line->id);
}

static void tell_connected(void *arg, uint64_t generation)
{
	struct line *line = arg;
	if (line->is_ended || line->generation != generation)
		return;
	bool is_reached = sim_node_is_reached(line->server) &&
			  (!line->node || sim_node_is_reached(line->node));
	if (!is_reached) {
		/* The transport tries again by itself. */
		sim_in(line->sim, sim_around(line->sim, 200000), tell_connected, line, generation);
		return;
	}
	line->is_connected = line->was_connected = true;
	if (line->peer)
		sim_peer_connected(line->peer);
}

struct line *line_open(struct sim *sim, struct sim_node *server, struct sim_node *node,
		       struct sim_peer *peer, const char *identity)
{
	struct line *line = mem_new(struct line);
	line->sim = sim;
	line->server = server;
	line->node = node;
	line->peer = peer;
	line->gone_us = UINT64_MAX;
	snprintf(line->identity, sizeof(line->identity), "%s", identity);
	name_line(line);
	line->next = sim->lines;
	sim->lines = line;
	sim_in(sim, sim_around(sim, 2 * sim->delay_us), tell_connected, line, line->generation);
	return line;
}

static void deliver(struct line *line, enum line_way way, struct span frame)
{
	if (way == LINE_UP)
		sim_node_frame(line->server, LINE_LISTENER,
			       span_of(line->routing_id, strlen(line->routing_id)), line->identity,
			       frame);
	else if (line->node)
		sim_node_frame(line->node, 0, span_of(NULL, 0), line->server->name, frame);
	else
		sim_peer_frame(line->peer, frame);
}

static void arrive(struct line *line, enum line_way way, uint64_t generation)
{
	struct buf frame;
	if (line->generation != generation || !queue_take(queue_of(line, way), &frame))
		return;
	if (frame.len > 0)
		deliver(line, way, span_of(frame.data, frame.len));
	buf_fini(&frame);
}

static void arrive_up(void *line, uint64_t generation)
{
	arrive(line, LINE_UP, generation);
}

static void arrive_down(void *line, uint64_t generation)
{
	arrive(line, LINE_DOWN, generation);
}

/* Who may ever see what travels this way? Bits as in writes.h. */
static void check_private(struct line *line, enum line_way way, struct span frame)
{
	if (way == LINE_UP && line->node)
		writes_check_private(line->sim, frame, writes_link_bit(line->server->index),
				     line->node->name, line->server->name);
	else if (way == LINE_DOWN && line->node)
		writes_check_private(line->sim, frame, writes_link_bit(line->node->index),
				     line->server->name, line->node->name);
	else if (way == LINE_DOWN)
		writes_check_private(line->sim, frame, sim_peer_bit(line->peer), line->server->name,
				     line->peer->identity);
}

enum lyc_status line_send(struct line *line, enum line_way way, struct buf *frame)
{
	struct sim *sim = line->sim;
	if (line->is_ended)
		return LYC_UNAVAILABLE;
	if (!line->is_connected) {
		if (way == LINE_DOWN && sim->now_us >= line->gone_us)
			return LYC_UNAVAILABLE;
		if (way == LINE_UP && !line->was_connected)
			return LYC_RESOURCE_EXHAUSTED;
		buf_fini(frame); /* into a connection that has broken */
		return LYC_OK;
	}
	struct line_queue *queue = queue_of(line, way);
	bool is_full = line->peer && way == LINE_UP
			       ? queue->count >= HIGH_WATER_UP
			       : queue->count >= HIGH_WATER || queue->len > HIGH_WATER_LEN;
	if (is_full)
		return LYC_RESOURCE_EXHAUSTED;
	check_private(line, way, span_of(frame->data, frame->len));
	if (sim->mutation)
		mutated_frame(line, way, frame);
	if (way == LINE_DOWN && line->peer && line->peer->role->on_sent)
		line->peer->role->on_sent(line->peer, span_of(frame->data, frame->len));
	uint64_t at = sim->now_us + sim_around(sim, sim->delay_us);
	if (at < queue->stalled_until_us)
		at = queue->stalled_until_us;
	if (at < queue->last_us)
		at = queue->last_us;
	queue->last_us = at;
	queue_add(queue, frame);
	if (sim->mutation == MUTATION_SWAP_FRAMES && queue->count > 1 && sim_chance(sim, 100)) {
		struct buf *last = &queue->frames[queue->first + queue->count - 1];
		struct buf other = last[-1];
		last[-1] = *last;
		*last = other;
	}
	sim_in(sim, at - sim->now_us, way == LINE_UP ? arrive_up : arrive_down, line,
	       line->generation);
	return LYC_OK;
}

void line_close(struct line *line)
{
	if (line->is_ended)
		return;
	drop_all(line);
	line->is_connected = false;
	line->is_ended = true;
}

static void tell_client(void *arg, uint64_t generation)
{
	struct line *line = arg;
	if (line->is_ended || line->generation != generation)
		return;
	if (line->node)
		sim_node_uplink_lost(line->node, line);
	else
		sim_peer_lost(line->peer);
}

void line_cut(struct line *line, uint64_t server_delay_us, uint64_t client_delay_us)
{
	if (line->is_ended || !line->is_connected)
		return;
	drop_all(line);
	line->is_connected = false;
	line->gone_us =
		server_delay_us == UINT64_MAX ? UINT64_MAX : line->sim->now_us + server_delay_us;
	if (client_delay_us != UINT64_MAX)
		sim_in(line->sim, client_delay_us, tell_client, line, line->generation);
}

void line_swap(struct line *line)
{
	if (line->is_ended || !line->is_connected)
		return;
	drop_all(line);
	name_line(line);
}

void line_stall(struct line *line, enum line_way way, uint64_t for_us)
{
	line->ways[way].stalled_until_us = line->sim->now_us + for_us;
}

struct line *line_by_id(const struct sim *sim, uint64_t id)
{
	struct line *line = id < sim->line_count ? sim->line_of[id] : NULL;
	return line && line->id == id ? line : NULL;
}

/* Routing ids are "r" and the number. */
struct line *line_find(struct sim_node *server, struct span routing_id)
{
	uint64_t id = 0;
	for (size_t i = 1; i < routing_id.len; i++)
		id = 10 * id + (uint64_t)(routing_id.data[i] - '0');
	struct line *line = line_by_id(server->sim, id);
	return line && line->server == server ? line : NULL;
}

void lines_free(struct sim *sim)
{
	while (sim->lines) {
		struct line *line = sim->lines;
		sim->lines = line->next;
		drop_all(line);
		free(line->ways[0].frames);
		free(line->ways[1].frames);
		free(line);
	}
	free(sim->line_of);
}
