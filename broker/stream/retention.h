/*
 * Retention: looks now and then for records that the rule of their stream lets go, tells the
 * followers of those that nothing replaces, by a record of its own (trimmed.h), and has them taken
 * out of the files. The log is read in stretches, between other work.
 */
#ifndef LYC_STREAM_RETENTION_H
#define LYC_STREAM_RETENTION_H

#include "stream/retention_rule.h"
#include "stream/stream.h"

struct retention;

/* Have all whom the rule's until_acknowledged names got this record? Known to whoever knows links.
 */
typedef bool (*retention_passed_fn)(const struct retention_rule *rule, uint64_t seq,
				    const struct record *record, void *arg);

/* Takes the rules. */
struct retention *retention_new(struct stream *stream, struct retention_rules *rules,
				retention_passed_fn has_passed, void *arg);
/* Accepts NULL. */
void retention_free(struct retention *retention);
const struct retention_rules *retention_rules_of(const struct retention *retention);
/* A record of `len` bytes is in the log, new or replayed. */
void retention_added(struct retention *retention, uint64_t seq, const struct record *record,
		     size_t len);
/* One has been removed by somebody else. */
void retention_removed(struct retention *retention, struct span subject, size_t len);
void retention_tick(struct retention *retention);
/* What is known of the streams, for a summary of the log; and back again. False when that was
 * written under other rules: the log has to be replayed then. */
void retention_write(const struct retention *retention, struct buf *to);
LYC_MUST_USE bool retention_restore(struct retention *retention, struct span bytes);

/* What a stream has, for the operator. */
struct retention_state {
	const char *name;
	uint64_t bytes;
	uint64_t record_count;
	uint64_t removed_count; /* since the start */
	bool is_own;
};
size_t retention_count(const struct retention *retention);
struct retention_state retention_state(const struct retention *retention, size_t index);

#endif
