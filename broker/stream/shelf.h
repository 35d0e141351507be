/*
 * What is known of the records of a stream that has a rule: how many and how large they are, and
 * where the first lies. Retention counts them in and out, and looks here whether a pass is due.
 */
#ifndef LYC_STREAM_SHELF_H
#define LYC_STREAM_SHELF_H

#include "stream/retention_rule.h"

struct shelf {
	uint64_t bytes;
	uint64_t count;
	uint64_t kept_bytes; /* that the last compacting left */
	uint64_t compacted_ms;
	/* No record of it lies before; and when that one was committed, 0: not known. */
	uint64_t first_seq;
	uint64_t first_ms;
	uint64_t removed_count;
	uint64_t look_ms;
};

/* A record, behind the others. is_kept: the next compacting would leave it. */
void shelf_add(struct shelf *shelf, uint64_t seq, uint64_t time_ms, size_t len, bool is_kept);
void shelf_remove(struct shelf *shelf, size_t len);
/* Does it have more than its rule allows, by so much that a pass is worth it? */
bool shelf_is_beyond(const struct shelf *shelf, const struct retention_rule *rule,
		     uint64_t wall_ms);
/* May there be records that have a later one of their subject, enough for a pass? */
bool shelf_has_stale(const struct shelf *shelf, const struct retention_rule *rule, uint64_t now_ms);

/* All of them, for a summary of the log; and back again. False when that was written under other
 * rules. */
void shelves_write(const struct shelf *shelves, const struct retention_rules *rules,
		   struct buf *to);
LYC_MUST_USE bool shelves_read(struct shelf *shelves, const struct retention_rules *rules,
			       struct span bytes);

#endif
