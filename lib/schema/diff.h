/*
 * What breaks between two versions of a schema: Buf's rules of the category WIRE_JSON under their
 * Buf names (buf.build/docs/breaking/rules) and ours, LYCEUM_*, on keys, labels and field rules.
 * Both versions are compiled schemas; extensions are not compared, nor is google.protobuf.
 */
#ifndef LYC_SCHEMA_DIFF_H
#define LYC_SCHEMA_DIFF_H

#include "schema/arena.h"
#include "schema/schema.h"

/* One change that breaks. All texts are the diff's. */
struct diff_break {
	const char *rule;
	/* Of the newer version; of the older one where the newer has no such file. */
	const char *file;
	unsigned line; /* 0: not known */
	const char *text;
};

struct diff {
	struct diff_break *breaks;
	size_t count;
	size_t cap;
	struct arena arena;
};

struct diff_rule {
	const char *name;
	const char *help;
};

/* All rules, those of Buf first; ends with a zeroed entry. */
extern const struct diff_rule diff_rules[];

/* Compare; with `package` (else NULL) only what the older version defines in that package.
 * ret_diff->count is 0 when nothing breaks; diff_fini. Fails only when there is no memory. */
LYC_MUST_USE enum lyc_status diff_new(const struct schema *older, const struct schema *newer,
				      const char *package, struct diff *ret_diff,
				      struct lyc_error *error);
void diff_fini(struct diff *diff);
/* Append "file:line: message (RULE)" without an end of line. */
void diff_write(const struct diff_break *breaking, struct buf *to);

#endif
