/* The log's two threads. Everything they share with the loop is behind one mutex each, held for
 * moments. */
#include "world/log_threads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uthash.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"
#include "log.h"
#include "route/log_read.h"
#include "wire/subject.h"

#define LOG_TOPIC "log"
#define MAX_GROUP 4096
#define MAX_GROUP_LEN (8u * 1024 * 1024)
#define READ_COUNT 4096
#define RETRY_SECONDS 1
/* Damaged segments that one read may come upon. */
#define MAX_TRIES 8
/* Records that come back with one copy of their segment. */
#define MAX_HEALS 256
#define SCRUB_STEP_MS 100
#define SCRUB_REST_SECONDS (6 * 3600)

/* A chain by `next` with its end. */
struct append_queue {
	struct append *first;
	struct append *last;
};

struct read_queue {
	struct log_read *first;
	struct log_read *last;
};

/* An empty one removes what was saved under its key. */
struct saved_value {
	char *key;
	struct buf value;
	UT_hash_handle by_key;
};

struct log_threads {
	struct store *store;
	uv_async_t async;
	bool is_closed;

	/* Loop only. */
	struct append_queue collected;
	bool is_refusing; /* as far as the daemon's log knows */

	pthread_t writer;
	pthread_mutex_t write_lock;
	pthread_cond_t write_due;
	struct append_queue appends;
	struct append_queue appended;
	bool is_write_stopping;
	/* After a failure everything that was queued behind it fails in the same way, until the
	 * loop has heard of it: so that no copy is stored behind one that was not. */
	struct lyc_error failure;
	/* What the machine said to the last group that was tried, since the loop has looked. */
	enum { UNTRIED = 0, WRITTEN, REFUSED } outcome;
	char refusal[200];

	pthread_t reader;
	pthread_mutex_t read_lock;
	pthread_cond_t read_due;
	struct read_queue reads;
	struct read_queue done_reads;
	struct saved_value *values;  /* by key, the oldest first */
	struct saved_value *writing; /* on its way to the disk */
	struct timespec values_due;  /* not before, after a failure */
	bool is_read_stopping;

	struct log_heal *heals;
	struct log_heal *done_heals;
	bool has_damage;  /* found since the loop has looked */
	size_t scrub_len; /* of one step; 0: none */
	uint64_t scrub_seq;
	struct timespec scrub_due;
	void (*on_damage)(void *arg);
	void *on_damage_arg;
};

static void queue_add(struct append_queue *queue, struct append *first, struct append *last)
{
	if (!first)
		return;
	if (queue->last)
		queue->last->next = first;
	else
		queue->first = first;
	queue->last = last;
}

/* ---- the writer ---- */

/* Cut one group off the front of the queue: of vital ones only, or of others. */
static struct append_queue take_group(struct append_queue *queue, size_t *ret_count)
{
	struct append_queue group = {.first = queue->first};
	size_t count = 0;
	size_t len = 0;
	for (struct append *at = queue->first; at && count < MAX_GROUP && len < MAX_GROUP_LEN;
	     at = at->next) {
		if (at->is_vital != group.first->is_vital)
			break;
		group.last = at;
		len += at->record.len;
		count++;
	}
	queue->first = group.last->next;
	if (!queue->first)
		queue->last = NULL;
	group.last->next = NULL;
	*ret_count = count;
	return group;
}

/* False when the machine failed; the reason is in `error` then, or was there before because an
 * append before these has failed. */
static bool write_group(struct log_threads *threads, struct append_queue *group, size_t count,
			struct store_item *items, struct lyc_error *error)
{
	size_t i = 0;
	for (struct append *at = group->first; at; at = at->next, i++)
		items[i] = (struct store_item){
			.subject = span_of(at->subject.data, at->subject.len),
			.record = span_of(at->record.data, at->record.len),
			.has_expect = at->has_expect,
			.expect_seq = at->expect_seq,
			.is_vital = at->is_vital,
		};
	enum lyc_status status = error->status;
	if (status == LYC_OK)
		status = store_append(threads->store, items, count, error);
	i = 0;
	for (struct append *at = group->first; at; at = at->next, i++) {
		at->status = status == LYC_OK ? items[i].ret_status : status;
		at->seq = items[i].ret_seq;
		if (status != LYC_OK)
			snprintf(at->text, sizeof(at->text), "%.*s", (int)sizeof(at->text) - 1,
				 error->text);
		else if (at->status == LYC_FAILED_PRECONDITION)
			snprintf(at->text, sizeof(at->text),
				 "the subject's last sequence is %llu, not %llu",
				 (unsigned long long)at->seq, (unsigned long long)at->expect_seq);
		else if (at->status != LYC_OK)
			snprintf(at->text, sizeof(at->text),
				 "the log does not take the record (%s)",
				 lyc_status_name(at->status));
	}
	return status == LYC_OK;
}

static void note_refusal(struct log_threads *threads, const struct lyc_error *error)
{
	threads->outcome = REFUSED;
	snprintf(threads->refusal, sizeof(threads->refusal), "%.*s",
		 (int)sizeof(threads->refusal) - 1, error->text);
}

static void *write_thread(void *arg)
{
	struct log_threads *threads = arg;
	struct store_item *items = mem_get(MAX_GROUP * sizeof(*items));
	pthread_mutex_lock(&threads->write_lock);
	for (;;) {
		while (!threads->appends.first && !threads->is_write_stopping)
			pthread_cond_wait(&threads->write_due, &threads->write_lock);
		if (!threads->appends.first)
			break;
		size_t count;
		struct append_queue group = take_group(&threads->appends, &count);
		struct lyc_error error = threads->failure;
		bool was_failing = error.status != LYC_OK;
		/* A withdrawal may find room in the reserve where others found none. */
		bool is_vital = group.first->is_vital;
		if (is_vital)
			error = (struct lyc_error){0};
		pthread_mutex_unlock(&threads->write_lock);
		bool is_written = write_group(threads, &group, count, items, &error);
		pthread_mutex_lock(&threads->write_lock);
		/* One that was taken from the reserve says nothing of the others. */
		if (is_written && !is_vital)
			threads->outcome = WRITTEN;
		else if (!is_written && !was_failing)
			note_refusal(threads, &error);
		if (!is_written)
			threads->failure = error;
		queue_add(&threads->appended, group.first, group.last);
		uv_async_send(&threads->async);
	}
	pthread_mutex_unlock(&threads->write_lock);
	free(items);
	return NULL;
}

/* ---- the reader ---- */

struct reading {
	struct log_read *read;
	struct store *store;
	struct span pattern;
};

/* Whoever reads learns that something is missing there: of a subject that is not known anybody. */
static bool take_lost(uint64_t seq, struct span subject, struct span details, void *arg);

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
static bool mend(struct log_threads *threads, uint64_t seq)
{
	bool was_damaged = false;
	struct lyc_error error;
	if (store_mend(threads->store, seq, seq, &was_damaged, &error) != LYC_OK || !was_damaged)
		return false;
	pthread_mutex_lock(&threads->read_lock);
	threads->has_damage = true;
	pthread_mutex_unlock(&threads->read_lock);
	uv_async_send(&threads->async);
	return true;
}

/* One stretch of the log; false when the read has to go on behind the others, from read->from. */
static bool serve(struct log_threads *threads, struct log_read *read)
{
	struct reading reading = {.read = read, .store = threads->store};
	struct lyc_error error = {0};
	uint64_t next = read->from;
	if (read->pattern)
		reading.pattern = span_of(read->pattern, strlen(read->pattern));
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		read->status =
			store_read_all(threads->store, read->from, READ_COUNT, read->max_bytes,
				       take_record, take_lost, &reading, &next, &error);
		/* What is left of a damaged segment can be read once it was put into its place. */
		if (read->status != LYC_DATA_LOSS || !mend(threads, next))
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

static bool write_value(struct log_threads *threads, const struct saved_value *value)
{
	struct lyc_error error;
	if (value->value.len == 0)
		return store_remove_meta(threads->store, value->key, &error) == LYC_OK;
	return store_put_meta(threads->store, value->key,
			      span_of(value->value.data, value->value.len), &error) == LYC_OK;
}

/* Under the lock, which is released meanwhile. */
static void serve_next(struct log_threads *threads)
{
	struct log_read *read = read_queue_take(&threads->reads);
	if (!read)
		return;
	bool is_done = true;
	if (threads->is_read_stopping) {
		read->status = LYC_UNAVAILABLE;
		snprintf(read->text, sizeof(read->text), "the daemon is stopping");
	} else {
		pthread_mutex_unlock(&threads->read_lock);
		is_done = serve(threads, read);
		pthread_mutex_lock(&threads->read_lock);
	}
	read_queue_add(is_done ? &threads->done_reads : &threads->reads, read);
	if (is_done)
		uv_async_send(&threads->async);
}

static void value_free(struct saved_value *value)
{
	buf_fini(&value->value);
	free(value->key);
	free(value);
}

/* A value that the disk does not take waits, unless a newer one is there, and all others with it.
 * What is not written by the end is handed out again after the restart: late, never lost. */
static void keep_for_later(struct log_threads *threads, struct saved_value *value)
{
	struct saved_value *newer;
	size_t len = strlen(value->key);
	HASH_FIND(by_key, threads->values, value->key, len, newer);
	if (newer)
		value_free(value);
	else
		HASH_ADD_KEYPTR(by_key, threads->values, value->key, len, value);
	clock_gettime(CLOCK_MONOTONIC, &threads->values_due);
	threads->values_due.tv_sec += RETRY_SECONDS;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Are there values that may be tried now? */
static bool has_values(const struct log_threads *threads)
{
	struct timespec now;
	if (!threads->values || threads->is_read_stopping)
		return threads->values != NULL;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return !is_before(&now, &threads->values_due);
}

/* The same. */
static void write_next(struct log_threads *threads)
{
	struct saved_value *value = threads->values;
	if (!has_values(threads))
		return;
	HASH_DELETE(by_key, threads->values, value);
	threads->writing = value;
	pthread_mutex_unlock(&threads->read_lock);
	bool is_written = write_value(threads, value);
	pthread_mutex_lock(&threads->read_lock);
	threads->writing = NULL;
	if (is_written || threads->is_read_stopping)
		value_free(value);
	else
		keep_for_later(threads, value);
}

static void wait_for_work(struct log_threads *threads)
{
	const struct timespec *due = NULL;
	if (threads->values)
		due = &threads->values_due;
	if (threads->scrub_len > 0 && (!due || is_before(&threads->scrub_due, due)))
		due = &threads->scrub_due;
	if (due)
		pthread_cond_timedwait(&threads->read_due, &threads->read_lock, due);
	else
		pthread_cond_wait(&threads->read_due, &threads->read_lock);
}

static bool is_scrub_due(const struct log_threads *threads)
{
	struct timespec now;
	if (threads->scrub_len == 0 || threads->is_read_stopping)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return !is_before(&now, &threads->scrub_due);
}

/* The next stretch; after the last one a rest. */
static void scrub(struct log_threads *threads)
{
	uint64_t seq = threads->scrub_seq;
	struct lyc_error error;
	size_t len = threads->scrub_len;
	pthread_mutex_unlock(&threads->read_lock);
	if (store_scrub(threads->store, &seq, len, &error) == LYC_DATA_LOSS && !mend(threads, seq))
		seq++;
	pthread_mutex_lock(&threads->read_lock);
	threads->scrub_seq = seq;
	clock_gettime(CLOCK_MONOTONIC, &threads->scrub_due);
	threads->scrub_due.tv_nsec += SCRUB_STEP_MS * 1000000;
	if (threads->scrub_due.tv_nsec >= 1000000000) {
		threads->scrub_due.tv_nsec -= 1000000000;
		threads->scrub_due.tv_sec++;
	}
	if (seq == 1)
		threads->scrub_due.tv_sec += SCRUB_REST_SECONDS;
}

static int by_seq(const void *a, const void *b)
{
	const struct log_heal *const *left = a;
	const struct log_heal *const *right = b;
	return (*left)->seq < (*right)->seq ? -1 : (*left)->seq > (*right)->seq;
}

static void heal(struct log_threads *threads, struct log_heal **heals, size_t count)
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
	enum lyc_status status = store_heal(threads->store, healed, count, &error);
	for (size_t i = 0; i < count; i++)
		heals[i]->status = status == LYC_OK ? healed[i].ret_status : status;
}

/* What came back since: a segment is copied once for all of it. */
static void heal_next(struct log_threads *threads)
{
	struct log_heal *heals[MAX_HEALS];
	size_t count = 0;
	while (threads->heals && count < MAX_HEALS) {
		heals[count++] = threads->heals;
		threads->heals = threads->heals->next;
	}
	if (count == 0)
		return;
	pthread_mutex_unlock(&threads->read_lock);
	heal(threads, heals, count);
	pthread_mutex_lock(&threads->read_lock);
	for (size_t i = 0; i < count; i++) {
		heals[i]->next = threads->done_heals;
		threads->done_heals = heals[i];
	}
	uv_async_send(&threads->async);
}

/* A stretch and a value in turn, so that neither waits for all of the other. */
static void *read_thread(void *arg)
{
	struct log_threads *threads = arg;
	pthread_mutex_lock(&threads->read_lock);
	for (;;) {
		while (!threads->reads.first && !threads->heals && !has_values(threads) &&
		       !is_scrub_due(threads) && !threads->is_read_stopping)
			wait_for_work(threads);
		if (threads->is_read_stopping && !threads->reads.first && !threads->heals &&
		    !threads->values)
			break;
		if (!threads->reads.first && is_scrub_due(threads))
			scrub(threads);
		serve_next(threads);
		heal_next(threads);
		write_next(threads);
	}
	pthread_mutex_unlock(&threads->read_lock);
	return NULL;
}

/* ---- the loop's side ---- */

/* One line when the machine begins to refuse records, and one when they go on. */
static void report(struct log_threads *threads, bool is_refusing, const char *refusal)
{
	if (is_refusing == threads->is_refusing)
		return;
	threads->is_refusing = is_refusing;
	if (is_refusing)
		log_error("the log takes no records", "reason", refusal);
	else
		log_notice("the log takes records again");
}

static void deliver(struct log_threads *threads)
{
	char refusal[sizeof(threads->refusal)];
	pthread_mutex_lock(&threads->write_lock);
	struct append *append = threads->appended.first;
	threads->appended = (struct append_queue){0};
	int outcome = threads->outcome;
	threads->outcome = UNTRIED;
	memcpy(refusal, threads->refusal, sizeof(refusal));
	pthread_mutex_unlock(&threads->write_lock);
	if (outcome != UNTRIED)
		report(threads, outcome == REFUSED, refusal);
	while (append) {
		struct append *next = append->next;
		append->on_done(append);
		append = next;
	}
	pthread_mutex_lock(&threads->write_lock);
	if (!threads->appends.first && !threads->appended.first)
		threads->failure.status = LYC_OK;
	pthread_mutex_unlock(&threads->write_lock);
	pthread_mutex_lock(&threads->read_lock);
	struct log_read *read = threads->done_reads.first;
	threads->done_reads = (struct read_queue){0};
	struct log_heal *heal = threads->done_heals;
	threads->done_heals = NULL;
	bool has_damage = threads->has_damage;
	threads->has_damage = false;
	pthread_mutex_unlock(&threads->read_lock);
	while (heal) {
		struct log_heal *next = heal->next;
		heal->on_done(heal);
		heal = next;
	}
	if (has_damage && threads->on_damage)
		threads->on_damage(threads->on_damage_arg);
	while (read) {
		struct log_read *next = read->next;
		read->on_done(read);
		read = next;
	}
}

static void on_async(uv_async_t *async)
{
	deliver(async->data);
}

enum lyc_status log_threads_start(uv_loop_t *loop, struct store *store,
				  struct log_threads **ret_threads, struct lyc_error *error)
{
	struct log_threads *threads = mem_new(struct log_threads);
	threads->store = store;
	pthread_mutex_init(&threads->write_lock, NULL);
	pthread_cond_init(&threads->write_due, NULL);
	pthread_mutex_init(&threads->read_lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&threads->read_due, &monotonic);
	pthread_condattr_destroy(&monotonic);
	ensure(uv_async_init(loop, &threads->async, on_async) == 0);
	threads->async.data = threads;
	if (pthread_create(&threads->writer, NULL, write_thread, threads) != 0 ||
	    pthread_create(&threads->reader, NULL, read_thread, threads) != 0)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "the threads of the log cannot be started");
	*ret_threads = threads;
	return LYC_OK;
}

void log_threads_append(struct log_threads *threads, struct append *append)
{
	append->next = NULL;
	queue_add(&threads->collected, append, append);
}

void log_threads_flush(struct log_threads *threads)
{
	if (!threads->collected.first)
		return;
	pthread_mutex_lock(&threads->write_lock);
	queue_add(&threads->appends, threads->collected.first, threads->collected.last);
	pthread_cond_signal(&threads->write_due);
	pthread_mutex_unlock(&threads->write_lock);
	threads->collected = (struct append_queue){0};
}

void log_threads_scrub(struct log_threads *threads, size_t bytes_per_second,
		       void (*on_damage)(void *arg), void *arg)
{
	pthread_mutex_lock(&threads->read_lock);
	threads->on_damage = on_damage;
	threads->on_damage_arg = arg;
	threads->scrub_len = bytes_per_second * SCRUB_STEP_MS / 1000;
	threads->scrub_seq = 1;
	clock_gettime(CLOCK_MONOTONIC, &threads->scrub_due);
	threads->scrub_due.tv_sec++;
	pthread_cond_signal(&threads->read_due);
	pthread_mutex_unlock(&threads->read_lock);
}

void log_threads_heal(struct log_threads *threads, struct log_heal *heal)
{
	pthread_mutex_lock(&threads->read_lock);
	heal->next = threads->heals;
	threads->heals = heal;
	pthread_cond_signal(&threads->read_due);
	pthread_mutex_unlock(&threads->read_lock);
}

void log_threads_read(struct log_threads *threads, struct log_read *read)
{
	pthread_mutex_lock(&threads->read_lock);
	read_queue_add(&threads->reads, read);
	pthread_cond_signal(&threads->read_due);
	pthread_mutex_unlock(&threads->read_lock);
}

/* The last value of a key wins: one that has not been written yet is replaced. */
void log_threads_save(struct log_threads *threads, const char *key, struct span value)
{
	pthread_mutex_lock(&threads->read_lock);
	struct saved_value *saved;
	size_t len = strlen(key);
	HASH_FIND(by_key, threads->values, key, len, saved);
	if (!saved) {
		saved = mem_new(struct saved_value);
		saved->key = mem_dup(key);
		HASH_ADD_KEYPTR(by_key, threads->values, saved->key, len, saved);
	}
	buf_clear(&saved->value);
	buf_add(&saved->value, value.data, value.len);
	pthread_cond_signal(&threads->read_due);
	pthread_mutex_unlock(&threads->read_lock);
}

bool log_threads_saved(struct log_threads *threads, const char *key, struct buf *ret_value)
{
	struct saved_value *saved;
	pthread_mutex_lock(&threads->read_lock);
	HASH_FIND(by_key, threads->values, key, strlen(key), saved);
	if (!saved && threads->writing && strcmp(threads->writing->key, key) == 0)
		saved = threads->writing;
	if (saved)
		buf_add(ret_value, saved->value.data, saved->value.len);
	pthread_mutex_unlock(&threads->read_lock);
	return saved != NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct log_threads *threads = handle->data;
	threads->is_closed = true;
}

void log_threads_stop(struct log_threads *threads)
{
	if (!threads)
		return;
	log_threads_flush(threads);
	pthread_mutex_lock(&threads->write_lock);
	threads->is_write_stopping = true;
	pthread_cond_signal(&threads->write_due);
	pthread_mutex_unlock(&threads->write_lock);
	pthread_join(threads->writer, NULL);
	pthread_mutex_lock(&threads->read_lock);
	threads->is_read_stopping = true;
	pthread_cond_signal(&threads->read_due);
	pthread_mutex_unlock(&threads->read_lock);
	pthread_join(threads->reader, NULL);
	deliver(threads);
	uv_close((uv_handle_t *)&threads->async, on_closed);
	while (!threads->is_closed)
		uv_run(threads->async.loop, UV_RUN_ONCE);
	free(threads);
}
