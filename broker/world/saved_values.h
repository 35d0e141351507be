/*
 * Small values on their way to the disk: of a key only the newest is written, and one that the disk
 * does not take is tried again, the others behind it. Whoever has these gives the lock; the disk is
 * not touched under it.
 */
#ifndef LYC_WORLD_SAVED_VALUES_H
#define LYC_WORLD_SAVED_VALUES_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "store/store.h"

struct saved_value;

struct saved_values {
	struct saved_value *waiting; /* by key, the oldest first */
	struct saved_value *writing; /* on its way to the disk */
	struct timespec due;         /* not before, after a failure */
};

/* Copies the value; an empty one removes what was saved. */
void saved_values_add(struct saved_values *values, const char *key, struct span value);
/* What is on its way under this key; false: nothing. */
bool saved_values_find(const struct saved_values *values, const char *key, struct buf *ret_value);
/* Is there one that may be tried now? At the end each of them may. */
bool saved_values_are_due(const struct saved_values *values, bool is_ending);
/* The oldest, to be written without the lock; then it is said what became of it. At the end one
 * that the disk does not take is given up. */
const struct saved_value *saved_values_begin(struct saved_values *values);
bool saved_value_write(const struct saved_value *value, struct store *store);
void saved_values_end(struct saved_values *values, bool is_written, bool is_ending);

#endif
