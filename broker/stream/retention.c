/*
 * One pass at a time. A pass either compacts (what has a later record goes) or limits (the oldest
 * go until the first that may stay). What it finds is told, then removed, then forgotten here.
 */
#include "stream/retention.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log.h"
#include "stream/durable.h"
#include "stream/scan.h"
#include "stream/shelf.h"
#include "stream/trimmed.h"

#define LOG_TOPIC "retention"
/* Records of one removal. */
#define MAX_DOOMED 65536
#define MAX_TRIMMED_LEN (64u * 1024)

struct doomed {
	uint64_t seq;
	size_t len;
	bool is_told; /* nothing replaces it: followers hear of it */
};

struct retention {
	struct stream *stream;
	struct retention_rules rules;
	struct shelf *shelves;
	retention_passed_fn has_passed;
	void *arg;

	/* The pass. */
	enum { IDLE = 0, READING, TELLING, DUE, REMOVING } phase;
	size_t at; /* the stream that was looked at last */
	bool is_compacting;
	bool has_ended; /* the first that may stay was met */
	uint64_t next_seq;
	uint64_t kept_seq; /* the first that stays; 0: none was met */
	uint64_t kept_ms;
	uint64_t doomed_len;
	struct doomed *doomed;
	size_t doomed_count;
	uint64_t *seqs;
	struct buf trimmed; /* bodies of Trimmed: 4 bytes of length, the body */
	struct buf body;
	size_t untold; /* Trimmed on its way to the log */
	bool has_failed;
	struct buf subjects; /* that may have become empty: 2 bytes of length, the subject */
	struct buf positions;
	struct log_removal removal;
};

struct retention *retention_new(struct stream *stream, struct retention_rules *rules,
				retention_passed_fn has_passed, void *arg)
{
	struct retention *retention = mem_new(struct retention);
	retention->stream = stream;
	retention->rules = *rules;
	*rules = (struct retention_rules){0};
	retention->shelves = mem_get(retention->rules.count * sizeof(struct shelf));
	retention->has_passed = has_passed;
	retention->arg = arg;
	return retention;
}

void retention_free(struct retention *retention)
{
	if (!retention)
		return;
	retention_rules_fini(&retention->rules);
	free(retention->shelves);
	free(retention->doomed);
	free(retention->seqs);
	buf_fini(&retention->trimmed);
	buf_fini(&retention->body);
	buf_fini(&retention->subjects);
	buf_fini(&retention->positions);
	free(retention);
}

const struct retention_rules *retention_rules_of(const struct retention *retention)
{
	return &retention->rules;
}

static struct shelf *shelf_of(struct retention *retention, struct span subject)
{
	const struct retention_rule *rule = retention_rule_of(&retention->rules, subject);
	return rule ? &retention->shelves[rule - retention->rules.items] : NULL;
}

void retention_added(struct retention *retention, uint64_t seq, const struct record *record,
		     size_t len)
{
	const struct stream *stream = retention->stream;
	const struct env *env = stream->env;
	struct shelf *shelf = shelf_of(retention, record->subject);
	if (!shelf)
		return;
	/* Of a replayed log the others are what a compacting would find. */
	bool is_last =
		seq <= stream->replayed_seq && env->last_of(env->world, record->subject) == seq;
	shelf_add(shelf, seq, record->time_ms, len, is_last);
}

void retention_removed(struct retention *retention, struct span subject, size_t len)
{
	struct shelf *shelf = shelf_of(retention, subject);
	if (shelf)
		shelf_remove(shelf, len);
}

void retention_write(const struct retention *retention, struct buf *to)
{
	shelves_write(retention->shelves, &retention->rules, to);
}

bool retention_restore(struct retention *retention, struct span bytes)
{
	return shelves_read(retention->shelves, &retention->rules, bytes);
}

/* ---- a pass ---- */

static struct retention_rule *rule_at(struct retention *retention)
{
	return &retention->rules.items[retention->at];
}

static struct shelf *shelf_at(struct retention *retention)
{
	return &retention->shelves[retention->at];
}

static uint64_t wall_of(const struct retention *retention)
{
	const struct env *env = retention->stream->env;
	return env->wall_ms(env->world);
}

static uint64_t now_of(const struct retention *retention)
{
	const struct env *env = retention->stream->env;
	return env->now_ms(env->world);
}

/* It took something away from readers who get no later record, and who may have been absent: by
 * narrowing, or, where it is a copy or a removal, as a withdrawal. */
static bool is_taking_away(const struct stream *stream, const struct record *record)
{
	const struct subject_note *note = subjects_find(&stream->subjects, record->subject);
	struct label last;
	struct label had = policy_members_label();
	struct span from = record->former.len > 0 ? record->former : record->label;
	if ((record->former.len == 0 && !record->removed) || !note || note->label.len == 0)
		return false;
	if (label_read(span_of(note->label.data, note->label.len), &last) != LYC_OK ||
	    (from.len > 0 && label_read(from, &had) != LYC_OK))
		return true;
	return policy_is_narrower(&last, &had);
}

static bool is_beyond_limits(struct retention *retention, const struct record *record)
{
	const struct retention_rule *rule = rule_at(retention);
	if (rule->max_age_ms > 0 && record->time_ms + rule->max_age_ms <= wall_of(retention))
		return true;
	if (rule->max_bytes > 0 &&
	    shelf_at(retention)->bytes - retention->doomed_len > rule->max_bytes)
		return true;
	return rule->max_age_ms == 0 && rule->max_bytes == 0 && !rule->last_per_subject;
}

static bool may_go(struct retention *retention, uint64_t seq, const struct record *record,
		   bool is_last)
{
	const struct retention_rule *rule = rule_at(retention);
	/* Whoever comes late and holds what it erases has to hear of it. */
	if (record->erase)
		return false;
	if (rule->is_acknowledged && !retention->has_passed(rule, seq, record, retention->arg))
		return false;
	if (retention->is_compacting)
		return !is_last && !is_taking_away(retention->stream, record);
	return is_beyond_limits(retention, record);
}

static void close_body(struct retention *retention)
{
	uint32_t len = (uint32_t)retention->body.len;
	if (len == 0)
		return;
	buf_add(&retention->trimmed, &len, sizeof(len));
	buf_add(&retention->trimmed, retention->body.data, len);
	buf_clear(&retention->body);
}

static void doom(struct retention *retention, uint64_t seq, const struct record *record, size_t len,
		 bool is_last)
{
	uint16_t subject_len = (uint16_t)record->subject.len;
	if (!retention->doomed)
		retention->doomed = mem_get(MAX_DOOMED * sizeof(*retention->doomed));
	retention->doomed[retention->doomed_count++] = (struct doomed){.seq = seq, .len = len};
	retention->doomed_len += len;
	if (!is_last)
		return;
	buf_add(&retention->subjects, &subject_len, sizeof(subject_len));
	buf_add(&retention->subjects, record->subject.data, subject_len);
	/* A withdrawal has been heard of, and what nobody follows needs no word. */
	if (record->removed || rule_at(retention)->is_own)
		return;
	if (retention->body.len == 0)
		trimmed_begin(&retention->body, rule_at(retention)->name);
	trimmed_add(&retention->body, seq, record);
	if (retention->body.len >= MAX_TRIMMED_LEN)
		close_body(retention);
}

static bool judge(uint64_t seq, const struct record *record, size_t len, void *arg)
{
	struct retention *retention = arg;
	const struct env *env = retention->stream->env;
	if (retention_rule_of(&retention->rules, record->subject) != rule_at(retention))
		return true;
	if (retention->doomed_count == MAX_DOOMED)
		return false;
	bool is_last = env->last_of(env->world, record->subject) == seq;
	if (may_go(retention, seq, record, is_last)) {
		doom(retention, seq, record, len, is_last);
		return true;
	}
	if (record->erase && !retention->is_compacting)
		return true;
	if (retention->kept_seq == 0) {
		retention->kept_seq = seq;
		retention->kept_ms = record->time_ms;
	}
	retention->has_ended = !retention->is_compacting;
	return !retention->has_ended;
}

static void go_on(struct retention *retention);
static void give_up(struct retention *retention);
static void end_pass(struct retention *retention);

static void stretch_done(enum lyc_status status, uint64_t next_seq, void *arg)
{
	struct retention *retention = arg;
	retention->next_seq = next_seq;
	if (status == LYC_OK)
		go_on(retention);
	else
		give_up(retention);
}

static void read_on(struct retention *retention)
{
	retention->phase = READING;
	scan_read(retention->stream, retention->next_seq, NULL, judge, stretch_done, retention);
}

static void clear_found(struct retention *retention)
{
	retention->doomed_count = 0;
	retention->doomed_len = 0;
	retention->has_failed = false;
	buf_clear(&retention->trimmed);
	buf_clear(&retention->body);
	buf_clear(&retention->subjects);
}

static bool is_at_end(const struct retention *retention)
{
	return retention->has_ended || retention->next_seq > retention->stream->last_seq;
}

static void forget_subjects(struct retention *retention)
{
	struct stream *stream = retention->stream;
	const uint8_t *at = retention->subjects.data;
	const uint8_t *end = span_end(span_of(at, retention->subjects.len));
	while (at < end) {
		uint16_t len;
		memcpy(&len, at, sizeof(len));
		struct span subject = span_of(at + sizeof(len), len);
		if (stream->env->last_of(stream->env->world, subject) == 0)
			subjects_note(&stream->subjects, subject, span_of(NULL, 0),
				      span_of(NULL, 0));
		at += sizeof(len) + len;
	}
}

static void removed(struct log_removal *removal)
{
	struct retention *retention =
		(struct retention *)(void *)((char *)removal - offsetof(struct retention, removal));
	struct shelf *shelf = shelf_at(retention);
	retention->stream->is_removing = false;
	retention->stream->removal_count++;
	if (removal->status != LYC_OK) {
		if (removal->status != LYC_UNAVAILABLE)
			log_error("records cannot be removed", "stream", rule_at(retention)->name,
				  "reason", removal->text);
		give_up(retention);
		return;
	}
	for (size_t i = 0; i < retention->doomed_count; i++)
		shelf_remove(shelf, retention->doomed[i].len);
	shelf->removed_count += retention->doomed_count;
	forget_subjects(retention);
	log_info("records removed", "stream", rule_at(retention)->name, "records",
		 log_number(retention->doomed_count));
	clear_found(retention);
	if (is_at_end(retention))
		end_pass(retention);
	else
		read_on(retention);
}

static void remove_found(struct retention *retention)
{
	struct stream *stream = retention->stream;
	retention->phase = DUE;
	if (stream->is_removing)
		return; /* the next tick tries again */
	stream->is_removing = true;
	retention->phase = REMOVING;
	free(retention->seqs);
	retention->seqs = mem_get(retention->doomed_count * sizeof(uint64_t));
	for (size_t i = 0; i < retention->doomed_count; i++)
		retention->seqs[i] = retention->doomed[i].seq;
	buf_clear(&retention->positions);
	stream_write_positions(stream, &retention->positions);
	retention->removal = (struct log_removal){
		.seqs = retention->seqs,
		.seq_count = retention->doomed_count,
		.key = STREAM_POSITIONS_KEY,
		.value = span_of(retention->positions.data, retention->positions.len),
		.on_done = removed,
	};
	stream->env->remove(stream->env->world, &retention->removal);
}

static void told(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct retention *retention = arg;
	(void)seq;
	if (status != LYC_OK && status != LYC_UNAVAILABLE && !retention->has_failed)
		log_warning("what retention would remove cannot be told", "reason", text);
	retention->has_failed = retention->has_failed || status != LYC_OK;
	if (--retention->untold > 0)
		return;
	if (retention->has_failed)
		give_up(retention);
	else
		remove_found(retention);
}

/* Before it is removed, so that no follower can miss it. */
static void tell(struct retention *retention)
{
	const uint8_t *at = retention->trimmed.data;
	const uint8_t *end = span_end(span_of(at, retention->trimmed.len));
	retention->phase = TELLING;
	retention->untold = 1;
	while (at < end) {
		uint32_t len;
		memcpy(&len, at, sizeof(len));
		retention->untold++;
		stream_append_private(retention->stream,
				      span_of(TRIMMED_SUBJECT, sizeof(TRIMMED_SUBJECT) - 1),
				      span_of(at + sizeof(len), len), told, retention);
		at += sizeof(len) + len;
	}
	told(LYC_OK, 0, NULL, retention);
}

static void go_on(struct retention *retention)
{
	if (!is_at_end(retention) && retention->doomed_count < MAX_DOOMED) {
		read_on(retention);
		return;
	}
	close_body(retention);
	if (retention->trimmed.has_failed || retention->subjects.has_failed)
		give_up(retention);
	else if (retention->doomed_count > 0)
		tell(retention);
	else
		end_pass(retention);
}

static void look_up_durables(const struct stream *stream, struct retention_rule *rule)
{
	for (size_t i = 0; i < rule->durable_count; i++) {
		if (!durable_load(stream, rule->durables[i], &rule->durable_seqs[i]))
			rule->durable_seqs[i] = 0;
	}
}

static void begin_pass(struct retention *retention, bool is_compacting)
{
	clear_found(retention);
	look_up_durables(retention->stream, rule_at(retention));
	retention->is_compacting = is_compacting;
	retention->has_ended = false;
	retention->kept_seq = 0;
	retention->next_seq = shelf_at(retention)->first_seq;
	read_on(retention);
}

/* The next look begins it anew. */
static void give_up(struct retention *retention)
{
	clear_found(retention);
	retention->phase = IDLE;
}

static void end_pass(struct retention *retention)
{
	struct shelf *shelf = shelf_at(retention);
	clear_found(retention);
	retention->phase = IDLE;
	shelf->first_seq = retention->kept_seq ? retention->kept_seq : retention->next_seq;
	shelf->first_ms = retention->kept_seq ? retention->kept_ms : 0;
	if (retention->is_compacting) {
		shelf->kept_bytes = shelf->bytes;
		shelf->compacted_ms = now_of(retention);
	}
}

void retention_tick(struct retention *retention)
{
	uint64_t now = now_of(retention);
	if (retention->phase == DUE)
		remove_found(retention);
	for (size_t i = 0; i < retention->rules.count && retention->phase == IDLE; i++) {
		retention->at = (retention->at + 1) % retention->rules.count;
		struct shelf *shelf = shelf_at(retention);
		if (now < shelf->look_ms)
			continue;
		bool is_first = shelf->look_ms == 0;
		shelf->look_ms = now + rule_at(retention)->every_ms;
		if (is_first)
			continue;
		if (shelf_has_stale(shelf, rule_at(retention), now)) {
			begin_pass(retention, true);
			/* What is beyond the limits all the same goes soon. */
			if (retention_rule_loses(rule_at(retention)))
				shelf->look_ms = now + 1;
		} else if (shelf_is_beyond(shelf, rule_at(retention), wall_of(retention))) {
			begin_pass(retention, false);
		}
	}
}

size_t retention_count(const struct retention *retention)
{
	return retention->rules.count;
}

struct retention_state retention_state(const struct retention *retention, size_t index)
{
	const struct shelf *shelf = &retention->shelves[index];
	return (struct retention_state){.name = retention->rules.items[index].name,
					.bytes = shelf->bytes,
					.record_count = shelf->count,
					.removed_count = shelf->removed_count,
					.is_own = retention->rules.items[index].is_own};
}
