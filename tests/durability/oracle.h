/*
 * Knows what a log has to hold. The load says what it is about to do and what was answered, one
 * line each; the oracle then compares an opened log with it. A record's subject and bytes follow
 * from its sequence, so that anything torn or invented is seen.
 *
 *   issue N      records up to sequence N are being appended
 *   ack N        they were answered with OK
 *   removing N   a record that is being removed, or may be
 *   removed N    its removal was answered with OK
 *   meta N       the value N is being put; meta-ack N: that was answered with OK
 */
#ifndef LYC_TEST_ORACLE_H
#define LYC_TEST_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/store.h"

struct oracle {
	uint64_t issued_seq;
	uint64_t acked_seq;
	uint8_t *fates; /* by sequence */
	size_t fate_cap;
	uint64_t meta;
	uint64_t meta_acked;
};

/* Figures of one or more comparisons. */
struct verdict {
	uint64_t runs;
	uint64_t acknowledged; /* records that must be there */
	uint64_t recovered;
	uint64_t lost;     /* acknowledged, but missing or not equal */
	uint64_t wrong;    /* torn, invented, or removed and there again */
	uint64_t unopened; /* the log could not be opened or read */
	char text[300];    /* the first thing that was wrong */
};

void oracle_fini(struct oracle *oracle);
void oracle_note(struct oracle *oracle, const char *line);
/* Subject and bytes of the record with this sequence, appended. */
void oracle_record(uint64_t seq, struct buf *ret_subject, struct buf *ret_record);
/* Open the log of the folder, compare, close, and add to the verdict. With learn, what was found
 * is from then on what has to be there. */
void oracle_compare(struct oracle *oracle, const char *folder, uint64_t segment_len, bool learn,
		    struct verdict *verdict);

#endif
