/*
 * Backups of the log: a folder with a consistent copy of it, taken while it goes on, and the way
 * back. A restored log begins a new epoch, so that nobody takes what it appends from now on for
 * what was lost.
 *
 *     backup             text: what the backup holds, each file with its length, a CRC-32C
 *     log/               the log's folder: state, sealed segments, the active one as far as it was
 *                        synced, meta/
 *     config.yaml, keys  what the caller added
 */
#ifndef LYC_STORE_BACKUP_H
#define LYC_STORE_BACKUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

struct store;

/* Sequences of a new epoch begin behind the next multiple: those that the lost end of the log had
 * given are not given again. */
#define BACKUP_EPOCH_STEP 10000000000u

/* The value beside the log that lists its former epochs: a run of fields 1, each with the epoch (1)
 * and its last sequence (2). */
#define BACKUP_EPOCHS_KEY "epochs"

struct backup_summary {
	char daemon[64];
	uint64_t epoch;
	uint64_t last_seq;
	uint64_t record_count;
	uint64_t bytes;
	uint64_t linked_bytes; /* of them shared with the log, or with an earlier backup */
	uint64_t time_ms;      /* 0: a copied data folder, which does not say */
	bool has_keys;
};

/* A file that is no part of the log. */
struct backup_extra {
	const char *path;
	const char *name; /* in the backup */
	bool is_key;
};

struct backup_options {
	const char *folder;  /* absolute; new or empty */
	const char *earlier; /* a backup whose segments are linked where they are the same; NULL */
	const char *daemon;
	uint64_t time_ms;
	const struct backup_extra *extras;
	size_t extra_count;
	const atomic_bool *is_stopping; /* looked at between files; NULL */
};

struct restore_options {
	const char *folder; /* of the backup */
	const char *to;     /* the log's folder */
	const char *daemon; /* whose log it has to be */
	uint64_t now_ms;
	bool waits_for_hub; /* so it is noted beside the log */
};

/* Values beside a restored log: what was restored (when, fields 1; the backup's time 2, last
 * sequence 3, records 4), and that the hub has not given back yet what it has of the lost end. */
#define BACKUP_RESTORED_KEY "restored"
#define BACKUP_WAITS_KEY "waits"

/* Any thread, while others append, read and rewrite. The folder is complete or not there:
 * it is made as FOLDER.part. ALREADY_EXISTS when there is something in it. */
LYC_MUST_USE enum lyc_status backup_make(struct store *store, const struct backup_options *options,
					 struct backup_summary *ret_summary,
					 struct lyc_error *error);
/* Read all of it and check every checksum. DATA_LOSS names the file, and the offset where there is
 * one. Changes nothing. */
LYC_MUST_USE enum lyc_status backup_check(const char *folder, struct backup_summary *ret_summary,
					  struct lyc_error *error);
/* Make the log folder from a backup, or from the copy of a data folder whose daemon had stopped, in
 * a new epoch. FAILED_PRECONDITION when there is a log already, when it is another daemon's, or
 * when the clock is behind the copy's epoch. */
LYC_MUST_USE enum lyc_status backup_restore(const struct restore_options *options,
					    struct backup_summary *ret_summary,
					    struct lyc_error *error);

#endif
