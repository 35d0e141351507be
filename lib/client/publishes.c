/* Publishes, within the daemon's credit: what a durable one took comes back with its Ack, what
 * transient ones took with Credit. */
#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "client/chain.h"
#include "io/clock.h"
#include "wire/subject.h"

#define SESSION_WAIT_MS 5000
/* lyceum.v1.Label: visibility and one audience. */
#define LABEL_MAX 300

static void end_here(struct lyc_client *client, const struct pending *publish,
		     enum lyc_status status, const char *text)
{
	struct lyc_ack ack = {.status = status, .text = text, .field = ""};
	client->handled_count++;
	client->depth++;
	const struct trace *outer = chain_enter(client, true, publish);
	publish->on_ack(&ack, publish->arg);
	chain_leave(client, outer, true, publish, true);
	client->depth--;
}

void publishes_end(struct lyc_client *client, struct pending_table *publishes,
		   enum lyc_status status, const char *text)
{
	for (size_t i = 0; i < publishes->cap; i++) {
		if (publishes->places[i].id)
			end_here(client, &publishes->places[i], status, text);
	}
	pending_fini(publishes);
}

void publishes_ack(struct lyc_client *client, struct level *level, const struct packet_ack *from)
{
	struct pending *found = pending_find(&client->publishes, from->id);
	if (!found)
		return;
	struct pending publish = *found;
	pending_remove(&client->publishes, found);
	struct lyc_ack ack = {.status = (enum lyc_status)from->status,
			      .text = "",
			      .field = "",
			      .seq = from->seq,
			      .refusal = from->refusal};
	if (level_reserve(level, from->text.len + from->field.len + 2)) {
		ack.text = level_text(level, from->text);
		ack.field = level_text(level, from->field);
	}
	client->depth++;
	const struct trace *outer = chain_enter(client, true, &publish);
	publish.on_ack(&ack, publish.arg);
	chain_leave(client, outer, true, &publish, true);
	client->depth--;
}

/* Empty when the publisher says nothing; false when it does not fit. */
static bool write_label(const struct lyc_publish_options *options, uint8_t *label,
			struct span *ret_label)
{
	enum lyc_visibility visibility = options->to ? LYC_AUDIENCE : options->visibility;
	size_t to_len = options->to ? strlen(options->to) : 0;
	uint8_t *end = label;
	if (to_len > LABEL_MAX - 16)
		return false;
	if (visibility != LYC_VISIBILITY_DEFAULT) {
		*end++ = 2 << 3 | PB_VARINT;
		end = pb_put_varint(end, (uint64_t)visibility);
	}
	if (to_len > 0) {
		*end++ = 3 << 3 | PB_LEN;
		end = pb_put_varint(end, to_len);
		memcpy(end, options->to, to_len);
		end += to_len;
	}
	*ret_label = span_of(label, (size_t)(end - label));
	return true;
}

static enum lyc_status fill_publish(const struct lyc_client *client, const char *subject,
				    struct span body, const struct lyc_publish_options *options,
				    uint8_t *label, struct packet_publish *publish,
				    struct lyc_error *error)
{
	struct span to;
	publish->subject = span_of(subject, subject ? strlen(subject) : 0);
	if (!subject_is_valid(publish->subject))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "\"%.100s\" is no subject: a full message name and key tokens, "
				 "joined with dots",
				 subject ? subject : "");
	if (body.len > WIRE_MAX_BODY ||
	    (client->welcome.max_body && body.len > client->welcome.max_body))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the message has %zu bytes, the daemon takes at most %u", body.len,
				 client->welcome.max_body ? client->welcome.max_body
							  : WIRE_MAX_BODY);
	if (!attachment_text(options->principal, &publish->principal) ||
	    !attachment_text(options->to, &to) || !write_label(options, label, &publish->label))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the publish's to or principal is too long or not UTF-8");
	publish->body = body;
	publish->durable = options->durable;
	publish->remove = options->remove;
	publish->has_expect = options->expect;
	publish->expect_seq = options->expect_seq;
	return LYC_OK;
}

void publishes_credit(struct lyc_client *client, uint64_t bytes)
{
	client->transient_len -= bytes < client->transient_len ? bytes : client->transient_len;
}

/* What a single one may take: of transient ones a part of the credit may not have come back. */
static uint64_t most_of_one(const struct lyc_client *client, bool is_durable)
{
	return is_durable ? client->publish_credit
			  : client->publish_credit - WIRE_OWED_PUBLISHES(client->publish_credit);
}

static bool has_credit(const struct lyc_client *client, bool is_durable, size_t len)
{
	uint64_t out = is_durable ? client->publishes.len : client->transient_len;
	return out + len <= client->publish_credit && len <= most_of_one(client, is_durable);
}

static enum lyc_status out_of_credit(const struct lyc_client *client, bool is_durable, size_t len,
				     struct lyc_error *error)
{
	if (len > most_of_one(client, is_durable))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the publish has %zu bytes, of the daemon's credit one may take "
				 "%llu",
				 len, (unsigned long long)most_of_one(client, is_durable));
	return error_set(error, LYC_RESOURCE_EXHAUSTED,
			 "the daemon's credit for publishes is used up; run, then try again");
}

/* The packet, within the credit. `publish` is its place in the table, NULL without an Ack. */
static enum lyc_status put(struct lyc_client *client, const struct packet *packet,
			   struct pending *publish, struct lyc_error *error)
{
	bool is_durable = packet->publish.durable;
	size_t len = attachment_put(client, packet);
	if (len == 0)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory for a publish");
	if (!has_credit(client, is_durable, len)) {
		client->connection->out.len -= len;
		return out_of_credit(client, is_durable, len, error);
	}
	if (is_durable)
		pending_set_len(&client->publishes, publish, len);
	else
		client->transient_len += len;
	return LYC_OK;
}

/* The packet with an id and its place in the table. */
static enum lyc_status put_acked(struct lyc_client *client, struct packet *packet,
				 lyc_ack_fn on_ack, void *arg, struct lyc_error *error)
{
	struct pending *publish = pending_add(&client->publishes);
	if (!publish)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "no memory for a publish, or %u are outstanding", PENDING_MAX);
	packet->publish.id = publish->id;
	enum lyc_status status = put(client, packet, publish, error);
	if (status) {
		pending_remove(&client->publishes, publish);
		return status;
	}
	publish->on_ack = on_ack;
	publish->arg = arg;
	if (packet->publish.trace.len > 0)
		chain_keep(client, true, publish, packet->publish.trace);
	return LYC_OK;
}

static enum lyc_status start(struct lyc_client *client, const char *subject, struct span body,
			     const struct lyc_publish_options *options, lyc_ack_fn on_ack,
			     void *arg, struct lyc_error *error)
{
	static const struct lyc_publish_options none;
	uint8_t label[LABEL_MAX];
	char trace[TRACE_TEXT_LEN + 1];
	struct packet packet = {.kind = PACKET_PUBLISH, .publish = {0}};
	if (!options)
		options = &none;
	enum lyc_status status = attachment_check(client, error);
	if (!status)
		status =
			fill_publish(client, subject, body, options, label, &packet.publish, error);
	if (!status && client->hooks.check_publish)
		status = client->hooks.check_publish(client, &packet.publish, client->hooks.arg,
						     error);
	if (status)
		return status;
	packet.publish.trace = chain_of(client, options->trace, trace);
	if (!on_ack && (options->durable || options->remove || options->expect))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "a durable publish is acknowledged: on_ack is missing");
	if (connection_unsent(client->connection) > CONNECTION_MAX_UNSENT)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "the daemon does not keep up; run, then try again");
	if (!has_credit(client, options->durable, body.len))
		return out_of_credit(client, options->durable, body.len, error);
	status = on_ack ? put_acked(client, &packet, on_ack, arg, error)
			: put(client, &packet, NULL, error);
	if (!status)
		attachment_wrote(client);
	return status;
}

enum lyc_status lyc_client_publish_start(struct lyc_client *client, const char *subject,
					 const void *body, size_t body_len,
					 const struct lyc_publish_options *options,
					 lyc_ack_fn on_ack, void *arg)
{
	return start(client, subject, span_of(body, body_len), options, on_ack, arg, NULL);
}

/* One who waits for an Ack. */
struct publish_wait {
	bool is_done;
	uint64_t seq;
	struct lyc_error error;
};

static void take_ack(const struct lyc_ack *ack, void *arg)
{
	struct publish_wait *wait = arg;
	wait->is_done = true;
	wait->seq = ack->seq;
	if (ack->status)
		error_set_field(&wait->error, ack->status, ack->field, "%s", ack->text);
}

static enum lyc_status too_deep(struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED, "callbacks wait within callbacks too deep");
}

/* A waiter that leaves takes its place in the table with it: the Ack finds nobody. */
static void forget(struct lyc_client *client, const struct publish_wait *wait)
{
	for (size_t i = 0; i < client->publishes.cap; i++) {
		struct pending *publish = &client->publishes.places[i];
		if (!publish->id || publish->arg != wait)
			continue;
		chain_forget(client, true, publish);
		pending_remove(&client->publishes, publish);
	}
}

enum lyc_status lyc_client_publish(struct lyc_client *client, const char *subject, const void *body,
				   size_t body_len, const struct lyc_publish_options *options,
				   uint64_t *ret_seq, struct lyc_error *error)
{
	struct publish_wait wait = {0};
	uint64_t until_ms = mono_ms() + SESSION_WAIT_MS;
	enum lyc_status status;
	for (;;) {
		status = start(client, subject, span_of(body, body_len), options, take_ack, &wait,
			       error);
		if (status != LYC_UNAVAILABLE && status != LYC_RESOURCE_EXHAUSTED)
			break;
		if (client->is_closing || mono_ms() >= until_ms)
			break;
		if (attachment_pump(client, until_ms))
			return too_deep(error);
	}
	if (status)
		return status;
	while (!wait.is_done) {
		if (attachment_pump(client, UINT64_MAX)) {
			forget(client, &wait);
			return too_deep(error);
		}
	}
	if (wait.error.status) {
		if (error)
			*error = wait.error;
		return wait.error.status;
	}
	if (ret_seq)
		*ret_seq = wait.seq;
	return LYC_OK;
}
