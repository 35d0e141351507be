/* A set of Unicode characters: what a class such as [^a-z] stands for. */
#ifndef LYC_SCHEMA_CODE_SET_H
#define LYC_SCHEMA_CODE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODE_SET_MAX 250
#define CODE_MAX 0x10ffffu

struct code_range {
	uint32_t low;
	uint32_t high;
};

/* A zeroed one is empty. */
struct code_set {
	/* One more than can be added: tidying may cut one in two. */
	struct code_range ranges[CODE_SET_MAX + 1];
	size_t count;
};

/* False when the set has too many ranges. */
bool code_set_add(struct code_set *set, uint32_t low, uint32_t high);
/* Add \d \w \s, or \D \W \S; false when `escape` is none of them or there is no room. */
bool code_set_add_class(struct code_set *set, char escape);
/* Sort, join, and leave out the surrogates, which UTF-8 does not have. */
void code_set_tidy(struct code_set *set);
/* What a tidy set does not hold. */
bool code_set_negate(struct code_set *set);

#endif
