/*
 * Which column fills which field of the item: guessed from the headers, or kept in a file. The
 * guess is never silent: what was not understood stays unmapped and says why.
 */
#ifndef LYC_IMPORT_MAPPING_H
#define LYC_IMPORT_MAPPING_H

#include <stdbool.h>
#include <stdio.h>

#include <lyceum/status.h>

#include "base/buf.h"
#include "import/leaf.h"
#include "import/sheet_read.h"

/* The two columns that a refused file has at its end. */
#define MAPPING_REFUSED_LINE "refused_line"
#define MAPPING_REFUSED_REASON "refused_reason"

enum mapping_how {
	MAPPING_NONE = 0,
	MAPPING_NAME,
	MAPPING_SPELLING,
	/* From a mapping file; or left out by it. */
	MAPPING_FILE,
	MAPPING_IGNORED,
	/* One of the two columns of a refused file. */
	MAPPING_REFUSED,
};

struct mapping_column {
	/* As in the file, trimmed. */
	char *header;
	/* Index into the leaves, -1: not used. */
	int leaf;
	enum mapping_how how;
	/* Why it is not used, or what was assumed; "" when there is nothing to say. */
	char note[200];
	/* How good the guess is: smaller is better. */
	int rank;
};

struct mapping {
	struct mapping_column *columns;
	size_t count;
	const struct leaf_list *leaves;
	/* A copy of the file ends in these two columns. */
	bool ends_refused;
};

/* Guess from the header row. Borrows leaves as long as the mapping is used. */
void mapping_guess(struct mapping *mapping, const struct leaf_list *leaves,
		   const struct sheet_row *header);
void mapping_fini(struct mapping *mapping);
size_t mapping_used_count(const struct mapping *mapping);
/* The first column that fills this leaf; -1. */
int mapping_column_of(const struct mapping *mapping, int leaf);

/* ---- mapping_file.c ---- */

/* Let the lines of a mapping file ("header: field.path", "header: -") overrule the guess.
 * INVALID_ARGUMENT names the line. Headers that this list has not are passed over. */
LYC_MUST_USE enum lyc_status mapping_load(struct mapping *mapping, const char *path,
					  struct lyc_error *error);
LYC_MUST_USE enum lyc_status mapping_save(const struct mapping *mapping, const char *path,
					  struct lyc_error *error);

#endif
