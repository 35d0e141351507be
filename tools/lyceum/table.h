/*
 * A table for people: columns aligned by width on the terminal, columns of numbers to the right,
 * cut to the terminal's width where there is one. Lines may hang below a row.
 */
#ifndef LYC_TOOLS_TABLE_H
#define LYC_TOOLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct table_row;

/* Zeroed is empty: table_init. */
struct table {
	struct table_row *rows;
	size_t row_count;
	size_t row_cap;
	size_t column_count;
	bool has_heading;
};

void table_init(struct table *table, size_t column_count);
void table_fini(struct table *table);
/* The first row's cells are printed as headings; call once, before any other row. */
void table_add_headings(struct table *table, const char *const *headings);
/* Start a row; its cells are empty until table_set. */
void table_add_row(struct table *table);
/* Set a cell of the last row. Copies, and cleans control characters away. */
void table_set(struct table *table, size_t column, const char *text, size_t len);
/* Hang a line below the last row, printed as it is. Copies. */
void table_add_line(struct table *table, const char *text, size_t len);
/* Append the table. width 0: as wide as it is. Columns that are empty in every row are left out. */
void table_write(const struct table *table, size_t width, bool has_colour, struct buf *to);

#endif
