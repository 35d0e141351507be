/*
 * One segment file: a header and records one after the other, each with its length and CRC-32C.
 * Here is the format, reading with checks, and the reference count by which readers keep a file
 * that a rewrite has replaced. docs/decisions/0001-segment-files.md is the format's page.
 */
#ifndef LYC_STORE_SEGMENT_H
#define LYC_STORE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"
#include "store/segment_folder.h"

#define SEGMENT_HEADER_LEN 64
#define SEGMENT_RECORD_HEADER_LEN 24
#define SEGMENT_MARK_DISTANCE 65536
#define SEGMENT_MAX_SUBJECT_LEN 1024
#define SEGMENT_MAX_RECORD_LEN (16u << 20)

/* A lost entry stands for records that were found damaged; its record says what is known of them.
 */
enum segment_kind { SEGMENT_RECORD = 1, SEGMENT_HOLE = 2, SEGMENT_LOST = 3 };

#define SEGMENT_FORMAT 2u

/* Records that a lost entry stands for. */
struct segment_lost {
	uint64_t first_seq;
	uint64_t last_seq;
	char *subject;      /* of a single one, where that is known; else NULL */
	struct buf details; /* a serialised lyceum.v1.Record with nothing but `lost` */
};

/* Where a record starts: one in 64 KiB is remembered. */
struct segment_mark {
	uint32_t seq; /* from the segment's first */
	uint32_t offset;
};

struct segment {
	/* Fixed when the file gets its name. */
	int fd;
	char name[32];
	uint64_t first_seq;
	uint64_t epoch;
	uint64_t salt;       /* starts every CRC of the file */
	uint64_t synced_len; /* of the file when it got its name */
	uint64_t synced_seq; /* its last sequence then */
	uint32_t format;
	uint32_t header_lost_count; /* lost entries, as the header says */
	bool is_header_damaged;     /* what it says was pieced together */
	uint32_t generation;        /* how often it was rewritten */
	const struct segment_folder *folder;

	/* The writer's; changed under the store's lock. */
	uint64_t len;      /* bytes that hold records, all synced */
	uint64_t room_len; /* bytes that the disk has promised to the file */
	/* Zeros were written to the room up to here. A sync behind that has to note the file's new
	 * blocks as well, which costs more than a small batch. 0: nothing is known. */
	uint64_t zeroed_len;
	uint64_t last_seq;
	uint64_t first_kept_seq; /* 0: it holds no record */
	uint64_t record_count;
	struct segment_mark *marks;
	size_t mark_count;
	size_t mark_cap;
	struct segment_lost *lost; /* in order */
	size_t lost_count;
	unsigned ref_count;
};

/* A record as it lies in a cursor's memory. */
struct segment_record {
	enum segment_kind kind;
	uint64_t seq;
	uint64_t last_seq; /* of a hole or a lost entry; else seq */
	uint64_t batch_seq;
	struct span subject;
	struct span record;
	uint64_t offset;
	uint64_t len; /* with its header */
};

/* Reads a segment from an offset on, checking every record. */
struct segment_cursor {
	const struct segment *segment;
	uint64_t offset; /* of the next record */
	uint64_t end;
	struct buf window; /* the bytes from window_offset on */
	uint64_t window_offset;
	size_t chunk_len;
};

void segment_name(uint64_t first_seq, const char *suffix, char ret_name[32]);

/* Make `name` with a header and room for room_len bytes, synced, but under NAME.new. */
LYC_MUST_USE enum lyc_status segment_create(const struct segment_folder *folder, uint64_t first_seq,
					    uint64_t room_len, struct segment **ret_segment,
					    struct lyc_error *error);
/* Open and check the header; len and the fields after it are for recovery to fill. A damaged header
 * is told by is_header_damaged: a salt that fits a record is found by segment_try_salt. */
LYC_MUST_USE enum lyc_status segment_open(const struct segment_folder *folder, uint64_t first_seq,
					  struct segment **ret_segment, struct lyc_error *error);
/* Is the header on the disk still the one that was written? */
LYC_MUST_USE enum lyc_status segment_check_header(const struct segment *segment,
						  struct lyc_error *error);
LYC_MUST_USE enum lyc_status segment_write_header(struct segment *segment, struct lyc_error *error);
/* Of a whole header; 0 when it is damaged or not there. */
uint64_t segment_read_epoch(const struct segment_folder *folder, uint64_t first_seq);
/* Closes the file at the last one. Accepts NULL. Under the store's lock, as is ref. */
void segment_unref(struct segment *segment);

/* Append one record to `to` as it will lie in this segment. */
void segment_encode(const struct segment *segment, struct buf *to, uint64_t seq, uint64_t batch_seq,
		    struct span subject, struct span record);
void segment_encode_hole(const struct segment *segment, struct buf *to, uint64_t first_seq,
			 uint64_t last_seq);
/* Of a format 2 file, the salt that `first` is a valid record with, tried among the halves of what
 * the header has. */
bool segment_try_salt(struct segment *segment, uint64_t salt, struct span bytes);
/* Append a lost entry. */
void segment_encode_lost(const struct segment *segment, struct buf *to, uint64_t first_seq,
			 uint64_t last_seq, struct span subject, struct span details);
/* Remember one; false when there is no memory. Behind the others. Under the store's lock. */
bool segment_add_lost(struct segment *segment, uint64_t first_seq, uint64_t last_seq,
		      struct span subject, struct span details);
/* What the head at the start of `bytes` says, though its CRC does not fit: false when it cannot be
 * true. The subject is what lies where it should. */
bool segment_peek(struct span bytes, struct segment_record *ret_record);
/* Is there a whole valid record at the start of `bytes`? */
bool segment_decode(const struct segment *segment, struct span bytes,
		    struct segment_record *ret_record);

/* Room for `count` more marks; false when there is no memory. */
bool segment_reserve_marks(struct segment *segment, size_t count);
/* Note that a record lies at `offset`, behind all others. Needs room for a mark. */
void segment_note(struct segment *segment, enum segment_kind kind, uint64_t seq, uint64_t last_seq,
		  uint64_t offset, uint64_t len);
/* An offset at or before the record of this sequence, 64 KiB before at most. */
uint64_t segment_find(const struct segment *segment, uint64_t seq);

void segment_cursor_init(struct segment_cursor *cursor, const struct segment *segment,
			 uint64_t offset, uint64_t end, size_t chunk_len);
void segment_cursor_fini(struct segment_cursor *cursor);
/* The next record, valid until the next call; OUT_OF_RANGE at the end; DATA_LOSS with file and
 * offset when what lies there is no valid record. */
LYC_MUST_USE enum lyc_status segment_cursor_next(struct segment_cursor *cursor,
						 struct segment_record *ret_record,
						 struct lyc_error *error);

#endif
