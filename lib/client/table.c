/* A view that needs no code: the last record of each subject of one type, unpacked. */
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) (void)(element)
#include <uthash.h>

#include "base/error.h"
#include "base/mem.h"
#include "client/context.h"

struct row {
	ProtobufCMessage *message;
	uint64_t seq;
	size_t at;
	UT_hash_handle hh;
	char subject[];
};

struct lyc_table {
	struct lyc_plugin_context *context;
	const ProtobufCMessageDescriptor *type;
	struct row *by_subject;
	/* The same without gaps; in the order of their records where is_sorted. */
	struct row **rows;
	size_t count;
	size_t cap;
	bool is_sorted;
};

static struct row *find(const struct lyc_table *table, const void *subject, size_t len)
{
	struct row *row;
	HASH_FIND(hh, table->by_subject, subject, len, row);
	return row;
}

static void drop(struct lyc_table *table, struct row *row)
{
	struct row *last = table->rows[--table->count];
	table->rows[row->at] = last;
	last->at = row->at;
	table->is_sorted = table->is_sorted && last == row;
	HASH_DEL(table->by_subject, row);
	protobuf_c_message_free_unpacked(row->message, NULL);
	free(row);
}

static struct row *add(struct lyc_table *table, const char *subject)
{
	size_t len = strlen(subject);
	if (table->count == table->cap) {
		size_t cap = table->cap ? table->cap * 2 : 64;
		struct row **rows = realloc(table->rows, cap * sizeof(struct row *));
		if (!rows)
			return NULL;
		table->rows = rows;
		table->cap = cap;
	}
	struct row *row = mem_try(sizeof(*row) + len + 1);
	if (!row)
		return NULL;
	memcpy(row->subject, subject, len + 1);
	unsigned count = HASH_COUNT(table->by_subject);
	HASH_ADD(hh, table->by_subject, subject[0], len, row);
	if (HASH_COUNT(table->by_subject) == count) {
		free(row);
		return NULL;
	}
	row->at = table->count;
	table->rows[table->count++] = row;
	return row;
}

void table_take(struct lyc_table *table, const struct lyc_delivery *record)
{
	struct row *row = find(table, record->subject, strlen(record->subject));
	if (record->removed) {
		if (row)
			drop(table, row);
		return;
	}
	ProtobufCMessage *message =
		protobuf_c_message_unpack(table->type, NULL, record->body_len,
					  record->body ? record->body : (const uint8_t *)"");
	if (!message) {
		lyc_log(table->context, 2, "record %llu is no %s and is left out",
			(unsigned long long)record->seq, table->type->name);
		return;
	}
	if (!row)
		row = add(table, record->subject);
	if (!row) {
		protobuf_c_message_free_unpacked(message, NULL);
		lyc_log(table->context, 1, "no memory for record %llu: the view is incomplete",
			(unsigned long long)record->seq);
		return;
	}
	if (row->message)
		protobuf_c_message_free_unpacked(row->message, NULL);
	row->message = message;
	row->seq = record->seq;
	table->is_sorted = table->is_sorted && row->at + 1 == table->count;
}

static int by_seq(const void *a, const void *b)
{
	const struct row *const *left = a;
	const struct row *const *right = b;
	return (*left)->seq < (*right)->seq ? -1 : (*left)->seq > (*right)->seq;
}

static void sort(struct lyc_table *table)
{
	qsort(table->rows, table->count, sizeof(struct row *), by_seq);
	for (size_t i = 0; i < table->count; i++)
		table->rows[i]->at = i;
	table->is_sorted = true;
}

void table_free(struct lyc_table *table)
{
	if (!table)
		return;
	while (table->count > 0)
		drop(table, table->rows[table->count - 1]);
	free(table->rows);
	free(table);
}

static void no_code(void *state, const struct lyc_delivery *record)
{
	(void)state;
	(void)record;
}

enum lyc_status lyc_follow_into(struct lyc_plugin_context *context,
				const ProtobufCMessageDescriptor *type,
				struct lyc_table **ret_table, struct lyc_error *error)
{
	struct buf pattern = {0};
	struct lyc_table *table = mem_try(sizeof(*table));
	buf_add_format(&pattern, "%s.>", type->name);
	const char *text = buf_text(&pattern);
	enum lyc_status status =
		table && text ? lyc_follow(context, text, 1, no_code, error)
			      : error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for a view.");
	buf_fini(&pattern);
	if (status != LYC_OK) {
		free(table);
		return status;
	}
	table->context = context;
	table->type = type;
	context->view.table = table;
	*ret_table = table;
	return LYC_OK;
}

const void *lyc_table_find(const struct lyc_table *table, const ProtobufCMessage *with_keys,
			   uint64_t *ret_seq)
{
	struct buf subject = {0};
	const struct row *row = NULL;
	if (context_subject(table->context, with_keys, &subject, NULL) == LYC_OK)
		row = find(table, subject.data, subject.len);
	buf_fini(&subject);
	if (ret_seq)
		*ret_seq = row ? row->seq : 0;
	return row ? row->message : NULL;
}

size_t lyc_table_count(const struct lyc_table *table)
{
	return table->count;
}

const void *lyc_table_at(const struct lyc_table *table, size_t index)
{
	if (index >= table->count)
		return NULL;
	/* What the log retains says only this order: a table built anew has it, too. */
	if (!table->is_sorted)
		sort((struct lyc_table *)(uintptr_t)table);
	return table->rows[index]->message;
}
