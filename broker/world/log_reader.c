/* One thing after the other, a stretch at a time, so that nobody waits for all of another. */
#include "world/log_reader.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "route/log_read.h"
#include "wire/subject.h"
#include "world/due.h"
#include "world/saved_values.h"

#define READ_COUNT 4096
/* Damaged segments that one read may come upon. */
#define MAX_TRIES 8
/* Records that come back with one copy of their segment. */
#define MAX_HEALS 256
#define SCRUB_STEP_MS 100
#define SCRUB_REST_MS (6u * 3600 * 1000)

/* A chain by `next` with its end. */
struct read_queue {
	struct log_read *first;
	struct log_read *last;
};

struct log_reader {
	struct store *store;
	uv_async_t *async;
	pthread_t thread;

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t due;
	struct read_queue reads;
	struct read_queue done_reads;
	struct saved_values values;
	bool is_stopping;

	struct log_heal *heals;
	struct log_heal *done_heals;
	bool has_damage;  /* found since the loop has looked */
	size_t scrub_len; /* of one step; 0: none */
	uint64_t scrub_seq;
	struct timespec scrub_due;
	void (*on_damage)(void *arg);
	void *on_damage_arg;
};

struct reading {
	struct log_read *read;
	struct store *store;
	struct span pattern;
};

static bool take_record(uint64_t seq, struct span subject, struct span record, void *arg)
{
	struct reading *reading = arg;
	struct buf *to = &reading->read->records;
	const char *also = reading->read->also;
	if (reading->pattern.len > 0 && !subject_matches(reading->pattern, subject) &&
	    !(also && span_is(subject, also)))
		return true;
	if (seq <= reading->read->only_last_to && store_last_of(reading->store, subject) != seq)
		return true;
	log_read_add(to, seq, record);
	return to->len < reading->read->max_bytes;
}

/* Whoever reads learns that something is missing there: of a subject that is not known anybody. */
static bool take_lost(uint64_t seq, struct span subject, struct span details, void *arg)
{
	struct reading *reading = arg;
	struct buf *to = &reading->read->records;
	if (subject.len > 0 && reading->pattern.len > 0 &&
	    !subject_matches(reading->pattern, subject))
		return true;
	log_read_add(to, seq, details);
	return to->len < reading->read->max_bytes;
}

static void read_queue_add(struct read_queue *queue, struct log_read *read)
{
	read->next = NULL;
	if (queue->last)
		queue->last->next = read;
	else
		queue->first = read;
	queue->last = read;
}

static struct log_read *read_queue_take(struct read_queue *queue)
{
	struct log_read *read = queue->first;
	if (!read)
		return NULL;
	queue->first = read->next;
	if (!queue->first)
		queue->last = NULL;
	read->next = NULL;
	return read;
}

/* False when nothing was to be mended, or could be. */
static bool mend(struct log_reader *reader, uint64_t seq)
{
	bool was_damaged = false;
	struct lyc_error error;
	if (store_mend(reader->store, seq, seq, &was_damaged, &error) != LYC_OK || !was_damaged)
		return false;
	pthread_mutex_lock(&reader->lock);
	reader->has_damage = true;
	pthread_mutex_unlock(&reader->lock);
	uv_async_send(reader->async);
	return true;
}

/* One stretch of the log; false when the read has to go on behind the others, from read->from. */
static bool serve(struct log_reader *reader, struct log_read *read)
{
	struct reading reading = {.read = read, .store = reader->store};
	struct lyc_error error = {0};
	uint64_t next = read->from;
	if (read->pattern)
		reading.pattern = span_of(read->pattern, strlen(read->pattern));
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		read->status =
			store_read_all(reader->store, read->from, READ_COUNT, read->max_bytes,
				       take_record, take_lost, &reading, &next, &error);
		/* What is left of a damaged segment can be read once it was put into its place. */
		if (read->status != LYC_DATA_LOSS || !mend(reader, next))
			break;
		buf_clear(&read->records);
		next = read->from;
	}
	bool is_at_end = read->status != LYC_OK || next <= read->from;
	if (read->status == LYC_OK && next > read->from)
		read->from = next;
	read->next_seq = read->from;
	if (read->records.has_failed)
		read->status = error_set(&error, LYC_RESOURCE_EXHAUSTED, "out of memory");
	if (read->status != LYC_OK)
		snprintf(read->text, sizeof(read->text), "%.*s", (int)sizeof(read->text) - 1,
			 error.text);
	return is_at_end || read->status != LYC_OK || read->records.len > 0;
}

/* Under the lock, which is released meanwhile. */
static void serve_next(struct log_reader *reader)
{
	struct log_read *read = read_queue_take(&reader->reads);
	if (!read)
		return;
	bool is_done = true;
	if (reader->is_stopping) {
		read->status = LYC_UNAVAILABLE;
		snprintf(read->text, sizeof(read->text), "the daemon is stopping");
	} else {
		pthread_mutex_unlock(&reader->lock);
		is_done = serve(reader, read);
		pthread_mutex_lock(&reader->lock);
	}
	read_queue_add(is_done ? &reader->done_reads : &reader->reads, read);
	if (is_done)
		uv_async_send(reader->async);
}

/* The same. */
static void write_next(struct log_reader *reader)
{
	if (!saved_values_are_due(&reader->values, reader->is_stopping))
		return;
	const struct saved_value *value = saved_values_begin(&reader->values);
	pthread_mutex_unlock(&reader->lock);
	bool is_written = saved_value_write(value, reader->store);
	pthread_mutex_lock(&reader->lock);
	saved_values_end(&reader->values, is_written, reader->is_stopping);
}

static void wait_for_work(struct log_reader *reader)
{
	const struct timespec *due = NULL;
	if (reader->values.waiting)
		due = &reader->values.due;
	if (reader->scrub_len > 0 && (!due || due_is_before(&reader->scrub_due, due)))
		due = &reader->scrub_due;
	if (due)
		pthread_cond_timedwait(&reader->due, &reader->lock, due);
	else
		pthread_cond_wait(&reader->due, &reader->lock);
}

static bool is_scrub_due(const struct log_reader *reader)
{
	return reader->scrub_len > 0 && !reader->is_stopping && due_has_come(&reader->scrub_due);
}

/* The next stretch; after the last one a rest. */
static void scrub(struct log_reader *reader)
{
	uint64_t seq = reader->scrub_seq;
	struct lyc_error error;
	size_t len = reader->scrub_len;
	pthread_mutex_unlock(&reader->lock);
	if (store_scrub(reader->store, &seq, len, &error) == LYC_DATA_LOSS && !mend(reader, seq))
		seq++;
	pthread_mutex_lock(&reader->lock);
	reader->scrub_seq = seq;
	reader->scrub_due = due_in(seq == 1 ? SCRUB_REST_MS : SCRUB_STEP_MS);
}

static int by_seq(const void *a, const void *b)
{
	const struct log_heal *const *left = a;
	const struct log_heal *const *right = b;
	return (*left)->seq < (*right)->seq ? -1 : (*left)->seq > (*right)->seq;
}

static void heal(struct log_reader *reader, struct log_heal **heals, size_t count)
{
	struct store_healed healed[MAX_HEALS] = {0};
	struct lyc_error error;
	qsort(heals, count, sizeof(struct log_heal *), by_seq);
	for (size_t i = 0; i < count; i++)
		healed[i] = (struct store_healed){
			.seq = heals[i]->seq,
			.subject = span_of(heals[i]->subject.data, heals[i]->subject.len),
			.record = span_of(heals[i]->record.data, heals[i]->record.len),
			.is_vouched = heals[i]->is_vouched};
	enum lyc_status status = store_heal(reader->store, healed, count, &error);
	for (size_t i = 0; i < count; i++)
		heals[i]->status = status == LYC_OK ? healed[i].ret_status : status;
}

/* What came back since: a segment is copied once for all of it. */
static void heal_next(struct log_reader *reader)
{
	struct log_heal *heals[MAX_HEALS];
	size_t count = 0;
	while (reader->heals && count < MAX_HEALS) {
		heals[count++] = reader->heals;
		reader->heals = reader->heals->next;
	}
	if (count == 0)
		return;
	pthread_mutex_unlock(&reader->lock);
	heal(reader, heals, count);
	pthread_mutex_lock(&reader->lock);
	for (size_t i = 0; i < count; i++) {
		heals[i]->next = reader->done_heals;
		reader->done_heals = heals[i];
	}
	uv_async_send(reader->async);
}

/* A stretch and a value in turn, so that neither waits for all of the other. */
static void *read_thread(void *arg)
{
	struct log_reader *reader = arg;
	pthread_mutex_lock(&reader->lock);
	for (;;) {
		while (!reader->reads.first && !reader->heals &&
		       !saved_values_are_due(&reader->values, reader->is_stopping) &&
		       !is_scrub_due(reader) && !reader->is_stopping)
			wait_for_work(reader);
		if (reader->is_stopping && !reader->reads.first && !reader->heals &&
		    !reader->values.waiting)
			break;
		if (!reader->reads.first && is_scrub_due(reader))
			scrub(reader);
		serve_next(reader);
		heal_next(reader);
		write_next(reader);
	}
	pthread_mutex_unlock(&reader->lock);
	return NULL;
}

void log_reader_deliver(struct log_reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	struct log_read *read = reader->done_reads.first;
	reader->done_reads = (struct read_queue){0};
	struct log_heal *heal = reader->done_heals;
	reader->done_heals = NULL;
	bool has_damage = reader->has_damage;
	reader->has_damage = false;
	pthread_mutex_unlock(&reader->lock);
	while (heal) {
		struct log_heal *next = heal->next;
		heal->on_done(heal);
		heal = next;
	}
	if (has_damage && reader->on_damage)
		reader->on_damage(reader->on_damage_arg);
	while (read) {
		struct log_read *next = read->next;
		read->on_done(read);
		read = next;
	}
}

enum lyc_status log_reader_start(struct store *store, uv_async_t *async,
				 struct log_reader **ret_reader, struct lyc_error *error)
{
	struct log_reader *reader = mem_new(struct log_reader);
	pthread_condattr_t monotonic;
	reader->store = store;
	reader->async = async;
	pthread_mutex_init(&reader->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&reader->due, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&reader->thread, NULL, read_thread, reader) != 0) {
		log_reader_free(reader);
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "the thread that reads the log cannot be started");
	}
	*ret_reader = reader;
	return LYC_OK;
}

void log_reader_scrub(struct log_reader *reader, size_t bytes_per_second,
		      void (*on_damage)(void *arg), void *arg)
{
	pthread_mutex_lock(&reader->lock);
	reader->on_damage = on_damage;
	reader->on_damage_arg = arg;
	reader->scrub_len = bytes_per_second * SCRUB_STEP_MS / 1000;
	reader->scrub_seq = 1;
	reader->scrub_due = due_in(1000);
	pthread_cond_signal(&reader->due);
	pthread_mutex_unlock(&reader->lock);
}

void log_reader_heal(struct log_reader *reader, struct log_heal *heal)
{
	pthread_mutex_lock(&reader->lock);
	heal->next = reader->heals;
	reader->heals = heal;
	pthread_cond_signal(&reader->due);
	pthread_mutex_unlock(&reader->lock);
}

void log_reader_read(struct log_reader *reader, struct log_read *read)
{
	pthread_mutex_lock(&reader->lock);
	read_queue_add(&reader->reads, read);
	pthread_cond_signal(&reader->due);
	pthread_mutex_unlock(&reader->lock);
}

void log_reader_save(struct log_reader *reader, const char *key, struct span value)
{
	pthread_mutex_lock(&reader->lock);
	saved_values_add(&reader->values, key, value);
	pthread_cond_signal(&reader->due);
	pthread_mutex_unlock(&reader->lock);
}

bool log_reader_saved(struct log_reader *reader, const char *key, struct buf *ret_value)
{
	pthread_mutex_lock(&reader->lock);
	bool is_there = saved_values_find(&reader->values, key, ret_value);
	pthread_mutex_unlock(&reader->lock);
	return is_there;
}

void log_reader_stop(struct log_reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->is_stopping = true;
	pthread_cond_signal(&reader->due);
	pthread_mutex_unlock(&reader->lock);
	pthread_join(reader->thread, NULL);
}

void log_reader_free(struct log_reader *reader)
{
	if (!reader)
		return;
	pthread_mutex_destroy(&reader->lock);
	pthread_cond_destroy(&reader->due);
	free(reader);
}
