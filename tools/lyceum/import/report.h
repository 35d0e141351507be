/* What an import did, counted, and told at its end: as lines for a person or as one JSON object. */
#ifndef LYC_IMPORT_REPORT_H
#define LYC_IMPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "schema/schema.h"

#define REPORT_LINES 5
#define REPORT_MAX_KINDS 200

/* Things of one kind: a reason, a remark, a change. */
struct report_kind {
	char *text;
	uint64_t count;
	/* Where the first ones are: file and line. */
	struct {
		size_t file;
		uint64_t line;
	} first[REPORT_LINES];
	size_t first_count;
};

struct report_list {
	struct report_kind *kinds;
	size_t count;
	/* Kinds beyond REPORT_MAX_KINDS. */
	uint64_t other_count;
};

struct report_file {
	char *path;
	/* NULL: none was needed. */
	char *refused_path;
	uint64_t refused_rows;
};

struct report {
	bool is_dry_run;
	/* The daemon was asked, too. */
	bool is_asked;
	struct report_file *files;
	size_t file_count;
	uint64_t row_count;
	uint64_t item_count;
	uint64_t refused_rows;
	uint64_t refused_items;
	struct report_list changes;
	struct report_list reasons;
	struct report_list notes;
	/* Why it ended early; "" when it did not. */
	char stopped[300];
};

/* Counts go to the last file added. */
void report_add_file(struct report *report, const char *path);
void report_add_change(struct report *report, const struct schema_enum *changes, const char *name);
/* Reasons that differ in what they quote only are one kind. */
void report_add_reason(struct report *report, const char *text, uint64_t line);
void report_add_note(struct report *report, const char *text, uint64_t line);
void report_set_refused_file(struct report *report, const char *path, uint64_t row_count);
void report_print(const struct report *report, FILE *out);
void report_print_json(const struct report *report, FILE *out);
void report_fini(struct report *report);

#endif
