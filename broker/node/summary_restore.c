/*
 * A summary that is taken at a start: it is checked as a whole before anything of it is, then the
 * daemons' own records are read again, because their meaning is not in it.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/pb.h"
#include "node/daemon.h"
#include "node/summary_field.h"
#include "stream/retention.h"

/* Two of the daemons' own records that are so near to each other are read in one go. */
#define NEAR 2000

/* A part of the summary: its texts and numbers by field. */
struct part {
	struct span texts[8];
	uint64_t numbers[8];
};

static bool read_part(struct span bytes, struct part *ret_part)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	*ret_part = (struct part){0};
	while (pb_read_field(&reader, &field)) {
		if (field.number >= 8)
			return false;
		if (field.wire == PB_LEN)
			ret_part->texts[field.number] = field.bytes;
		else
			ret_part->numbers[field.number] = field.value;
	}
	return !reader.has_failed;
}

static void read_runs(struct pb_reader *reader, struct seq_set *to)
{
	uint64_t count = 0;
	(void)!pb_read_varint(reader, &count);
	for (; count > 0; count--) {
		struct seq_run run;
		if (!pb_read_varint(reader, &run.epoch) || !pb_read_varint(reader, &run.first) ||
		    !pb_read_varint(reader, &run.last))
			return;
		seq_set_add_run(to, &run);
	}
}

static void read_past(struct origin *origin, struct pb_reader *reader)
{
	uint64_t count = 0;
	(void)!pb_read_varint(reader, &count);
	origin->former_count = 0;
	for (; count > 0 && origin->former_count < ORIGIN_MAX_FORMER; count--) {
		struct origin_former *former = &origin->formers[origin->former_count++];
		if (!pb_read_varint(reader, &former->epoch) ||
		    !pb_read_varint(reader, &former->seq))
			return;
	}
	read_runs(reader, &origin->returned);
	for (size_t i = 0; i < 3; i++)
		read_runs(reader, &origin->forms[i]);
}

static void take_origin(struct stream *stream, const struct part *part)
{
	struct origin *origin = origins_get(&stream->origins, part->texts[1]);
	if (!origin)
		return;
	origin->epoch = part->numbers[2];
	origin->seq = part->numbers[3];
	origin->last_time_ms = part->numbers[4];
	origin->record_count = part->numbers[5];
	struct pb_reader reader = pb_reader_of(part->texts[6]);
	struct pb_reader past = pb_reader_of(part->texts[7]);
	uint64_t origin_seq = 0;
	uint64_t seq = 0;
	uint64_t step;
	uint64_t epoch = origin->epoch;
	if (part->texts[7].len > 0)
		read_past(origin, &past);
	while (pb_read_varint(&reader, &step)) {
		origin_seq += step;
		if (!pb_read_varint(&reader, &step))
			break;
		seq += step;
		if (part->texts[7].len > 0 && !pb_read_varint(&past, &epoch))
			break;
		origin_add_mark(origin, epoch, origin_seq, seq);
	}
}

static void take_moments(struct stream *stream, struct span bytes)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct moment moment = {0};
	uint64_t seq_step;
	uint64_t time_step;
	while (pb_read_varint(&reader, &seq_step) && pb_read_varint(&reader, &time_step)) {
		moment.seq += seq_step;
		moment.time_ms += time_step;
		moments_restore(&stream->moments, moment.seq, moment.time_ms);
	}
}

/* A subject whose records were removed since has nothing to remember. */
static void take_note(struct daemon *daemon, const struct part *part)
{
	if (daemon->env.last_of(daemon->env.world, part->texts[1]) > 0)
		subjects_note(&daemon->stream.subjects, part->texts[1], part->texts[2],
			      part->texts[3]);
}

static void take_held(struct stream *stream, const struct part *part)
{
	held_restore(&stream->held, part->texts[1], part->numbers[2], part->numbers[3]);
}

/* What the hub has confirmed since the summary was written is not waiting any more: the records
 * behind it are looked at one by one, by the replay. Returns the last that need not be. */
static uint64_t take_outbox(struct daemon *daemon, const struct part *part, uint64_t last)
{
	struct link *link = daemon->uplink.link;
	if (!link || !span_is(part->texts[1], link->peer))
		return link ? 0 : last;
	const struct origin *confirmed = link_confirmed(link);
	uint64_t epoch = confirmed ? confirmed->epoch : 0;
	uint64_t seq = confirmed ? confirmed->seq : 0;
	if (epoch != part->numbers[4] || seq < part->numbers[5])
		return seq < last ? seq : last;
	if (seq >= part->numbers[3])
		return last;
	if (seq > part->numbers[5])
		return seq;
	link->outbox_count = part->numbers[2];
	link->outbox_last = part->numbers[3];
	return last;
}

struct restoring {
	struct daemon *daemon;
	uint64_t seq;
	struct span own_seqs;
	struct span outbox;
	struct span retention;
	uint64_t *own;
	size_t own_count;
	size_t own_at;
	struct buf types; /* fields SUMMARY_TYPE, as they came */
	struct buf held;
};

/* From now on the packages of records that came before `seq` are kept from breaking. */
static void mark_types(struct restoring *restoring, uint64_t seq)
{
	struct types *types = &restoring->daemon->types;
	struct pb_reader reader =
		pb_reader_of(span_of(restoring->types.data, restoring->types.len));
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		struct part part;
		if (!read_part(field.bytes, &part) || part.numbers[2] >= seq)
			continue;
		types->seq = part.numbers[2];
		(void)!types_note_record(types, part.texts[1]);
	}
}

static bool take_own(uint64_t seq, struct span record, void *arg)
{
	struct restoring *restoring = arg;
	while (restoring->own_at < restoring->own_count && restoring->own[restoring->own_at] < seq)
		restoring->own_at++; /* removed since */
	if (restoring->own_at < restoring->own_count && restoring->own[restoring->own_at] == seq) {
		restoring->own_at++;
		mark_types(restoring, seq);
		stream_replay_own(&restoring->daemon->stream, seq, record);
	}
	return restoring->own_at < restoring->own_count &&
	       restoring->own[restoring->own_at] - seq < NEAR;
}

static void read_own(struct restoring *restoring, summary_read_fn read, void *arg)
{
	struct pb_reader reader = pb_reader_of(restoring->own_seqs);
	uint64_t seq = 0;
	uint64_t step;
	restoring->own = mem_get((restoring->own_seqs.len + 1) * sizeof(uint64_t));
	while (pb_read_varint(&reader, &step)) {
		seq += step;
		restoring->own[restoring->own_count++] = seq;
	}
	while (restoring->own_at < restoring->own_count) {
		size_t before = restoring->own_at;
		read(restoring->own[before], take_own, restoring, arg);
		restoring->own_at += restoring->own_at == before;
	}
	mark_types(restoring, UINT64_MAX);
	free(restoring->own);
}

/* Is it of this log, and of a version that is understood? */
static bool check(const struct daemon *daemon, struct span bytes, uint64_t last_seq,
		  struct restoring *restoring)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	uint64_t version = 0;
	uint64_t epoch = 0;
	struct part part;
	while (pb_read_field(&reader, &field)) {
		bool is_part = field.number == SUMMARY_ORIGIN || field.number == SUMMARY_NOTE ||
			       field.number == SUMMARY_TYPE || field.number == SUMMARY_HELD ||
			       field.number == SUMMARY_OUTBOX || field.number == SUMMARY_TAKEN;
		if (is_part && (field.wire != PB_LEN || !read_part(field.bytes, &part)))
			return false;
		if (field.number == SUMMARY_VERSION)
			version = field.value;
		else if (field.number == SUMMARY_EPOCH)
			epoch = field.value;
		else if (field.number == SUMMARY_SEQ)
			restoring->seq = field.value;
		else if (field.number == SUMMARY_RETENTION && field.wire == PB_LEN)
			restoring->retention = field.bytes;
	}
	struct retention *retention = daemon->stream.retention;
	return !reader.has_failed && version == SUMMARY_FORMAT && epoch == daemon->stream.epoch &&
	       restoring->seq > 0 && restoring->seq <= last_seq &&
	       (!retention || retention_restore(retention, restoring->retention));
}

static void take(struct restoring *restoring, struct span bytes)
{
	struct daemon *daemon = restoring->daemon;
	struct stream *stream = &daemon->stream;
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	struct part part = {0};
	while (pb_read_field(&reader, &field)) {
		if (field.wire == PB_LEN && field.number != SUMMARY_OWN_SEQS &&
		    field.number != SUMMARY_RETENTION && field.number != SUMMARY_MOMENTS)
			(void)!read_part(field.bytes, &part);
		switch (field.number) {
		case SUMMARY_TIME_MS:
			stream->last_time_ms = field.value;
			break;
		case SUMMARY_ORIGIN:
			take_origin(stream, &part);
			break;
		case SUMMARY_NOTE:
			take_note(daemon, &part);
			break;
		case SUMMARY_MOMENTS:
			take_moments(stream, field.bytes);
			break;
		case SUMMARY_OWN_SEQS:
			restoring->own_seqs = field.bytes;
			break;
		case SUMMARY_TYPE:
			pb_write_message(&restoring->types, SUMMARY_TYPE, field.bytes);
			break;
		case SUMMARY_HELD:
			pb_write_message(&restoring->held, SUMMARY_HELD, field.bytes);
			break;
		case SUMMARY_OUTBOX:
			restoring->outbox = field.bytes;
			break;
		case SUMMARY_TAKEN:
			taken_back_restore(stream, part.texts[1], part.numbers + 2);
			break;
		default:
			break;
		}
	}
}

static void take_all_held(struct restoring *restoring)
{
	struct pb_reader reader = pb_reader_of(span_of(restoring->held.data, restoring->held.len));
	struct pb_field field;
	struct part part;
	while (pb_read_field(&reader, &field)) {
		if (read_part(field.bytes, &part))
			take_held(&restoring->daemon->stream, &part);
	}
}

uint64_t summary_restore(struct daemon *daemon, uint64_t last_seq, summary_read_fn read, void *arg)
{
	const struct env *env = &daemon->env;
	struct restoring restoring = {.daemon = daemon};
	struct buf saved = {0};
	uint64_t from = 1;
	env->load(env->world, STORE_SUMMARY_KEY, &saved);
	struct span bytes = span_of(saved.data, saved.len);
	if (saved.len > 0 && check(daemon, bytes, last_seq, &restoring)) {
		struct part outbox = {0};
		take(&restoring, bytes);
		read_own(&restoring, read, arg);
		take_all_held(&restoring);
		daemon->stream.last_seq = restoring.seq;
		daemon->summary.seq = restoring.seq;
		(void)!read_part(restoring.outbox, &outbox);
		from = take_outbox(daemon, &outbox, restoring.seq) + 1;
	}
	daemon->summary.saved_ms = env->now_ms(env->world);
	buf_fini(&restoring.types);
	buf_fini(&restoring.held);
	buf_fini(&saved);
	return from;
}
