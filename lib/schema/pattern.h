/*
 * The patterns of (lyceum.v1.rules): literals, `.`, classes, groups, |, ? * + {m,n}; matched as a
 * whole. A pattern becomes a table-driven automaton over UTF-8 bytes of at most 4,096 states, so a
 * match takes one step a byte and nothing else. Hostile patterns are bounded in time and memory.
 */
#ifndef LYC_SCHEMA_PATTERN_H
#define LYC_SCHEMA_PATTERN_H

#include "schema/arena.h"

#define PATTERN_MAX_STATES 4096
#define PATTERN_MAX_LEN 4096

struct pattern {
	/* Bytes that no state tells apart share a class. */
	uint8_t class_of[256];
	/* next[state * class_count + class]; state 0 is where nothing matches any more, 1 the
	 * start. */
	const uint16_t *next;
	uint16_t class_count;
	uint16_t state_count;
	const bool *is_final;
};

/* Compile from `arena`. INVALID_ARGUMENT with the position and the reason for a syntax error and
 * for too many states. `work` is what compiling may still cost, in steps, and is lowered: a caller
 * with many patterns shares one allowance. */
LYC_MUST_USE enum lyc_status pattern_new(struct span text, struct arena *arena, uint64_t *work,
					 const struct pattern **ret_pattern,
					 struct lyc_error *error);
/* Allowance that is enough for hundreds of reasonable patterns. */
#define PATTERN_WORK ((uint64_t)16 * 1000 * 1000)

/* Does the whole text match? Ill-formed UTF-8 never does. */
static inline bool pattern_matches(const struct pattern *pattern, const uint8_t *text, size_t len)
{
	const uint16_t *next = pattern->next;
	size_t class_count = pattern->class_count;
	size_t state = 1;
	for (size_t i = 0; i < len; i++)
		state = next[state * class_count + pattern->class_of[text[i]]];
	return pattern->is_final[state];
}

#endif
