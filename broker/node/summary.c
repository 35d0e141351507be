/* The summary's fields, written and read by hand. */
#include "node/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"
#include "log.h"
#include "node/daemon.h"
#include "stream/retention.h"

#define LOG_TOPIC "daemon"
#define FORMAT 1
/* So many records may have to be replayed at the next start, and one more for each two subjects
 * that are written down: a long summary is written less often. */
#define STEP 20000
#define REST_MS 10000
/* Two of the daemons' own records that are so near to each other are read in one go. */
#define NEAR 2000

enum {
	VERSION = 1,
	EPOCH,
	SEQ,
	TIME_MS,
	ORIGIN,
	NOTE,
	OWN_SEQS,
	TYPE,
	HELD,
	OUTBOX,
	RETENTION,
	TAKEN,
	MOMENTS
};

/* ---- writing ---- */

/* What restores have left: former epochs, records that came back, and of which epoch the marks are.
 */
static void write_past(const struct origin *origin, struct buf *to)
{
	struct buf past = {0};
	if (origin->former_count == 0 && origin->returned.count == 0)
		return;
	pb_write_varint(&past, origin->former_count);
	for (size_t i = 0; i < origin->former_count; i++) {
		pb_write_varint(&past, origin->formers[i].epoch);
		pb_write_varint(&past, origin->formers[i].seq);
	}
	pb_write_varint(&past, origin->returned.count);
	for (size_t i = 0; i < origin->returned.count; i++) {
		pb_write_varint(&past, origin->returned.runs[i].epoch);
		pb_write_varint(&past, origin->returned.runs[i].first);
		pb_write_varint(&past, origin->returned.runs[i].last);
	}
	for (size_t i = 0; i < origin->mark_count; i++)
		pb_write_varint(&past, origin->marks[i].epoch);
	pb_write_bytes(to, 7, past.data, past.len);
	buf_fini(&past);
}

static void write_origin(const struct origin *origin, struct buf *to)
{
	struct buf marks = {0};
	uint64_t origin_seq = 0;
	uint64_t seq = 0;
	for (size_t i = 0; i < origin->mark_count; i++) {
		pb_write_varint(&marks, origin->marks[i].origin_seq - origin_seq);
		pb_write_varint(&marks, origin->marks[i].seq - seq);
		origin_seq = origin->marks[i].origin_seq;
		seq = origin->marks[i].seq;
	}
	size_t mark = pb_begin(to, ORIGIN);
	pb_write_text(to, 1, origin->name);
	pb_write_uint(to, 2, origin->epoch);
	pb_write_uint(to, 3, origin->seq);
	pb_write_uint(to, 4, origin->last_time_ms);
	pb_write_uint(to, 5, origin->record_count);
	pb_write_bytes(to, 6, marks.data, marks.len);
	write_past(origin, to);
	pb_end(to, mark);
	buf_fini(&marks);
}

static void write_note(const struct subject_note *note, struct buf *to)
{
	size_t mark = pb_begin(to, NOTE);
	pb_write_text(to, 1, note->subject);
	if (note->home)
		pb_write_text(to, 2, note->home);
	pb_write_bytes(to, 3, note->label.data, note->label.len);
	pb_end(to, mark);
}

static void write_own_seqs(const struct stream *stream, struct buf *to)
{
	struct buf seqs = {0};
	uint64_t before = 0;
	for (size_t i = 0; i < stream->own_seq_count; i++) {
		pb_write_varint(&seqs, stream->own_seqs[i] - before);
		before = stream->own_seqs[i];
	}
	pb_write_bytes(to, OWN_SEQS, seqs.data, seqs.len);
	buf_fini(&seqs);
}

static void write_moments(const struct moments *moments, struct buf *to)
{
	struct buf steps = {0};
	struct moment before = {0};
	for (size_t i = 0; i < moments->count; i++) {
		pb_write_varint(&steps, moments->items[i].seq - before.seq);
		pb_write_varint(&steps, moments->items[i].time_ms - before.time_ms);
		before = moments->items[i];
	}
	pb_write_bytes(to, MOMENTS, steps.data, steps.len);
	buf_fini(&steps);
}

static int by_name(const void *a, const void *b)
{
	const struct type_entry *const *left = a;
	const struct type_entry *const *right = b;
	return strcmp((*left)->name, (*right)->name);
}

static void write_types(const struct types *types, struct buf *to)
{
	struct type_entry *entry;
	struct type_entry *next;
	size_t count = 0;
	const struct type_entry **entries = mem_get((HASH_CNT(by_name, types->messages) + 1) *
						    sizeof(const struct type_entry *));
	HASH_ITER (by_name, types->messages, entry, next) {
		if (entry->has_records)
			entries[count++] = entry;
	}
	qsort(entries, count, sizeof(*entries), by_name);
	for (size_t i = 0; i < count; i++) {
		size_t mark = pb_begin(to, TYPE);
		pb_write_text(to, 1, entries[i]->name);
		pb_write_uint(to, 2, entries[i]->first_seq);
		pb_end(to, mark);
	}
	free(entries);
}

static void write_held(const struct held *held, struct buf *to)
{
	for (size_t i = 0; i < held->count; i++) {
		size_t mark = pb_begin(to, HELD);
		pb_write_text(to, 1, held->types[i].name);
		pb_write_uint(to, 2, held->types[i].schema);
		pb_write_uint(to, 3, held->types[i].count);
		pb_end(to, mark);
	}
}

static const struct origin *confirmed_of(const struct link *link)
{
	const char *name = link->links->stream->name;
	return origins_find(&link->theirs, span_of(name, strlen(name)));
}

static void write_outbox(const struct daemon *daemon, struct buf *to)
{
	const struct link *link = daemon->uplink.link;
	if (!link)
		return;
	const struct origin *confirmed = confirmed_of(link);
	size_t mark = pb_begin(to, OUTBOX);
	pb_write_text(to, 1, link->peer);
	pb_write_uint(to, 2, link->outbox_count);
	pb_write_uint(to, 3, link->outbox_last);
	pb_write_uint(to, 4, confirmed ? confirmed->epoch : 0);
	pb_write_uint(to, 5, confirmed ? confirmed->seq : 0);
	pb_end(to, mark);
}

static void write_notes(const struct subjects *subjects, struct buf *to)
{
	struct subject_note *note;
	struct subject_note *next;
	/* What is only on its way is not in the log yet. */
	HASH_ITER (by_subject, subjects->by_subject, note, next) {
		if (note->home || note->label.len > 0)
			write_note(note, to);
	}
}

void summary_write(const struct daemon *daemon, struct buf *to)
{
	const struct stream *stream = &daemon->stream;
	pb_write_uint(to, VERSION, FORMAT);
	pb_write_uint(to, EPOCH, stream->epoch);
	pb_write_uint(to, SEQ, stream->last_seq);
	pb_write_uint(to, TIME_MS, stream->last_time_ms);
	for (size_t i = 0; i < stream->origins.count; i++)
		write_origin(&stream->origins.items[i], to);
	write_notes(&stream->subjects, to);
	write_own_seqs(stream, to);
	write_moments(&stream->moments, to);
	write_types(&daemon->types, to);
	write_held(&stream->held, to);
	write_outbox(daemon, to);
	taken_back_write(stream, TAKEN, to);
	if (stream->retention) {
		size_t mark = pb_begin(to, RETENTION);
		retention_write(stream->retention, to);
		pb_end(to, mark);
	}
}

/* A removal has dropped the one that was saved. */
static bool is_dropped(const struct daemon *daemon)
{
	return daemon->summary.removal_count != daemon->stream.removal_count;
}

void summary_save(struct daemon *daemon)
{
	const struct env *env = &daemon->env;
	struct summary_state *state = &daemon->summary;
	if ((state->seq == daemon->stream.last_seq && !is_dropped(daemon)) ||
	    daemon->stream.last_seq == 0)
		return;
	struct buf bytes = {0};
	summary_write(daemon, &bytes);
	if (!bytes.has_failed)
		env->save(env->world, STORE_SUMMARY_KEY, span_of(bytes.data, bytes.len));
	buf_fini(&bytes);
	state->seq = daemon->stream.last_seq;
	state->saved_ms = env->now_ms(env->world);
	state->removal_count = daemon->stream.removal_count;
}

void summary_tick(struct daemon *daemon)
{
	const struct stream *stream = &daemon->stream;
	uint64_t step = STEP + HASH_CNT(by_subject, stream->subjects.by_subject) / 2;
	bool is_due = stream->last_seq - daemon->summary.seq >= step || is_dropped(daemon);
	if (is_due && !stream->is_removing &&
	    daemon->env.now_ms(daemon->env.world) - daemon->summary.saved_ms >= REST_MS)
		summary_save(daemon);
}

/* ---- reading ---- */

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
	(void)!pb_read_varint(reader, &count);
	for (; count > 0; count--) {
		struct seq_run run;
		if (!pb_read_varint(reader, &run.epoch) || !pb_read_varint(reader, &run.first) ||
		    !pb_read_varint(reader, &run.last))
			return;
		seq_set_add_run(&origin->returned, &run);
	}
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

/* A subject whose records were removed since has nothing to remember. */
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
	const struct origin *confirmed = confirmed_of(link);
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
	struct buf types; /* fields TYPE, as they came */
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
		bool is_part = field.number == ORIGIN || field.number == NOTE ||
			       field.number == TYPE || field.number == HELD ||
			       field.number == OUTBOX || field.number == TAKEN;
		if (is_part && (field.wire != PB_LEN || !read_part(field.bytes, &part)))
			return false;
		if (field.number == VERSION)
			version = field.value;
		else if (field.number == EPOCH)
			epoch = field.value;
		else if (field.number == SEQ)
			restoring->seq = field.value;
		else if (field.number == RETENTION && field.wire == PB_LEN)
			restoring->retention = field.bytes;
	}
	struct retention *retention = daemon->stream.retention;
	return !reader.has_failed && version == FORMAT && epoch == daemon->stream.epoch &&
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
		if (field.wire == PB_LEN && field.number != OWN_SEQS && field.number != RETENTION &&
		    field.number != MOMENTS)
			(void)!read_part(field.bytes, &part);
		switch (field.number) {
		case TIME_MS:
			stream->last_time_ms = field.value;
			break;
		case ORIGIN:
			take_origin(stream, &part);
			break;
		case NOTE:
			take_note(daemon, &part);
			break;
		case MOMENTS:
			take_moments(stream, field.bytes);
			break;
		case OWN_SEQS:
			restoring->own_seqs = field.bytes;
			break;
		case TYPE:
			pb_write_message(&restoring->types, TYPE, field.bytes);
			break;
		case HELD:
			pb_write_message(&restoring->held, HELD, field.bytes);
			break;
		case OUTBOX:
			restoring->outbox = field.bytes;
			break;
		case TAKEN:
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
