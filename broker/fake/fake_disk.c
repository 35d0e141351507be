/* A log in memory: appends are judged and kept, reads are served, when the test says so. */
#include "fake/fake_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "route/log_read.h"
#include "wire/subject.h"

static void env_append(void *arg, struct append *append)
{
	struct fake_node *node = arg;
	struct append **end = &node->appends;
	while (*end)
		end = &(*end)->next;
	append->next = NULL;
	*end = append;
}

static void env_read(void *arg, struct log_read *read)
{
	struct fake_node *node = arg;
	struct log_read **end = &node->reads;
	while (*end)
		end = &(*end)->next;
	read->next = NULL;
	*end = read;
}

static void env_remove(void *arg, struct log_removal *removal)
{
	struct fake_node *node = arg;
	ensure(!node->removal);
	node->removal = removal;
}

static uint64_t env_last_of(void *arg, struct span subject)
{
	const struct fake_node *node = arg;
	for (size_t i = node->record_count; i > 0; i--) {
		const struct buf *other = &node->records[i - 1].subject;
		if (span_equal(subject, span_of(other->data, other->len)))
			return i;
	}
	return 0;
}

static struct fake_value *find_value(struct fake_node *node, const char *key)
{
	struct fake_value *value = node->values;
	while (value && strcmp(value->key, key) != 0)
		value = value->next;
	return value;
}

static void env_save(void *arg, const char *key, struct span bytes)
{
	struct fake_node *node = arg;
	struct fake_value *value = find_value(node, key);
	if (!value) {
		value = mem_new(struct fake_value);
		value->key = mem_dup(key);
		value->next = node->values;
		node->values = value;
	}
	buf_clear(&value->value);
	buf_add(&value->value, bytes.data, bytes.len);
}

static void env_load(void *arg, const char *key, struct buf *ret_value)
{
	const struct fake_value *value = find_value(arg, key);
	if (value)
		buf_add(ret_value, value->value.data, value->value.len);
}

static size_t env_saved_count(void *arg, const char *prefix)
{
	size_t count = 0;
	for (const struct fake_value *value = ((struct fake_node *)arg)->values; value;
	     value = value->next)
		count += value->value.len > 0 && strncmp(value->key, prefix, strlen(prefix)) == 0;
	return count;
}

static bool env_is_saved(void *arg, const char *key)
{
	const struct fake_value *value = find_value(arg, key);
	return value && value->value.len > 0;
}

void fake_disk_env(struct env *env)
{
	env->append = env_append;
	env->read = env_read;
	env->remove = env_remove;
	env->last_of = env_last_of;
	env->save = env_save;
	env->load = env_load;
	env->saved_count = env_saved_count;
	env->is_saved = env_is_saved;
}

static void judge(struct fake_node *node, struct append *append)
{
	struct span subject = span_of(append->subject.data, append->subject.len);
	append->status = node->append_status;
	if (append->status == LYC_OK && append->has_expect &&
	    env_last_of(node, subject) != append->expect_seq)
		append->status = LYC_FAILED_PRECONDITION;
	if (append->status != LYC_OK) {
		snprintf(append->text, sizeof(append->text), "the log does not take it");
		append->seq = env_last_of(node, subject);
		return;
	}
	struct fake_record *records =
		realloc(node->records, (node->record_count + 1) * sizeof(*records));
	ensure(records != NULL);
	node->records = records;
	struct fake_record *record = &records[node->record_count];
	*record = (struct fake_record){0};
	buf_add(&record->subject, append->subject.data, append->subject.len);
	buf_add(&record->record, append->record.data, append->record.len);
	append->seq = ++node->record_count;
}

size_t fake_commit(struct fake_node *node, size_t count)
{
	size_t done = 0;
	for (; done < count && node->appends; done++) {
		struct append *append = node->appends;
		node->appends = append->next;
		judge(node, append);
		append->on_done(append);
	}
	return done;
}

static void serve(struct fake_node *node, struct log_read *read)
{
	uint64_t seq = read->from ? read->from : 1;
	size_t max_len = read->max_bytes;
	if (node->max_read_len > 0 && node->max_read_len < max_len)
		max_len = node->max_read_len;
	for (; seq <= node->record_count && read->records.len < max_len; seq++) {
		const struct fake_record *record = &node->records[seq - 1];
		struct span subject = span_of(record->subject.data, record->subject.len);
		bool is_also = read->also && span_is(subject, read->also);
		if (subject.len == 0 ||
		    (read->pattern && !is_also &&
		     !subject_matches(fake_text(read->pattern), subject)) ||
		    (seq <= read->only_last_to && env_last_of(node, subject) != seq))
			continue;
		log_read_add(&read->records, seq, span_of(record->record.data, record->record.len));
	}
	read->next_seq = seq;
	read->on_done(read);
}

static void serve_removal(struct fake_node *node)
{
	struct log_removal *removal = node->removal;
	node->removal = NULL;
	if (removal->key)
		env_save(node, removal->key, removal->value);
	for (size_t i = 0; i < removal->seq_count; i++) {
		struct fake_record *record = &node->records[removal->seqs[i] - 1];
		buf_fini(&record->subject);
		buf_fini(&record->record);
	}
	removal->status =
		removal->forgets_damaged && node->keeps_damaged ? LYC_UNAVAILABLE : LYC_OK;
	node->forgot_damaged += removal->forgets_damaged && removal->status == LYC_OK;
	removal->on_done(removal);
}

size_t fake_serve(struct fake_node *node, size_t count)
{
	size_t done = 0;
	if (count > 0 && node->removal) {
		serve_removal(node);
		done++;
	}
	for (; done < count && node->reads; done++) {
		struct log_read *read = node->reads;
		node->reads = read->next;
		serve(node, read);
	}
	return done;
}
