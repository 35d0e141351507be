/* A table by key that remembers the order in which keys came. */
#include "world/saved_values.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/mem.h"
#include "world/due.h"

#define RETRY_MS 1000

struct saved_value {
	char *key;
	struct buf value; /* empty: what was saved is to be removed */
	UT_hash_handle by_key;
};

static void value_free(struct saved_value *value)
{
	buf_fini(&value->value);
	free(value->key);
	free(value);
}

void saved_values_add(struct saved_values *values, const char *key, struct span value)
{
	struct saved_value *saved;
	size_t len = strlen(key);
	HASH_FIND(by_key, values->waiting, key, len, saved);
	if (!saved) {
		saved = mem_new(struct saved_value);
		saved->key = mem_dup(key);
		HASH_ADD_KEYPTR(by_key, values->waiting, saved->key, len, saved);
	}
	buf_clear(&saved->value);
	buf_add(&saved->value, value.data, value.len);
}

bool saved_values_find(const struct saved_values *values, const char *key, struct buf *ret_value)
{
	struct saved_value *saved;
	HASH_FIND(by_key, values->waiting, key, strlen(key), saved);
	if (!saved && values->writing && strcmp(values->writing->key, key) == 0)
		saved = values->writing;
	if (saved)
		buf_add(ret_value, saved->value.data, saved->value.len);
	return saved != NULL;
}

bool saved_values_are_due(const struct saved_values *values, bool is_ending)
{
	return values->waiting && (is_ending || due_has_come(&values->due));
}

const struct saved_value *saved_values_begin(struct saved_values *values)
{
	struct saved_value *value = values->waiting;
	HASH_DELETE(by_key, values->waiting, value);
	values->writing = value;
	return value;
}

bool saved_value_write(const struct saved_value *value, struct store *store)
{
	struct lyc_error error;
	struct span bytes = span_of(value->value.data, value->value.len);
	enum lyc_status status = bytes.len == 0 ? store_remove_meta(store, value->key, &error)
						: store_put_meta(store, value->key, bytes, &error);
	return status == LYC_OK;
}

/* A value that the disk does not take waits, unless a newer one is there, and all others with it.
 * What is not written by the end is handed out again after the restart: late, never lost. */
static void keep_for_later(struct saved_values *values, struct saved_value *value)
{
	struct saved_value *newer;
	size_t len = strlen(value->key);
	HASH_FIND(by_key, values->waiting, value->key, len, newer);
	if (newer)
		value_free(value);
	else
		HASH_ADD_KEYPTR(by_key, values->waiting, value->key, len, value);
	values->due = due_in(RETRY_MS);
}

void saved_values_end(struct saved_values *values, bool is_written, bool is_ending)
{
	struct saved_value *value = values->writing;
	values->writing = NULL;
	if (is_written || is_ending)
		value_free(value);
	else
		keep_for_later(values, value);
}
