/* A plugin, from the packets' side. What it keeps is gone when its instance ends; a lost session
 * alone costs it nothing. */
#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"
#include "sim_node.h"
#include "tokens.h"
#include "writes.h"

#define MAX_WAITING 40
#define FOLLOWING 1
#define VIEW_CREDIT 6000

/* A call that was given to it and not answered. */
struct waiting {
	uint64_t call; /* 0: free */
	uint64_t token;
	uint64_t after;
	uint64_t due_us;
	uint32_t left; /* replies of a stream */
	int64_t credit;
	bool is_stream;
	uint64_t write; /* the write that a Post makes, and its publish */
	uint64_t publish;
	uint64_t seq;
	size_t home;
	size_t id;
};

struct board {
	struct view view;
	struct waiting waiting[MAX_WAITING];
	uint64_t consumed;
	unsigned schema;
	uint64_t epoch;
	bool is_working;
};

static void work(void *arg, uint64_t session);

static struct board *board_of(const struct sim_peer *peer)
{
	return peer->state;
}

static void work_soon(struct sim_peer *peer)
{
	struct board *board = board_of(peer);
	if (board->is_working)
		return;
	board->is_working = true;
	sim_peer_in(peer, sim_around(peer->sim, 8000), work);
}

static void subscribe(struct sim_peer *peer)
{
	struct board *board = board_of(peer);
	struct packet packet = {.kind = PACKET_SUBSCRIBE};
	packet.subscribe = (struct packet_subscribe){
		.id = FOLLOWING,
		.pattern = text_span("lyceum.notice.v1.Notice.>"),
		.start = board->view.seq > 0 ? SUBSCRIBE_SEQ : SUBSCRIBE_LAST,
		.from = board->view.seq + 1,
		.credit = VIEW_CREDIT,
		.records_only = true};
	sim_peer_send(peer, &packet);
}

static void register_services(struct sim_peer *peer)
{
	struct span service = text_span("lyceum.notice.v1.Board");
	struct span publishes = text_span("lyceum.notice.v1.>");
	struct packet packet = {.kind = PACKET_REGISTER};
	board_of(peer)->schema = peer->node->schema_wanted;
	packet.reg = (struct packet_register){
		.id = 1,
		.services = &service,
		.service_count = 1,
		.schema = schema_bytes(peer->sim->schemas[peer->node->schema_wanted]),
		.publishes = &publishes,
		.publish_count = 1};
	sim_peer_send(peer, &packet);
}

static void on_up(struct sim_peer *peer)
{
	/* A restored log gives its sequences anew. */
	if (board_of(peer)->epoch != peer->epoch)
		view_clear(&board_of(peer)->view);
	board_of(peer)->epoch = peer->epoch;
	register_services(peer);
	subscribe(peer);
	board_of(peer)->is_working = false;
}

static void on_down(struct sim_peer *peer)
{
	struct board *board = board_of(peer);
	memset(board->waiting, 0, sizeof(board->waiting));
	peer->node->schema_known = -1;
	if (!peer->is_started)
		view_clear(&board->view);
}

/* ---- calls ---- */

static void refuse(struct sim_peer *peer, uint64_t call, enum lyc_status status)
{
	struct packet packet = {.kind = PACKET_REPLY};
	packet.reply = (struct packet_reply){
		.id = call, .status = (uint32_t)status, .text = text_span("not now")};
	sim_peer_send(peer, &packet);
}

/* What is shown of a record. Parts have labels only in the newer schema: who speaks the older one
 * shows none, because its daemon would not know what to cut. */
static void show(struct buf *to, struct span body, bool knows_parts)
{
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	size_t mark = pb_begin(to, 2);
	const uint8_t *at = reader.at;
	while (pb_read_field(&reader, &field)) {
		if (field.number < 5 || knows_parts)
			buf_add(to, at, (size_t)(reader.at - at));
		at = reader.at;
	}
	pb_end(to, mark);
}

static void answer(struct sim_peer *peer, struct waiting *waiting)
{
	struct board *board = board_of(peer);
	struct buf body = {0};
	struct packet packet = {.kind = PACKET_REPLY};
	char text[32];
	snprintf(text, sizeof(text), "k%llu", (unsigned long long)waiting->token);
	pb_write_text(&body, 1, text);
	const struct view_entry *entry = &board->view.entries[waiting->home][waiting->id];
	if (entry->is_there && !waiting->write)
		show(&body, span_of(entry->body.data, entry->body.len), board->schema == 1);
	packet.reply = (struct packet_reply){.id = waiting->call,
					     .body = span_of(body.data, body.len),
					     .more = waiting->left > 0};
	if (waiting->seq > 0) {
		packet.reply.has_position = true;
		packet.reply.position =
			(struct wire_position){.origin = text_span(peer->node->name),
					       .epoch = peer->epoch,
					       .seq = waiting->seq};
	}
	sim_peer_send(peer, &packet);
	waiting->credit -= (int64_t)body.len + 64;
	buf_fini(&body);
	if (waiting->left > 0)
		waiting->left--;
	else
		*waiting = (struct waiting){0};
}

/* The write of a Post: what the caller asked for, of this home. */
static void publish(struct sim_peer *peer, struct waiting *waiting)
{
	struct sim *sim = peer->sim;
	struct write *write = writes_get(sim->writes, waiting->write);
	struct packet packet = {.kind = PACKET_PUBLISH};
	waiting->publish = ++peer->next_id;
	write->epoch = peer->epoch;
	packet.publish = (struct packet_publish){.id = waiting->publish,
						 .subject = text_span("lyceum.notice.v1.Notice"),
						 .body = span_of(write->body.data, write->body.len),
						 .durable = true};
	sim_peer_send(peer, &packet);
}

static void acked(struct sim_peer *peer, const struct packet_ack *ack)
{
	struct board *board = board_of(peer);
	for (size_t i = 0; i < MAX_WAITING; i++) {
		struct waiting *waiting = &board->waiting[i];
		if (!waiting->call || waiting->publish != ack->id)
			continue;
		struct write *write = writes_get(peer->sim->writes, waiting->write);
		write->state = ack->status == LYC_OK ? WRITE_ACKED : WRITE_UNKNOWN;
		write->seq = ack->seq;
		if (ack->status == LYC_OK) {
			waiting->seq = ack->seq;
			answer(peer, waiting);
		} else {
			refuse(peer, waiting->call, (enum lyc_status)ack->status);
			*waiting = (struct waiting){0};
		}
		return;
	}
}

/* What is due is answered. */
static void work(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	if (peer->session != session)
		return;
	struct board *board = board_of(peer);
	for (size_t i = 0; i < MAX_WAITING; i++) {
		struct waiting *waiting = &board->waiting[i];
		if (!waiting->call || waiting->due_us > peer->sim->now_us ||
		    waiting->after > board->view.seq || waiting->publish ||
		    (waiting->left > 0 && waiting->credit <= 0))
			continue;
		if (waiting->write)
			publish(peer, waiting);
		else
			answer(peer, waiting);
	}
	board->is_working = false;
	for (size_t i = 0; i < MAX_WAITING; i++) {
		if (board->waiting[i].call)
			work_soon(peer);
	}
}

/* "k12 3 4": the token, and the key that is asked for. */
static void read_request(struct span body, struct waiting *waiting)
{
	char text[40] = "";
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1 && field.wire == PB_LEN && field.bytes.len < sizeof(text))
			memcpy(text, field.bytes.data, field.bytes.len);
	}
	unsigned long long token = 0;
	(void)!sscanf(text, "k%llu %zu %zu", &token, &waiting->home, &waiting->id);
	waiting->token = token;
}

static void take_call(struct sim_peer *peer, const struct packet_call *call)
{
	struct sim *sim = peer->sim;
	struct board *board = board_of(peer);
	struct waiting waiting = {.call = call->id};
	bool is_post = span_is(call->method, "lyceum.notice.v1.Board/Post");
	waiting.is_stream = span_is(call->method, "lyceum.notice.v1.Board/Watch");
	if (is_post) {
		waiting.write = writes_number_in(call->body);
		const struct write *write = writes_get(sim->writes, waiting.write);
		waiting.token = write ? write->token : 0;
		if (!write || write->home != peer->node->index)
			sim_broken(sim, PROMISE_HOME, "a call that appends for %s runs at %s",
				   write ? sim_node_names[write->home] : "nobody",
				   peer->node->name);
	} else {
		read_request(call->body, &waiting);
	}
	tokens_ran(sim, waiting.token, peer->node->name);
	if (call->after_count > 0)
		waiting.after = call->after[0].seq;
	waiting.credit = call->credit ? (int64_t)call->credit : 1 << 20;
	waiting.left = waiting.is_stream ? 1 + (uint32_t)sim_below(sim, 4) : 0;
	waiting.due_us = sim->now_us + sim_around(sim, 10000);
	size_t place = 0;
	while (place < MAX_WAITING && board->waiting[place].call)
		place++;
	uint64_t luck = sim->is_calm ? 100 : sim_below(sim, 100);
	if (place == MAX_WAITING || luck < 4) {
		refuse(peer, call->id, LYC_RESOURCE_EXHAUSTED);
	} else if (luck < 8) {
		/* never answered */
	} else {
		board->waiting[place] = waiting;
		work_soon(peer);
	}
}

static void cancelled(struct sim_peer *peer, uint64_t call)
{
	struct board *board = board_of(peer);
	for (size_t i = 0; i < MAX_WAITING; i++) {
		/* What is on its way to the log goes on. */
		if (board->waiting[i].call == call && !board->waiting[i].publish)
			board->waiting[i] = (struct waiting){0};
	}
}

static void credited(struct sim_peer *peer, const struct packet_credit *credit)
{
	struct board *board = board_of(peer);
	for (size_t i = 0; i < MAX_WAITING; i++) {
		if (credit->call && board->waiting[i].call == credit->call)
			board->waiting[i].credit += (int64_t)credit->value;
	}
}

/* ---- records ---- */

static void consume(struct sim_peer *peer)
{
	struct board *board = board_of(peer);
	struct packet packet = {.kind = PACKET_CONSUMED};
	packet.consumed.id = FOLLOWING;
	packet.consumed.value = board->view.seq;
	sim_peer_send(peer, &packet);
}

static void delivered(struct sim_peer *peer, const struct packet_deliver *deliver, size_t len)
{
	struct board *board = board_of(peer);
	if (deliver->seq == 0) {
		/* Retention has emptied a subject. */
		struct packet packet = {.kind = PACKET_CREDIT};
		packet.credit = (struct packet_credit){.id = FOLLOWING, .value = len};
		view_fold(&board->view, deliver);
		sim_peer_send(peer, &packet);
		return;
	}
	if (deliver->seq <= board->view.seq && board->view.seq > 0)
		sim_broken(peer->sim, PROMISE_ORDER,
			   "the plugin of %s got sequence %llu after %llu", peer->node->name,
			   (unsigned long long)deliver->seq, (unsigned long long)board->view.seq);
	peer->sim->counts.delivers++;
	view_fold(&board->view, deliver);
	consume(peer);
}

static void on_packet(struct sim_peer *peer, const struct packet *packet)
{
	struct board *board = board_of(peer);
	switch (packet->kind) {
	case PACKET_REGISTERED:
		sim_note(peer->sim, "%s: plugin registered with schema %u: %u", peer->node->name,
			 board->schema, packet->registered.status);
		if (packet->registered.status == LYC_OK)
			peer->node->schema_known = (int)board->schema;
		else
			sim_broken(peer->sim, PROMISE_CONVERGES,
				   "%s does not take its plugin's schema: %.*s", peer->node->name,
				   (int)packet->registered.text.len,
				   (const char *)packet->registered.text.data);
		break;
	case PACKET_CALL:
		take_call(peer, &packet->call);
		break;
	case PACKET_CREDIT:
		credited(peer, &packet->credit);
		break;
	case PACKET_CANCEL:
		cancelled(peer, packet->cancel.id);
		break;
	case PACKET_ACK:
		acked(peer, &packet->ack);
		break;
	case PACKET_DELIVER:
		delivered(peer, &packet->deliver, packet->len);
		break;
	case PACKET_GAP:
		if (packet->gap.seq > board->view.seq)
			board->view.seq = packet->gap.seq;
		break;
	case PACKET_UNSUBSCRIBE:
		subscribe(peer);
		break;
	default:
		break;
	}
}

static void board_free(struct sim_peer *peer)
{
	view_clear(&board_of(peer)->view);
	free(peer->state);
}

struct sim_peer *board_new(struct sim *sim, struct sim_node *node)
{
	static const struct peer_role role = {.on_up = on_up,
					      .on_down = on_down,
					      .on_packet = on_packet,
					      .free = board_free,
					      .reader_bit = writes_plugin_bit};
	return sim_peer_new(sim, node, "board", &role, mem_new(struct board));
}

const struct view *board_view(const struct sim_peer *board)
{
	return &board_of(board)->view;
}

void board_upgrade(struct sim_peer *board)
{
	struct sim *sim = board->sim;
	board->node->schema_wanted = 1;
	sim->counts.upgrades++;
	sim_note(sim, "%s: plugin is upgraded", board->node->name);
	if (board->is_up && sim_chance(sim, 500))
		register_services(board);
	else
		sim_node_end_plugin(board->node);
}
