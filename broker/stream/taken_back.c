/*
 * What a restore had lost and other daemons give back: this daemon's own records of an earlier
 * epoch. The seal says that they are its own, as they were sent. Each comes in under a new identity
 * and says which it had, and how much of it came. What has been written since to the same key is
 * newer, and stays.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <uthash.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "log.h"
#include "stream/overtaken.h"
#include "stream/stream.h"

#define LOG_TOPIC "stream"

/* A serialised Label without audiences. */
static const uint8_t MEMBERS[] = {0x10, 0x02};

/* The last record of a subject that was given back. */
struct taken_back {
	char *subject;
	uint64_t epoch; /* what it was */
	uint64_t was_seq;
	uint64_t seq; /* what it is; 0: on its way */
	enum record_form form;
	size_t pending;
	uint64_t count; /* that came */
	UT_hash_handle by_subject;
};

/* One on its way. */
struct taking {
	struct stream *stream;
	char *subject;
	stream_done_fn on_done;
	void *arg;
};

_Static_assert(crypto_shorthash_siphash24_KEYBYTES == 16, "the key of a seal has 16 bytes");

static uint64_t hash(const struct stream *stream, const struct buf *bytes)
{
	uint8_t hashed[crypto_shorthash_siphash24_BYTES];
	uint64_t number = 0;
	crypto_shorthash_siphash24(hashed, bytes->data, bytes->len, stream->seal_key);
	for (size_t i = 0; i < sizeof(hashed); i++)
		number |= (uint64_t)hashed[i] << (8 * i);
	return number ? number : 1;
}

static uint64_t seal_of(const struct stream *stream, const struct record *copy)
{
	struct record record = *copy;
	struct buf bytes = {0};
	record.seal = 0;
	record_write(&bytes, &record);
	uint64_t seal = hash(stream, &bytes);
	buf_fini(&bytes);
	return seal;
}

/* The first byte is none of a record's: no mark is a seal. */
static uint64_t mark_of(const struct stream *stream, const struct record *copy)
{
	const struct record identity = {.origin = copy->origin,
					.epoch = copy->epoch,
					.origin_seq = copy->origin_seq,
					.subject = copy->subject,
					.time_ms = copy->time_ms,
					.was = copy->was};
	struct buf bytes = {0};
	buf_add_byte(&bytes, 0);
	record_write(&bytes, &identity);
	uint64_t mark = hash(stream, &bytes);
	buf_fini(&bytes);
	return mark;
}

void stream_seal(const struct stream *stream, struct record *copy)
{
	copy->mark = mark_of(stream, copy);
	copy->seal = seal_of(stream, copy);
}

bool stream_seal_fits(const struct stream *stream, const struct record *copy)
{
	return copy->seal != 0 && copy->seal == seal_of(stream, copy);
}

static struct taken_back *find(const struct stream *stream, struct span subject)
{
	struct taken_back *taken;
	HASH_FIND(by_subject, stream->taken_back, subject.data, subject.len, taken);
	return taken;
}

static struct taken_back *get(struct stream *stream, struct span subject)
{
	struct taken_back *taken = find(stream, subject);
	if (taken)
		return taken;
	taken = mem_new(struct taken_back);
	taken->subject = mem_dup_try((const char *)subject.data, subject.len);
	HASH_ADD_KEYPTR(by_subject, stream->taken_back, taken->subject, subject.len, taken);
	return taken;
}

static void taking_fini(struct stream *stream)
{
	for (size_t form = 0; form <= RECORD_WHOLE_AGAIN; form++)
		seq_set_fini(&stream->taking[form]);
}

void taken_back_fini(struct stream *stream)
{
	struct taken_back *taken;
	struct taken_back *next;
	HASH_ITER (by_subject, stream->taken_back, taken, next) {
		HASH_DELETE(by_subject, stream->taken_back, taken);
		free(taken->subject);
		free(taken);
	}
	taking_fini(stream);
	overtaken_fini(stream);
	seq_set_fini(&stream->passed_over);
}

void taken_back_note(struct stream *stream, uint64_t seq, const struct record *record)
{
	struct taken_back *taken = get(stream, record->subject);
	bool is_older = taken->epoch > record->was.epoch ||
			(taken->epoch == record->was.epoch && taken->was_seq > record->was.seq);
	/* Of several on their way it is the newest that the next one is compared with. */
	if (taken->pending == 0 || !is_older) {
		taken->epoch = record->was.epoch;
		taken->was_seq = record->was.seq;
		taken->form = record->was.form;
	}
	taken->seq = seq;
	taken->count++;
	stream->taken_back_count++;
	if (record->was.form != RECORD_WHOLE)
		seq_set_add(&stream->origins.items[0].forms[record->was.form - 1],
			    record->was.epoch, record->was.seq);
}

void taken_back_write(const struct stream *stream, uint32_t number, struct buf *to)
{
	struct taken_back *taken;
	struct taken_back *next;
	HASH_ITER (by_subject, stream->taken_back, taken, next) {
		if (taken->seq == 0)
			continue;
		size_t mark = pb_begin(to, number);
		pb_write_text(to, 1, taken->subject);
		pb_write_uint(to, 2, taken->epoch);
		pb_write_uint(to, 3, taken->was_seq);
		pb_write_uint(to, 4, taken->seq);
		pb_write_uint(to, 5, taken->count);
		pb_write_uint(to, 6, taken->form);
		pb_end(to, mark);
	}
}

void taken_back_restore(struct stream *stream, struct span subject, const uint64_t numbers[5])
{
	struct taken_back *taken = get(stream, subject);
	taken->epoch = numbers[0];
	taken->was_seq = numbers[1];
	taken->seq = numbers[2];
	taken->count = numbers[3];
	taken->form = numbers[4] <= RECORD_WHOLE_AGAIN ? (enum record_form)numbers[4] : 0;
	stream->taken_back_count += numbers[3];
}

/* Has its key been written since, here or by a later one that was given back? */
static bool is_superseded(const struct stream *stream, const struct record *record, uint64_t epoch,
			  uint64_t seq)
{
	size_t name_len;
	const struct schema_message *message =
		types_of_subject(stream->types, record->subject, &name_len);
	if (message && message->key_count == 0)
		return false; /* each stands for itself */
	const struct env *env = stream->env;
	const struct subject_note *note = subjects_find(&stream->subjects, record->subject);
	const struct taken_back *taken = find(stream, record->subject);
	uint64_t last = env->last_of(env->world, record->subject);
	size_t pending = note ? note->pending : 0;
	if (pending > (taken ? taken->pending : 0))
		return true;
	bool is_last = taken && (taken->pending > 0 || (taken->seq == last && last > 0));
	if (is_last)
		return taken->epoch > epoch || (taken->epoch == epoch && taken->was_seq > seq);
	return last > origin_epoch_end(&stream->origins.items[0], epoch);
}

static void done(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct taking *taking = arg;
	struct stream *stream = taking->stream;
	struct taken_back *taken = find(stream, span_of(taking->subject, strlen(taking->subject)));
	taken->pending--;
	/* What failed comes again; what is here now is known by itself. */
	if (--stream->taking_count == 0)
		taking_fini(stream);
	taking->on_done(status, seq, text, taking->arg);
	free(taking->subject);
	free(taking);
}

static enum lyc_status refuse(struct stream *stream, const struct record *record, const char *why,
			      struct lyc_error *error)
{
	stream->not_taken_back_count++;
	return error_set(error, LYC_INVALID_ARGUMENT, "%.*s of epoch %llu, record %llu: %s",
			 (int)(record->subject.len < 90 ? record->subject.len : 90),
			 (const char *)record->subject.data, (unsigned long long)record->epoch,
			 (unsigned long long)record->origin_seq, why);
}

/* How much is worth more. */
static int worth(enum record_form form)
{
	static const int worths[] = {3, 2, 1, 3};
	return worths[form];
}

static bool is_noted(const struct stream *stream, enum record_form form, uint64_t epoch,
		     uint64_t seq)
{
	return seq_set_has(&stream->taking[form], epoch, seq) ||
	       (form != RECORD_WHOLE &&
		seq_set_has(&stream->origins.items[0].forms[form - 1], epoch, seq));
}

/* What is here of it, or on its way; 0: nothing. */
static int worth_here(const struct stream *stream, uint64_t epoch, uint64_t seq)
{
	static const enum record_form best_first[] = {RECORD_WHOLE_AGAIN, RECORD_CUT,
						      RECORD_WITHDRAWN, RECORD_WHOLE};
	for (size_t i = 0; i < 4; i++) {
		if (is_noted(stream, best_first[i], epoch, seq))
			return worth(best_first[i]);
	}
	return origin_has(&stream->origins.items[0], epoch, seq) ? worth(RECORD_WHOLE) : 0;
}

/* What came of it, by its seal; a hub cuts further what its home has sealed, and only the mark is
 * left then. False: it is not of this daemon's making. */
static bool judge(const struct stream *stream, const struct record *record, bool is_from_hub,
		  enum record_form *ret_form)
{
	enum record_form form = RECORD_WHOLE;
	if (!stream_seal_fits(stream, record)) {
		if (!is_from_hub || record->mark == 0 || record->mark != mark_of(stream, record))
			return false;
		form = RECORD_WITHDRAWN;
	} else if (record_is_hidden(record)) {
		form = RECORD_WITHDRAWN;
	} else if (!record->removed &&
		   record->body_crc != crc32c(0, record->body.data, record->body.len)) {
		form = RECORD_CUT;
	}
	*ret_form = worth(record->was.form) < worth(form) ? record->was.form : form;
	return true;
}

void stream_write_both(struct buf *to, struct span a, struct span b)
{
	struct label of_a;
	struct label of_b;
	if (label_read(a, &of_a) != LYC_OK || label_read(b, &of_b) != LYC_OK)
		buf_add(to, MEMBERS, sizeof(MEMBERS));
	else if (!policy_is_narrower(&of_a, &of_b))
		buf_add(to, a.data, a.len);
	else if (!policy_is_narrower(&of_b, &of_a))
		buf_add(to, b.data, b.len);
	else
		stream_write_reach(to, a, &of_a, &of_b);
}

struct span stream_label_or_members(struct span label)
{
	return label.len > 0 ? label : span_of(MEMBERS, sizeof(MEMBERS));
}

/* Whoever is shown what stands here now has to learn of it, too, also where what came in between
 * does not come back: `reach` holds the label for it. */
static void reach_all(const struct stream *stream, struct record *record, struct buf *reach)
{
	const struct subject_note *note = subjects_find(&stream->subjects, record->subject);
	bool is_pending = note && note->pending > 0;
	size_t name_len;
	const struct schema_message *message =
		types_of_subject(stream->types, record->subject, &name_len);
	struct label label;
	struct label last_label;
	if ((!is_pending && stream->env->last_of(stream->env->world, record->subject) == 0) ||
	    (message && message->key_count == 0))
		return;
	const struct buf *noted = note ? is_pending ? &note->pending_label : &note->label : NULL;
	struct span last = stream_label_or_members(noted ? span_of(noted->data, noted->len)
							 : span_of(NULL, 0));
	struct span own = stream_label_or_members(record->label);
	if (record->removed) {
		stream_write_both(reach, own, last);
		record->label = span_of(reach->data, reach->len);
	} else if (label_read(own, &label) == LYC_OK && label_read(last, &last_label) == LYC_OK &&
		   policy_is_narrower(&label, &last_label)) {
		stream_write_both(reach, record->former.len > 0 ? record->former : last, last);
		record->former = span_of(reach->data, reach->len);
	}
}

/* As it is to stand in this log. `is_after_part`: others have taken what came in part of this key,
 * over what they held, and have to take this over it. */
static void write_again(struct record *record, uint64_t epoch, uint64_t seq, enum record_form form,
			bool is_after_part)
{
	bool is_first = record->was.epoch == 0;
	record->was.time_ms = is_first ? record->time_ms : record->was.time_ms;
	record->was.epoch = epoch;
	record->was.seq = seq;
	record->was.form = form;
	if (is_after_part && form == RECORD_WHOLE)
		record->was.form = RECORD_WHOLE_AGAIN;
	record->origin = span_of(NULL, 0);
	record->epoch = record->origin_seq = record->seal = record->mark = 0;
	if (form != RECORD_WITHDRAWN)
		return;
	record->removed = true;
	record->label = record->former.len > 0 ? record->former : record->label;
	record->body = record->former = span_of(NULL, 0);
	record->principal = record->trace = span_of(NULL, 0);
}

enum lyc_status stream_take_back(struct stream *stream, const struct record *record,
				 bool is_from_hub, stream_done_fn on_done, void *arg,
				 struct lyc_error *error)
{
	const struct origin *own = &stream->origins.items[0];
	bool is_first = record->was.epoch == 0;
	uint64_t epoch = is_first ? record->epoch : record->was.epoch;
	uint64_t seq = is_first ? record->origin_seq : record->was.seq;
	int here = worth_here(stream, epoch, seq);
	enum record_form form;
	if (own->former_count == 0 || record->epoch >= stream->epoch || here == worth(RECORD_WHOLE))
		return error_set(error, LYC_FAILED_PRECONDITION, "it is this daemon's own");
	if (!judge(stream, record, is_from_hub, &form))
		return refuse(stream, record, "its seal is not this daemon's", error);
	if (worth(form) <= here)
		return error_set(error, LYC_FAILED_PRECONDITION, "as much of it is here");
	if (is_superseded(stream, record, epoch, seq)) {
		/* A third one gives it at each connection: counted once. */
		if (seq_set_has(&stream->passed_over, epoch, seq))
			return error_set(error, LYC_FAILED_PRECONDITION, "it is known");
		seq_set_add(&stream->passed_over, epoch, seq);
		if (form != RECORD_WITHDRAWN)
			overtaken_add(stream, record);
		return refuse(stream, record, "its key has been written since", error);
	}
	struct record again = *record;
	struct buf reach = {0};
	const struct taken_back *before = find(stream, record->subject);
	write_again(&again, epoch, seq, form, here > 0 || (before && before->form != RECORD_WHOLE));
	reach_all(stream, &again, &reach);
	struct taking *taking = mem_new(struct taking);
	*taking = (struct taking){.stream = stream, .on_done = on_done, .arg = arg};
	taking->subject = mem_dup_try((const char *)record->subject.data, record->subject.len);
	enum lyc_status status = stream_append_record(stream, &again, done, taking, error);
	buf_fini(&reach);
	if (status != LYC_OK) {
		free(taking->subject);
		free(taking);
		stream->not_taken_back_count++;
		return LYC_INVALID_ARGUMENT;
	}
	struct taken_back *taken = get(stream, record->subject);
	taken->epoch = epoch;
	taken->was_seq = seq;
	taken->form = again.was.form;
	taken->pending++;
	seq_set_add(&stream->taking[again.was.form], epoch, seq);
	stream->taking_count++;
	return LYC_OK;
}

/* How many of the first are not in the second. */
static uint64_t count_without(const struct seq_set *set, const struct seq_set *without)
{
	uint64_t count = 0;
	for (size_t i = 0; i < set->count; i++) {
		const struct seq_run *run = &set->runs[i];
		for (uint64_t seq = run->first; seq <= run->last; seq++)
			count += !seq_set_has(without, run->epoch, seq);
	}
	return count;
}

void stream_count_partial(const struct stream *stream, uint64_t *ret_cut, uint64_t *ret_withdrawn)
{
	const struct seq_set *forms = stream->origins.items[0].forms;
	*ret_cut = count_without(&forms[RECORD_CUT - 1], &forms[RECORD_WHOLE_AGAIN - 1]);
	*ret_withdrawn =
		count_without(&forms[RECORD_WITHDRAWN - 1], &forms[RECORD_WHOLE_AGAIN - 1]);
}

void stream_given_back(struct stream *stream)
{
	if (!stream->is_waiting)
		return;
	stream->is_waiting = false;
	stream->env->save(stream->env->world, "waits", span_of(NULL, 0));
	log_notice("the hub has given back what it had", "records",
		   log_number(stream->taken_back_count), "not taken",
		   log_number(stream->not_taken_back_count));
}
