/*
 * Whole numbers that the JSON parser does not hold: above 63 bits, which a uint64 and a double may
 * be. Their digits are put in quotes before the text is parsed, and afterwards it is known again
 * which of the tree's strings were numbers.
 */
#ifndef LYC_SCHEMA_JSON_BIG_H
#define LYC_SCHEMA_JSON_BIG_H

#include "schema/json_encoder.h"

struct json_big {
	struct buf text;   /* the JSON with quotes */
	struct buf places; /* uint32_t: which of the string values, counted from 0 */
	struct buf marks;  /* struct json_mark, sorted by value */
};

/* Accepts a zeroed one. */
void json_big_fini(struct json_big *big);
/* Quote in `text`; false when there is nothing to quote or no memory. */
bool json_big_quote(struct json_big *big, const char *json, size_t len);
/* Find them in the tree of `text`. RESOURCE_EXHAUSTED when there is no memory. */
LYC_MUST_USE enum lyc_status json_big_mark(struct json_big *big, const json_t *root,
					   struct lyc_error *error);

#endif
