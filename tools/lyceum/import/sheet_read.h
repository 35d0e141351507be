/*
 * Rows of a table as text: CSV with any of four separators, and TSV. A sheet is a position in a
 * text, so a copy of it reads the same rows again, and a row can be read again from its offset and
 * line.
 */
#ifndef LYC_IMPORT_SHEET_READ_H
#define LYC_IMPORT_SHEET_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A quoted cell that is longer counts as never closed. */
#define SHEET_MAX_CELL (1024 * 1024)

struct sheet {
	struct span text;
	char separator;
	/* A cell that begins with a quotation mark is quoted; otherwise such a mark is data. */
	bool is_quoted;
	/* The text has line feeds, so a lone carriage return does not end a line. */
	bool has_line_feed;

	/* Where the next row begins. Lines count from 1. */
	size_t offset;
	uint64_t line;
};

/* A row as it was read. Zeroed before first use; reused from row to row; sheet_row_fini. */
struct sheet_row {
	size_t offset;
	uint64_t line;
	/* As it stands in the text, without the line's end. */
	struct span raw;
	/* Unquoted. Valid until the row is used again. */
	struct span *cells;
	size_t cell_count;
	/* Where each cell begins in raw, opening quotation mark included. */
	size_t *starts;
	/* Why the row could not be read: it has no cells then. NULL otherwise. */
	const char *fault;

	bool *quoted;
	size_t cap;
	struct buf scratch;
};

/* Guess the separator and the quoting from the text. Borrows text as long as the sheet is used. */
void sheet_init(struct sheet *sheet, struct span text);
/* The next row with anything in it; false at the end. A row that cannot be read comes with a fault
 * and is one line long. */
bool sheet_next(struct sheet *sheet, struct sheet_row *row);
/* Read again the row that began there. */
bool sheet_read_at(const struct sheet *sheet, size_t offset, uint64_t line, struct sheet_row *row);
void sheet_row_fini(struct sheet_row *row);

/* Is there anything but spaces? Spaces at both ends are taken off. */
struct span cell_trim(struct span cell);

#endif
