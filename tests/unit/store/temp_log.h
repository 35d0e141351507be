/*
 * A log in a folder of its own that the test throws away, with helpers that append and read by
 * text. Everything aborts on failure; what a test is about, it calls itself.
 */
#ifndef LYC_TEST_TEMP_LOG_H
#define LYC_TEST_TEMP_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

struct temp_log {
	char folder[64];
	uint64_t segment_len;
	struct store *store;
};

struct temp_record {
	uint64_t seq;
	char subject[64];
	char record[64];
};

struct temp_records {
	size_t count;
	struct temp_record items[4096];
};

/* In memory where the system has that: most tests are not about the disk. */
struct temp_log *temp_log_new(uint64_t segment_len);
/* In the folder that the test runs in. */
struct temp_log *temp_log_new_on_disk(uint64_t segment_len);
/* Close, delete. */
void temp_log_free(struct temp_log *log);
void temp_log_close(struct temp_log *log);
void temp_log_open(struct temp_log *log);
void temp_log_reopen(struct temp_log *log);
/* Open the log in a child process, do the work, and end without closing, as a crash does. */
void temp_log_in_child(struct temp_log *log, void (*work)(struct temp_log *log));

/* One record; its sequence. */
uint64_t temp_log_append(struct temp_log *log, const char *subject, const char *record);
/* `count` records "r<seq>" to subjects "t.s0" to "t.s<subjects - 1>" in turn, one batch. */
void temp_log_fill(struct temp_log *log, size_t count, size_t subjects);
/* All records, small ones only. The caller frees. */
struct temp_records *temp_log_read(struct temp_log *log, uint64_t from);
bool temp_records_equal(const struct temp_records *a, const struct temp_records *b);
uint64_t temp_log_last_of(struct temp_log *log, const char *subject);

/* Each of these records is read exactly as it was, or named as lost, and nothing else is there or
 * named. How many are named. */
size_t temp_log_check(struct temp_log *log, const struct temp_records *before);
/* Delete the damaged files that were kept aside; how many there were. */
size_t temp_log_clear_aside(const struct temp_log *log);

/* A file of the folder as a whole. */
void temp_log_load(const struct temp_log *log, const char *name, struct buf *ret_content);
void temp_log_save(const struct temp_log *log, const char *name, struct span content);
bool temp_log_has(const struct temp_log *log, const char *name);
/* Do the bytes occur in any file of the folder? */
bool temp_log_contains(const struct temp_log *log, const char *text);

static inline struct span text_span(const char *text)
{
	size_t len = 0;
	while (text[len])
		len++;
	return span_of(text, len);
}

#endif
