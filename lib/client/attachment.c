/*
 * The attachment to the daemon: Hello, Welcome, heartbeats, loss and back-off. It decides when
 * there is no session; what outstanding calls, publishes and subscriptions make of that is theirs.
 */
#include "client/attachment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "io/clock.h"

#define GREETING_MS 5000
#define BACK_OFF_MS 50
#define BACK_OFF_MAX_MS 10000
#define DEFAULT_HEARTBEAT_MS 5000
/* Shorter frames cost more than they let others begin earlier. */
#define LEAST_FRAME_LEN (8 * 1024)

#define LOST_TEXT "the connection to the daemon was lost; whether the call ran is not known"
#define PUBLISH_LOST_TEXT                                                                          \
	"the connection to the daemon was lost; whether it was published is not known"

size_t attachment_put(struct lyc_client *client, const struct packet *packet)
{
	struct buf *out = &client->connection->out;
	size_t before = out->len;
	packet_write(out, packet);
	if (out->has_failed) {
		out->has_failed = false;
		out->len = before;
	}
	return out->len - before;
}

bool attachment_text(const char *text, struct span *ret_text)
{
	*ret_text = span_of(text, text ? strlen(text) : 0);
	return utf8_check(ret_text->data, ret_text->len, NULL);
}

static void flush(struct lyc_client *client, size_t frame_len)
{
	if (connection_unsent(client->connection) > 0 &&
	    connection_flush(client->connection, frame_len))
		client->last_sent_ms = client->now_ms;
}

/* Of calls, a third of what is outstanding: so the daemon and whoever answers have something to do
 * meanwhile. What else there is goes in the usual frames. */
static size_t frame_len(const struct lyc_client *client)
{
	uint64_t third = client->calls.len / 3;
	if (client->calls.len < connection_unsent(client->connection))
		return WIRE_FRAME_LEN;
	if (third < LEAST_FRAME_LEN)
		return LEAST_FRAME_LEN;
	return third < CONNECTION_FRAME_MOST ? (size_t)third : CONNECTION_FRAME_MOST;
}

void attachment_flush(struct lyc_client *client)
{
	flush(client, frame_len(client));
}

void attachment_wrote(struct lyc_client *client)
{
	if (connection_unsent(client->connection) >= WIRE_FRAME_LEN)
		flush(client, WIRE_FRAME_LEN);
}

void attachment_wrote_call(struct lyc_client *client)
{
	size_t most = client->depth > 0 ? CONNECTION_FRAME_MOST : WIRE_FRAME_LEN;
	if (most < frame_len(client))
		most = frame_len(client);
	if (connection_unsent(client->connection) >= most)
		flush(client, CONNECTION_FRAME_MOST);
}

/* A few packets are not worth a frame of their own: they go with those that answer the next one. */
void attachment_handled_frame(struct lyc_client *client)
{
	if (connection_unsent(client->connection) >= frame_len(client) / 2)
		flush(client, CONNECTION_FRAME_MOST);
}

enum lyc_status attachment_check(const struct lyc_client *client, struct lyc_error *error)
{
	if (client->state == ATTACHMENT_OPEN)
		return LYC_OK;
	return error_set(error, LYC_UNAVAILABLE, "not connected to the daemon: %s",
			 client->why.text[0] ? client->why.text : "still connecting");
}

/* Hello is the only packet in `out` until Welcome. */
static void say_hello(struct lyc_client *client)
{
	const char *software = client->software ? client->software : "liblyceum";
	struct packet hello = {.kind = PACKET_HELLO,
			       .hello = {.version = WIRE_VERSION,
					 .software = span_of(software, strlen(software)),
					 .call_credit = client->serve_credit}};
	attachment_put(client, &hello);
	client->state = ATTACHMENT_CONNECTING;
}

static void wait_to_retry(struct lyc_client *client, uint64_t least_ms)
{
	uint64_t back_off = client->back_off_ms;
	if (back_off < least_ms)
		back_off = least_ms;
	/* Half of it and a random part of the other half: peers of one daemon come back apart. */
	client->retry_at_ms =
		client->now_ms + back_off / 2 + rng_below(&client->rng, back_off / 2 + 1);
	client->back_off_ms *= 2;
	if (client->back_off_ms > BACK_OFF_MAX_MS)
		client->back_off_ms = BACK_OFF_MAX_MS;
	client->state = ATTACHMENT_WAITING;
}

/* Everything that a session carried ends. It is taken out first: a callback may wait until the next
 * session is there. */
static void end_outstanding(struct lyc_client *client)
{
	struct pending_table calls = pending_take_all(&client->calls);
	struct pending_table publishes = pending_take_all(&client->publishes);
	struct lyc_error why = client->why;
	buf_clear(&client->deferred);
	subscriptions_lost(client);
	if (client->registering.is_waiting) {
		client->registering.is_waiting = false;
		client->registering.error = why;
	}
	if (client->hooks.on_lost) {
		client->depth++;
		client->hooks.on_lost(client, &why, client->hooks.arg);
		client->depth--;
	}
	calls_end(client, &calls, LYC_UNAVAILABLE, LOST_TEXT);
	publishes_end(client, &publishes, LYC_UNAVAILABLE, PUBLISH_LOST_TEXT);
}

static void set_why(struct lyc_client *client, enum lyc_status status, const char *text)
{
	error_set(&client->why, status, "%s", text);
}

void attachment_lose(struct lyc_client *client, enum lyc_status status, const char *text,
		     uint64_t least_back_off_ms)
{
	bool was_open = client->state == ATTACHMENT_OPEN;
	set_why(client, status, text);
	connection_close(client->connection, 0);
	wait_to_retry(client, least_back_off_ms);
	client->handled_count++;
	if (was_open)
		end_outstanding(client);
}

/* The daemon does not know this connection (any more): the same socket, a new session. What was
 * sent before this Hello is answered with the same Goodbye again, and that is passed over. */
static void lose_session_only(struct lyc_client *client)
{
	if (client->state != ATTACHMENT_OPEN)
		return;
	set_why(client, LYC_UNAVAILABLE, "the daemon did not know this connection any more");
	buf_clear(&client->connection->out);
	client->connection->out_sent = 0;
	say_hello(client);
	client->handled_count++;
	end_outstanding(client);
}

static void retry(struct lyc_client *client)
{
	struct lyc_error error = {0};
	enum lyc_status status = connection_open(client->connection, &error);
	if (status) {
		client->is_refused |= status == LYC_INVALID_ARGUMENT;
		set_why(client, status, error.text);
		wait_to_retry(client, 0);
		client->handled_count++;
		return;
	}
	say_hello(client);
}

void attachment_goodbye(struct lyc_client *client, const struct packet_goodbye *goodbye)
{
	static const struct {
		const char *text;
		enum lyc_status status;
		bool is_refused;
	} reasons[] = {
		[GOODBYE_UNSPECIFIED] = {"the daemon ended the connection", LYC_UNAVAILABLE, false},
		[GOODBYE_FLOOD] = {"the daemon says that more was sent than it gave credit for",
				   LYC_RESOURCE_EXHAUSTED, true},
		[GOODBYE_VERSION] = {"the daemon speaks another version of the protocol",
				     LYC_FAILED_PRECONDITION, true},
		[GOODBYE_MALFORMED] = {"the daemon could not read what was sent",
				       LYC_INVALID_ARGUMENT, true},
		[GOODBYE_SHUTDOWN] = {"the daemon is shutting down", LYC_UNAVAILABLE, false},
		[GOODBYE_TIMEOUT] = {"the daemon heard nothing for too long", LYC_UNAVAILABLE,
				     false},
		[GOODBYE_DENIED] = {"the daemon denies access", LYC_PERMISSION_DENIED, true},
		[GOODBYE_REPLACED] = {"another session has taken this one's place", LYC_ABORTED,
				      true},
	};
	if (goodbye->reason == GOODBYE_NO_SESSION) {
		lose_session_only(client);
		return;
	}
	uint32_t reason = goodbye->reason <= GOODBYE_REPLACED ? goodbye->reason : 0;
	struct lyc_error error;
	error_set(&error, reasons[reason].status, "%s%s%.*s", reasons[reason].text,
		  goodbye->text.len ? ": " : "", (int)goodbye->text.len,
		  goodbye->text.len ? (const char *)goodbye->text.data : "");
	client->is_refused |= reasons[reason].is_refused && client->state != ATTACHMENT_OPEN;
	client->is_told_to_end = reason == GOODBYE_SHUTDOWN;
	attachment_lose(client, error.status, error.text,
			reasons[reason].is_refused ? BACK_OFF_REFUSED_MS : 0);
}

/* The strings of Welcome, one behind the other in a buffer of their own. */
static bool keep_welcome(struct lyc_client *client, const struct packet_welcome *welcome)
{
	struct buf *texts = &client->welcome_texts;
	buf_clear(texts);
	const struct span all[] = {welcome->daemon, welcome->identity, welcome->ack_means,
				   welcome->software};
	size_t starts[4];
	for (int i = 0; i < 4; i++) {
		starts[i] = texts->len;
		buf_add(texts, all[i].data, all[i].len);
		buf_add_byte(texts, 0);
	}
	if (texts->has_failed)
		return false;
	const char *first = (const char *)texts->data;
	client->welcome = (struct lyc_welcome){.daemon = first + starts[0],
					       .epoch = welcome->epoch,
					       .identity = first + starts[1],
					       .ack_means = first + starts[2],
					       .software = first + starts[3],
					       .max_body = welcome->max_body};
	return true;
}

void attachment_welcome(struct lyc_client *client, const struct packet_welcome *welcome)
{
	if (client->state != ATTACHMENT_GREETING && client->state != ATTACHMENT_CONNECTING)
		return;
	if (welcome->version != WIRE_VERSION) {
		char text[120];
		snprintf(text, sizeof(text), "the daemon speaks version %u of the protocol, not %d",
			 welcome->version, WIRE_VERSION);
		client->is_refused = true;
		attachment_lose(client, LYC_FAILED_PRECONDITION, text, BACK_OFF_REFUSED_MS);
		return;
	}
	bool is_new_epoch = client->welcome.daemon && client->welcome.epoch != welcome->epoch;
	if (!keep_welcome(client, welcome)) {
		attachment_lose(client, LYC_RESOURCE_EXHAUSTED,
				"no memory for the daemon's Welcome", 0);
		return;
	}
	client->call_credit = welcome->call_credit;
	client->publish_credit = welcome->publish_credit;
	client->transient_len = 0;
	client->heartbeat_ms = welcome->heartbeat_ms ? welcome->heartbeat_ms : DEFAULT_HEARTBEAT_MS;
	client->state = ATTACHMENT_OPEN;
	client->why = (struct lyc_error){0};
	client->back_off_ms = BACK_OFF_MS;
	client->handled_count++;
	subscriptions_renew(client, is_new_epoch);
	if (client->hooks.on_welcome) {
		client->depth++;
		client->hooks.on_welcome(client, client->hooks.arg);
		client->depth--;
	}
}

/* The connection went before Welcome came; if the handshake failed, that is known already. */
static void greet_again(struct lyc_client *client)
{
	struct lyc_error why = client->why;
	attachment_lose(client, LYC_UNAVAILABLE, "the daemon closed the connection before Welcome",
			0);
	if (why.status == LYC_UNAUTHENTICATED)
		client->why = why;
}

void attachment_watch(struct lyc_client *client)
{
	switch (connection_watch(client->connection)) {
	case CONNECTION_QUIET:
		break;
	case CONNECTION_LOST:
		if (client->state == ATTACHMENT_OPEN)
			attachment_lose(client, LYC_UNAVAILABLE,
					"the connection to the daemon was lost", 0);
		else if (client->state == ATTACHMENT_GREETING)
			greet_again(client);
		break;
	case CONNECTION_REFUSED:
		set_why(client, LYC_UNAUTHENTICATED, "the daemon does not know this key");
		client->is_refused = true;
		client->handled_count++;
		break;
	case CONNECTION_MISMATCH:
		set_why(client, LYC_UNAUTHENTICATED,
			"the handshake failed: the daemon has another key than server_key, or one "
			"side expects keys and the other does not");
		break;
	}
}

static void keep_alive(struct lyc_client *client)
{
	if (client->now_ms >= client->last_heard_ms + 3ull * client->heartbeat_ms) {
		attachment_lose(client, LYC_UNAVAILABLE,
				"the daemon has not been heard for too long", 0);
		return;
	}
	if (client->now_ms < client->last_sent_ms + client->heartbeat_ms)
		return;
	struct packet ping = {.kind = PACKET_PING, .ping = {.id = ++client->ping_id}};
	attachment_put(client, &ping);
}

/* What time alone brings about. */
void attachment_tick(struct lyc_client *client)
{
	keyed_tick(client);
	switch (client->state) {
	case ATTACHMENT_WAITING:
		if (client->now_ms >= client->retry_at_ms && !client->is_closing)
			retry(client);
		break;
	case ATTACHMENT_CONNECTING:
		attachment_flush(client);
		if (connection_unsent(client->connection) == 0) {
			client->state = ATTACHMENT_GREETING;
			client->greeting_until_ms = client->now_ms + GREETING_MS;
			client->last_heard_ms = client->now_ms;
		}
		break;
	case ATTACHMENT_GREETING:
		if (client->now_ms >= client->greeting_until_ms)
			attachment_lose(client, LYC_UNAVAILABLE,
					"the daemon does not answer our Hello", 0);
		break;
	case ATTACHMENT_OPEN:
		keep_alive(client);
		calls_expire(client);
		break;
	}
}

uint64_t attachment_due_ms(const struct lyc_client *client)
{
	uint64_t due = UINT64_MAX;
	switch (client->state) {
	case ATTACHMENT_WAITING:
		due = client->retry_at_ms;
		break;
	case ATTACHMENT_CONNECTING:
		break;
	case ATTACHMENT_GREETING:
		due = client->greeting_until_ms;
		break;
	case ATTACHMENT_OPEN:
		due = client->last_heard_ms + 3ull * client->heartbeat_ms;
		if (client->last_sent_ms + client->heartbeat_ms < due)
			due = client->last_sent_ms + client->heartbeat_ms;
		if (client->calls.count > 0 && client->calls.next_deadline_ms < due)
			due = client->calls.next_deadline_ms;
		break;
	}
	uint64_t keyed_due = keyed_due_ms(client);
	return keyed_due < due ? keyed_due : due;
}
