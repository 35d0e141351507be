/*
 * The pump: receives frames and hands each packet to the file that knows what it means, at the
 * depth at which it runs (attachment.h). How sessions come and go is attachment.c's.
 */
#include "client/attachment.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/clock.h"

/* Frames handled before a caller of run gets control back. */
#define TURN_FRAMES 64
/* More than all credit that we give: a daemon beyond it does not keep to the credit. */
#define DEFERRED_MAX (64u * 1024 * 1024)

bool level_reserve(struct level *level, size_t len)
{
	buf_clear(&level->texts);
	return buf_reserve(&level->texts, len);
}

static void handle_registered(struct lyc_client *client, const struct packet_registered *registered)
{
	struct register_wait *wait = &client->registering;
	if (!wait->is_waiting || wait->id != registered->id)
		return;
	wait->is_waiting = false;
	if (registered->status)
		error_set(&wait->error, (enum lyc_status)registered->status, "%.*s",
			  (int)registered->text.len,
			  registered->text.len ? (const char *)registered->text.data : "");
}

static void send_pong(struct lyc_client *client, uint64_t id)
{
	struct packet pong = {.kind = PACKET_PONG, .pong = {.id = id}};
	attachment_put(client, &pong);
}

static bool cancel_call(struct lyc_client *client, uint64_t id)
{
	if (!client->hooks.on_cancel)
		return true;
	client->depth++;
	bool is_known = client->hooks.on_cancel(client, id, client->hooks.arg);
	client->depth--;
	return is_known;
}

static void take_credit(struct lyc_client *client, const struct packet_credit *credit)
{
	if (credit->call == 0 && credit->id == 0)
		publishes_credit(client, credit->value);
	if (!client->hooks.on_credit || credit->call == 0)
		return;
	client->depth++;
	client->hooks.on_credit(client, credit->call, credit->value, client->hooks.arg);
	client->depth--;
}

/* What only the outermost pump handles. */
static void handle_delivery(struct lyc_client *client, struct level *level,
			    const struct packet *packet)
{
	switch (packet->kind) {
	case PACKET_DELIVER:
		subscriptions_deliver(client, level, &packet->deliver, packet->len);
		break;
	case PACKET_GAP:
		subscriptions_gap(client, &packet->gap);
		break;
	case PACKET_UNSUBSCRIBE:
		subscriptions_ended(client, level, &packet->unsubscribe);
		break;
	case PACKET_CALL:
		if (!client->hooks.on_call)
			break;
		client->depth++;
		client->hooks.on_call(client, &packet->call, packet->len, client->hooks.arg);
		client->depth--;
		break;
	case PACKET_CANCEL:
		(void)cancel_call(client, packet->cancel.id);
		break;
	default:
		break;
	}
}

static void defer(struct lyc_client *client, struct span bytes)
{
	if (client->deferred.len + bytes.len > DEFERRED_MAX) {
		attachment_lose(client, LYC_RESOURCE_EXHAUSTED,
				"the daemon sent more than it had credit for", BACK_OFF_REFUSED_MS);
		return;
	}
	buf_add(&client->deferred, bytes.data, bytes.len);
	if (client->deferred.has_failed)
		attachment_lose(client, LYC_RESOURCE_EXHAUSTED,
				"no memory for what came while a callback waited", 0);
}

/* `bytes` is the packet as it came, with its length. */
static void handle_packet(struct lyc_client *client, struct level *level,
			  const struct packet *packet, struct span bytes)
{
	if (packet->kind == PACKET_GOODBYE) {
		attachment_goodbye(client, &packet->goodbye);
		return;
	}
	if (client->state != ATTACHMENT_OPEN) {
		if (packet->kind == PACKET_WELCOME)
			attachment_welcome(client, &packet->welcome);
		return;
	}
	switch (packet->kind) {
	case PACKET_PING:
		send_pong(client, packet->ping.id);
		return;
	case PACKET_REPLY:
		calls_reply(client, level, &packet->reply);
		break;
	case PACKET_ACK:
		publishes_ack(client, level, &packet->ack);
		break;
	case PACKET_REGISTERED:
		handle_registered(client, &packet->registered);
		break;
	case PACKET_CREDIT:
		take_credit(client, &packet->credit);
		break;
	case PACKET_CANCEL:
		/* One that is not known may be of a call that waits among the deferred. */
		if (!cancel_call(client, packet->cancel.id) && client->depth > 0)
			defer(client, bytes);
		break;
	case PACKET_DELIVER:
	case PACKET_GAP:
	case PACKET_UNSUBSCRIBE:
	case PACKET_CALL:
		if (client->depth > 0)
			defer(client, bytes);
		else
			handle_delivery(client, level, packet);
		break;
	default:
		/* Pong, and what a daemon has no reason to send. */
		return;
	}
	client->handled_count++;
}

static void handle_frame(struct lyc_client *client, struct level *level, struct span frame)
{
	struct frame_reader *reader = &level->reader;
	struct packet packet;
	frame_start(reader, frame);
	for (;;) {
		const uint8_t *start = reader->at;
		enum frame_result result = frame_next(reader, &packet);
		if (result == FRAME_END)
			return;
		if (result == FRAME_MALFORMED) {
			attachment_lose(client, LYC_DATA_LOSS, "the daemon sent a malformed packet",
					BACK_OFF_REFUSED_MS);
			return;
		}
		if (result == FRAME_PACKET)
			handle_packet(client, level, &packet, span_of(start, packet.len));
		/* Without a socket the rest is of a session that has ended. */
		if (client->state == ATTACHMENT_WAITING)
			reader->at = reader->end;
	}
}

/* What an outer pump has not read yet of its frame. */
static void finish_outer(struct lyc_client *client, struct level *level)
{
	for (unsigned i = 0; i < client->depth; i++) {
		if (!client->levels[i])
			continue;
		struct frame_reader *outer = &client->levels[i]->reader;
		if (outer->at == outer->end)
			continue;
		struct span rest = span_of(outer->at, (size_t)(outer->end - outer->at));
		outer->at = outer->end;
		handle_frame(client, level, rest);
	}
}

static void handle_deferred(struct lyc_client *client, struct level *level)
{
	while (client->depth == 0 && client->deferred.len > 0) {
		struct buf deferred = client->deferred;
		client->deferred = (struct buf){0};
		handle_frame(client, level, span_of(deferred.data, deferred.len));
		buf_fini(&deferred);
	}
}

static void receive_all(struct lyc_client *client, struct level *level)
{
	zmq_msg_t msg;
	bool has_parts;
	for (int i = 0; i < TURN_FRAMES; i++) {
		if (connection_unsent(client->connection) > CONNECTION_MAX_UNSENT ||
		    !connection_receive(client->connection, &msg, &has_parts)) {
			if (connection_unsent(client->connection) <= CONNECTION_MAX_UNSENT &&
			    has_parts)
				attachment_lose(client, LYC_DATA_LOSS,
						"the daemon sent a message of several frames",
						BACK_OFF_REFUSED_MS);
			return;
		}
		client->last_heard_ms = client->now_ms;
		handle_frame(client, level, span_of(zmq_msg_data(&msg), zmq_msg_size(&msg)));
		zmq_msg_close(&msg);
		handle_deferred(client, level);
		attachment_handled_frame(client);
	}
}

static struct level *level_here(struct lyc_client *client)
{
	if (client->depth >= ATTACHMENT_MAX_DEPTH)
		return NULL;
	if (!client->levels[client->depth])
		client->levels[client->depth] = mem_try(sizeof(struct level));
	return client->levels[client->depth];
}

static int wait_ms(const struct lyc_client *client, uint64_t until_ms)
{
	uint64_t due = attachment_due_ms(client);
	if (until_ms < due)
		due = until_ms;
	if (due == UINT64_MAX)
		return -1;
	uint64_t left = due > client->now_ms ? due - client->now_ms : 0;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

static enum lyc_status pump(struct lyc_client *client, uint64_t until_ms, bool ends_when_woken)
{
	struct level *level = level_here(client);
	if (!level)
		return LYC_RESOURCE_EXHAUSTED;
	uint64_t handled_before = client->handled_count;
	if (client->depth > 0)
		finish_outer(client, level);
	for (;;) {
		client->now_ms = mono_ms();
		attachment_flush(client);
		receive_all(client, level);
		handle_deferred(client, level);
		/* Where packets come from there is a connection. */
		if (client->handled_count == handled_before)
			attachment_watch(client);
		attachment_tick(client);
		handle_deferred(client, level);
		if (client->handled_count != handled_before || client->now_ms >= until_ms ||
		    (ends_when_woken &&
		     (client->connection->is_woken || client->connection->is_stirred)))
			break;
		subscriptions_settle(client);
		attachment_flush(client);
		connection_wait(client->connection, wait_ms(client, until_ms));
	}
	subscriptions_settle(client);
	attachment_flush(client);
	if (client->depth == 0)
		subscriptions_sweep(client);
	connection_arm(client->connection, attachment_due_ms(client));
	return LYC_OK;
}

enum lyc_status attachment_pump(struct lyc_client *client, uint64_t until_ms)
{
	return pump(client, until_ms, false);
}

enum lyc_status attachment_pump_or_wake(struct lyc_client *client, uint64_t until_ms)
{
	return pump(client, until_ms, client->depth == 0);
}
