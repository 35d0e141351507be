/*
 * How far this daemon has come with each origin, when that was last confirmed, and where an
 * origin's records lie in its own log.
 */
#ifndef LYC_STREAM_ORIGINS_H
#define LYC_STREAM_ORIGINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "stream/seq_set.h"

#define ORIGINS_MAX 1024

/* Restores of one origin that are remembered. */
#define ORIGIN_MAX_FORMER 32

/* Every MARK_STEP-th record of an origin is marked. */
struct origin_mark {
	uint64_t epoch;
	uint64_t origin_seq;
	uint64_t seq;
};

/* An epoch that a restore has ended, and the highest position of it that was here. */
struct origin_former {
	uint64_t epoch;
	uint64_t seq;
};

struct origin {
	char name[64];
	uint64_t epoch;
	/* The highest position that has been committed here, gaps included. */
	uint64_t seq;
	/* Copies up to here are on their way to the log. */
	uint64_t queued_epoch;
	uint64_t queued_seq;
	/* Loop time at which the origin is known to have had nothing newer; before the start of the
	 * loop's clock when that was in an earlier life of this daemon. Only once the origin was
	 * heard of. */
	bool is_heard_of;
	int64_t confirmed_ms;
	/* When the origin committed the last of its records that are here. */
	uint64_t last_time_ms;
	uint64_t record_count;
	struct origin_mark *marks;
	size_t mark_count;

	/* Earlier epochs, in order. */
	struct origin_former formers[ORIGIN_MAX_FORMER];
	size_t former_count;
	/* Records of earlier epochs that came under a new identity: they had been lost at their
	 * home, which got them back. */
	struct seq_set returned;
	/* Of those of this daemon's own, by enum record_form - 1: which came cut, as a withdrawal,
	 * and whole after that. */
	struct seq_set forms[3];
};

struct origins {
	struct origin *items;
	size_t count;
};

void origins_fini(struct origins *origins);
struct origin *origins_find(const struct origins *origins, struct span name);
/* Find or add; NULL beyond ORIGINS_MAX. Pointers are valid until the next add. */
struct origin *origins_get(struct origins *origins, struct span name);
/* From where the records of a subject come, or those that are on their way to the log; NULL: from
 * here, or there are none. note may be NULL. */
struct subject_note;
const char *origins_home(const struct origins *origins, const struct subject_note *note);
/* A record of the origin has been committed under `seq` of this log. */
void origin_committed(struct origin *origin, uint64_t epoch, uint64_t origin_seq, uint64_t seq);
/* It had come so far, though the records that said so may have been removed. */
void origin_restore(struct origin *origin, uint64_t epoch, uint64_t origin_seq);
/* Note where one of its records lies, behind all that were noted. */
void origin_add_mark(struct origin *origin, uint64_t epoch, uint64_t origin_seq, uint64_t seq);
/* The origin's records are of a later epoch from now on. */
void origin_begin_epoch(struct origin *origin, uint64_t epoch);
/* Is the record of this identity here, under it or under a later one; or on its way to the log? */
bool origin_has(const struct origin *origin, uint64_t epoch, uint64_t origin_seq);
/* The last sequence of the epoch here, and where it is not known that of the one before it. */
uint64_t origin_epoch_end(const struct origin *origin, uint64_t epoch);
/* How many of its records come after the position: so many, or up to 255 more. */
uint64_t origin_count_after(const struct origin *origin, uint64_t epoch, uint64_t after_seq);
/* How old what is here of the origin is: since it was last heard of, else since its last record. */
uint64_t origin_age_ms(const struct origin *origin, uint64_t now_ms, uint64_t wall_ms);
/* It had nothing newer `age_ms` ago. */
void origin_heard_of(struct origin *origin, uint64_t now_ms, uint64_t age_ms);
/* A copy goes to the log; or one was not taken, and all after it will come again. */
void origin_queued(struct origin *origin, uint64_t epoch, uint64_t origin_seq);
void origin_unqueue(struct origin *origin);
/* Is it neither here nor on its way? */
bool origin_is_wanted(const struct origin *origin, uint64_t epoch, uint64_t origin_seq);
/* Is a record of this position new? */
bool origin_is_new(const struct origin *origin, uint64_t epoch, uint64_t origin_seq);
/* A sequence of this log at or before the origin's first record after the position; UINT64_MAX when
 * there is none. */
uint64_t origin_start(const struct origin *origin, uint64_t epoch, uint64_t after_seq);

#endif
