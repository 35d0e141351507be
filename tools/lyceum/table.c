/* Tables: cells are kept as text, and measured, aligned and cut when the table is written. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "cell.h"
#include "paint.h"

#define GAP 2
/* A column is not cut below this while another is wider. */
#define MIN_WIDTH 6

struct table_row {
	char **cells;
	struct buf lines;
};

struct column {
	size_t width;
	bool is_number;
	bool is_used;
};

void table_init(struct table *table, size_t column_count)
{
	*table = (struct table){.column_count = column_count};
}

void table_fini(struct table *table)
{
	for (size_t i = 0; i < table->row_count; i++) {
		for (size_t j = 0; j < table->column_count; j++)
			free(table->rows[i].cells[j]);
		free(table->rows[i].cells);
		buf_fini(&table->rows[i].lines);
	}
	free(table->rows);
	*table = (struct table){0};
}

void table_add_row(struct table *table)
{
	if (table->row_count == table->row_cap) {
		size_t cap = table->row_cap ? table->row_cap * 2 : 16;
		struct table_row *rows = realloc(table->rows, cap * sizeof(*rows));
		ensure(rows);
		table->rows = rows;
		table->row_cap = cap;
	}
	table->rows[table->row_count++] = (struct table_row){
		.cells = mem_get((table->column_count + 1) * sizeof(char *)),
	};
}

void table_set(struct table *table, size_t column, const char *text, size_t len)
{
	ensure(column < table->column_count && table->row_count > 0);
	struct buf clean = {0};
	cell_clean(&clean, text, len);
	char **cell = &table->rows[table->row_count - 1].cells[column];
	free(*cell);
	*cell = mem_dup(buf_text(&clean));
	buf_fini(&clean);
}

void table_add_headings(struct table *table, const char *const *headings)
{
	ensure(table->row_count == 0);
	table_add_row(table);
	for (size_t i = 0; i < table->column_count; i++)
		table_set(table, i, headings[i], strlen(headings[i]));
	table->has_heading = true;
}

void table_add_line(struct table *table, const char *text, size_t len)
{
	ensure(table->row_count > 0);
	struct buf *lines = &table->rows[table->row_count - 1].lines;
	buf_add(lines, text, len);
	buf_add_byte(lines, '\n');
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789.,-+%")] == '\0' &&
	       strpbrk(text, "0123456789");
}

static void measure(const struct table *table, struct column *columns)
{
	for (size_t j = 0; j < table->column_count; j++) {
		columns[j].is_number = true;
		for (size_t i = 0; i < table->row_count; i++) {
			const char *cell = table->rows[i].cells[j];
			bool is_heading = table->has_heading && i == 0;
			if (!cell || !*cell)
				continue;
			size_t width = cell_width(cell, strlen(cell));
			if (width > columns[j].width)
				columns[j].width = width;
			if (is_heading)
				continue;
			columns[j].is_used = true;
			if (!is_number(cell))
				columns[j].is_number = false;
		}
		if (!columns[j].is_used)
			columns[j].is_number = false;
	}
}

/* Take one column off the widest until all fit or none can give. */
static void fit(struct column *columns, size_t count, size_t width)
{
	size_t total = 0;
	for (size_t j = 0; j < count; j++)
		total += columns[j].is_used ? columns[j].width + (total ? GAP : 0) : 0;
	while (total > width) {
		size_t widest = 0;
		for (size_t j = 1; j < count; j++) {
			if (columns[j].is_used &&
			    (!columns[widest].is_used || columns[j].width > columns[widest].width))
				widest = j;
		}
		if (columns[widest].width <= MIN_WIDTH)
			break;
		columns[widest].width--;
		total--;
	}
}

static void add_blanks(struct buf *to, size_t count)
{
	while (count-- > 0)
		buf_add_byte(to, ' ');
}

static void write_row(const struct table *table, const struct table_row *row,
		      const struct column *columns, struct buf *to)
{
	size_t pending = 0;
	bool is_first = true;
	for (size_t j = 0; j < table->column_count; j++) {
		if (!columns[j].is_used)
			continue;
		if (!is_first)
			pending += GAP;
		is_first = false;
		const char *cell = row->cells[j] ? row->cells[j] : "";
		struct buf text = {0};
		cell_cut(&text, cell, strlen(cell), columns[j].width);
		size_t blanks = columns[j].width - cell_width((const char *)text.data, text.len);
		/* Blanks are written only before text, so that no line ends in them. */
		if (text.len > 0) {
			add_blanks(to, pending + (columns[j].is_number ? blanks : 0));
			pending = 0;
			buf_add(to, text.data, text.len);
		}
		if (!columns[j].is_number || text.len == 0)
			pending += blanks;
		buf_fini(&text);
	}
}

void table_write(const struct table *table, size_t width, bool has_colour, struct buf *to)
{
	struct column *columns = mem_get((table->column_count + 1) * sizeof(*columns));
	measure(table, columns);
	if (width > 0)
		fit(columns, table->column_count, width);
	for (size_t i = 0; i < table->row_count; i++) {
		bool is_heading = table->has_heading && i == 0;
		if (is_heading)
			buf_add_text(to, paint(has_colour, PAINT_BOLD));
		write_row(table, &table->rows[i], columns, to);
		if (is_heading)
			buf_add_text(to, paint(has_colour, PAINT_PLAIN));
		buf_add_byte(to, '\n');
		buf_add(to, table->rows[i].lines.data, table->rows[i].lines.len);
	}
	free(columns);
}
