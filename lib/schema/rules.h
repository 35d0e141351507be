/*
 * The field rules, (lyceum.v1.rules), as check.c applies them and describe.c prints them. Read by
 * options.c; rules_check says whether they fit their field.
 */
#ifndef LYC_SCHEMA_RULES_H
#define LYC_SCHEMA_RULES_H

#include "schema/pattern.h"
#include "schema/schema.h"

struct schema_rules {
	bool is_required;
	/* 0: no bound. Characters of a string, bytes of a bytes field. */
	uint32_t min_len;
	uint32_t max_len;
	uint32_t min_items;
	uint32_t max_items;

	bool has_int_range;
	int64_t int_min;
	int64_t int_max;

	bool has_float_range;
	double float_min;
	double float_max;

	/* As written; NULL when there is none. */
	const char *pattern_text;
	const struct pattern *pattern;
};

/* NULL when the rules fit the field, otherwise what is wrong: "a pattern is for strings". Valid for
 * ever. */
const char *rules_fault(const struct schema_rules *rules, const struct schema_field *field);

#endif
