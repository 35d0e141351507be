/* The log's state that the core keeps in memory, rebuilt from the log and moved on by every commit.
 */
#include "stream/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "base/pb.h"
#include "lyceum/v1/label.pb-c.h"
#include "log.h"
#include "stream/append.h"
#include "stream/durable.h"
#include "stream/kept.h"
#include "stream/left.h"
#include "stream/erasure.h"
#include "stream/retention.h"

#define LOG_TOPIC "stream"

void stream_init(struct stream *stream, const struct env *env, struct policy *policy,
		 struct types *types, struct session_table *sessions, struct topics *topics,
		 const char *name, uint64_t epoch)
{
	*stream = (struct stream){.env = env,
				  .policy = policy,
				  .types = types,
				  .sessions = sessions,
				  .topics = topics,
				  .epoch = epoch,
				  .replayed_seq = UINT64_MAX};
	snprintf(stream->name, sizeof(stream->name), "%s", name);
	list_init(&stream->followers);
	list_init(&stream->groups);
	list_init(&stream->unkept);
	/* Its own records come first, however many origins will be known. */
	origins_get(&stream->origins, span_of(stream->name, strlen(stream->name)))->epoch = epoch;
}

void stream_fini(struct stream *stream)
{
	buf_fini(&stream->fanout_common);
	buf_fini(&stream->fanout_cut);
	kept_fini(stream);
	append_fini(stream);
	buf_fini(&stream->room.subject);
	buf_fini(&stream->room.key);
	buf_fini(&stream->room.label);
	free(stream->own_seqs);
	origins_fini(&stream->origins);
	subjects_fini(&stream->subjects);
	moments_fini(&stream->moments);
	durable_fini(stream);
	left_fini(stream);
	retention_free(stream->retention);
	taken_back_fini(stream);
	erasures_free(stream->erasures);
	held_fini(&stream->held);
}

static struct origin *own_origin(const struct stream *stream)
{
	return &stream->origins.items[0];
}

uint64_t stream_epoch_of(const struct stream *stream, uint64_t seq)
{
	const struct origin *own = own_origin(stream);
	for (size_t i = 0; i < own->former_count; i++) {
		if (seq <= own->formers[i].seq)
			return own->formers[i].epoch;
	}
	return stream->epoch;
}

static void load_epochs(struct stream *stream)
{
	struct origin *own = own_origin(stream);
	struct buf saved = {0};
	stream->env->load(stream->env->world, "epochs", &saved);
	struct pb_reader reader = pb_reader_of(span_of(saved.data, saved.len));
	struct pb_field field;
	own->epoch = 0;
	while (pb_read_field(&reader, &field)) {
		struct pb_reader inner = pb_reader_of(field.bytes);
		struct pb_field part;
		uint64_t numbers[2] = {0};
		while (field.wire == PB_LEN && pb_read_field(&inner, &part)) {
			if (part.wire == PB_VARINT && part.number >= 1 && part.number <= 2)
				numbers[part.number - 1] = part.value;
		}
		origin_begin_epoch(own, numbers[0]);
		own->seq = numbers[1];
	}
	origin_begin_epoch(own, stream->epoch);
	buf_fini(&saved);
}

/* Made once, and then as old as the log: its backups have it, too. */
static void load_seal_key(struct stream *stream)
{
	const struct env *env = stream->env;
	struct buf saved = {0};
	env->load(env->world, "seal", &saved);
	if (saved.len == sizeof(stream->seal_key)) {
		memcpy(stream->seal_key, saved.data, saved.len);
	} else {
		for (size_t i = 0; i < 2; i++) {
			uint64_t bits = env->random(env->world);
			memcpy(stream->seal_key + i * sizeof(bits), &bits, sizeof(bits));
		}
		env->save(env->world, "seal", span_of(stream->seal_key, sizeof(stream->seal_key)));
	}
	buf_fini(&saved);
}

void stream_load(struct stream *stream, bool has_hub)
{
	struct buf waits = {0};
	load_epochs(stream);
	load_seal_key(stream);
	stream->env->load(stream->env->world, "waits", &waits);
	/* Whether it has to wait is not known: so it does. */
	bool was_damaged =
		stream->env->was_damaged && stream->env->was_damaged(stream->env->world, "waits");
	stream->is_waiting = has_hub && (waits.len > 0 || was_damaged);
	buf_fini(&waits);
}

enum lyc_status stream_label(const struct schema_message *message, struct span own, bool has_own,
			     struct span given, struct label *ret_label)
{
	if (message->label && !has_own) {
		label_set(ret_label, LYCEUM__V1__VISIBILITY__PRIVATE);
		return LYC_OK;
	}
	if (message->label || given.len > 0)
		return label_read(message->label ? own : given, ret_label);
	label_set(ret_label, LYCEUM__V1__VISIBILITY__MEMBERS);
	return LYC_OK;
}

static bool is_own_type(struct span subject)
{
	static const char package[] = "lyceum.v1.";
	return subject.len >= sizeof(package) - 1 &&
	       memcmp(subject.data, package, sizeof(package) - 1) == 0;
}

/* Does the label name some of those who may see the log? */
static bool is_narrow(struct stream *stream, struct span bytes)
{
	struct label label;
	if (bytes.len == 0 ||
	    span_equal(bytes, span_of(stream->plain_label, stream->plain_label_len)))
		return false;
	if (label_read(bytes, &label) == LYC_OK &&
	    label.visibility != LYCEUM__V1__VISIBILITY__PUBLIC &&
	    label.visibility != LYCEUM__V1__VISIBILITY__MEMBERS)
		return true;
	if (bytes.len <= sizeof(stream->plain_label)) {
		memcpy(stream->plain_label, bytes.data, bytes.len);
		stream->plain_label_len = bytes.len;
	}
	return false;
}

static void note_own(struct stream *stream, uint64_t seq)
{
	size_t count = stream->own_seq_count;
	if ((count & (count - 1)) == 0) {
		stream->own_seqs =
			realloc(stream->own_seqs, (count ? count * 2 : 1) * sizeof(uint64_t));
		ensure(stream->own_seqs != NULL);
	}
	stream->own_seqs[stream->own_seq_count++] = seq;
}

/* What a record means for positions, keys and schemas, whether it is replayed, without a note of
 * its being on its way, or new. Whatever is added here belongs into node/summary.c, too. */
static void take(struct stream *stream, uint64_t seq, const struct record *record, size_t len,
		 struct subject_note *note)
{
	struct span label = is_narrow(stream, record->label) ? record->label : span_of(NULL, 0);
	if (note)
		subjects_settle_as(&stream->subjects, note, record->origin, label);
	else
		subjects_note(&stream->subjects, record->subject, record->origin, label);
	/* Its own come first. */
	struct origin *origin = &stream->origins.items[0];
	if (record->origin.len > 0)
		origin = origins_get(&stream->origins, record->origin);
	if (origin && origin->record_count == 0 && stream->origins.count == WIRE_MAX_POSITIONS + 1)
		log_warning("more origins are known than a reply can name (as_of)", "origins",
			    log_number(WIRE_MAX_POSITIONS));
	if (origin && record->origin.len > 0)
		origin_committed(origin, record->epoch, record->origin_seq, seq);
	else if (origin)
		origin_committed(origin, stream_epoch_of(stream, seq), seq, seq);
	if (origin && record->was.epoch > 0)
		seq_set_add(&origin->returned, record->was.epoch, record->was.seq);
	if (origin && record->time_ms > origin->last_time_ms)
		origin->last_time_ms = record->time_ms;
	if (record->time_ms > stream->last_time_ms)
		stream->last_time_ms = record->time_ms;
	moments_note(&stream->moments, seq, record->time_ms);
	stream->last_seq = seq;
	stream->types->seq = seq;
	if (is_own_type(record->subject) || record->erase)
		note_own(stream, seq);
	if (record->origin.len == 0 && record->was.epoch > 0)
		taken_back_note(stream, seq, record);
	if (!types_note_record(stream->types, record->subject) ||
	    (record->origin.len > 0 &&
	     !types_holds_schema(stream->types, record->subject, record->schema)))
		held_add(&stream->held, record->subject, record->schema);
	if (stream->erasures)
		erasures_noted(stream->erasures, seq, record);
	if (stream->retention)
		retention_added(stream->retention, seq, record, len);
}

/* A schema that a daemon accepted: from now on its types are known here. */
static void take_schema(struct stream *stream, const struct record *record)
{
	static const char prefix[] = "lyceum.v1.SchemaVersion.";
	if (record->removed || record->subject.len <= sizeof(prefix) - 1 ||
	    memcmp(record->subject.data, prefix, sizeof(prefix) - 1) != 0)
		return;
	struct pb_reader reader = pb_reader_of(record->body);
	struct pb_field field;
	struct schema *schema = NULL;
	struct lyc_error error;
	while (pb_read_field(&reader, &field)) {
		if (field.number != 3 || field.wire != PB_LEN || schema)
			continue;
		if (schema_new(field.bytes.data, field.bytes.len, &schema, &error) != LYC_OK) {
			log_warning("schema record not understood", "reason", error.text);
			return;
		}
	}
	if (schema && types_add(stream->types, schema, record->origin.len == 0, &error) != LYC_OK)
		log_warning("schema kept for its records only", "reason", error.text);
	schema_unref(schema);
	/* What was held until now has a type, and its package is kept from breaking. */
	held_settle(&stream->held, stream->types);
}

void stream_replay(struct stream *stream, uint64_t seq, struct span bytes)
{
	struct record record;
	if (record_read(bytes, &record) != LYC_OK) {
		log_error("record cannot be read", "seq", log_number(seq));
		return;
	}
	take(stream, seq, &record, bytes.len, NULL);
	take_schema(stream, &record);
	if (stream->erasures)
		erasures_noted(stream->erasures, seq, &record);
	if (stream->on_private && record.origin.len == 0 && stream_is_private(record.subject))
		stream->on_private(seq, &record, bytes, stream->on_private_arg);
}

/* As in the file of positions: 1 name, 2 epoch, 3 sequence, 4 time. */
static void write_position(const struct origin *origin, struct buf *to)
{
	size_t mark = pb_begin(to, 1);
	pb_write_text(to, 1, origin->name);
	pb_write_uint(to, 2, origin->epoch);
	pb_write_uint(to, 3, origin->seq);
	pb_write_uint(to, 4, origin->last_time_ms);
	pb_end(to, mark);
}

void stream_write_positions(const struct stream *stream, struct buf *to)
{
	for (size_t i = 0; i < stream->origins.count; i++)
		write_position(&stream->origins.items[i], to);
}

static void read_position(struct stream *stream, struct span bytes)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	struct span name = {0};
	uint64_t numbers[5] = {0};
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1 && field.wire == PB_LEN)
			name = field.bytes;
		else if (field.number < 5)
			numbers[field.number] = field.value;
	}
	struct origin *origin = name.len > 0 ? origins_get(&stream->origins, name) : NULL;
	if (!origin)
		return;
	origin_restore(origin, numbers[2], numbers[3]);
	if (numbers[4] > origin->last_time_ms)
		origin->last_time_ms = numbers[4];
	if (span_is(name, stream->name) && numbers[4] > stream->last_time_ms)
		stream->last_time_ms = numbers[4];
}

void stream_replayed(struct stream *stream, uint64_t last_seq)
{
	struct buf saved = {0};
	stream->env->load(stream->env->world, STREAM_POSITIONS_KEY, &saved);
	struct pb_reader reader = pb_reader_of(span_of(saved.data, saved.len));
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1 && field.wire == PB_LEN)
			read_position(stream, field.bytes);
	}
	buf_fini(&saved);
	if (last_seq > stream->last_seq)
		stream->last_seq = last_seq;
	stream->replayed_seq = stream->last_seq;
	stream->told_seq = stream->last_seq;
	if (stream->erasures)
		erasures_replayed(stream->erasures);
}

void stream_replay_own(struct stream *stream, uint64_t seq, struct span bytes)
{
	struct record record;
	note_own(stream, seq);
	stream->types->seq = seq;
	if (record_read(bytes, &record) != LYC_OK)
		return;
	take_schema(stream, &record);
	if (stream->erasures)
		erasures_noted(stream->erasures, seq, &record);
	if (stream->on_private && record.origin.len == 0 && stream_is_private(record.subject))
		stream->on_private(seq, &record, bytes, stream->on_private_arg);
}

void stream_committed(struct stream *stream, uint64_t seq, const struct record *record,
		      struct span bytes, struct subject_note *note)
{
	take(stream, seq, record, bytes.len, note);
	take_schema(stream, record);
	stream_deliver(stream, seq, record);
	if (stream->on_commit)
		stream->on_commit(seq, record, bytes, stream->on_commit_arg);
}
