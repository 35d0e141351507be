/*
 * What is known of records that are lost: how a lost entry says it (lyceum.v1.Lost, in a Record
 * that has nothing else), and which record fits into the place of one.
 */
#ifndef LYC_STORE_LOST_H
#define LYC_STORE_LOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct lost {
	uint64_t first_seq;
	uint64_t last_seq;
	struct span subject; /* of a single one, where that is known */
	struct span file;    /* that has the damaged bytes, where they lie in it */
	uint64_t offset;
	uint64_t len;
	uint64_t found_ms;

	/* Of a single one: the checksum as it stood there, and what the rest of the head says where
	 * it can be true. */
	uint32_t crc;
	bool has_head;
	uint32_t back; /* to the first sequence of its batch */
	/* The record's identity, as far as it can be read; nothing proves it. */
	struct span origin;
	uint64_t epoch;
	uint64_t origin_seq;
};

void lost_write(struct buf *to, const struct lost *lost);
/* Of an entry, borrowing its bytes. */
void lost_read(uint64_t first_seq, uint64_t last_seq, struct span subject, struct span details,
	       struct lost *ret_lost);
/* The subject that a serialised lyceum.v1.Record says; empty when none can be read. */
struct span lost_subject_of(struct span record);

#endif
