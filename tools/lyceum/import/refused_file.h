/*
 * The file of refused rows: what could not be imported, as it was written, with the line it had and
 * the reason at its end. It can be mended and imported as it is. Made with its first row.
 */
#ifndef LYC_IMPORT_REFUSED_FILE_H
#define LYC_IMPORT_REFUSED_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <lyceum/status.h>

#include "base/buf.h"

struct refused_file {
	char *path;
	FILE *file;
	size_t row_count;

	/* How the rows are written; separator 0: JSON Lines. */
	char separator;
	bool is_quoted;
	/* The header as it was written. Borrowed. */
	struct span header;
};

/* Choose the name: `path` when not NULL, otherwise NAME.refused.csv beside the input, or in the
 * current folder where that cannot be written. Nothing is made yet. */
void refused_file_init(struct refused_file *refused, const char *path, const char *input_path);
/* Add a row. A file of that name from before is kept with "~" behind its name. */
LYC_MUST_USE enum lyc_status refused_file_add(struct refused_file *refused, struct span raw,
					      uint64_t line, const char *reason,
					      struct lyc_error *error);
/* Write out and close. Keeps path and row_count for the report. */
LYC_MUST_USE enum lyc_status refused_file_close(struct refused_file *refused,
						struct lyc_error *error);
void refused_file_fini(struct refused_file *refused);

#endif
