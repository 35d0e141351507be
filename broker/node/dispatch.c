/*
 * The one dispatcher: every packet of every kind of peer comes through here, and who sends beyond
 * its credit is cut. Sessions begin in greeting.c.
 */
#include "node/dispatch.h"

#include <string.h>

#include "host/reply.h"
#include "log.h"
#include "node/barred.h"
#include "node/greeting.h"
#include "node/registration.h"
#include "node/session_journal.h"
#include "node/views.h"
#include "wire/packet.h"

#define LOG_TOPIC "session"
#define FLOOD_CUT_MS 20

/* ---- credit ---- */

/* True when the packet goes beyond what the session was granted. */
static bool is_beyond_credit(const struct session *session, const struct packet *packet)
{
	if (packet->kind == PACKET_CALL)
		return session->calls_made_len + packet->len > session->calls_granted;
	if (packet->kind != PACKET_PUBLISH)
		return false;
	if (packet->publish.durable)
		return session->publishes_len + packet->len > session->publishes_granted;
	return !session_is_link(session) &&
	       session->transient_len + packet->len > session->publishes_granted;
}

static void flood(struct daemon *daemon, struct session *session)
{
	struct packet packet = {.kind = PACKET_GOODBYE};
	static const char text[] = "more was sent than the credit that Welcome gave";
	packet.goodbye = (struct packet_goodbye){.reason = GOODBYE_FLOOD,
						 .text = span_of(text, sizeof(text) - 1)};
	session_send(&daemon->sessions, session, &packet);
	session->is_flooding = true;
	session->flood_since_ms = daemon->env.now_ms(daemon->env.world);
	daemon->counters.floods++;
	session_journal_refused(daemon, session->identity, session, JOURNAL_SESSION, RULE_CREDIT,
				LYC_RESOURCE_EXHAUSTED, text);
	log_warning("peer sends beyond its credit and is cut", "peer", session->identity);
}

/* A flooding peer is ignored; 20 ms later, so that it has had our Goodbye, its next message ends
 * the connection. */
static bool ignore_flood(struct daemon *daemon, struct session *session)
{
	if (!session->is_flooding)
		return false;
	uint64_t now = daemon->env.now_ms(daemon->env.world);
	if (now - session->flood_since_ms >= FLOOD_CUT_MS) {
		if (session->fd >= 0)
			daemon->env.cut(daemon->env.world, session->fd);
		daemon_end_session(daemon, session, "sent beyond its credit");
	}
	return true;
}

/* ---- the dispatcher ---- */

static void handle_link(struct daemon *daemon, struct link *link, const struct packet *packet,
			struct span bytes)
{
	switch (packet->kind) {
	case PACKET_FOLLOW:
		link_follow(link, &packet->follow);
		break;
	case PACKET_COPY:
		link_copy(link, &packet->copy);
		break;
	case PACKET_HEADS:
		link_heads(link, &packet->heads, bytes);
		break;
	case PACKET_GAP:
		link_gap(link, &packet->gap);
		break;
	case PACKET_WANT:
		healing_wanted(daemon, link, &packet->want);
		break;
	case PACKET_FOUND:
		healing_found(daemon, link, &packet->copy);
		break;
	default:
		break;
	}
}

/* On a link a status says that the peer refuses a subscription of ours; its own have numbers of
 * their own. */
static void unsubscribe(struct daemon *daemon, struct session *session,
			const struct packet_unsubscribe *unsubscribe)
{
	if (!session_is_link(session) || unsubscribe->status == 0)
		stream_unsubscribe(&daemon->stream, session, unsubscribe->id, unsubscribe->forget);
	else if (session->owner)
		link_refused(session->owner, unsubscribe);
}

static void publish(struct daemon *daemon, struct session *session, const struct packet *packet)
{
	uint64_t fanned_before = daemon->stream.fanned_len;
	stream_publish(&daemon->stream, session, &packet->publish, (uint32_t)packet->len);
	if (!packet->publish.durable)
		pace_publish(&daemon->pace, session, packet->len,
			     daemon->stream.fanned_len - fanned_before);
}

/* False when the session has ended. */
static bool handle(struct daemon *daemon, struct session *session, const struct packet *packet,
		   struct span bytes)
{
	struct packet pong = {.kind = PACKET_PONG};
	switch (packet->kind) {
	case PACKET_CALL:
		pace_call(&daemon->pace, daemon->env.now_ms(daemon->env.world));
		router_call(&daemon->router, session, &packet->call, packet->len);
		break;
	case PACKET_REPLY:
		pace_call(&daemon->pace, daemon->env.now_ms(daemon->env.world));
		reply_take(&daemon->router, session, &packet->reply);
		break;
	case PACKET_CANCEL:
		router_cancel(&daemon->router, session, packet->cancel.id);
		break;
	case PACKET_PUBLISH:
		publish(daemon, session, packet);
		break;
	case PACKET_SUBSCRIBE:
		if (!views_admit(daemon, session, &packet->subscribe))
			break;
		daemon->stream.subscribing = &packet->subscribe;
		stream_subscribe(&daemon->stream, session, &packet->subscribe);
		daemon->stream.subscribing = NULL;
		break;
	case PACKET_UNSUBSCRIBE:
		unsubscribe(daemon, session, &packet->unsubscribe);
		break;
	case PACKET_CONSUMED:
		stream_consumed(&daemon->stream, session, packet->consumed.id,
				packet->consumed.value);
		break;
	case PACKET_CREDIT:
		if (packet->credit.call)
			reply_grant(&daemon->router, session, packet->credit.call,
				    packet->credit.value);
		else
			stream_credit(&daemon->stream, session, packet->credit.id,
				      packet->credit.value);
		break;
	case PACKET_REGISTER:
		if (!session_is_link(session))
			registration_take(daemon, session, &packet->reg);
		else if (session->owner)
			link_register(session->owner, &packet->reg);
		break;
	case PACKET_PING:
		pong.pong.id = packet->ping.id;
		session_send(&daemon->sessions, session, &pong);
		break;
	case PACKET_GOODBYE:
		daemon_end_session(daemon, session,
				   session->kind == SESSION_HUB ? "the hub said goodbye"
								: "the peer said goodbye");
		return false;
	case PACKET_HELLO:
		/* The peer has begun anew on the same connection. */
		daemon_end_session(daemon, session, "the peer began anew");
		return false;
	case PACKET_FOLLOW:
	case PACKET_COPY:
	case PACKET_HEADS:
	case PACKET_GAP:
	case PACKET_WANT:
	case PACKET_FOUND:
		if (session_is_link(session) && session->owner)
			handle_link(daemon, session->owner, packet, bytes);
		break;
	case PACKET_WELCOME:
	case PACKET_PONG:
	case PACKET_REGISTERED:
	case PACKET_ACK:
	case PACKET_DELIVER:
	default:
		break;
	}
	return true;
}

static void malformed(struct daemon *daemon, uint32_t port, struct span routing_id)
{
	static const char text[] = "a frame is not a run of length-delimited packets";
	struct session *session = session_find(&daemon->sessions, port, routing_id);
	daemon->counters.malformed++;
	if (session)
		daemon_dismiss(daemon, session, GOODBYE_MALFORMED, text);
	else if (port != PORT_UPLINK)
		greeting_refuse(daemon, port, routing_id, GOODBYE_MALFORMED, text);
}

void daemon_frame(struct daemon *daemon, uint32_t port, struct span routing_id,
		  const char *identity, int fd, struct span frame)
{
	struct frame_reader *reader = &daemon->reader;
	struct packet packet;
	enum frame_result result;
	daemon->counters.frames++;
	if (barred_ignore(daemon, port, routing_id, fd))
		return;
	struct session *session = session_find(&daemon->sessions, port, routing_id);
	if (session && port != PORT_UPLINK && strcmp(session->identity, identity) != 0) {
		daemon_end_session(daemon, session, "the connection changed its key");
		session = NULL;
	}
	if (session) {
		session->last_heard_ms = daemon->env.now_ms(daemon->env.world);
		session->fd = fd;
		if (ignore_flood(daemon, session))
			return;
	}
	frame_start(reader, frame);
	const uint8_t *before = reader->at;
	while ((result = frame_next(reader, &packet)) > 0) {
		struct span bytes = span_of(before, (size_t)(reader->at - before));
		before = reader->at;
		if (result == FRAME_UNKNOWN)
			continue;
		daemon->counters.packets++;
		if (session && is_beyond_credit(session, &packet)) {
			flood(daemon, session);
			break;
		}
		if (session && handle(daemon, session, &packet, bytes))
			continue;
		if (!session || packet.kind == PACKET_HELLO)
			greeting_take(daemon, port, routing_id, identity, &packet);
		session = session_find(&daemon->sessions, port, routing_id);
		if (!session && packet.kind != PACKET_HELLO)
			break;
	}
	if (result == FRAME_MALFORMED)
		malformed(daemon, port, routing_id);
	session = session_find(&daemon->sessions, port, routing_id);
	if (session)
		session->fd = -1;
}
