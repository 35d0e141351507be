/* Refused items: their rows go to the refused file, the reason to the report, in words that name
 * the column as the list calls it. */
#include "import/importer.h"

#include <string.h>

#include "base/utf8.h"
#include "import/jsonl_read.h"

void importer_clean(struct span text, struct buf *to)
{
	const uint8_t *at = text.data;
	const uint8_t *end = span_end(text);
	while (at < end) {
		const uint8_t *start = at;
		uint32_t code = utf8_next(&at, end);
		bool is_broken = code == 0xFFFD && at - start == 1;
		if (!is_broken && code != 0)
			buf_add(to, start, (size_t)(at - start));
	}
}

/* "items[3].evidence[2].doi" is the leaf "evidence.doi" of an item. */
static int leaf_of(const struct importer *importer, const char *field)
{
	char path[200];
	size_t len = 0;
	for (const char *at = field; *at && len + 1 < sizeof(path); at++) {
		if (*at == '[')
			at += strcspn(at, "]");
		else
			path[len++] = *at;
		if (!*at)
			break;
	}
	path[len] = '\0';
	const char *items = importer->batch.items->name;
	size_t items_len = strlen(items);
	bool is_whole = strncmp(path, items, items_len) == 0 && path[items_len] == '.';
	return leaf_find(&importer->leaves, is_whole ? path + items_len + 1 : path);
}

void importer_explain(const struct importer *importer, const char *field, const char *text,
		      struct buf *ret_reason)
{
	int leaf = field && field[0] ? leaf_of(importer, field) : -1;
	int column = leaf >= 0 ? mapping_column_of(&importer->mapping, leaf) : -1;
	size_t field_len = field ? strlen(field) : 0;
	/* Some sentences name the field already. */
	bool is_named = field_len > 0 && strncmp(text, field, field_len) == 0;
	if (column >= 0) {
		buf_add_format(ret_reason, "%s: ", importer->mapping.columns[column].header);
		if (is_named && text[field_len] == ':')
			text += field_len + 1 + (text[field_len + 1] == ' ');
	} else if (field_len > 0 && !is_named) {
		buf_add_format(ret_reason, "%s: ", field);
	}
	buf_add_text(ret_reason, text);
}

/* A row without the two columns that an earlier import added. */
static struct span raw_row(struct importer *importer, const struct row_ref *ref)
{
	if (importer->is_jsonl)
		return jsonl_line_at(importer->input.text, ref->offset);
	struct sheet_row *row = &importer->row;
	if (!sheet_read_at(&importer->sheet, ref->offset, ref->line, row))
		return (struct span){0};
	struct span raw = row->raw;
	if (importer->mapping.ends_refused && row->cell_count > 2)
		raw.len = row->starts[row->cell_count - 2] - 1;
	return raw;
}

enum lyc_status importer_refuse(struct importer *importer, size_t index, uint64_t line,
				const char *reason, struct lyc_error *error)
{
	const struct row_group *group = &importer->groups.groups[index];
	const struct row_ref *rows = importer->groups.rows;
	bool is_written = !importer->options.is_dry_run || importer->options.refused_path;
	enum lyc_status status = LYC_OK;
	struct buf own = {0};
	struct buf others = {0};
	importer_clean(span_of(reason, strlen(reason)), &own);
	const char *text = buf_text(&own);
	buf_add_format(&others, "line %llu of the same item: %s", (unsigned long long)line,
		       text ? text : reason);
	report_add_reason(&importer->report, text ? text : reason,
			  line ? line : rows[group->first].line);
	importer->report.refused_items++;
	for (uint32_t at = group->first + 1; at > 0 && !status; at = rows[at - 1].next) {
		const struct row_ref *ref = &rows[at - 1];
		bool is_at_fault = line == 0 || line == ref->line;
		const char *why = buf_text(is_at_fault ? &own : &others);
		importer->report.refused_rows++;
		if (is_written)
			status = refused_file_add(&importer->refused, raw_row(importer, ref),
						  ref->line, why ? why : reason, error);
	}
	buf_fini(&own);
	buf_fini(&others);
	return status;
}
