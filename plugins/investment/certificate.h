/*
 * What somebody who did not compute a batch needs to check that it is stable: the parties by token,
 * every pair's points, and for each pair that was not matched why it does not block: a rule refused
 * it, or one of the two is full with whom it likes better, shown by the least liked of those. The
 * check reads the certificate alone and shares no code with the matcher. A digest over every field
 * goes into the batch's record and ties each proposal to the certificate.
 */
#ifndef INVESTMENT_CERTIFICATE_H
#define INVESTMENT_CERTIFICATE_H

#include "matching.h"

#define CERTIFICATE_DIGEST_LEN 32
/* The witness of a pair whose full side has no room at all, and of a matched pair. */
#define CERTIFICATE_NO_WITNESS UINT32_MAX

enum certificate_state {
	CERTIFICATE_MATCHED = 1,
	/* The venture is full, and likes each of its investors better than this one. */
	CERTIFICATE_VENTURE_FULL = 2,
	/* The same of the investor; said only where the above does not hold. */
	CERTIFICATE_INVESTOR_FULL = 3,
};

struct certificate_edge {
	uint32_t venture;
	uint32_t investor;
	int64_t venture_points;
	int64_t investor_points;
	/* An enum certificate_state, whatever came over the wire. */
	uint32_t state;
	/* The index of the edge to the least liked partner of the side that is full. */
	uint32_t witness;
};

/* All borrowed but what certificate_make made. */
struct certificate {
	const char *batch;
	int64_t at_ms;

	/* Ascending by token; edges ascending by venture and investor, as in matching.h. */
	const struct matching_party *ventures;
	size_t venture_count;
	const struct matching_party *investors;
	size_t investor_count;
	const struct certificate_edge *edges;
	size_t edge_count;
	/* For every pair, refused[venture * investor_count + investor]: the rules that refused it
	 * (bit 1 << enum rule); 0 exactly where there is an edge. */
	const uint16_t *refused;
	size_t refused_count;

	uint8_t digest[CERTIFICATE_DIGEST_LEN];
};

/* What is wrong with a certificate. */
enum certificate_fault_kind {
	CERTIFICATE_SOUND = 0,
	/* venture or investor: not above the one before it, or its token is empty. */
	CERTIFICATE_BAD_VENTURE = 1,
	CERTIFICATE_BAD_INVESTOR = 2,
	/* edge: out of order, leads nowhere, or an unknown state. */
	CERTIFICATE_BAD_EDGE = 3,
	/* venture, investor: the pair has neither an edge nor a rule against it, or both, or the
	 * table has the wrong size. */
	CERTIFICATE_BAD_REFUSAL = 4,
	/* venture or investor: has more matches than room. */
	CERTIFICATE_OVER_CAPACITY = 5,
	/* edge: both would rather be matched. */
	CERTIFICATE_BLOCKING_PAIR = 6,
	/* edge: does not block, but not for the reason or by the witness that is given. */
	CERTIFICATE_WRONG_REASON = 7,
	/* The digest is not that of the fields. */
	CERTIFICATE_WRONG_DIGEST = 8,
	/* It is in order, but of another batch than the one that was expected. */
	CERTIFICATE_OTHER_BATCH = 9,
};

/* The indexes are CERTIFICATE_NO_WITNESS where they say nothing. */
struct certificate_fault {
	enum certificate_fault_kind kind;
	uint32_t edge;
	uint32_t venture;
	uint32_t investor;
};

/* Make the certificate of a solved batch. Borrows batch, problem's parties and refused until
 * certificate_fini. LYC_FAILED_PRECONDITION when the outcome is not stable: then nothing is made.
 */
LYC_MUST_USE enum lyc_status certificate_make(const char *batch, int64_t at_ms,
					      const struct matching_problem *problem,
					      const bool *is_matched, const uint16_t *refused,
					      struct certificate *ret_certificate);
/* Free what certificate_make made; zeroes it. */
void certificate_fini(struct certificate *certificate);
/* Check everything, with `expected` also that the digest is that one (NULL: any). LYC_OK, or
 * LYC_FAILED_PRECONDITION with the first fault, or LYC_RESOURCE_EXHAUSTED. The certificate may have
 * come from anybody: pointers and counts must be right, nothing else is relied upon. */
LYC_MUST_USE enum lyc_status certificate_check(const struct certificate *certificate,
					       const uint8_t *expected,
					       struct certificate_fault *ret_fault);
/* The digest of all fields but the digest (BLAKE2b-256 of a fixed little-endian writing). */
void certificate_digest(const struct certificate *certificate,
			uint8_t ret_digest[CERTIFICATE_DIGEST_LEN]);
/* The edge of the pair of tokens; NULL where a rule refused it or a token is not in the batch. */
const struct certificate_edge *certificate_find(const struct certificate *certificate,
						const char *venture, const char *investor);
/* The fault's name, "blocking pair"; "unknown" outside the enum. Valid for ever. */
const char *certificate_fault_name(enum certificate_fault_kind kind);

#endif
