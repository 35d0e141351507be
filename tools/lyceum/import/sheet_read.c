/*
 * Reads rows of CSV and TSV. Quoting follows RFC 4180 where the text does; where it does not, a row
 * is read as it was meant if that is clear (text after a closing mark: the marks are data) and
 * refused alone if not (a mark that is never closed does not swallow the rest of the file). What
 * the separator is, is guessed in sheet_guess.c.
 */
#include "import/sheet_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"

static size_t end_of_line(const struct sheet *sheet, size_t at)
{
	const uint8_t *data = sheet->text.data;
	if (data[at] == '\n')
		return 1;
	if (data[at] != '\r')
		return 0;
	if (at + 1 < sheet->text.len && data[at + 1] == '\n')
		return 2;
	return sheet->has_line_feed ? 0 : 1;
}

static void add_cell(struct sheet_row *row, struct span cell, size_t start, bool is_quoted)
{
	if (row->cell_count == row->cap) {
		row->cap = row->cap ? row->cap * 2 : 32;
		row->cells = realloc(row->cells, row->cap * sizeof(*row->cells));
		row->starts = realloc(row->starts, row->cap * sizeof(*row->starts));
		row->quoted = realloc(row->quoted, row->cap * sizeof(*row->quoted));
		ensure(row->cells && row->starts && row->quoted);
	}
	row->cells[row->cell_count] = cell;
	row->starts[row->cell_count] = start;
	row->quoted[row->cell_count] = is_quoted;
	row->cell_count++;
}

/* From an opening mark to its closing one. False when there is none within reach. */
static bool find_closing(const struct sheet *sheet, size_t open, size_t *ret_close,
			 uint64_t *ret_line_count)
{
	size_t len = sheet->text.len;
	if (len - open > SHEET_MAX_CELL)
		len = open + SHEET_MAX_CELL;
	*ret_line_count = 0;
	for (size_t at = open + 1; at < len; at++) {
		if (sheet->text.data[at] == '"') {
			if (at + 1 < sheet->text.len && sheet->text.data[at + 1] == '"') {
				at++;
				continue;
			}
			*ret_close = at;
			return true;
		}
		size_t eol = end_of_line(sheet, at);
		if (eol) {
			(*ret_line_count)++;
			at += eol - 1;
		}
	}
	return false;
}

static size_t find_end(const struct sheet *sheet, size_t at)
{
	while (at < sheet->text.len && sheet->text.data[at] != (uint8_t)sheet->separator &&
	       !end_of_line(sheet, at))
		at++;
	return at;
}

static size_t find_line_end(const struct sheet *sheet, size_t at)
{
	while (at < sheet->text.len && !end_of_line(sheet, at))
		at++;
	return at;
}

/* Cells are first kept as they stand; the doubled marks of quoted ones go once the row is whole, so
 * that the scratch buffer does not move under them. */
static void unquote(struct sheet_row *row)
{
	buf_clear(&row->scratch);
	ensure(buf_reserve(&row->scratch, row->raw.len + 1));
	for (size_t i = 0; i < row->cell_count; i++) {
		struct span cell = row->cells[i];
		if (!row->quoted[i] || !memchr(cell.data, '"', cell.len))
			continue;
		size_t start = row->scratch.len;
		for (size_t at = 0; at < cell.len; at++) {
			buf_add_byte(&row->scratch, cell.data[at]);
			if (cell.data[at] == '"')
				at++;
		}
		row->cells[i] = span_of(row->scratch.data + start, row->scratch.len - start);
	}
}

/* One cell from *at on, which moves to its separator or line end. False: the row is at fault. */
static bool read_cell(const struct sheet *sheet, struct sheet_row *row, size_t *at,
		      uint64_t *line_count)
{
	const uint8_t *data = sheet->text.data;
	size_t start = *at;
	size_t close = 0;
	uint64_t lines_inside = 0;
	if (!sheet->is_quoted || start == sheet->text.len || data[start] != '"') {
		*at = find_end(sheet, start);
		add_cell(row, span_of(data + start, *at - start), start - row->offset, false);
		return true;
	}
	if (!find_closing(sheet, start, &close, &lines_inside)) {
		row->fault = "a quotation mark opens a cell and is never closed";
		return false;
	}
	size_t after = close + 1;
	if (after == sheet->text.len || data[after] == (uint8_t)sheet->separator ||
	    end_of_line(sheet, after)) {
		add_cell(row, span_of(data + start + 1, close - start - 1), start - row->offset,
			 true);
		*at = after;
		*line_count += lines_inside;
		return true;
	}
	if (lines_inside > 0) {
		row->fault =
			"a quotation mark opens a cell and is not closed on this line, or text "
			"follows the closing one";
		return false;
	}
	*at = find_end(sheet, after);
	add_cell(row, span_of(data + start, *at - start), start - row->offset, false);
	return true;
}

static void read_row(struct sheet *sheet, struct sheet_row *row)
{
	size_t at = sheet->offset;
	uint64_t line_count = 1;
	row->offset = at;
	row->line = sheet->line;
	row->cell_count = 0;
	row->fault = NULL;
	for (;;) {
		if (!read_cell(sheet, row, &at, &line_count)) {
			row->cell_count = 0;
			line_count = 1;
			at = find_line_end(sheet, row->offset);
			break;
		}
		if (at == sheet->text.len || sheet->text.data[at] != (uint8_t)sheet->separator)
			break;
		at++;
	}
	row->raw = span_of(sheet->text.data + row->offset, at - row->offset);
	unquote(row);
	sheet->offset = at < sheet->text.len ? at + end_of_line(sheet, at) : at;
	sheet->line += line_count;
}

static bool is_blank(const struct sheet_row *row)
{
	for (size_t i = 0; i < row->cell_count; i++) {
		if (cell_trim(row->cells[i]).len > 0)
			return false;
	}
	return !row->fault;
}

bool sheet_next(struct sheet *sheet, struct sheet_row *row)
{
	while (sheet->offset < sheet->text.len) {
		read_row(sheet, row);
		if (!is_blank(row))
			return true;
	}
	return false;
}

bool sheet_read_at(const struct sheet *sheet, size_t offset, uint64_t line, struct sheet_row *row)
{
	struct sheet copy = *sheet;
	copy.offset = offset;
	copy.line = line;
	return sheet_next(&copy, row);
}

void sheet_row_fini(struct sheet_row *row)
{
	free(row->cells);
	free(row->starts);
	free(row->quoted);
	buf_fini(&row->scratch);
	*row = (struct sheet_row){0};
}

/* Spaces, line ends, and the no-break space that web pages leave in spreadsheets. */
static size_t space_len(const uint8_t *at, size_t len)
{
	if (len >= 1 && (*at == ' ' || (*at >= '\t' && *at <= '\r')))
		return 1;
	return len >= 2 && at[0] == 0xC2 && at[1] == 0xA0 ? 2 : 0;
}

struct span cell_trim(struct span cell)
{
	size_t len = 0;
	while (cell.len > 0 && (len = space_len(cell.data, cell.len)) > 0)
		cell = span_of(cell.data + len, cell.len - len);
	while (cell.len > 0) {
		if (space_len(cell.data + cell.len - 1, 1))
			cell.len -= 1;
		else if (cell.len >= 2 && space_len(cell.data + cell.len - 2, 2) == 2)
			cell.len -= 2;
		else
			break;
	}
	return cell;
}
