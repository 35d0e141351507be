/* A queue in, a queue out, one mutex for both, held for moments. */
#include "world/log_writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "log.h"

#define LOG_TOPIC "log"
#define MAX_GROUP 4096
#define MAX_GROUP_LEN (8u * 1024 * 1024)
/* So many are worth a group of their own where the thread has nothing to do. */
#define WORTHY_COUNT 48

/* A chain by `next` with its end. */
struct append_queue {
	struct append *first;
	struct append *last;
};

struct log_writer {
	struct store *store;
	uv_async_t *async;
	pthread_t thread;

	/* Loop only. */
	struct append_queue collected;
	size_t collected_count;
	bool is_refusing; /* as far as the daemon's log knows */

	/* Hints, without the lock: the thread waits for work; there is something to be answered. */
	atomic_bool is_idle;
	atomic_bool has_appended;

	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t due;
	struct append_queue appends;
	struct append_queue appended;
	bool is_stopping;
	/* After a failure everything that was queued behind it fails in the same way, until the
	 * loop has heard of it: so that no copy is stored behind one that was not. */
	struct lyc_error failure;
	/* What the machine said to the last group that was tried, since the loop has looked. */
	enum { UNTRIED = 0, WRITTEN, REFUSED } outcome;
	char refusal[200];
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
static bool write_group(struct log_writer *writer, struct append_queue *group, size_t count,
			struct store_item *items, struct lyc_error *error)
{
	size_t i = 0;
	for (struct append *at = group->first; at; at = at->next, i++) {
		/* The loop's processor has them; they will be copied in a moment. */
		__builtin_prefetch(at->record.data);
		__builtin_prefetch(at->subject.data);
		items[i] = (struct store_item){
			.subject = span_of(at->subject.data, at->subject.len),
			.record = span_of(at->record.data, at->record.len),
			.has_expect = at->has_expect,
			.expect_seq = at->expect_seq,
			.is_vital = at->is_vital,
		};
	}
	enum lyc_status status = error->status;
	if (status == LYC_OK)
		status = store_append(writer->store, items, count, error);
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

static void note_refusal(struct log_writer *writer, const struct lyc_error *error)
{
	writer->outcome = REFUSED;
	snprintf(writer->refusal, sizeof(writer->refusal), "%.*s", (int)sizeof(writer->refusal) - 1,
		 error->text);
}

static void *write_thread(void *arg)
{
	struct log_writer *writer = arg;
	struct store_item *items = mem_get(MAX_GROUP * sizeof(*items));
	pthread_mutex_lock(&writer->lock);
	for (;;) {
		atomic_store(&writer->is_idle, !writer->appends.first);
		while (!writer->appends.first && !writer->is_stopping)
			pthread_cond_wait(&writer->due, &writer->lock);
		if (!writer->appends.first)
			break;
		size_t count;
		struct append_queue group = take_group(&writer->appends, &count);
		struct lyc_error error = writer->failure;
		bool was_failing = error.status != LYC_OK;
		/* A withdrawal may find room in the reserve where others found none. */
		bool is_vital = group.first->is_vital;
		if (is_vital)
			error = (struct lyc_error){0};
		pthread_mutex_unlock(&writer->lock);
		bool is_written = write_group(writer, &group, count, items, &error);
		pthread_mutex_lock(&writer->lock);
		/* One that was taken from the reserve says nothing of the others. */
		if (is_written && !is_vital)
			writer->outcome = WRITTEN;
		else if (!is_written && !was_failing)
			note_refusal(writer, &error);
		if (!is_written)
			writer->failure = error;
		queue_add(&writer->appended, group.first, group.last);
		atomic_store(&writer->has_appended, true);
		pthread_mutex_unlock(&writer->lock);
		uv_async_send(writer->async);
		pthread_mutex_lock(&writer->lock);
	}
	pthread_mutex_unlock(&writer->lock);
	free(items);
	return NULL;
}

/* One line when the machine begins to refuse records, and one when they go on. */
static void report(struct log_writer *writer, bool is_refusing, const char *refusal)
{
	if (is_refusing == writer->is_refusing)
		return;
	writer->is_refusing = is_refusing;
	if (is_refusing)
		log_error("the log takes no records", "reason", refusal);
	else
		log_notice("the log takes records again");
}

void log_writer_deliver(struct log_writer *writer)
{
	char refusal[sizeof(writer->refusal)];
	if (!atomic_load(&writer->has_appended))
		return;
	pthread_mutex_lock(&writer->lock);
	atomic_store(&writer->has_appended, false);
	struct append *append = writer->appended.first;
	writer->appended = (struct append_queue){0};
	int outcome = writer->outcome;
	writer->outcome = UNTRIED;
	memcpy(refusal, writer->refusal, sizeof(refusal));
	pthread_mutex_unlock(&writer->lock);
	if (outcome != UNTRIED)
		report(writer, outcome == REFUSED, refusal);
	while (append) {
		struct append *next = append->next;
		/* The other thread has touched it last. */
		if (next)
			__builtin_prefetch(next);
		append->on_done(append);
		append = next;
	}
	pthread_mutex_lock(&writer->lock);
	if (!writer->appends.first && !writer->appended.first)
		writer->failure.status = LYC_OK;
	pthread_mutex_unlock(&writer->lock);
}

enum lyc_status log_writer_start(struct store *store, uv_async_t *async,
				 struct log_writer **ret_writer, struct lyc_error *error)
{
	struct log_writer *writer = mem_new(struct log_writer);
	writer->store = store;
	writer->async = async;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->due, NULL);
	if (pthread_create(&writer->thread, NULL, write_thread, writer) != 0) {
		log_writer_free(writer);
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "the thread that writes the log cannot be started");
	}
	*ret_writer = writer;
	return LYC_OK;
}

void log_writer_append(struct log_writer *writer, struct append *append)
{
	append->next = NULL;
	queue_add(&writer->collected, append, append);
	if (++writer->collected_count >= WORTHY_COUNT && atomic_load(&writer->is_idle))
		log_writer_flush(writer);
}

void log_writer_flush(struct log_writer *writer)
{
	if (!writer->collected.first)
		return;
	pthread_mutex_lock(&writer->lock);
	queue_add(&writer->appends, writer->collected.first, writer->collected.last);
	atomic_store(&writer->is_idle, false);
	pthread_mutex_unlock(&writer->lock);
	/* Behind it: who wakes up needs the lock at once. */
	pthread_cond_signal(&writer->due);
	writer->collected = (struct append_queue){0};
	writer->collected_count = 0;
}

void log_writer_stop(struct log_writer *writer)
{
	log_writer_flush(writer);
	pthread_mutex_lock(&writer->lock);
	writer->is_stopping = true;
	pthread_cond_signal(&writer->due);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
}

void log_writer_free(struct log_writer *writer)
{
	if (!writer)
		return;
	pthread_mutex_destroy(&writer->lock);
	pthread_cond_destroy(&writer->due);
	free(writer);
}
