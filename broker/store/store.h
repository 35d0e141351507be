/*
 * An engine keeps the log: it assigns sequences (from 1, without gaps), judges expectations, and
 * answers after the sync. Plain blocking code: one thread calls store_append; one, the same or
 * another, store_remove, which keeps an append waiting for moments only; reads may run on any
 * thread at the same time. The embedded engine is a folder of segment files; docs/decisions/ has
 * its format.
 */
#ifndef LYC_STORE_STORE_H
#define LYC_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"

struct store;

struct store_options {
	const char *folder;   /* made when absent, mode 0700 */
	uint64_t segment_len; /* bytes; 0: 64 MiB. Small in tests. */
	bool without_sync;    /* for the test that has to fail, and nothing else */
};

struct store_item {
	struct span subject;
	struct span record; /* a serialised lyceum.v1.Record; opaque here */
	bool has_expect;
	uint64_t expect_seq; /* the subject's last sequence, 0: none */
	bool is_vital;       /* a withdrawal: a batch of such ones may use up the reserve */

	/* The answer. OK, FAILED_PRECONDITION (ret_seq is then the subject's last sequence),
	 * RESOURCE_EXHAUSTED, UNAVAILABLE. */
	enum lyc_status ret_status;
	uint64_t ret_seq;
};

struct store_stats {
	uint64_t epoch;
	uint64_t first_seq; /* 0 when empty */
	uint64_t last_seq;
	uint64_t subject_count;
	uint64_t bytes;
	uint32_t segment_count;
	uint64_t truncated_bytes; /* of a torn tail, dropped when it was opened */
	uint64_t lost_count;      /* records that were found damaged and have not come back */
	uint64_t damage_count;    /* segments that were found damaged since it was opened */
	uint32_t aside_count;     /* damaged files that are kept aside */
	/* What became of the last batch that was not all withdrawals. */
	enum lyc_status append_status;
};

/* Open or make the log. What had been synced and is damaged is named as lost (store_lost), the file
 * is kept aside, and the rest is served; DATA_LOSS with the file when a whole one is missing;
 * FAILED_PRECONDITION for a newer format or a folder that another process holds (a lock file,
 * flock). A torn tail that was never acknowledged is cut off. A log of an older format is brought
 * to this one. */
LYC_MUST_USE enum lyc_status store_open(const struct store_options *options,
					struct store **ret_store, struct lyc_error *error);
void store_close(struct store *store);

/* Append in order, one sync for all. Each item is answered on its own; the function's result is OK
 * unless the machine failed, and then nothing of the batch counts as appended (after a failed sync
 * the store takes no more appends: UNAVAILABLE until it is opened again). */
LYC_MUST_USE enum lyc_status store_append(struct store *store, struct store_item *items,
					  size_t count, struct lyc_error *error);

/* Called in order of sequence; returns false to stop. Spans are valid until it returns. */
typedef bool (*store_record_fn)(uint64_t seq, struct span subject, struct span record, void *arg);

/* Records from `from` on (or the first that is kept), at most max_count of them and about
 * max_bytes. On DATA_LOSS ret_next is a sequence of the damaged segment. Only what has been synced.
 * ret_next is where to go on; it is last_seq + 1 when everything was read. Any thread, several at
 * once. */
LYC_MUST_USE enum lyc_status store_read(struct store *store, uint64_t from, size_t max_count,
					size_t max_bytes, store_record_fn on_record, void *arg,
					uint64_t *ret_next, struct lyc_error *error);
/* The same, with what is lost among them: on_lost gets the last sequence of each stretch that is,
 * the subject where it is known, and a serialised lyceum.v1.Record with nothing but `lost`. */
LYC_MUST_USE enum lyc_status store_read_all(struct store *store, uint64_t from, size_t max_count,
					    size_t max_bytes, store_record_fn on_record,
					    store_record_fn on_lost, void *arg, uint64_t *ret_next,
					    struct lyc_error *error);
/* The one record of that sequence; NOT_FOUND when it has been removed, DATA_LOSS when it is lost.
 * ret_record is the caller's buffer, appended to. */
LYC_MUST_USE enum lyc_status store_read_one(struct store *store, uint64_t seq,
					    struct buf *ret_record, struct lyc_error *error);
/* The last sequence of a subject, 0: none. Any thread. */
uint64_t store_last_of(struct store *store, struct span subject);

/* Remove records: their bytes are gone from the files when it returns OK (segments are copied
 * without them, synced, renamed into place). */
LYC_MUST_USE enum lyc_status store_remove(struct store *store, const uint64_t *seqs, size_t count,
					  struct lyc_error *error);

/* From now on records are of a new epoch, that of now or the next number; sequences begin behind
 * the next multiple of BACKUP_EPOCH_STEP (store/backup.h). Before the first append. */
LYC_MUST_USE enum lyc_status store_begin_epoch(struct store *store, uint64_t now_ms,
					       struct lyc_error *error);

/* ---- damage ---- */

/* What is lost, in order. Any thread; the callback is called under the store's lock. */
typedef void (*store_lost_fn)(uint64_t first_seq, uint64_t last_seq, struct span details,
			      void *arg);
void store_lost(struct store *store, store_lost_fn on_lost, void *arg);
/* Look through the segments of these sequences; whatever is damaged is kept aside and named as
 * lost. Any thread; appends go on while a damaged segment is copied, and wait for its last moment,
 * or for one of 4 MiB that is still being written. */
LYC_MUST_USE enum lyc_status store_mend(struct store *store, uint64_t from_seq, uint64_t to_seq,
					bool *ret_was_damaged, struct lyc_error *error);
/* Delete the damaged files that are kept aside: which records their bytes were may not be known any
 * more, and something is erased. */
LYC_MUST_USE enum lyc_status store_forget_damaged(struct store *store, struct lyc_error *error);
/* Check the next stretch of about max_bytes from a sequence on; where to go on, 1 at the end.
 * DATA_LOSS when it is damaged: mend it. */
LYC_MUST_USE enum lyc_status store_scrub(struct store *store, uint64_t *seq, size_t max_bytes,
					 struct lyc_error *error);
/* A record that is lost here, whole again. */
struct store_healed {
	uint64_t seq;
	struct span subject;
	struct span record;
	/* Known to be genuine by other means: taken where nothing is left of the checksum. */
	bool is_vouched;
	/* The answer: OK, FAILED_PRECONDITION when it is not the record that was there as far as
	 * that is known, NOT_FOUND when none is lost there. */
	enum lyc_status ret_status;
	/* The store's own. */
	bool was_counted;
	uint32_t back;
};
/* Put them back into their places; in order of sequence. */
LYC_MUST_USE enum lyc_status store_heal(struct store *store, struct store_healed *healed,
					size_t count, struct lyc_error *error);

void store_stats(struct store *store, struct store_stats *ret_stats);
/* The value of this key says what the records were: every removal drops it, because it may name
 * what went. */
#define STORE_SUMMARY_KEY "summary"
/* A small value kept beside the log, replaced as a whole and synced: durable positions. Key is a
 * file name of [a-z0-9._-]. */
LYC_MUST_USE enum lyc_status store_put_meta(struct store *store, const char *key, struct span value,
					    struct lyc_error *error);
/* The same for what has to be kept before records are removed: on a full disk it takes the reserve,
 * too, which the removal gives back. */
LYC_MUST_USE enum lyc_status store_put_vital_meta(struct store *store, const char *key,
						  struct span value, struct lyc_error *error);
/* OK also where there is none. */
LYC_MUST_USE enum lyc_status store_remove_meta(struct store *store, const char *key,
					       struct lyc_error *error);
/* How many keys begin with these characters. */
size_t store_count_meta(struct store *store, const char *prefix);
bool store_has_meta(const struct store *store, const char *key);
/* DATA_LOSS when it is damaged; from then on it is not there, and only a mark says that it was. */
LYC_MUST_USE enum lyc_status store_get_meta(struct store *store, const char *key,
					    struct buf *ret_value);
/* The value was found damaged, and no other has been kept since. */
bool store_meta_was_damaged(struct store *store, const char *key);
/* Which values were, until the mark is deleted or the value removed. Any thread. */
typedef void (*store_key_fn)(const char *key, void *arg);
void store_damaged_meta(struct store *store, store_key_fn on_key, void *arg);
/* Look through all of them. */
void store_check_meta(struct store *store);

#endif
