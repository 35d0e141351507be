/*
 * Calls with an idempotency key: the home runs such a call once, however often it comes, so it is
 * sent again after UNAVAILABLE and after a lost session, until its deadline. What the home says
 * that it remembers is final.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "client/chain.h"
#include "client/attachment.h"
#include "io/clock.h"

#define BACK_OFF_MS 100
#define BACK_OFF_MAX_MS 2000
/* For one without a timeout; as the daemon's default. */
#define TIMEOUT_MS 10000

struct keyed_call {
	struct list node; /* of client->keyed */
	struct lyc_client *client;
	/* By which its caller knows it, and of the attempt that is under way; 0: none is. */
	uint64_t id;
	uint64_t attempt_id;
	uint64_t due_ms;
	uint64_t until_ms;
	uint64_t back_off_ms;
	bool is_cancelled;

	lyc_reply_fn on_reply;
	void *arg;
	struct buf packet; /* the Call */
	struct lyc_error why;
};

static void keyed_free(struct keyed_call *call)
{
	list_remove(&call->node);
	buf_fini(&call->packet);
	free(call);
}

static struct keyed_call *find(struct lyc_client *client, uint64_t id)
{
	list_each (node, &client->keyed) {
		struct keyed_call *call = list_entry(node, struct keyed_call, node);
		if (call->id == id)
			return call;
	}
	return NULL;
}

/* May another attempt help, and is there time for it? */
static bool goes_on(const struct keyed_call *call, const struct lyc_reply *reply)
{
	return reply->status == LYC_UNAVAILABLE && !reply->remembered && !call->is_cancelled &&
	       !call->client->is_closing && mono_ms() + call->back_off_ms < call->until_ms;
}

static void on_attempt(const struct lyc_reply *reply, void *arg)
{
	struct keyed_call *call = arg;
	if (!reply->more)
		call->attempt_id = 0;
	if (goes_on(call, reply)) {
		error_set(&call->why, reply->status, "%s", reply->text);
		call->due_ms = mono_ms() + call->back_off_ms;
		call->back_off_ms *= 2;
		if (call->back_off_ms > BACK_OFF_MAX_MS)
			call->back_off_ms = BACK_OFF_MAX_MS;
		return;
	}
	lyc_reply_fn on_reply = call->on_reply;
	void *its_arg = call->arg;
	if (!reply->more)
		keyed_free(call);
	on_reply(reply, its_arg);
}

enum lyc_status keyed_start(struct lyc_client *client, struct packet *packet, lyc_reply_fn on_reply,
			    void *arg, uint64_t *ret_id, struct lyc_error *error)
{
	struct keyed_call *call = mem_try(sizeof(*call));
	if (!call)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory for a call");
	if (packet->call.timeout_ms == 0)
		packet->call.timeout_ms = TIMEOUT_MS;
	packet_write(&call->packet, packet);
	list_init(&call->node);
	call->client = client;
	call->on_reply = on_reply;
	call->arg = arg;
	call->back_off_ms = BACK_OFF_MS;
	call->until_ms = mono_ms() + packet->call.timeout_ms;
	enum lyc_status status =
		call->packet.has_failed
			? error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory for a call")
			: calls_send(client, packet, on_attempt, call, &call->id, error);
	if (status) {
		keyed_free(call);
		return status;
	}
	call->attempt_id = call->id;
	list_add_last(&client->keyed, &call->node);
	*ret_id = call->id;
	return LYC_OK;
}

/* The frame's reader is large, and this is rare. */
static enum lyc_status send_again(struct keyed_call *call)
{
	struct frame_reader *reader = mem_try(sizeof(*reader));
	struct packet packet;
	struct lyc_error error;
	uint64_t now_ms = mono_ms();
	if (!reader)
		return LYC_RESOURCE_EXHAUSTED;
	frame_start(reader, span_of(call->packet.data, call->packet.len));
	enum lyc_status status = LYC_INTERNAL;
	if (frame_next(reader, &packet) == FRAME_PACKET) {
		packet.call.timeout_ms =
			call->until_ms > now_ms ? (uint32_t)(call->until_ms - now_ms) : 1;
		status = calls_send(call->client, &packet, on_attempt, call, &call->attempt_id,
				    &error);
	}
	free(reader);
	return status;
}

static void end_here(struct keyed_call *call, enum lyc_status status, const char *text)
{
	const struct lyc_reply reply = {.status = status,
					.text = text,
					.field = "",
					.served_by = "",
					.position = {.origin = ""}};
	struct lyc_client *client = call->client;
	call->is_cancelled = true;
	client->handled_count++;
	client->depth++;
	on_attempt(&reply, call);
	client->depth--;
}

/* One that is due; NULL. */
static struct keyed_call *next_due(struct lyc_client *client, uint64_t now_ms)
{
	list_each (node, &client->keyed) {
		struct keyed_call *call = list_entry(node, struct keyed_call, node);
		if (call->attempt_id == 0 &&
		    (call->is_cancelled || now_ms >= call->until_ms ||
		     (client->state == ATTACHMENT_OPEN && now_ms >= call->due_ms)))
			return call;
	}
	return NULL;
}

void keyed_tick(struct lyc_client *client)
{
	struct keyed_call *call;
	if (list_is_empty(&client->keyed))
		return;
	while ((call = next_due(client, client->now_ms))) {
		if (call->is_cancelled) {
			end_here(call, LYC_CANCELLED, "the call was cancelled");
		} else if (client->now_ms >= call->until_ms) {
			struct lyc_error why = call->why;
			end_here(call, why.status ? why.status : LYC_UNAVAILABLE, why.text);
		} else {
			enum lyc_status status = send_again(call);
			/* Without credit or a session it waits on. */
			call->due_ms = client->now_ms + call->back_off_ms;
			if (status == LYC_INVALID_ARGUMENT || status == LYC_INTERNAL)
				end_here(call, status, "the call could not be sent again");
		}
	}
}

uint64_t keyed_due_ms(const struct lyc_client *client)
{
	uint64_t due = UINT64_MAX;
	list_each (node, &client->keyed) {
		const struct keyed_call *call = list_entry(node, struct keyed_call, node);
		uint64_t at = call->is_cancelled ? 0
			      : client->state == ATTACHMENT_OPEN && call->due_ms < call->until_ms
				      ? call->due_ms
				      : call->until_ms;
		if (call->attempt_id == 0 && at < due)
			due = at;
	}
	return due;
}

bool keyed_cancel(struct lyc_client *client, uint64_t id, uint64_t *ret_attempt_id)
{
	struct keyed_call *call = find(client, id);
	if (!call)
		return false;
	call->is_cancelled = true;
	*ret_attempt_id = call->attempt_id;
	return true;
}

void keyed_forget(struct lyc_client *client, uint64_t id)
{
	struct keyed_call *call = find(client, id);
	if (!call)
		return;
	struct pending *attempt = pending_find(&client->calls, call->attempt_id);
	if (attempt) {
		chain_forget(client, false, attempt);
		pending_remove(&client->calls, attempt);
	}
	keyed_free(call);
}

void keyed_end(struct lyc_client *client, enum lyc_status status, const char *text)
{
	while (!list_is_empty(&client->keyed))
		end_here(list_entry(client->keyed.next, struct keyed_call, node), status, text);
}
