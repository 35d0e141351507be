/* The import of one file after another: from its text to what became of its items. */
#ifndef LYC_IMPORT_IMPORTER_H
#define LYC_IMPORT_IMPORTER_H

#include <stdbool.h>
#include <stdio.h>

#include <lyceum/status.h>

#include "import/batch.h"
#include "import/item.h"
#include "import/leaf.h"
#include "import/mapping.h"
#include "import/progress.h"
#include "import/refused_file.h"
#include "import/report.h"
#include "import/row_group.h"
#include "import/sheet_read.h"
#include "import/text_input.h"

struct import_options {
	bool is_dry_run;
	bool is_json;
	/* NULL where not given. */
	const char *map_path;
	const char *save_map_path;
	const char *refused_path;
};

struct importer {
	struct import_options options;
	const struct schema_message *item_message;
	/* The service takes a dry run. */
	bool can_ask;
	struct leaf_list leaves;
	struct batch batch;
	struct report report;
	struct progress progress;
	FILE *out;
	FILE *err;

	/* The file at hand. */
	const char *path;
	struct text_input input;
	bool is_jsonl;
	struct sheet sheet;
	struct sheet_row row;
	struct buf header;
	size_t header_width;
	struct mapping mapping;
	/* Columns whose cells together are the key; 0: every row is an item. */
	size_t *key_columns;
	size_t key_column_count;
	struct row_groups groups;
	struct refused_file refused;
	struct item item;
	struct buf item_bytes;
	size_t done_count;
};

/* Borrows sink, method and options' strings as long as it is used. */
LYC_MUST_USE enum lyc_status importer_init(struct importer *importer,
					   const struct import_sink *sink,
					   const struct schema_method *method,
					   const struct import_options *options, FILE *out,
					   FILE *err, struct lyc_error *error);
/* Import one file. Refused rows are no failure; they are in the report. INVALID_ARGUMENT and
 * NOT_FOUND are about the file or a mapping, and nothing of it was sent; anything else is from the
 * daemon or the disk and ends the import. */
LYC_MUST_USE enum lyc_status importer_run(struct importer *importer, const char *path,
					  struct lyc_error *error);
void importer_fini(struct importer *importer);

/* ---- refusal.c ---- */

/* Refuse all rows of a group. `line` is the row at fault, 0 when it is none in particular. */
LYC_MUST_USE enum lyc_status importer_refuse(struct importer *importer, size_t group, uint64_t line,
					     const char *reason, struct lyc_error *error);
/* The sentence of a fault: its column's heading, or its path, and what is wrong. */
void importer_explain(const struct importer *importer, const char *field, const char *text,
		      struct buf *ret_reason);
/* Text as it may go into a file or onto a terminal: bytes that are not UTF-8 are dropped. */
void importer_clean(struct span text, struct buf *to);

/* ---- mapping_show.c ---- */

/* Print the table of a dry run: column, first values, where it goes. */
void importer_show_mapping(const struct importer *importer, FILE *to);
/* One line for the columns that are not used, if there are any. */
void importer_show_unused(const struct importer *importer, FILE *to);

#endif
