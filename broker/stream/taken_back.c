/*
 * What a restore had lost and other daemons give back: this daemon's own records of an earlier
 * epoch. The seal says that they are its own and whole. Each comes in under a new identity and says
 * which it had. What has been written since to the same key is newer, and stays.
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
#include "stream/stream.h"

#define LOG_TOPIC "stream"

/* The last record of a subject that was given back. */
struct taken_back {
	char *subject;
	uint64_t epoch; /* what it was */
	uint64_t was_seq;
	uint64_t seq; /* what it is; 0: on its way */
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

uint64_t stream_seal(const struct stream *stream, const struct record *whole)
{
	struct record record = *whole;
	struct buf bytes = {0};
	uint8_t hash[crypto_shorthash_siphash24_BYTES];
	uint64_t seal = 0;
	record.seal = 0;
	record_write(&bytes, &record);
	crypto_shorthash_siphash24(hash, bytes.data, bytes.len, stream->seal_key);
	for (size_t i = 0; i < sizeof(hash); i++)
		seal |= (uint64_t)hash[i] << (8 * i);
	buf_fini(&bytes);
	return seal ? seal : 1;
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

void taken_back_fini(struct stream *stream)
{
	struct taken_back *taken;
	struct taken_back *next;
	HASH_ITER (by_subject, stream->taken_back, taken, next) {
		HASH_DELETE(by_subject, stream->taken_back, taken);
		free(taken->subject);
		free(taken);
	}
	seq_set_fini(&stream->taking);
}

void taken_back_note(struct stream *stream, uint64_t seq, const struct record *record)
{
	struct taken_back *taken = get(stream, record->subject);
	taken->epoch = record->was.epoch;
	taken->was_seq = record->was.seq;
	taken->seq = seq;
	taken->count++;
	stream->taken_back_count++;
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
		pb_end(to, mark);
	}
}

void taken_back_restore(struct stream *stream, struct span subject, const uint64_t numbers[4])
{
	struct taken_back *taken = get(stream, subject);
	taken->epoch = numbers[0];
	taken->was_seq = numbers[1];
	taken->seq = numbers[2];
	taken->count = numbers[3];
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
		seq_set_fini(&stream->taking);
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

enum lyc_status stream_take_back(struct stream *stream, const struct record *record,
				 stream_done_fn on_done, void *arg, struct lyc_error *error)
{
	const struct origin *own = &stream->origins.items[0];
	bool is_first = record->was.epoch == 0;
	uint64_t epoch = is_first ? record->epoch : record->was.epoch;
	uint64_t seq = is_first ? record->origin_seq : record->was.seq;
	if (own->former_count == 0 || record->epoch >= stream->epoch ||
	    origin_has(own, epoch, seq) || seq_set_has(&stream->taking, epoch, seq))
		return error_set(error, LYC_FAILED_PRECONDITION, "it is this daemon's own");
	if (!record->removed && record->body_crc != crc32c(0, record->body.data, record->body.len))
		return refuse(stream, record,
			      "a part of it had stayed here when it was copied, so it is not whole",
			      error);
	if (record->seal != stream_seal(stream, record))
		return refuse(stream, record, "its seal is not this daemon's", error);
	if (is_superseded(stream, record, epoch, seq))
		return refuse(stream, record, "its key has been written since", error);
	struct record again = *record;
	again.origin = span_of(NULL, 0);
	again.epoch = again.origin_seq = again.seal = 0;
	again.was.epoch = epoch;
	again.was.seq = seq;
	again.was.time_ms = is_first ? record->time_ms : record->was.time_ms;
	struct taking *taking = mem_new(struct taking);
	*taking = (struct taking){.stream = stream, .on_done = on_done, .arg = arg};
	taking->subject = mem_dup_try((const char *)record->subject.data, record->subject.len);
	enum lyc_status status = stream_append_record(stream, &again, done, taking, error);
	if (status != LYC_OK) {
		free(taking->subject);
		free(taking);
		stream->not_taken_back_count++;
		return LYC_INVALID_ARGUMENT;
	}
	struct taken_back *taken = get(stream, record->subject);
	taken->epoch = epoch;
	taken->was_seq = seq;
	taken->pending++;
	seq_set_add(&stream->taking, epoch, seq);
	stream->taking_count++;
	return LYC_OK;
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
