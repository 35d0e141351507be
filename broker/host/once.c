/* Calls with an idempotency key: the mark before, the run, the reply behind it, and who waits. */
#include "host/once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "host/destination.h"
#include "host/router.h"
#include "log.h"
#include "lyceum/v1/keyed_call.pb-c.h"

#define LOG_TOPIC "once"

/* What one principal has of the room. */
struct once_owner {
	char *principal;
	size_t count;
	UT_hash_handle by_principal;
};

struct once_entry {
	uint8_t key[ONCE_HASH_LEN];
	uint8_t call[ONCE_HASH_LEN];
	uint64_t time_ms; /* of its start, since 1970 */
	uint64_t seq;     /* of the record with its reply; 0: no reply is known */
	uint64_t len;
	struct once_owner *owner;
	struct once_run *run; /* NULL: nobody does anything about it */
	UT_hash_handle by_key;
};

/* What is under way for an entry. */
struct once_run {
	struct router *router;
	struct once_entry *entry;
	enum {
		MARKING, /* its start is on its way to the disk */
		RUNNING, /* it has been given to a plugin */
		KEEPING, /* its reply is on its way to the disk */
		READING, /* its reply is on its way back from there */
	} state;
	struct call *call; /* NULL: it has ended */
	struct buf packet; /* the Call, then the Reply */
	struct list waiters;
	bool is_cancelled; /* before it was given to anybody */
};

void once_init(struct router *router)
{
	struct once *once = &router->once;
	list_init(&once->keeper.calls_made);
	list_init(&once->keeper.calls_given);
	once->keeper.kind = SESSION_CLIENT;
	once->keeper.fd = -1;
	snprintf(once->keeper.identity, sizeof(once->keeper.identity), "%s", router->name);
}

/* ---- entries ---- */

static void hash_two(struct span first, struct span second, uint8_t to[ONCE_HASH_LEN])
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, first.data, first.len);
	crypto_hash_sha256_update(&state, (const uint8_t *)"", 1);
	crypto_hash_sha256_update(&state, second.data, second.len);
	crypto_hash_sha256_final(&state, hash);
	memcpy(to, hash, ONCE_HASH_LEN);
}

static struct once_entry *find(const struct once *once, const uint8_t key[ONCE_HASH_LEN])
{
	struct once_entry *entry;
	HASH_FIND(by_key, once->entries, key, ONCE_HASH_LEN, entry);
	return entry;
}

static struct once_owner *owner_of(struct once *once, const char *principal)
{
	struct once_owner *owner;
	HASH_FIND(by_principal, once->owners, principal, strlen(principal), owner);
	if (owner)
		return owner;
	owner = mem_new(struct once_owner);
	owner->principal = mem_dup(principal);
	HASH_ADD_KEYPTR(by_principal, once->owners, owner->principal, strlen(principal), owner);
	return owner;
}

static struct once_entry *entry_add(struct once *once, const uint8_t key[ONCE_HASH_LEN],
				    const uint8_t call[ONCE_HASH_LEN], const char *principal,
				    uint64_t time_ms)
{
	struct once_entry *entry = mem_new(struct once_entry);
	memcpy(entry->key, key, ONCE_HASH_LEN);
	memcpy(entry->call, call, ONCE_HASH_LEN);
	entry->time_ms = time_ms;
	entry->owner = owner_of(once, principal);
	entry->owner->count++;
	once->count++;
	HASH_ADD(by_key, once->entries, key, ONCE_HASH_LEN, entry);
	return entry;
}

static void entry_grow(struct once *once, struct once_entry *entry, size_t len)
{
	entry->len += len;
	once->len += len;
}

static void run_free(struct once_run *run)
{
	if (run) {
		run->entry->run = NULL;
		buf_fini(&run->packet);
	}
	free(run);
}

static void entry_remove(struct once *once, struct once_entry *entry)
{
	struct once_owner *owner = entry->owner;
	run_free(entry->run);
	HASH_DELETE(by_key, once->entries, entry);
	once->count--;
	once->len -= entry->len;
	if (--owner->count == 0) {
		HASH_DELETE(by_principal, once->owners, owner);
		free(owner->principal);
		free(owner);
	}
	free(entry);
}

void once_fini(struct router *router)
{
	while (router->once.entries)
		entry_remove(&router->once, router->once.entries);
}

static bool is_over(const struct once *once, const struct once_entry *entry, uint64_t wall_ms)
{
	return !entry->run && entry->time_ms + once->limits.keep_ms <= wall_ms;
}

void once_prune(struct router *router)
{
	struct once *once = &router->once;
	uint64_t wall_ms = router->env->wall_ms(router->env->world);
	while (once->entries && is_over(once, once->entries, wall_ms))
		entry_remove(once, once->entries);
}

/* ---- records ---- */

static void append(struct once_run *run, const char *principal, const char *method,
		   Lyceum__V1__KeyedCall__State state, struct span reply, stream_done_fn on_done)
{
	struct router *router = run->router;
	struct buf subject = {0};
	struct buf body = {0};
	buf_add_format(&subject, "lyceum.v1.KeyedCall.%s", router->name);
	pb_write_text(&body, 1, router->name);
	pb_write_bytes(&body, 2, run->entry->key, ONCE_HASH_LEN);
	pb_write_bytes(&body, 3, run->entry->call, ONCE_HASH_LEN);
	pb_write_text(&body, 4, principal);
	pb_write_text(&body, 5, method);
	pb_write_uint(&body, 6, (uint64_t)state);
	pb_write_bytes(&body, 7, reply.data, reply.len);
	entry_grow(&router->once, run->entry, body.len);
	stream_append_private(router->stream, span_of(subject.data, subject.len),
			      span_of(body.data, body.len), on_done, run);
	buf_fini(&subject);
	buf_fini(&body);
}

struct keyed_call {
	struct span key;
	struct span call;
	struct span principal;
	uint64_t state;
	struct span reply;
};

static bool read_body(struct span body, struct keyed_call *ret)
{
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	*ret = (struct keyed_call){0};
	while (pb_read_field(&reader, &field)) {
		if (field.number == 2)
			ret->key = field.bytes;
		else if (field.number == 3)
			ret->call = field.bytes;
		else if (field.number == 4)
			ret->principal = field.bytes;
		else if (field.number == 6)
			ret->state = field.value;
		else if (field.number == 7)
			ret->reply = field.bytes;
	}
	return !reader.has_failed && ret->key.len == ONCE_HASH_LEN &&
	       ret->call.len == ONCE_HASH_LEN && ret->principal.len < CALL_MAX_PRINCIPAL;
}

void once_replay(struct router *router, uint64_t seq, const struct record *record)
{
	struct once *once = &router->once;
	struct keyed_call kept;
	uint64_t wall_ms = router->env->wall_ms(router->env->world);
	static const char type[] = "lyceum.v1.KeyedCall.";
	if (record->subject.len < sizeof(type) ||
	    memcmp(record->subject.data, type, sizeof(type) - 1) != 0)
		return;
	if (record->removed || record->time_ms + once->limits.keep_ms <= wall_ms ||
	    !read_body(record->body, &kept))
		return;
	struct once_entry *entry = find(once, kept.key.data);
	if (kept.state == LYCEUM__V1__KEYED_CALL__STATE__NOT_RUN) {
		if (entry)
			entry_remove(once, entry);
		return;
	}
	if (!entry) {
		char principal[CALL_MAX_PRINCIPAL];
		snprintf(principal, sizeof(principal), "%.*s", (int)kept.principal.len,
			 (const char *)kept.principal.data);
		entry = entry_add(once, kept.key.data, kept.call.data, principal, record->time_ms);
	}
	entry_grow(once, entry, record->body.len);
	if (kept.state == LYCEUM__V1__KEYED_CALL__STATE__ANSWERED)
		entry->seq = seq;
}

/* ---- those who wait ---- */

static void wait_for(struct once_run *run, struct call *call)
{
	call->once = run;
	call->ends_here = true;
	run->is_cancelled = false;
	list_add_last(&run->waiters, &call->of_waiting);
}

static void tell_all(struct once_run *run, const struct packet_reply *reply)
{
	while (!list_is_empty(&run->waiters)) {
		struct call *call = list_entry(run->waiters.next, struct call, of_waiting);
		struct lyc_error error;
		list_remove(&call->of_waiting);
		if (reply->body.len > call->max_reply)
			error_set(&error, LYC_RESOURCE_EXHAUSTED,
				  "the reply has %zu bytes, the caller takes %u", reply->body.len,
				  call->max_reply);
		else
			error.status = LYC_OK;
		if (error.status == LYC_OK)
			router_pass(run->router, call, reply);
		else
			router_refuse(run->router, call, &error, reply->remembered);
	}
}

/* `is_remembered`: whoever asks again hears the same. */
static void tell_error(struct once_run *run, const struct lyc_error *error, bool is_remembered)
{
	const struct packet_reply reply = {
		.status = (uint32_t)error->status,
		.text = span_of(error->text, strlen(error->text)),
		.field = span_of(error->field, strlen(error->field)),
		.remembered = is_remembered,
	};
	tell_all(run, &reply);
}

/* A kept frame with the Reply; false when it cannot be read. */
static bool tell_kept(struct once_run *run, struct span frame, bool is_remembered)
{
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	frame_start(reader, frame);
	bool is_read = frame_next(reader, &packet) == FRAME_PACKET && packet.kind == PACKET_REPLY;
	if (is_read) {
		packet.reply.remembered = is_remembered;
		tell_all(run, &packet.reply);
	}
	free(reader);
	return is_read;
}

static void set_unknown(struct lyc_error *error)
{
	error_set(error, LYC_UNKNOWN,
		  "the call with this idempotency key was started and its reply is not known: see "
		  "whether it had its effect, and call with a new key if not; with this one it is "
		  "not run again");
}

/* ---- the run ---- */

/* It was never given to anybody: the key is free. */
static void not_run(struct once_run *run, const struct lyc_error *error)
{
	struct once_entry *entry = run->entry;
	struct router *router = run->router;
	tell_error(run, error, false);
	if (run->call)
		call_end(&router->calls, run->call);
	run->call = NULL;
	append(run, entry->owner->principal, "", LYCEUM__V1__KEYED_CALL__STATE__NOT_RUN,
	       span_of(NULL, 0), NULL);
	entry_remove(&router->once, entry);
}

static enum lyc_status give(struct once_run *run, const struct packet_call *packet,
			    struct lyc_error *error)
{
	struct router *router = run->router;
	struct session *callee = NULL;
	const char *method = run->call->method->full_name;
	enum lyc_status status =
		destination_find(router, &router->once.keeper, packet, method,
				 types_method(router->types, packet->method), &callee, error);
	if (status == LYC_OK && (!callee || session_is_link(callee)))
		status =
			error_set(error, LYC_UNAVAILABLE, "nobody here serves %s any more", method);
	if (status == LYC_OK)
		status = router_give(router, run->call, callee, packet, error);
	return status;
}

static void on_marked(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct once_run *run = arg;
	struct router *router = run->router;
	struct lyc_error error;
	error_clear(&error);
	(void)seq;
	if (status != LYC_OK) {
		error_set(&error, status == LYC_RESOURCE_EXHAUSTED ? status : LYC_UNAVAILABLE,
			  "the call has not run, because its idempotency key cannot be kept: %s",
			  text);
		tell_error(run, &error, false);
		if (run->call)
			call_end(&router->calls, run->call);
		entry_remove(&router->once, run->entry);
		return;
	}
	if (!run->call || run->is_cancelled) {
		error_set(&error, LYC_UNAVAILABLE, "the call was not started in time; try again");
		not_run(run, &error);
		return;
	}
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	frame_start(reader, span_of(run->packet.data, run->packet.len));
	run->state = RUNNING;
	if (frame_next(reader, &packet) != FRAME_PACKET || packet.kind != PACKET_CALL)
		error_set(&error, LYC_INTERNAL, "the call was not kept");
	else
		error.status = give(run, &packet.call, &error);
	free(reader);
	buf_fini(&run->packet);
	if (error.status != LYC_OK)
		not_run(run, &error);
}

static void on_kept(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct once_run *run = arg;
	if (status == LYC_OK)
		run->entry->seq = seq;
	else
		log_warning("a reply is not remembered for its idempotency key", "reason", text);
	tell_kept(run, span_of(run->packet.data, run->packet.len), status == LYC_OK);
	run_free(run);
}

void once_reply(struct router *router, struct call *call, const struct packet_reply *reply)
{
	struct once_run *run = call->once;
	struct packet packet = {.kind = PACKET_REPLY};
	const char *method = call->method->full_name;
	packet.reply = *reply;
	packet.reply.id = 0;
	packet.reply.more = false;
	packet_write(&run->packet, &packet);
	run->state = KEEPING;
	run->call = NULL;
	append(run, run->entry->owner->principal, method, LYCEUM__V1__KEYED_CALL__STATE__ANSWERED,
	       span_of(run->packet.data, run->packet.len), on_kept);
	call_end(&router->calls, call);
}

void once_failed(struct router *router, struct call *call, const struct lyc_error *error)
{
	struct once_run *run = call->once;
	if (run->state != RUNNING || router->once.is_closed) {
		/* What becomes of it is found out when its mark is on the disk, or after the next
		 * start. */
		run->call = NULL;
		call_end(&router->calls, call);
		return;
	}
	char text[2 * sizeof(error->text)];
	snprintf(text, sizeof(text), "%s; with this idempotency key it is not run again",
		 error->text);
	struct packet_reply reply = {
		.status =
			(uint32_t)(error->status == LYC_UNAVAILABLE ? LYC_UNKNOWN : error->status),
		.text = span_of(text, strlen(text)),
		.field = span_of(error->field, strlen(error->field)),
	};
	once_reply(router, call, &reply);
}

void once_cancelled(struct router *router, struct once_run *run)
{
	if (!list_is_empty(&run->waiters))
		return;
	if (run->state == MARKING)
		run->is_cancelled = true;
	else if (run->state == RUNNING)
		router_tell_cancelled(router, run->call);
}

/* ---- a call comes ---- */

static struct once_run *run_new(struct router *router, struct once_entry *entry)
{
	struct once_run *run = mem_new(struct once_run);
	run->router = router;
	run->entry = entry;
	entry->run = run;
	list_init(&run->waiters);
	return run;
}

struct once_read {
	struct log_read base;
	struct once_run *run;
};

static bool tell_read(struct once_run *run, const struct log_read *read)
{
	uint64_t seq;
	uint32_t len;
	const size_t head_len = sizeof(seq) + sizeof(len);
	struct record record;
	struct keyed_call kept;
	if (read->status != LYC_OK || read->records.len < head_len)
		return false;
	memcpy(&seq, read->records.data, sizeof(seq));
	memcpy(&len, read->records.data + sizeof(seq), sizeof(len));
	return seq == run->entry->seq &&
	       record_read(span_of(read->records.data + head_len, len), &record) == LYC_OK &&
	       read_body(record.body, &kept) && tell_kept(run, kept.reply, true);
}

static void on_read(struct log_read *base)
{
	struct once_read *read = (struct once_read *)base;
	struct once_run *run = read->run;
	struct lyc_error error;
	if (base->status == LYC_UNAVAILABLE) {
		error_set(&error, LYC_UNAVAILABLE, "%s", base->text);
		tell_error(run, &error, false);
	} else if (!tell_read(run, base)) {
		run->entry->seq = 0;
		set_unknown(&error);
		tell_error(run, &error, true);
	}
	run_free(run);
	buf_fini(&base->records);
	free(read);
}

static void read_reply(struct router *router, struct once_entry *entry, struct call *call)
{
	struct once_read *read = mem_new(struct once_read);
	read->run = run_new(router, entry);
	read->run->state = READING;
	wait_for(read->run, call);
	read->base.from = entry->seq;
	read->base.max_bytes = 1;
	read->base.on_done = on_read;
	router->env->read(router->env->world, &read->base);
}

static enum lyc_status check_room(struct once *once, const struct call *call,
				  struct lyc_error *error)
{
	const struct once_limits *limits = &once->limits;
	struct once_owner *owner;
	HASH_FIND(by_principal, once->owners, call->principal, strlen(call->principal), owner);
	if (once->count < limits->max_keys && once->len < limits->max_len &&
	    (!owner || owner->count < limits->max_keys_of_one))
		return LYC_OK;
	return error_set_field(error, LYC_RESOURCE_EXHAUSTED, "idempotency_key",
			       "the call has not run: this daemon remembers as many idempotency "
			       "keys as it may (%s); call without one, or later",
			       once->count >= limits->max_keys ? "limits.idempotency_keys"
			       : once->len >= limits->max_len
				       ? "limits.idempotency_bytes"
				       : "a quarter of limits.idempotency_keys for one principal");
}

/* The call that runs: the keeper's, with everything that the first caller's has. */
static struct call *make_run(struct router *router, const struct call *call)
{
	struct once *once = &router->once;
	struct call *run = call_add(&router->calls, &once->keeper, ++once->last_run, call->len,
				    call->deadline_ms);
	if (!run)
		return NULL;
	run->method = call->method;
	run->max_reply = call->max_reply;
	run->is_traced = call->is_traced;
	run->trace = call->trace;
	run->parent_span = call->parent_span;
	run->by_operator = call->caller->grants->role == ROLE_OPERATOR;
	memcpy(run->principal, call->principal, strlen(call->principal) + 1);
	run->groups = mem_get((call->group_count + 1) * sizeof(char *));
	for (; run->group_count < call->group_count; run->group_count++)
		run->groups[run->group_count] = mem_dup(call->groups[run->group_count]);
	return run;
}

static enum lyc_status begin(struct router *router, struct call *call,
			     const struct packet_call *packet, const uint8_t key[ONCE_HASH_LEN],
			     const uint8_t digest[ONCE_HASH_LEN], struct lyc_error *error)
{
	struct once *once = &router->once;
	once_prune(router);
	enum lyc_status status = check_room(once, call, error);
	if (status != LYC_OK)
		return status;
	struct call *made = make_run(router, call);
	if (!made)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "too many calls are outstanding here");
	struct once_entry *entry = entry_add(once, key, digest, call->principal,
					     router->env->wall_ms(router->env->world));
	struct once_run *run = run_new(router, entry);
	run->call = made;
	made->once = run;
	struct packet whole = {.kind = PACKET_CALL};
	whole.call = *packet;
	packet_write(&run->packet, &whole);
	wait_for(run, call);
	append(run, call->principal, call->method->full_name,
	       LYCEUM__V1__KEYED_CALL__STATE__STARTED, span_of(NULL, 0), on_marked);
	return LYC_OK;
}

bool once_knows(const struct router *router, const struct call *call,
		const struct packet_call *packet)
{
	uint8_t key[ONCE_HASH_LEN];
	hash_two(span_of(call->principal, strlen(call->principal)), packet->idempotency_key, key);
	return find(&router->once, key) != NULL;
}

void once_take(struct router *router, struct call *call, const struct packet_call *packet)
{
	static const char field[] = "idempotency_key";
	uint8_t key[ONCE_HASH_LEN];
	uint8_t digest[ONCE_HASH_LEN];
	struct lyc_error error;
	error_clear(&error);
	hash_two(span_of(call->principal, strlen(call->principal)), packet->idempotency_key, key);
	hash_two(packet->method, packet->body, digest);
	struct once_entry *entry = find(&router->once, key);
	if (entry && is_over(&router->once, entry, router->env->wall_ms(router->env->world))) {
		entry_remove(&router->once, entry);
		entry = NULL;
	}
	if (packet->idempotency_key.len > ONCE_MAX_KEY)
		error_set_field(&error, LYC_INVALID_ARGUMENT, field,
				"an idempotency key has at most %d bytes", ONCE_MAX_KEY);
	else if (call->method->is_server_streaming)
		error_set_field(&error, LYC_INVALID_ARGUMENT, field,
				"%s streams its replies, which are not remembered: call it without "
				"an idempotency key",
				call->method->full_name);
	else if (!entry)
		error.status = begin(router, call, packet, key, digest, &error);
	else if (memcmp(entry->call, digest, ONCE_HASH_LEN) != 0)
		error_set_field(&error, LYC_INVALID_ARGUMENT, field,
				"this idempotency key was used for a call with another method or "
				"request: give each call a key of its own");
	else if (entry->run)
		wait_for(entry->run, call);
	else if (entry->seq > 0)
		read_reply(router, entry, call);
	else
		set_unknown(&error);
	if (error.status != LYC_OK)
		router_refuse(router, call, &error, error.status == LYC_UNKNOWN);
}
