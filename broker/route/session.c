/* Sessions and their outgoing frames. A frame goes to the socket when it is full or the turn ends,
 * one of messages that many get once in a millisecond; what the socket refuses waits here. */
#include "route/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* For the longest frame and what goes beyond it. */
#define FRAME_ROOM (128 * 1024)

void session_table_init(struct session_table *table, const struct env *env)
{
	*table = (struct session_table){
		.env = env,
		.next_serial = 1,
		.max_backlog = SESSION_MAX_BACKLOG,
		.max_waiting = SESSION_MAX_WAITING,
	};
	list_init(&table->all);
	list_init(&table->dirty);
	list_init(&table->held);
}

void session_table_fini(struct session_table *table)
{
	list_each_safe (node, &table->all)
		session_free(table, list_entry(node, struct session, all));
}

/* 0 when the routing id is too long. */
static uint32_t make_address(uint8_t *to, uint32_t port, struct span routing_id)
{
	if (routing_id.len > SESSION_ADDRESS_LEN - sizeof(port))
		return 0;
	memcpy(to, &port, sizeof(port));
	if (routing_id.len > 0)
		memcpy(to + sizeof(port), routing_id.data, routing_id.len);
	return (uint32_t)(sizeof(port) + routing_id.len);
}

struct session *session_find(struct session_table *table, uint32_t port, struct span routing_id)
{
	uint8_t address[SESSION_ADDRESS_LEN];
	uint32_t len = make_address(address, port, routing_id);
	struct session *session = NULL;
	if (len > 0)
		HASH_FIND(by_address, table->by_address, address, len, session);
	return session;
}

struct session *session_add(struct session_table *table, uint32_t port, struct span routing_id,
			    const char *identity)
{
	struct session *session = mem_try(sizeof(*session));
	if (!session)
		return NULL;
	session->address_len = make_address(session->address, port, routing_id);
	if (session->address_len == 0) {
		free(session);
		return NULL;
	}
	session->serial = table->next_serial++;
	session->since_ms = table->env->now_ms(table->env->world);
	session->last_heard_ms = session->since_ms;
	session->last_sent_ms = session->since_ms;
	session->fd = -1;
	size_t len = strnlen(identity, sizeof(session->identity) - 1);
	memcpy(session->identity, identity, len);
	list_init(&session->dirty);
	list_init(&session->waiting);
	list_init(&session->calls_made);
	list_init(&session->calls_given);
	list_init(&session->turns);
	list_init(&session->owed);
	list_init(&session->subscriptions);
	list_init(&session->offers);
	HASH_ADD(by_address, table->by_address, address, session->address_len, session);
	HASH_ADD(by_serial, table->by_serial, serial, sizeof(session->serial), session);
	list_add_last(&table->all, &session->all);
	table->count++;
	return session;
}

struct session *session_by_serial(struct session_table *table, uint64_t serial)
{
	struct session *session;
	HASH_FIND(by_serial, table->by_serial, &serial, sizeof(serial), session);
	return session;
}

uint32_t session_port(const struct session *session)
{
	uint32_t port;
	memcpy(&port, session->address, sizeof(port));
	return port;
}

struct span session_routing_id(const struct session *session)
{
	return span_of(session->address + sizeof(uint32_t),
		       session->address_len - sizeof(uint32_t));
}

bool session_is_link(const struct session *session)
{
	return session->kind == SESSION_NODE || session->kind == SESSION_HUB;
}

size_t session_backlog(const struct session *session)
{
	return session->waiting_len + session->out.len;
}

/* A frame that the socket did not take yet. */
struct waiting_frame {
	struct list node;
	struct buf frame;
	size_t memory;
};

static void drop_waiting(struct session_table *table, struct session *session,
			 struct waiting_frame *waiting)
{
	list_remove(&waiting->node);
	table->waiting_len -= waiting->memory;
	buf_fini(&waiting->frame);
	free(waiting);
	if (list_is_empty(&session->waiting))
		session->waiting_len = 0;
}

static void drop_all_waiting(struct session_table *table, struct session *session)
{
	list_each_safe (node, &session->waiting)
		drop_waiting(table, session, list_entry(node, struct waiting_frame, node));
}

static void give_up(struct session_table *table, struct session *session)
{
	session->is_stuck = true;
	drop_all_waiting(table, session);
	buf_fini(&session->out);
}

/* All that waits together is more than may be: who reads slowest pays for it. */
static void make_room(struct session_table *table)
{
	struct session *worst = NULL;
	list_each (node, &table->dirty) {
		struct session *session = list_entry(node, struct session, dirty);
		if (!worst || session->waiting_len > worst->waiting_len)
			worst = session;
	}
	if (worst)
		give_up(table, worst);
}

/* Keeps the frame, unless too much waits already: what comes after a frame that was dropped is
 * worth nothing. */
static void keep_waiting(struct session_table *table, struct session *session)
{
	size_t max = table->max_backlog * (session_is_link(session) ? 2 : 1);
	if (session->waiting_len + session->out.len > max) {
		give_up(table, session);
		return;
	}
	struct waiting_frame *waiting = mem_new(struct waiting_frame);
	waiting->frame = session->out;
	session->out = (struct buf){0};
	session->waiting_len += waiting->frame.len;
	/* It may have been given more room than it fills. */
	waiting->memory = sizeof(*waiting) + waiting->frame.cap;
	table->waiting_len += waiting->memory;
	list_add_last(&session->waiting, &waiting->node);
	if (table->waiting_len > table->max_waiting)
		make_room(table);
}

static enum lyc_status hand_over(struct session_table *table, struct session *session,
				 struct buf *frame)
{
	const struct env *env = table->env;
	return env->send(env->world, session_port(session), session_routing_id(session), frame);
}

static void flush(struct session_table *table, struct session *session)
{
	if (session->is_inner)
		return;
	if (session->is_stuck) {
		buf_fini(&session->out);
		return;
	}
	while (!list_is_empty(&session->waiting)) {
		struct waiting_frame *first =
			list_entry(session->waiting.next, struct waiting_frame, node);
		size_t len = first->frame.len;
		enum lyc_status status = hand_over(table, session, &first->frame);
		if (status == LYC_RESOURCE_EXHAUSTED)
			break;
		session->is_gone = session->is_gone || status == LYC_UNAVAILABLE;
		session->waiting_len -= len;
		drop_waiting(table, session, first);
	}
	if (session->out.len == 0)
		return;
	session->last_sent_ms = table->env->now_ms(table->env->world);
	session->is_urgent = false;
	/* A full frame has a packet more than fits: without room for that it would move. */
	session->out_usual = session->out.len < FRAME_ROOM ? session->out.len : FRAME_ROOM;
	enum lyc_status status = list_is_empty(&session->waiting)
					 ? hand_over(table, session, &session->out)
					 : LYC_RESOURCE_EXHAUSTED;
	session->is_gone = session->is_gone || status == LYC_UNAVAILABLE;
	if (status == LYC_RESOURCE_EXHAUSTED)
		keep_waiting(table, session);
	else
		buf_clear(&session->out); /* taken, or nobody is there any more */
}

void session_set_publishes(struct session *session, const struct span *patterns, size_t count)
{
	for (size_t i = 0; i < session->publish_count; i++)
		free(session->publishes[i]);
	free(session->publishes);
	session->publishes = count > 0 ? mem_get(count * sizeof(char *)) : NULL;
	session->publish_count = count;
	for (size_t i = 0; i < count; i++) {
		struct buf pattern = {0};
		buf_add(&pattern, patterns[i].data, patterns[i].len);
		session->publishes[i] = buf_text(&pattern);
	}
}

static void drop_turns(struct session *session)
{
	list_each_safe (node, &session->turns) {
		struct turn *turn = list_entry(node, struct turn, of_caller);
		list_remove(&turn->of_caller);
		list_remove(&turn->of_waiting);
		free(turn);
	}
}

void session_free(struct session_table *table, struct session *session)
{
	flush(table, session);
	drop_all_waiting(table, session);
	session_set_publishes(session, NULL, 0);
	buf_fini(&session->out);
	list_remove(&session->dirty);
	list_remove(&session->owed);
	drop_turns(session);
	list_remove(&session->all);
	HASH_DELETE(by_address, table->by_address, session);
	HASH_DELETE(by_serial, table->by_serial, session);
	table->count--;
	free(session);
}

static size_t before_write(struct session_table *table, struct session *session, bool is_urgent)
{
	/* A frame's memory goes with it; the next one does not grow from nothing again. */
	if (session->out.cap == 0 && session->out_usual > 0)
		(void)!buf_reserve(&session->out, session->out_usual);
	session->out.has_failed = false;
	session->is_urgent = session->is_urgent || is_urgent;
	if (!session->is_dirty || (session->is_held && is_urgent)) {
		session->is_dirty = true;
		session->is_held = false;
		list_remove(&session->dirty);
		list_add_last(&table->dirty, &session->dirty);
	}
	return session->out.len;
}

static size_t usual_len(const struct session *session)
{
	return session->is_urgent ? WIRE_FRAME_LEN : SESSION_DELIVER_LEN;
}

/* A packet larger than half a frame goes alone: what was there before it goes first. */
static void after_write(struct session_table *table, struct session *session, size_t before,
			size_t frame_len)
{
	struct buf *out = &session->out;
	if (out->has_failed) {
		/* No memory for this packet: it is dropped whole, what was written before it stays.
		 */
		out->len = before;
		out->has_failed = false;
	}
	if (out->len <= frame_len)
		return;
	if (before > 0 && out->len - before > WIRE_FRAME_LEN / 2) {
		struct buf large = {0};
		buf_add(&large, out->data + before, out->len - before);
		out->len = before;
		flush(table, session);
		buf_fini(out);
		*out = large;
	}
	flush(table, session);
}

/* Calls, and replies but those of a stream, come from whoever has credit for them: they stay
 * together until the turn ends. */
static size_t frame_len_with(const struct session *session, const struct packet *packet)
{
	bool is_one = packet->kind == PACKET_CALL ||
		      (packet->kind == PACKET_REPLY && !packet->reply.more);
	return is_one ? WIRE_FRAME_MOST : usual_len(session);
}

size_t session_send(struct session_table *table, struct session *session,
		    const struct packet *packet)
{
	size_t before = before_write(table, session, true);
	packet_write(&session->out, packet);
	size_t len = session->out.has_failed ? 0 : session->out.len - before;
	after_write(table, session, before, frame_len_with(session, packet));
	return len;
}

static size_t send_deliver(struct session_table *table, struct session *session, uint64_t id,
			   struct span common, bool is_urgent)
{
	size_t before = before_write(table, session, is_urgent);
	packet_write_deliver(&session->out, id, common);
	size_t len = session->out.has_failed ? 0 : session->out.len - before;
	after_write(table, session, before, usual_len(session));
	return len;
}

size_t session_send_deliver(struct session_table *table, struct session *session, uint64_t id,
			    struct span common)
{
	return send_deliver(table, session, id, common, false);
}

size_t session_send_record(struct session_table *table, struct session *session, uint64_t id,
			   struct span common)
{
	return send_deliver(table, session, id, common, true);
}

void session_send_copy(struct session_table *table, struct session *session, struct span record)
{
	size_t before = before_write(table, session, true);
	packet_write_copy(&session->out, record);
	after_write(table, session, before, usual_len(session));
}

void session_send_stray(struct session_table *table, uint32_t port, struct span routing_id,
			const struct packet *packet)
{
	struct buf frame = {0};
	packet_write(&frame, packet);
	if (!frame.has_failed) {
		/* Nobody is owed this packet: a peer without a session says Hello again anyway. */
		(void)!table->env->send(table->env->world, port, routing_id, &frame);
	}
	buf_fini(&frame);
}

/* Few and large frames for who gets many: each frame is two calls of the kernel on both sides, and
 * wakes three threads. */
static bool may_hold(const struct session *session, uint64_t now_ms)
{
	return !session->is_urgent && !session->is_inner && !session->is_stuck &&
	       session->out.len > 0 && session->last_sent_ms == now_ms &&
	       list_is_empty(&session->waiting);
}

/* Those who were held before this millisecond are dirty again. */
static void let_go(struct session_table *table, uint64_t now_ms)
{
	if (table->held_ms == now_ms)
		return;
	list_each_safe (node, &table->held) {
		list_entry(node, struct session, dirty)->is_held = false;
		list_remove(node);
		list_add_last(&table->dirty, node);
	}
	table->held_ms = now_ms;
}

bool session_table_holds(const struct session_table *table)
{
	return !list_is_empty(&table->held);
}

size_t session_flush_all(struct session_table *table)
{
	size_t waiting = 0;
	uint64_t now_ms = table->env->now_ms(table->env->world);
	let_go(table, now_ms);
	list_each_safe (node, &table->dirty) {
		struct session *session = list_entry(node, struct session, dirty);
		if (table->may_hold && may_hold(session, now_ms)) {
			session->is_held = true;
			list_remove(node);
			list_add_last(&table->held, node);
			continue;
		}
		flush(table, session);
		if (list_is_empty(&session->waiting)) {
			session->is_dirty = false;
			list_remove(&session->dirty);
		} else {
			waiting++;
		}
	}
	return waiting;
}
