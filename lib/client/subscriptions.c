/*
 * Subscriptions: handing over deliveries, counting what was consumed, and returning credit in
 * batches: Consumed for records where the subscription follows them, Credit for everything else.
 * After a loss each goes on from where it was.
 */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/error.h"
#include "base/mem.h"
#include "client/chain.h"
#include "wire/subject.h"

#define DEFAULT_CREDIT (1024 * 1024)
/* Credit goes back when it comes to this part of all: each time costs both sides a packet, a frame
 * and a wakeup. What is left over matters to nobody: the daemon has the rest. */
#define RETURNED_PART 8

/* A record that was delivered and that the owner has not called consumed yet. */
struct unconsumed {
	uint64_t seq;
	size_t len;
};

struct subscription {
	uint64_t id;
	char *pattern;
	char *durable;
	char *group;
	enum lyc_start start;
	uint64_t from;
	bool records_only;
	bool is_manual;
	uint64_t credit;
	lyc_delivery_fn on_delivery;
	void *arg;

	/* Everything up to here is consumed; 0: nothing yet. */
	uint64_t consumed_seq;
	uint64_t told_seq;
	bool is_caught_up;
	/* Bytes to return: by Consumed, by Credit. */
	uint64_t owed_records;
	uint64_t owed_bytes;
	struct unconsumed *queue;
	size_t queue_start;
	size_t queue_len;
	size_t queue_cap;
	bool is_removed;

	UT_hash_handle by_id;
	/* In client->owing or client->removed. */
	struct list node;
};

/* The daemon keeps a position for it, so records come back by Consumed. */
static bool follows_records(const struct subscription *subscription)
{
	return subscription->durable || subscription->records_only ||
	       subscription->start != LYC_START_NOW;
}

static void subscription_free(struct subscription *subscription)
{
	if (!subscription)
		return;
	free(subscription->pattern);
	free(subscription->durable);
	free(subscription->group);
	free(subscription->queue);
	free(subscription);
}

static struct subscription *find(struct lyc_client *client, uint64_t id)
{
	struct subscription *subscription = client->last_subscription;
	if (subscription && subscription->id == id)
		return subscription;
	HASH_FIND(by_id, client->subscriptions, &id, sizeof(id), subscription);
	if (subscription)
		client->last_subscription = subscription;
	return subscription;
}

static bool copy_option(const char *text, char **ret_copy)
{
	struct span span;
	if (!text || !text[0])
		return true;
	if (!attachment_text(text, &span))
		return false;
	*ret_copy = mem_dup_try(text, span.len);
	return *ret_copy != NULL;
}

static void send_subscribe(struct lyc_client *client, const struct subscription *subscription)
{
	const char *durable = subscription->durable;
	const char *group = subscription->group;
	struct packet packet = {
		.kind = PACKET_SUBSCRIBE,
		.subscribe = {.id = subscription->id,
			      .pattern =
				      span_of(subscription->pattern, strlen(subscription->pattern)),
			      .start = (uint32_t)subscription->start,
			      .from = subscription->from,
			      .credit = subscription->credit,
			      .durable = span_of(durable, durable ? strlen(durable) : 0),
			      .group = span_of(group, group ? strlen(group) : 0),
			      .records_only = subscription->records_only}};
	bool is_at_a_record = subscription->start == LYC_START_SEQ ||
			      subscription->start == LYC_START_TIME ||
			      (subscription->start == LYC_START_LAST && subscription->is_caught_up);
	if (!durable && !group && is_at_a_record && subscription->consumed_seq > 0) {
		packet.subscribe.start = SUBSCRIBE_SEQ;
		packet.subscribe.from = subscription->consumed_seq + 1;
	}
	attachment_put(client, &packet);
	attachment_wrote(client);
}

enum lyc_status lyc_client_subscribe(struct lyc_client *client, const char *pattern,
				     const struct lyc_subscribe_options *options,
				     lyc_delivery_fn on_delivery, void *arg, uint64_t *ret_id,
				     struct lyc_error *error)
{
	static const struct lyc_subscribe_options none;
	if (!options)
		options = &none;
	if (!subject_pattern_is_valid(span_of(pattern, pattern ? strlen(pattern) : 0)))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "\"%.100s\" is no pattern: a subject in which * stands for one "
				 "token and a last > for the rest",
				 pattern ? pattern : "");
	if (client->hooks.check_subscribe) {
		enum lyc_status status = client->hooks.check_subscribe(
			client, span_of(pattern, strlen(pattern)), client->hooks.arg, error);
		if (status)
			return status;
	}
	struct subscription *subscription = mem_try(sizeof(*subscription));
	if (!subscription || !copy_option(pattern, &subscription->pattern) ||
	    !copy_option(options->durable, &subscription->durable) ||
	    !copy_option(options->group, &subscription->group)) {
		subscription_free(subscription);
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "no memory for a subscription, or its durable name or group is "
				 "not UTF-8");
	}
	subscription->id = ++client->subscription_id;
	subscription->start = options->start;
	subscription->from = options->from;
	subscription->records_only = options->records_only;
	subscription->is_manual = options->manual;
	subscription->credit = options->credit ? options->credit : DEFAULT_CREDIT;
	if (subscription->credit > WIRE_MAX_CREDIT)
		subscription->credit = WIRE_MAX_CREDIT;
	subscription->on_delivery = on_delivery;
	subscription->arg = arg;
	list_init(&subscription->node);
	HASH_ADD(by_id, client->subscriptions, id, sizeof(subscription->id), subscription);
	if (client->state == ATTACHMENT_OPEN)
		send_subscribe(client, subscription);
	if (ret_id)
		*ret_id = subscription->id;
	return LYC_OK;
}

/* Freed at once, or when the callback that is running has returned. */
static void drop(struct lyc_client *client, struct subscription *subscription)
{
	HASH_DELETE(by_id, client->subscriptions, subscription);
	client->last_subscription = NULL;
	list_remove(&subscription->node);
	subscription->is_removed = true;
	if (client->depth > 0)
		list_add_last(&client->removed, &subscription->node);
	else
		subscription_free(subscription);
}

void lyc_client_unsubscribe(struct lyc_client *client, uint64_t id, bool forget)
{
	struct subscription *subscription = find(client, id);
	if (!subscription)
		return;
	struct packet packet = {.kind = PACKET_UNSUBSCRIBE,
				.unsubscribe = {.id = id, .forget = forget}};
	if (client->state == ATTACHMENT_OPEN)
		attachment_put(client, &packet);
	drop(client, subscription);
}

void subscriptions_sweep(struct lyc_client *client)
{
	list_each_safe (node, &client->removed) {
		list_remove(node);
		subscription_free(list_entry(node, struct subscription, node));
	}
}

/* ---- Credit ---- */

static void settle_one(struct lyc_client *client, struct subscription *subscription)
{
	bool has_handled = subscription->group
				   ? subscription->owed_records > 0
				   : subscription->consumed_seq > subscription->told_seq;
	if (has_handled && follows_records(subscription)) {
		struct packet packet = {
			.kind = PACKET_CONSUMED,
			.consumed = {.id = subscription->id, .value = subscription->consumed_seq}};
		attachment_put(client, &packet);
		subscription->told_seq = subscription->consumed_seq;
	}
	if (subscription->owed_bytes > 0) {
		struct packet packet = {
			.kind = PACKET_CREDIT,
			.credit = {.id = subscription->id, .value = subscription->owed_bytes}};
		attachment_put(client, &packet);
	}
	subscription->owed_records = 0;
	subscription->owed_bytes = 0;
	list_remove(&subscription->node);
	attachment_wrote(client);
}

void subscriptions_settle(struct lyc_client *client)
{
	if (client->state != ATTACHMENT_OPEN)
		return;
	list_each_safe (node, &client->owing)
		settle_one(client, list_entry(node, struct subscription, node));
}

/* One delivery (seq 0: transient) has been handled. */
static void consume(struct lyc_client *client, struct subscription *subscription, uint64_t seq,
		    size_t len)
{
	/* In a group an older one may come later, from a member that has gone: the last handled
	 * counts. */
	if (seq > subscription->consumed_seq || (subscription->group && seq > 0))
		subscription->consumed_seq = seq;
	if (seq > 0 && follows_records(subscription))
		subscription->owed_records += len;
	else
		subscription->owed_bytes += len;
	/* Where it stands in the log is told each time. */
	bool is_due = subscription->owed_records > 0 ||
		      subscription->owed_bytes >= subscription->credit / RETURNED_PART;
	if (is_due && list_is_empty(&subscription->node))
		list_add_last(&client->owing, &subscription->node);
	uint64_t owed = subscription->owed_records + subscription->owed_bytes;
	if (owed >= subscription->credit / 2 && client->state == ATTACHMENT_OPEN)
		settle_one(client, subscription);
}

static bool remember(struct subscription *subscription, uint64_t seq, size_t len)
{
	if (subscription->queue_start > subscription->queue_cap / 2) {
		memmove(subscription->queue, subscription->queue + subscription->queue_start,
			subscription->queue_len * sizeof(*subscription->queue));
		subscription->queue_start = 0;
	}
	size_t end = subscription->queue_start + subscription->queue_len;
	if (end == subscription->queue_cap) {
		size_t cap = subscription->queue_cap ? 2 * subscription->queue_cap : 64;
		struct unconsumed *queue =
			realloc(subscription->queue, cap * sizeof(*subscription->queue));
		if (!queue)
			return false;
		subscription->queue = queue;
		subscription->queue_cap = cap;
	}
	subscription->queue[end] = (struct unconsumed){.seq = seq, .len = len};
	subscription->queue_len++;
	return true;
}

/* How many of those that wait are handled with this one: in a group, those that came before it. */
static size_t count_handled(const struct subscription *subscription, uint64_t seq)
{
	const struct unconsumed *queue = subscription->queue + subscription->queue_start;
	size_t count = 0;
	if (subscription->group) {
		while (count < subscription->queue_len && queue[count].seq != seq)
			count++;
		return count < subscription->queue_len ? count + 1 : 0;
	}
	while (count < subscription->queue_len && queue[count].seq <= seq)
		count++;
	return count;
}

void lyc_client_consumed(struct lyc_client *client, uint64_t id, uint64_t seq)
{
	struct subscription *subscription = find(client, id);
	size_t count = subscription ? count_handled(subscription, seq) : 0;
	for (; count > 0; count--) {
		struct unconsumed first = subscription->queue[subscription->queue_start];
		subscription->queue_start++;
		subscription->queue_len--;
		consume(client, subscription, first.seq, first.len);
	}
}

/* ---- Deliveries ---- */

static void hand_over(struct lyc_client *client, struct subscription *subscription,
		      const struct lyc_delivery *delivery, const struct trace *chain)
{
	const struct trace *outer = client->chain;
	client->chain = chain;
	client->depth++;
	subscription->on_delivery(delivery, subscription->arg);
	client->depth--;
	client->chain = outer;
}

void subscriptions_deliver(struct lyc_client *client, struct level *level,
			   const struct packet_deliver *from, size_t packet_len)
{
	struct subscription *subscription = find(client, from->id);
	if (!subscription)
		return;
	bool waits = subscription->is_manual && from->seq > 0;
	if (!level_reserve(level, from->subject.len + from->origin.len + from->principal.len +
					  from->trace.len + 4) ||
	    (waits && !remember(subscription, from->seq, packet_len))) {
		attachment_lose(client, LYC_RESOURCE_EXHAUSTED, "no memory for a delivery", 0);
		return;
	}
	struct lyc_delivery delivery = {.subject = level_text(level, from->subject),
					.body = from->body.data,
					.body_len = from->body.len,
					.seq = from->seq,
					.origin = level_text(level, from->origin),
					.epoch = from->epoch,
					.origin_seq = from->origin_seq,
					.time_ms = from->time_ms,
					.principal = level_text(level, from->principal),
					.schema = from->schema,
					.removed = from->removed,
					.trace = level_text(level, from->trace)};
	struct trace chain;
	bool is_traced = from->trace.len > 0 && trace_read(from->trace, &chain);
	uint64_t loss_count = client->loss_count;
	hand_over(client, subscription, &delivery, is_traced ? &chain : NULL);
	/* A loss meanwhile has begun a new count of credit; what was handled stays handled. */
	if (subscription->is_removed || waits)
		return;
	if (loss_count == client->loss_count)
		consume(client, subscription, from->seq, packet_len);
	else if (from->seq > subscription->consumed_seq)
		subscription->consumed_seq = from->seq;
}

void subscriptions_gap(struct lyc_client *client, const struct packet_gap *gap)
{
	struct subscription *subscription = find(client, gap->id);
	if (!subscription)
		return;
	struct lyc_delivery delivery = {
		.seq = gap->seq, .missed = gap->missed, .caught_up = gap->missed == 0};
	if (gap->missed == 0) {
		subscription->is_caught_up = true;
		/* All that lies before is of no interest here or has been handled. */
		if (subscription->queue_len == 0 && !subscription->group &&
		    gap->seq > subscription->consumed_seq)
			subscription->consumed_seq = gap->seq;
	}
	hand_over(client, subscription, &delivery, NULL);
}

void subscriptions_ended(struct lyc_client *client, struct level *level,
			 const struct packet_unsubscribe *unsubscribe)
{
	struct subscription *subscription = find(client, unsubscribe->id);
	if (!subscription)
		return;
	if (!level_reserve(level, unsubscribe->text.len + 1)) {
		attachment_lose(client, LYC_RESOURCE_EXHAUSTED, "no memory for a refusal", 0);
		return;
	}
	struct lyc_delivery delivery = {
		.status = unsubscribe->status ? (enum lyc_status)unsubscribe->status : LYC_UNKNOWN,
		.text = level_text(level, unsubscribe->text),
		.refusal = unsubscribe->refusal};
	hand_over(client, subscription, &delivery, NULL);
	/* It may have been removed by its owner meanwhile. */
	subscription = find(client, unsubscribe->id);
	if (subscription)
		drop(client, subscription);
}

void subscriptions_lost(struct lyc_client *client)
{
	client->loss_count++;
	list_each_safe (node, &client->owing)
		list_remove(node);
	for (struct subscription *subscription = client->subscriptions; subscription;
	     subscription = subscription->by_id.next) {
		subscription->owed_records = 0;
		subscription->owed_bytes = 0;
		subscription->queue_start = 0;
		subscription->queue_len = 0;
	}
}

void subscriptions_renew(struct lyc_client *client, bool is_new_epoch)
{
	for (struct subscription *subscription = client->subscriptions; subscription;
	     subscription = subscription->by_id.next) {
		if (is_new_epoch) {
			subscription->consumed_seq = 0;
			subscription->is_caught_up = false;
		}
		subscription->told_seq = subscription->durable ? 0 : subscription->consumed_seq;
		send_subscribe(client, subscription);
	}
}

void subscriptions_fini(struct lyc_client *client)
{
	struct subscription *subscription;
	struct subscription *next;
	HASH_ITER (by_id, client->subscriptions, subscription, next) {
		HASH_DELETE(by_id, client->subscriptions, subscription);
		subscription_free(subscription);
	}
	subscriptions_sweep(client);
}
