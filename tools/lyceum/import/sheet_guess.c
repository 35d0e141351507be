/*
 * Guesses how a table of text is written: its separator from the header and the first rows, and for
 * tabs whether quotation marks quote. Looks at the text only, never at a file's name.
 */
#include "import/sheet_read.h"

#include <string.h>
#include <strings.h>

#define GUESS_ROWS 40

/* Excel's own first line, "sep=;". Moves the sheet behind it. */
static bool read_sep_line(struct sheet *sheet)
{
	const uint8_t *data = sheet->text.data;
	size_t len = sheet->text.len;
	if (len < 5 || strncasecmp((const char *)data, "sep=", 4) != 0)
		return false;
	if (data[4] == '\r' || data[4] == '\n')
		return false;
	size_t at = 5;
	if (at < len && data[at] == '\r')
		at++;
	if (at < len && data[at] == '\n')
		at++;
	if (at == 5 && len > 5)
		return false;
	sheet->separator = (char)data[4];
	sheet->offset = at;
	sheet->line = 2;
	return true;
}

/* How well a separator explains the first rows: thousandths of the rows that have as many cells as
 * the header, then the number of cells. A list of one column has a separator that does not occur;
 * that beats two columns of which no row has two. */
static size_t score(struct sheet sheet, struct sheet_row *row)
{
	size_t row_count = 0;
	size_t match_count = 0;
	if (!sheet_next(&sheet, row))
		return 0;
	size_t width = row->cell_count;
	while (row_count < GUESS_ROWS && sheet_next(&sheet, row)) {
		row_count++;
		match_count += row->cell_count == width;
	}
	if (width < 2)
		return match_count == row_count ? 3 : 1;
	size_t share = row_count ? match_count * 1000 / row_count : 1000;
	return share * 1000 + (width < 999 ? width : 999);
}

struct quoting {
	bool is_ragged;
	bool has_doubled;
	bool has_break;
	bool is_malformed;
};

static struct quoting look(struct sheet sheet, struct sheet_row *row)
{
	struct quoting seen = {0};
	size_t width = 0;
	while (sheet_next(&sheet, row)) {
		if (width == 0)
			width = row->cell_count;
		seen.is_ragged |= row->cell_count != width;
		seen.is_malformed |= row->fault != NULL;
		for (size_t i = 0; i < row->cell_count; i++) {
			struct span cell = row->cells[i];
			bool begins = row->starts[i] < row->raw.len &&
				      row->raw.data[row->starts[i]] == '"';
			if (!row->quoted[i]) {
				seen.is_malformed |= begins && cell.len > 0;
				continue;
			}
			seen.has_doubled |= memchr(cell.data, '"', cell.len) != NULL;
			seen.has_break |= memchr(cell.data, '\n', cell.len) ||
					  memchr(cell.data, '\r', cell.len) ||
					  memchr(cell.data, sheet.separator, cell.len);
		}
	}
	return seen;
}

/* In tab-separated text a quotation mark is data, unless the whole text was plainly written by a
 * program that quotes: every cell that begins with a mark is properly quoted, no row is ragged, and
 * a doubled mark, or a break inside a cell without which rows would be ragged, proves it. */
static bool tabs_are_quoted(struct sheet sheet, struct sheet_row *row)
{
	sheet.is_quoted = true;
	struct quoting quoted = look(sheet, row);
	if (quoted.is_malformed || quoted.is_ragged)
		return false;
	if (quoted.has_doubled && !quoted.has_break)
		return true;
	if (!quoted.has_break)
		return false;
	sheet.is_quoted = false;
	return look(sheet, row).is_ragged;
}

void sheet_init(struct sheet *sheet, struct span text)
{
	static const char separators[] = {',', ';', '\t', '|'};
	struct sheet_row row = {0};
	size_t best = 0;
	*sheet = (struct sheet){.text = text, .separator = ',', .is_quoted = true, .line = 1};
	sheet->has_line_feed = text.len > 0 && memchr(text.data, '\n', text.len) != NULL;
	if (!read_sep_line(sheet)) {
		for (size_t i = 0; i < sizeof(separators); i++) {
			struct sheet attempt = *sheet;
			attempt.separator = separators[i];
			attempt.is_quoted = separators[i] != '\t';
			size_t points = score(attempt, &row);
			if (points > best) {
				best = points;
				sheet->separator = separators[i];
			}
		}
	}
	if (sheet->separator == '\t') {
		sheet->is_quoted = false;
		sheet->is_quoted =
			memchr(text.data, '"', text.len) && tabs_are_quoted(*sheet, &row);
	}
	sheet_row_fini(&row);
}
