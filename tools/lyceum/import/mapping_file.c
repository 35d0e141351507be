/* Mapping files: one line a column, "header: field.path", where "-" leaves the column out. A header
 * with a colon, a leading '#' or quotation marks is written in quotation marks with \" and \\; both
 * forms are YAML. */
#include "import/mapping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "import/spelling.h"
#include "import/text_input.h"

static void use_leaf(struct mapping *mapping, struct mapping_column *column, int leaf)
{
	/* What was only guessed gives way. */
	for (size_t i = 0; i < mapping->count && leaf >= 0; i++) {
		struct mapping_column *other = &mapping->columns[i];
		if (other != column && other->leaf == leaf && other->how != MAPPING_FILE &&
		    !mapping->leaves->leaves[leaf].is_list) {
			other->leaf = -1;
			other->how = MAPPING_NONE;
			snprintf(other->note, sizeof(other->note),
				 "%.60s is filled by the column \"%.60s\"",
				 mapping->leaves->leaves[leaf].name, column->header);
		}
	}
	column->leaf = leaf;
	column->how = leaf >= 0 ? MAPPING_FILE : MAPPING_IGNORED;
	snprintf(column->note, sizeof(column->note), "%s", leaf >= 0 ? "" : "left out");
}

/* The nearest path, for the message. */
static const char *nearest(const struct leaf_list *leaves, const char *path)
{
	char wanted[SPELLING_MAX];
	char name[SPELLING_MAX];
	size_t best = 4;
	const char *found = NULL;
	spelling_fold(span_of(path, strlen(path)), wanted);
	for (size_t i = 0; i < leaves->count; i++) {
		const char *text = leaves->leaves[i].name;
		spelling_fold(span_of(text, strlen(text)), name);
		size_t slips = spelling_distance(wanted, name, 3);
		if (slips < best) {
			best = slips;
			found = text;
		}
	}
	return found;
}

/* Split "header: path"; false when it is not that. */
static bool split_line(struct span line, struct buf *header, struct buf *path)
{
	size_t at = 0;
	buf_clear(header);
	buf_clear(path);
	if (line.data[0] == '"') {
		for (at = 1; at < line.len && line.data[at] != '"'; at++) {
			if (line.data[at] == '\\' && at + 1 < line.len)
				at++;
			buf_add_byte(header, line.data[at]);
		}
		at++;
		if (at >= line.len || line.data[at] != ':')
			return false;
	} else {
		while (at < line.len && line.data[at] != ':')
			at++;
		if (at >= line.len)
			return false;
		struct span name = cell_trim(span_of(line.data, at));
		buf_add(header, name.data, name.len);
	}
	struct span rest = cell_trim(span_of(line.data + at + 1, line.len - at - 1));
	if (rest.len >= 2 && rest.data[0] == '"' && rest.data[rest.len - 1] == '"')
		rest = span_of(rest.data + 1, rest.len - 2);
	buf_add(path, rest.data, rest.len);
	return buf_text(header) && buf_text(path) && header->len > 0 && path->len > 0;
}

static enum lyc_status apply(struct mapping *mapping, const char *header, const char *path,
			     struct lyc_error *error)
{
	int leaf = -1;
	if (strcmp(path, "-") != 0) {
		leaf = leaf_find(mapping->leaves, path);
		if (leaf < 0) {
			const char *near = nearest(mapping->leaves, path);
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "the item has no field \"%.60s\"%s%.60s%s", path,
					 near ? "; is \"" : "", near ? near : "",
					 near ? "\" meant?" : "");
		}
	}
	char wanted[SPELLING_MAX];
	char folded[SPELLING_MAX];
	spelling_fold(span_of(header, strlen(header)), wanted);
	for (size_t i = 0; i < mapping->count; i++) {
		struct mapping_column *column = &mapping->columns[i];
		spelling_fold(span_of(column->header, strlen(column->header)), folded);
		bool is_same = wanted[0] ? strcmp(folded, wanted) == 0
					 : strcmp(column->header, header) == 0;
		if (is_same && column->how != MAPPING_REFUSED)
			use_leaf(mapping, column, leaf);
	}
	return LYC_OK;
}

enum lyc_status mapping_load(struct mapping *mapping, const char *path, struct lyc_error *error)
{
	struct text_input input = {0};
	struct buf header = {0};
	struct buf field = {0};
	struct lyc_error reason = {0};
	enum lyc_status status = text_input_open(path, &input, &reason);
	if (status) {
		error_set(error, status, "%.80s: %.140s", path, reason.text);
		goto out;
	}
	size_t line_number = 0;
	for (size_t at = 0; at < input.text.len && !status;) {
		size_t end = at;
		while (end < input.text.len && input.text.data[end] != '\n')
			end++;
		struct span line = cell_trim(span_of(input.text.data + at, end - at));
		at = end + 1;
		line_number++;
		if (line.len == 0 || line.data[0] == '#' || span_is(line, "---"))
			continue;
		if (split_line(line, &header, &field))
			status = apply(mapping, (char *)header.data, (char *)field.data, &reason);
		else
			status = error_set(&reason, LYC_INVALID_ARGUMENT,
					   "write a line as \"header: field.path\"");
		if (status)
			error_set(error, status, "%.60s, line %zu: %.140s", path, line_number,
				  reason.text);
	}
out:
	buf_fini(&header);
	buf_fini(&field);
	text_input_fini(&input);
	return status;
}

static void write_header(FILE *file, const char *header)
{
	if (!strpbrk(header, ":\"\\") && !strchr("#-&*!|>'%@`[]{},?", header[0])) {
		fputs(header, file);
		return;
	}
	fputc('"', file);
	for (const char *at = header; *at; at++) {
		if (*at == '"' || *at == '\\')
			fputc('\\', file);
		fputc(*at == '\n' || *at == '\r' ? ' ' : *at, file);
	}
	fputc('"', file);
}

enum lyc_status mapping_save(const struct mapping *mapping, const char *path,
			     struct lyc_error *error)
{
	FILE *file = fopen(path, "we");
	if (!file)
		return error_set(error, LYC_INVALID_ARGUMENT, "%.80s cannot be written: %s", path,
				 strerror(errno));
	fputs("# Which column fills which field; \"-\" leaves a column out.\n", file);
	for (size_t i = 0; i < mapping->count; i++) {
		const struct mapping_column *column = &mapping->columns[i];
		if (column->how == MAPPING_REFUSED || !column->header[0])
			continue;
		if (column->leaf < 0 && column->how != MAPPING_IGNORED && column->note[0])
			fprintf(file, "# %s\n", column->note);
		write_header(file, column->header);
		fprintf(file, ": %s\n",
			column->leaf >= 0 ? mapping->leaves->leaves[column->leaf].name : "\"-\"");
	}
	bool has_failed = ferror(file) != 0;
	has_failed |= fclose(file) != 0;
	if (has_failed)
		return error_set(error, LYC_INVALID_ARGUMENT, "%.80s cannot be written: %s", path,
				 strerror(errno));
	return LYC_OK;
}
