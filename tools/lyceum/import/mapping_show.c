/* Shows where columns go, with the first values of each, so that a wrong guess is seen at once. */
#include "import/importer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

#define SAMPLE_COUNT 3
#define SAMPLE_WIDTH 14
#define MAX_WIDTH 44

/* Up to `max` characters on one line; returns how many. */
static size_t add_short(struct buf *to, struct span text, size_t max)
{
	const uint8_t *at = text.data;
	const uint8_t *end = span_end(text);
	size_t count = 0;
	while (at < end && count < max) {
		uint8_t bytes[4];
		uint32_t code = utf8_next(&at, end);
		bool is_last = count + 1 == max && at < end;
		code = is_last ? 0x2026 : code < 0x20 || code == 0x7F ? ' ' : code;
		buf_add(to, bytes, utf8_put(bytes, code));
		count++;
	}
	return count;
}

static void collect_samples(const struct importer *importer, struct buf *samples, size_t *widths)
{
	struct sheet sheet = importer->sheet;
	struct sheet_row row = {0};
	for (size_t i = 0; i < SAMPLE_COUNT && sheet_next(&sheet, &row); i++) {
		for (size_t j = 0; j < importer->mapping.count && j < row.cell_count; j++) {
			struct span cell = cell_trim(row.cells[j]);
			if (cell.len == 0)
				continue;
			if (widths[j] > 0) {
				buf_add_text(&samples[j], ", ");
				widths[j] += 2;
			}
			widths[j] += add_short(&samples[j], cell, SAMPLE_WIDTH);
		}
	}
	sheet_row_fini(&row);
}

static void pad(FILE *to, size_t width, size_t wanted)
{
	for (size_t i = width; i < wanted + 2; i++)
		fputc(' ', to);
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void print_target(const struct importer *importer, const struct mapping_column *column,
			 FILE *to)
{
	if (column->leaf >= 0)
		fputs(importer->leaves.leaves[column->leaf].name, to);
	else
		fputs(column->how == MAPPING_IGNORED || column->how == MAPPING_REFUSED ? "-" : "?",
		      to);
	if (column->note[0])
		fprintf(to, "  (%s)", column->note);
	fputc('\n', to);
}

static void print_what(const struct importer *importer, FILE *to)
{
	const struct sheet *sheet = &importer->sheet;
	fprintf(to, "%s: %s%s, ", importer->path, importer->input.encoding,
		importer->input.is_gzip ? " in gzip" : "");
	if (sheet->separator == '\t')
		fputs("separated by tabs", to);
	else
		fprintf(to, "separated by \"%c\"", sheet->separator);
	fprintf(to, ", %zu columns\n", importer->mapping.count);
}

void importer_show_mapping(const struct importer *importer, FILE *to)
{
	const struct mapping *mapping = &importer->mapping;
	struct buf *samples = mem_get(mapping->count * sizeof(*samples));
	size_t *widths = mem_get(mapping->count * sizeof(*widths));
	struct buf *names = mem_get(mapping->count * sizeof(*names));
	size_t *name_widths = mem_get(mapping->count * sizeof(*name_widths));
	size_t name_width = strlen("COLUMN");
	size_t sample_width = strlen("FIRST VALUES");
	collect_samples(importer, samples, widths);
	for (size_t i = 0; i < mapping->count; i++) {
		const char *header = mapping->columns[i].header;
		name_widths[i] = add_short(&names[i], span_of(header, strlen(header)), MAX_WIDTH);
		name_width = larger(name_width, name_widths[i]);
		sample_width = larger(sample_width, widths[i]);
	}
	print_what(importer, to);
	fputs("COLUMN", to);
	pad(to, strlen("COLUMN"), name_width);
	fputs("FIRST VALUES", to);
	pad(to, strlen("FIRST VALUES"), sample_width);
	fputs("GOES TO\n", to);
	for (size_t i = 0; i < mapping->count; i++) {
		fwrite(names[i].data, 1, names[i].len, to);
		pad(to, name_widths[i], name_width);
		fwrite(samples[i].data, 1, samples[i].len, to);
		pad(to, widths[i], sample_width);
		print_target(importer, &mapping->columns[i], to);
		buf_fini(&names[i]);
		buf_fini(&samples[i]);
	}
	free(samples);
	free(widths);
	free(names);
	free(name_widths);
}

void importer_show_unused(const struct importer *importer, FILE *to)
{
	size_t shown = 0;
	for (size_t i = 0; i < importer->mapping.count; i++) {
		const struct mapping_column *column = &importer->mapping.columns[i];
		if (column->leaf >= 0 || column->how != MAPPING_NONE)
			continue;
		fprintf(to, "%s%s", shown++ ? ", " : "Columns that are not used: ",
			column->header[0] ? column->header : "(no heading)");
	}
	if (shown)
		fputs(" (--dry-run shows why, --map FILE says otherwise)\n", to);
}
