/* One pass through the log does all erasures that are due at its beginning. */
#include "stream/erasure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"
#include "log.h"
#include "stream/confirmations.h"
#include "stream/retention.h"
#include "stream/scan.h"

#define LOG_TOPIC "erasure"
#define DONE_KEY "erased"
#define MAX_DOOMED 65536
#define KEYED_PATTERN "lyceum.v1.KeyedCall.>"
/* Of KeyedCall. */
enum { KEPT_REPLY = 7 };

struct erasure {
	char *key; /* the origin, a blank, the subject */
	const char *subject;
	struct buf label;
	uint64_t epoch;
	uint64_t origin_seq;
	uint64_t seq;
	uint64_t time_ms;
	bool is_own;
	bool is_done;
	UT_hash_handle by_key;
};

struct doomed {
	uint64_t seq;
	size_t len;
	size_t subject_at; /* in `subjects` */
};

struct erasures {
	struct stream *stream;
	struct erasure *all;
	struct confirmations confirmations;
	size_t due;       /* not done */
	bool is_telling;  /* an Erased is on its way */
	bool has_to_tell; /* something was done, or was done in an earlier life */
	uint64_t last_seq;
	size_t replies_pending; /* on their way into the log */

	/* The pass: the kept replies up to replies_end_seq, then everything that had been asked
	 * for up to end_seq. */
	bool is_running;
	bool is_of_replies;
	uint64_t replies_end_seq;
	bool is_found; /* and waits for its removal */
	bool is_last;  /* nothing is left in the records; what is damaged goes */
	uint64_t end_seq;
	uint64_t next_seq;
	struct doomed *doomed;
	size_t doomed_count;
	size_t doomed_cap;
	struct buf subjects;
	uint64_t *seqs;
	struct buf done;
	struct log_removal removal;
};

struct erasures *erasures_new(struct stream *stream)
{
	struct erasures *erasures = mem_new(struct erasures);
	erasures->stream = stream;
	erasures->confirmations.own_name = stream->name;
	return erasures;
}

void erasures_free(struct erasures *erasures)
{
	if (!erasures)
		return;
	struct erasure *erasure;
	struct erasure *next;
	HASH_ITER (by_key, erasures->all, erasure, next) {
		HASH_DELETE(by_key, erasures->all, erasure);
		buf_fini(&erasure->label);
		free(erasure->key);
		free(erasure);
	}
	confirmations_fini(&erasures->confirmations);
	buf_fini(&erasures->subjects);
	buf_fini(&erasures->done);
	free(erasures->doomed);
	free(erasures->seqs);
	free(erasures);
}

/* ---- what the log says ---- */

static void write_key(struct buf *to, const struct record *record)
{
	buf_clear(to);
	buf_add(to, record->origin.data, record->origin.len);
	buf_add_byte(to, ' ');
	buf_add(to, record->subject.data, record->subject.len);
}

static struct erasure *find(const struct erasures *erasures, const struct record *record)
{
	struct buf key = {0};
	struct erasure *erasure;
	write_key(&key, record);
	HASH_FIND(by_key, erasures->all, key.data, key.len, erasure);
	buf_fini(&key);
	return erasure;
}

bool erasures_covers(const struct erasures *erasures, struct span origin, struct span subject,
		     uint64_t seq)
{
	const struct record record = {.origin = origin, .subject = subject};
	const struct erasure *erasure = find(erasures, &record);
	return erasure && erasure->seq > seq;
}

static void note_erasure(struct erasures *erasures, uint64_t seq, const struct record *record)
{
	struct erasure *erasure = find(erasures, record);
	if (!erasure) {
		struct buf key = {0};
		write_key(&key, record);
		erasure = mem_new(struct erasure);
		erasure->key = buf_text(&key);
		erasure->subject = erasure->key + record->origin.len + 1;
		erasure->is_own = record->origin.len == 0;
		erasure->is_done = true;
		HASH_ADD_KEYPTR(by_key, erasures->all, erasure->key, key.len, erasure);
	}
	buf_clear(&erasure->label);
	buf_add(&erasure->label, record->label.data, record->label.len);
	erasure->epoch = erasure->is_own ? erasures->stream->epoch : record->epoch;
	erasure->origin_seq = erasure->is_own ? seq : record->origin_seq;
	erasure->seq = seq;
	erasure->time_ms = record->time_ms;
	if (seq > erasures->last_seq)
		erasures->last_seq = seq;
	erasures->due += erasure->is_done;
	erasure->is_done = false;
}

void erasures_noted(struct erasures *erasures, uint64_t seq, const struct record *record)
{
	if (record->erase && record->removed)
		note_erasure(erasures, seq, record);
	else if (confirmations_is_one(record))
		confirmations_note(&erasures->confirmations, record);
}

/* How far everything was done in an earlier life: 1 the sequence here. */
static uint64_t load_done(const struct stream *stream)
{
	struct buf saved = {0};
	uint64_t seq = 0;
	stream->env->load(stream->env->world, DONE_KEY, &saved);
	struct pb_reader reader = pb_reader_of(span_of(saved.data, saved.len));
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			seq = field.value;
	}
	buf_fini(&saved);
	return seq;
}

static void settle(struct erasures *erasures, uint64_t done_seq)
{
	struct erasure *erasure;
	struct erasure *next;
	HASH_ITER (by_key, erasures->all, erasure, next) {
		if (erasure->is_done || erasure->seq > done_seq)
			continue;
		erasure->is_done = true;
		erasures->due--;
		erasures->has_to_tell = true;
	}
}

void erasures_replayed(struct erasures *erasures)
{
	settle(erasures, load_done(erasures->stream));
}

/* ---- doing it ---- */

static uint64_t end_of(const struct erasures *erasures)
{
	return erasures->is_of_replies ? erasures->replies_end_seq : erasures->end_seq;
}

/* The mark that the call was started stays: it is not run again. */
static bool has_reply(const struct record *record)
{
	struct pb_reader reader = pb_reader_of(record->body);
	struct pb_field field;
	while (record->origin.len == 0 && pb_read_field(&reader, &field)) {
		if (field.number == KEPT_REPLY && field.wire == PB_LEN)
			return true;
	}
	return false;
}

static bool is_to_go(const struct erasures *erasures, uint64_t seq, const struct record *record)
{
	if (erasures->is_of_replies)
		return has_reply(record);
	const struct erasure *erasure = find(erasures, record);
	return erasure && !erasure->is_done && seq < erasure->seq;
}

static bool judge(uint64_t seq, const struct record *record, size_t len, void *arg)
{
	struct erasures *erasures = arg;
	if (seq >= end_of(erasures) || erasures->doomed_count == MAX_DOOMED)
		return false;
	if (!is_to_go(erasures, seq, record))
		return true;
	if (erasures->doomed_count == erasures->doomed_cap) {
		size_t cap = erasures->doomed_cap ? erasures->doomed_cap * 2 : 64;
		struct doomed *doomed = realloc(erasures->doomed, cap * sizeof(*doomed));
		if (!doomed)
			return false;
		erasures->doomed = doomed;
		erasures->doomed_cap = cap;
	}
	erasures->doomed[erasures->doomed_count++] =
		(struct doomed){.seq = seq, .len = len, .subject_at = erasures->subjects.len};
	uint16_t subject_len = (uint16_t)record->subject.len;
	buf_add(&erasures->subjects, &subject_len, sizeof(subject_len));
	buf_add(&erasures->subjects, record->subject.data, subject_len);
	return true;
}

static void end_pass(struct erasures *erasures)
{
	erasures->is_running = false;
	erasures->is_found = false;
	erasures->is_last = false;
	erasures->doomed_count = 0;
	buf_clear(&erasures->subjects);
}

static void read_on(struct erasures *erasures);

static bool is_at_end(const struct erasures *erasures)
{
	return erasures->next_seq >= end_of(erasures);
}

static void forget_counts(struct erasures *erasures)
{
	struct retention *retention = erasures->stream->retention;
	for (size_t i = 0; retention && i < erasures->doomed_count; i++) {
		const uint8_t *at = erasures->subjects.data + erasures->doomed[i].subject_at;
		uint16_t len;
		memcpy(&len, at, sizeof(len));
		retention_removed(retention, span_of(at + sizeof(len), len),
				  erasures->doomed[i].len);
	}
}

static void finish(struct erasures *erasures)
{
	settle(erasures, erasures->end_seq);
	buf_clear(&erasures->done);
	pb_write_uint(&erasures->done, 1, erasures->end_seq);
	end_pass(erasures);
}

static void remove_found(struct erasures *erasures);

static void go_on(struct erasures *erasures)
{
	forget_counts(erasures);
	erasures->doomed_count = 0;
	erasures->is_found = false;
	buf_clear(&erasures->subjects);
	if (is_at_end(erasures) && erasures->is_of_replies) {
		erasures->is_of_replies = false;
		erasures->next_seq = 1;
	}
	if (!is_at_end(erasures)) {
		read_on(erasures);
		return;
	}
	/* A lost record is none that can be found here: its bytes may lie in a file aside. */
	erasures->is_last = true;
	remove_found(erasures);
}

static void removed(struct log_removal *removal)
{
	struct erasures *erasures =
		(struct erasures *)(void *)((char *)removal - offsetof(struct erasures, removal));
	erasures->stream->is_removing = false;
	erasures->stream->removal_count++;
	if (removal->status == LYC_OK && erasures->is_last) {
		finish(erasures);
		return;
	}
	if (removal->status == LYC_OK) {
		log_notice("records erased", "records", log_number(erasures->doomed_count));
		go_on(erasures);
		return;
	}
	if (removal->status != LYC_UNAVAILABLE)
		log_error("records cannot be erased", "reason", removal->text);
	end_pass(erasures); /* the next tick begins it anew */
}

static void remove_found(struct erasures *erasures)
{
	struct stream *stream = erasures->stream;
	erasures->is_found = true;
	if (stream->is_removing)
		return; /* the next tick tries again */
	stream->is_removing = true;
	erasures->is_found = false;
	free(erasures->seqs);
	erasures->seqs = mem_get((erasures->doomed_count + 1) * sizeof(uint64_t));
	for (size_t i = 0; i < erasures->doomed_count; i++)
		erasures->seqs[i] = erasures->doomed[i].seq;
	erasures->removal = (struct log_removal){.seqs = erasures->seqs,
						 .seq_count = erasures->doomed_count,
						 .forgets_damaged = erasures->is_last,
						 .on_done = removed};
	stream->env->remove(stream->env->world, &erasures->removal);
}

static void stretch_done(enum lyc_status status, uint64_t next_seq, void *arg)
{
	struct erasures *erasures = arg;
	bool is_full = erasures->doomed_count == MAX_DOOMED;
	erasures->next_seq = next_seq;
	if (status != LYC_OK || erasures->subjects.has_failed)
		end_pass(erasures);
	else if (!is_at_end(erasures) && !is_full)
		read_on(erasures);
	else if (erasures->doomed_count > 0)
		remove_found(erasures);
	else
		go_on(erasures);
}

/* A single subject is looked for by the reader; several here. */
static void read_on(struct erasures *erasures)
{
	const char *pattern = erasures->is_of_replies ? KEYED_PATTERN : NULL;
	if (!pattern && erasures->due == 1) {
		struct erasure *erasure;
		struct erasure *next;
		HASH_ITER (by_key, erasures->all, erasure, next) {
			if (!erasure->is_done)
				pattern = erasure->subject;
		}
	}
	scan_read(erasures->stream, erasures->next_seq, pattern, judge, stretch_done, erasures);
}

static void begin_pass(struct erasures *erasures)
{
	struct erasure *erasure;
	struct erasure *next;
	erasures->is_running = true;
	erasures->end_seq = 0;
	HASH_ITER (by_key, erasures->all, erasure, next) {
		if (!erasure->is_done && erasure->seq > erasures->end_seq)
			erasures->end_seq = erasure->seq;
	}
	erasures->is_of_replies = true;
	erasures->replies_end_seq = erasures->stream->last_seq + 1;
	erasures->next_seq = 1;
	read_on(erasures);
}

uint64_t erasures_last_seq(const struct erasures *erasures)
{
	return erasures->last_seq;
}

bool erasures_are_due(const struct erasures *erasures)
{
	return erasures->due > 0;
}

void erasures_keep_reply(struct erasures *erasures, bool is_kept)
{
	erasures->replies_pending += is_kept ? (size_t)-1 : 1;
}

/* ---- saying it ---- */

static void told_done(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct erasures *erasures = arg;
	(void)seq;
	(void)text;
	erasures->is_telling = false;
	erasures->has_to_tell = erasures->has_to_tell || status != LYC_OK;
}

static void tell(struct erasures *erasures, const char *of, uint64_t epoch, uint64_t seq)
{
	struct stream *stream = erasures->stream;
	struct buf subject = {0};
	struct buf body = {0};
	confirmations_write(&erasures->confirmations, of, epoch, seq, &subject, &body);
	const struct grants *grants = stream->policy->by_name;
	for (; grants; grants = grants->by_name.next) {
		if (grants->role == ROLE_NODE)
			confirmations_write_node(&body, grants->name);
	}
	erasures->is_telling = true;
	stream_append_own(stream, span_of(subject.data, subject.len), span_of(body.data, body.len),
			  told_done, erasures);
	buf_fini(&subject);
	buf_fini(&body);
}

static bool is_news(const struct erasures *erasures, const char *of, const struct erasure *erasure)
{
	const struct confirmation *said =
		confirmations_find(&erasures->confirmations, erasures->stream->name, of);
	return !said || said->epoch < erasure->epoch ||
	       (said->epoch == erasure->epoch && said->seq < erasure->origin_seq);
}

/* Of one home a tick; nothing of a home that has one which is not done. */
static void tell_next(struct erasures *erasures)
{
	struct erasure *erasure;
	struct erasure *next;
	const struct erasure *latest = NULL;
	char of[64] = "";
	if (erasures->due > 0)
		return;
	HASH_ITER (by_key, erasures->all, erasure, next) {
		char origin[64];
		if (erasure->is_own)
			continue;
		snprintf(origin, sizeof(origin), "%.*s", (int)(erasure->subject - erasure->key - 1),
			 erasure->key);
		if ((latest && strcmp(origin, of) != 0) || !is_news(erasures, origin, erasure))
			continue;
		if (!latest || erasure->epoch > latest->epoch ||
		    (erasure->epoch == latest->epoch && erasure->origin_seq > latest->origin_seq))
			latest = erasure;
		snprintf(of, sizeof(of), "%s", origin);
	}
	erasures->has_to_tell = latest != NULL;
	if (latest)
		tell(erasures, of, latest->epoch, latest->origin_seq);
}

static void save_done(struct erasures *erasures)
{
	const struct env *env = erasures->stream->env;
	if (erasures->done.len > 0)
		env->save(env->world, DONE_KEY, span_of(erasures->done.data, erasures->done.len));
	buf_clear(&erasures->done);
}

void erasures_tick(struct erasures *erasures)
{
	if (erasures->is_running && erasures->is_found)
		remove_found(erasures);
	if (erasures->is_running)
		return;
	if (erasures->due > 0) {
		if (erasures->replies_pending == 0)
			begin_pass(erasures);
	} else if (erasures->has_to_tell && !erasures->is_telling) {
		save_done(erasures);
		tell_next(erasures);
	}
}

/* ---- for the operator ---- */

void erasures_each_own(struct erasures *erasures, erasure_fn on_own, void *arg)
{
	struct erasure *erasure;
	struct erasure *next;
	HASH_ITER (by_key, erasures->all, erasure, next) {
		if (!erasure->is_own)
			continue;
		struct erasure_state state = {
			.subject = erasure->subject,
			.seq = erasure->seq,
			.time_ms = erasure->time_ms,
			.label = span_of(erasure->label.data, erasure->label.len),
			.is_done = erasure->is_done,
		};
		on_own(&state, arg);
	}
}

bool erasures_is_confirmed(const struct erasures *erasures, const char *daemon, uint64_t seq)
{
	const struct confirmation *said =
		confirmations_find(&erasures->confirmations, daemon, erasures->stream->name);
	return said && said->epoch == erasures->stream->epoch && said->seq >= seq;
}

void erasures_each_daemon(const struct erasures *erasures, erasure_daemon_fn on_daemon, void *arg)
{
	confirmations_each_daemon(&erasures->confirmations, on_daemon, arg);
}
