/* The summary as it is written, and when. */
#include "node/summary.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"
#include "log.h"
#include "node/daemon.h"
#include "node/summary_field.h"
#include "stream/retention.h"

#define LOG_TOPIC "daemon"
/* So many records may have to be replayed at the next start, and one more for each two subjects
 * that are written down: a long summary is written less often. */
#define STEP 20000
#define REST_MS 10000

static void write_runs(const struct seq_set *set, struct buf *to)
{
	pb_write_varint(to, set->count);
	for (size_t i = 0; i < set->count; i++) {
		pb_write_varint(to, set->runs[i].epoch);
		pb_write_varint(to, set->runs[i].first);
		pb_write_varint(to, set->runs[i].last);
	}
}

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
	write_runs(&origin->returned, &past);
	for (size_t i = 0; i < 3; i++)
		write_runs(&origin->forms[i], &past);
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
	size_t mark = pb_begin(to, SUMMARY_ORIGIN);
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
	size_t mark = pb_begin(to, SUMMARY_NOTE);
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
	pb_write_bytes(to, SUMMARY_OWN_SEQS, seqs.data, seqs.len);
	buf_fini(&seqs);
}

/* And the latest of all: the last of them may be a thousand records old. */
static void write_moments(const struct stream *stream, struct buf *to)
{
	const struct moments *moments = &stream->moments;
	struct buf steps = {0};
	struct moment before = {0};
	for (size_t i = 0; i < moments->count; i++) {
		pb_write_varint(&steps, moments->items[i].seq - before.seq);
		pb_write_varint(&steps, moments->items[i].time_ms - before.time_ms);
		before = moments->items[i];
	}
	pb_write_varint(&steps, stream->last_seq - before.seq);
	pb_write_varint(&steps, moments->latest_ms - before.time_ms);
	pb_write_bytes(to, SUMMARY_MOMENTS, steps.data, steps.len);
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
		size_t mark = pb_begin(to, SUMMARY_TYPE);
		pb_write_text(to, 1, entries[i]->name);
		pb_write_uint(to, 2, entries[i]->first_seq);
		pb_end(to, mark);
	}
	free(entries);
}

static void write_held(const struct held *held, struct buf *to)
{
	for (size_t i = 0; i < held->count; i++) {
		size_t mark = pb_begin(to, SUMMARY_HELD);
		pb_write_text(to, 1, held->types[i].name);
		pb_write_uint(to, 2, held->types[i].schema);
		pb_write_uint(to, 3, held->types[i].count);
		pb_end(to, mark);
	}
}

static void write_outbox(const struct daemon *daemon, struct buf *to)
{
	const struct link *link = daemon->uplink.link;
	if (!link)
		return;
	const struct origin *confirmed = link_confirmed(link);
	size_t mark = pb_begin(to, SUMMARY_OUTBOX);
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
	pb_write_uint(to, SUMMARY_VERSION, SUMMARY_FORMAT);
	pb_write_uint(to, SUMMARY_EPOCH, stream->epoch);
	pb_write_uint(to, SUMMARY_SEQ, stream->last_seq);
	pb_write_uint(to, SUMMARY_TIME_MS, stream->last_time_ms);
	for (size_t i = 0; i < stream->origins.count; i++)
		write_origin(&stream->origins.items[i], to);
	write_notes(&stream->subjects, to);
	write_own_seqs(stream, to);
	write_moments(stream, to);
	write_types(&daemon->types, to);
	write_held(&stream->held, to);
	write_outbox(daemon, to);
	taken_back_write(stream, SUMMARY_TAKEN, to);
	if (stream->retention) {
		size_t mark = pb_begin(to, SUMMARY_RETENTION);
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
