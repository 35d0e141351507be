/*
 * The folder of one log: its lock, its state file (format, epoch, first sequence, what was synced
 * when it was last closed), the reserve, and the few ways in which a file gets or loses its name so
 * that this survives a power cut. What is in the segments is not known here.
 */
#ifndef LYC_STORE_SEGMENT_FOLDER_H
#define LYC_STORE_SEGMENT_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"

/* The state file, `log`. */
struct folder_state {
	uint64_t epoch;
	uint64_t first_seq;  /* segments that end before it have been removed */
	uint64_t synced_seq; /* everything up to here had been synced */
};

struct segment_folder {
	char *path;
	int fd;
	int meta_fd;
	int lock_fd;
	bool without_sync;
	bool has_reserve;
	bool is_state_damaged; /* the state file; recovery pieces it together */
	bool is_state_new;     /* there was none: of a log that has segments it is missing */
	uint64_t segment_len;
	struct folder_state state;
};

/* Make the folder when absent, lock it, read or make its state. FAILED_PRECONDITION when it is held
 * or of a newer format; */
LYC_MUST_USE enum lyc_status segment_folder_open(struct segment_folder *folder, const char *path,
						 struct lyc_error *error);
/* Accepts a zeroed one. */
void segment_folder_fini(struct segment_folder *folder);

/* Append the state file's text. */
void segment_folder_write_state(const struct folder_state *state, struct buf *to);
/* Replace the state file, synced. */
LYC_MUST_USE enum lyc_status segment_folder_put_state(struct segment_folder *folder,
						      const struct folder_state *state,
						      struct lyc_error *error);
/* Replace a file of the folder `dir_fd` as a whole: write `name~`, sync, rename, sync the names. */
LYC_MUST_USE enum lyc_status segment_folder_replace(const struct segment_folder *folder, int dir_fd,
						    const char *name, struct span content,
						    struct lyc_error *error);
/* The whole of a file, appended. NOT_FOUND when there is none. */
LYC_MUST_USE enum lyc_status segment_folder_load(const struct segment_folder *folder, int dir_fd,
						 const char *name, struct buf *ret_content,
						 struct lyc_error *error);
/* Give the synced file `from` its name, synced. */
LYC_MUST_USE enum lyc_status segment_folder_rename(const struct segment_folder *folder,
						   const char *from, const char *to,
						   struct lyc_error *error);
LYC_MUST_USE enum lyc_status segment_folder_sync_file(const struct segment_folder *folder, int fd,
						      const char *name, struct lyc_error *error);
LYC_MUST_USE enum lyc_status segment_folder_sync_names(const struct segment_folder *folder,
						       struct lyc_error *error);
/* All bytes at `offset`. */
LYC_MUST_USE enum lyc_status segment_folder_write(const struct segment_folder *folder, int fd,
						  const char *name, const void *bytes, size_t len,
						  uint64_t offset, struct lyc_error *error);
/* Take room for the first `len` bytes of the file; where the file system cannot, nothing is done.
 */
LYC_MUST_USE enum lyc_status segment_folder_take_room(const struct segment_folder *folder, int fd,
						      const char *name, uint64_t len,
						      struct lyc_error *error);

/* Keep one segment's room in a file of its own; RESOURCE_EXHAUSTED when the disk has none. */
LYC_MUST_USE enum lyc_status segment_folder_keep_reserve(struct segment_folder *folder,
							 struct lyc_error *error);
/* Let a rewrite have that room. */
void segment_folder_use_reserve(struct segment_folder *folder);

/* The status and sentence for errno after `verb` ("write") failed on a file of the folder. */
enum lyc_status segment_folder_failed(const struct segment_folder *folder, struct lyc_error *error,
				      const char *verb, const char *name);

#endif
