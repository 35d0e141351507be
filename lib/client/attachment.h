/*
 * The client's inside, shared by the files of this folder: its attachment to the daemon, which is a
 * session from Hello to its loss, and the next one after that, and the pump that hands packets to
 * those who wait for them.
 *
 * A callback may wait (lyc_client_call): the pump then runs inside the pump. Each depth has a frame
 * of its own, because what the outer callback was given must stay valid. The inner one goes on with
 * what the outer has not read yet, hands out replies, acks and Registered, and puts all else into
 * `deferred`, which is read when the outer has returned.
 */
#ifndef LYC_CLIENT_ATTACHMENT_H
#define LYC_CLIENT_ATTACHMENT_H

#include <string.h>

#include <zmq.h>

#include "base/list.h"
#include "base/rng.h"
#include "client/connection.h"
#include "client/peer.h"
#include "client/pending.h"
#include "wire/packet.h"

#define ATTACHMENT_MAX_DEPTH 8
/* After something that another Hello will hardly change. */
#define BACK_OFF_REFUSED_MS 5000

enum attachment_state {
	/* No socket until retry_at_ms. */
	ATTACHMENT_WAITING,
	/* Hello waits for the connection. */
	ATTACHMENT_CONNECTING,
	/* Hello has left, Welcome has not come. */
	ATTACHMENT_GREETING,
	ATTACHMENT_OPEN,
};

/* One depth of the pump. */
struct level {
	struct frame_reader reader;
	/* C strings and positions for the callback that runs. */
	struct buf texts;
	struct lyc_position positions[WIRE_MAX_POSITIONS];
};

/* One who waits for Registered, and what came of it. */
struct register_wait {
	uint64_t id;
	bool is_waiting;
	struct lyc_error error;
};

struct subscription;
struct trace;
struct chain_wait;

struct lyc_client {
	struct connection *connection;
	struct peer_hooks hooks;
	char *software;
	uint64_t serve_credit;
	struct rng rng;

	enum attachment_state state;
	/* Why there is no session. */
	struct lyc_error why;
	/* Trying again will not help: lyc_client_open gives up. */
	bool is_refused;
	/* The last Goodbye was the end of the daemon. */
	bool is_told_to_end;
	bool is_closing;
	uint64_t now_ms;
	uint64_t retry_at_ms;
	uint64_t back_off_ms;
	uint64_t greeting_until_ms;
	uint64_t last_heard_ms;
	uint64_t last_sent_ms;
	uint32_t heartbeat_ms;
	uint64_t ping_id;

	struct lyc_welcome welcome;
	struct buf welcome_texts;
	uint64_t call_credit;
	uint64_t publish_credit;
	/* What transient publishes took of it, on their own, and Credit has not given back. */
	uint64_t transient_len;

	struct level *levels[ATTACHMENT_MAX_DEPTH];
	unsigned depth;
	struct buf deferred;
	/* Things done that a caller of run may have waited for. */
	uint64_t handled_count;

	struct pending_table calls;
	struct list keyed; /* calls with an idempotency key */
	struct pending_table publishes;
	struct register_wait registering;

	struct subscription *subscriptions;
	struct subscription *last_subscription;
	uint64_t subscription_id;
	/* Sessions lost so far. */
	uint64_t loss_count;
	struct list owing;
	struct list removed;

	/* What is worked in now, NULL: none; and what is waited for: see chain.h. */
	const struct trace *chain;
	struct chain_wait *chain_waits;
};

/* Handle what comes until something was handled or until_ms has passed, and send what is queued.
 * RESOURCE_EXHAUSTED when callbacks wait within callbacks too deep. */
enum lyc_status attachment_pump(struct lyc_client *client, uint64_t until_ms);
/* The same, but ends when client_wake_on's descriptor became readable, too. */
enum lyc_status attachment_pump_or_wake(struct lyc_client *client, uint64_t until_ms);
/* End the session, if there is one, and everything that was outstanding, and begin to reconnect. */
void attachment_lose(struct lyc_client *client, enum lyc_status status, const char *text,
		     uint64_t least_back_off_ms);
/* What the daemon says of the session. */
void attachment_welcome(struct lyc_client *client, const struct packet_welcome *welcome);
void attachment_goodbye(struct lyc_client *client, const struct packet_goodbye *goodbye);
/* What the transport has noticed, and what time alone brings about. */
void attachment_watch(struct lyc_client *client);
void attachment_tick(struct lyc_client *client);
/* When attachment_tick has something to do next; UINT64_MAX: only when something comes. */
uint64_t attachment_due_ms(const struct lyc_client *client);
void attachment_flush(struct lyc_client *client);
/* LYC_OK in a session; otherwise why there is none. */
enum lyc_status attachment_check(const struct lyc_client *client, struct lyc_error *error);
/* What every client function does after writing to connection->out: a full frame leaves at once. */
void attachment_wrote(struct lyc_client *client);
/* The same after a call or a reply: in a callback they stay together until what came has been
 * handled, and leave then. */
void attachment_wrote_call(struct lyc_client *client);
void attachment_handled_frame(struct lyc_client *client);
/* Put one packet, undo it when there is no memory; returns its length, 0 then. */
size_t attachment_put(struct lyc_client *client, const struct packet *packet);

/* Room for C strings of this many bytes in all, their NULs included; false when there is no memory.
 */
bool level_reserve(struct level *level, size_t len);
/* A copy with a NUL in the reserved room. Valid until the callback returns. */
static inline const char *level_text(struct level *level, struct span text)
{
	if (text.len == 0)
		return "";
	char *copy = (char *)level->texts.data + level->texts.len;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	level->texts.len += text.len + 1;
	return copy;
}

/* A string that a packet may carry: well-formed UTF-8; NULL is empty. */
bool attachment_text(const char *text, struct span *ret_text);

/* ---- calls.c, publishes.c, subscriptions.c: what the pump hands over ---- */

void calls_reply(struct lyc_client *client, struct level *level, const struct packet_reply *reply);
void calls_expire(struct lyc_client *client);
/* End each call of a table that was taken out with this status, and the table. */
void calls_end(struct lyc_client *client, struct pending_table *calls, enum lyc_status status,
	       const char *text);

/* Send a Call within the credit; its id is set here. INVALID_ARGUMENT is final; RESOURCE_EXHAUSTED
 * may pass. */
enum lyc_status calls_send(struct lyc_client *client, struct packet *packet, lyc_reply_fn on_reply,
			   void *arg, uint64_t *ret_id, struct lyc_error *error);

/* keyed_calls.c: with an idempotency key. Start one as calls_send does. */
enum lyc_status keyed_start(struct lyc_client *client, struct packet *packet, lyc_reply_fn on_reply,
			    void *arg, uint64_t *ret_id, struct lyc_error *error);
/* Send again what is due, end what is late; when that is so next. */
void keyed_tick(struct lyc_client *client);
uint64_t keyed_due_ms(const struct lyc_client *client);
/* False when it is none of them; ret_attempt_id is the call to cancel, 0: it ends with the next
 * tick. */
bool keyed_cancel(struct lyc_client *client, uint64_t id, uint64_t *ret_attempt_id);
/* Drop one without a word. */
void keyed_forget(struct lyc_client *client, uint64_t id);
/* End those that wait for another attempt. */
void keyed_end(struct lyc_client *client, enum lyc_status status, const char *text);

/* What transient ones took comes back. */
void publishes_credit(struct lyc_client *client, uint64_t bytes);
void publishes_ack(struct lyc_client *client, struct level *level, const struct packet_ack *ack);
void publishes_end(struct lyc_client *client, struct pending_table *publishes,
		   enum lyc_status status, const char *text);

void subscriptions_deliver(struct lyc_client *client, struct level *level,
			   const struct packet_deliver *deliver, size_t packet_len);
/* The daemon refuses it, or has ended it. */
void subscriptions_ended(struct lyc_client *client, struct level *level,
			 const struct packet_unsubscribe *unsubscribe);
void subscriptions_gap(struct lyc_client *client, const struct packet_gap *gap);
/* After Welcome: subscribe again, from where each was; is_new_epoch: from where each began. */
void subscriptions_renew(struct lyc_client *client, bool is_new_epoch);
void subscriptions_lost(struct lyc_client *client);
/* Return the credit that is owed, before waiting. */
void subscriptions_settle(struct lyc_client *client);
/* Free those that were removed while their callback ran. */
void subscriptions_sweep(struct lyc_client *client);
void subscriptions_fini(struct lyc_client *client);

#endif
