/*
 * Runs an import. A file is read twice: first every row's place and key, then, item by item, the
 * rows that belong together; so rows of one item need not stand together and no row is held in
 * memory beside the text. What a cell means, how a request travels and what is said at the end have
 * files of their own.
 */
#include "import/importer.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"
#include "import/jsonl_read.h"

static enum lyc_status on_result(void *arg, size_t tag, const struct batch_result *result,
				 struct lyc_error *error);
static void on_note(void *arg, size_t column, uint64_t line);

enum lyc_status importer_init(struct importer *importer, const struct import_sink *sink,
			      const struct schema_method *method,
			      const struct import_options *options, FILE *out, FILE *err,
			      struct lyc_error *error)
{
	*importer = (struct importer){.options = *options, .out = out, .err = err};
	enum lyc_status status =
		batch_init(&importer->batch, sink, method, on_result, importer, error);
	if (status)
		return status;
	importer->item_message = importer->batch.items->message;
	leaf_list_init(&importer->leaves, importer->item_message);
	importer->item.on_note = on_note;
	importer->item.note_arg = importer;
	const struct schema_field *dry_run = schema_field_by_name(method->input, "dry_run", 7);
	importer->can_ask = dry_run && dry_run->type == SCHEMA_BOOL && !dry_run->is_repeated;
	if (options->is_dry_run && importer->can_ask)
		pb_write_uint(&importer->batch.prefix, dry_run->number, 1);
	importer->report.is_dry_run = options->is_dry_run;
	importer->report.is_asked = importer->can_ask;
	progress_init(&importer->progress, err);
	return LYC_OK;
}

static void end_file(struct importer *importer)
{
	text_input_fini(&importer->input);
	sheet_row_fini(&importer->row);
	mapping_fini(&importer->mapping);
	row_groups_fini(&importer->groups);
	refused_file_fini(&importer->refused);
	free(importer->key_columns);
	importer->key_columns = NULL;
	importer->key_column_count = 0;
	importer->done_count = 0;
}

void importer_fini(struct importer *importer)
{
	end_file(importer);
	batch_fini(&importer->batch);
	report_fini(&importer->report);
	leaf_list_fini(&importer->leaves);
	item_fini(&importer->item);
	buf_fini(&importer->header);
	buf_fini(&importer->item_bytes);
}

static void show_progress(struct importer *importer)
{
	struct progress_state state = {.rows = importer->groups.row_count,
				       .items = importer->done_count,
				       .items_total = importer->groups.group_count,
				       .refused = importer->report.refused_rows};
	progress_show(&importer->progress, &state);
}

/* Rows belong together by the item's key: by its last token's column, with those of the others
 * where the list has them. */
static void find_key_columns(struct importer *importer)
{
	const struct schema_message *message = importer->item_message;
	if (message->key_count == 0)
		return;
	importer->key_columns = mem_get(message->key_count * sizeof(*importer->key_columns));
	for (size_t i = 0; i < message->key_count; i++) {
		int leaf = leaf_find(&importer->leaves, message->keys[i]->name);
		int column = leaf >= 0 ? mapping_column_of(&importer->mapping, leaf) : -1;
		if (column >= 0)
			importer->key_columns[importer->key_column_count++] = (size_t)column;
		else if (i + 1 == message->key_count)
			importer->key_column_count = 0;
	}
}

/* The key of a row; nothing when its last token is empty or cannot be reached. A ragged row counts
 * with its item, too, so that no item goes in without one of its rows. */
static void read_key(const struct importer *importer, const struct sheet_row *row, struct buf *key)
{
	buf_clear(key);
	for (size_t i = 0; i < importer->key_column_count; i++) {
		size_t column = importer->key_columns[i];
		struct span cell = {0};
		if (column < row->cell_count)
			cell = cell_trim(row->cells[column]);
		if (cell.len == 0 && i + 1 == importer->key_column_count)
			buf_clear(key);
		else if (importer->key_column_count > 1)
			buf_add_format(key, "%zu:", cell.len);
		buf_add(key, cell.data, cell.len);
	}
	ensure(!key->has_failed);
}

static enum lyc_status read_header(struct importer *importer, struct lyc_error *error)
{
	sheet_init(&importer->sheet, importer->input.text);
	struct sheet_row *row = &importer->row;
	if (!sheet_next(&importer->sheet, row))
		return error_set(error, LYC_INVALID_ARGUMENT, "the file is empty");
	if (row->fault)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "line %llu, which has the headings: %s",
				 (unsigned long long)row->line, row->fault);
	mapping_guess(&importer->mapping, &importer->leaves, row);
	importer->header_width = row->cell_count;
	struct span header = row->raw;
	if (importer->mapping.ends_refused)
		header.len = row->starts[row->cell_count - 2] - 1;
	importer->refused.header = header;
	importer->refused.separator = importer->sheet.separator;
	importer->refused.is_quoted = importer->sheet.is_quoted;
	return LYC_OK;
}

static enum lyc_status prepare_mapping(struct importer *importer, struct lyc_error *error)
{
	const struct import_options *options = &importer->options;
	enum lyc_status status = LYC_OK;
	if (options->map_path)
		status = mapping_load(&importer->mapping, options->map_path, error);
	if (!status && options->save_map_path)
		status = mapping_save(&importer->mapping, options->save_map_path, error);
	if (status)
		return status;
	if (options->is_dry_run || mapping_used_count(&importer->mapping) == 0)
		importer_show_mapping(importer, options->is_json ? importer->err : importer->out);
	else
		importer_show_unused(importer, importer->err);
	if (mapping_used_count(&importer->mapping) == 0)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "no column's heading is understood; say where they go with --map");
	return LYC_OK;
}

static void index_sheet(struct importer *importer)
{
	struct buf key = {0};
	find_key_columns(importer);
	while (sheet_next(&importer->sheet, &importer->row)) {
		read_key(importer, &importer->row, &key);
		row_groups_add(&importer->groups, span_of(key.data, key.len), importer->row.offset,
			       importer->row.line);
		show_progress(importer);
	}
	buf_fini(&key);
}

static void index_jsonl(struct importer *importer)
{
	struct jsonl jsonl = {.text = importer->input.text, .line = 1};
	size_t offset = 0;
	uint64_t line = 0;
	struct span item;
	importer->refused.separator = 0;
	while (jsonl_next(&jsonl, &offset, &line, &item)) {
		row_groups_add(&importer->groups, (struct span){0}, offset, line);
		show_progress(importer);
	}
}

static const char *fault_of(const struct importer *importer, const struct sheet_row *row,
			    char *text, size_t size)
{
	if (row->fault)
		return row->fault;
	if (row->cell_count == importer->header_width)
		return NULL;
	snprintf(text, size, "the row has %zu cells, the headings are %zu", row->cell_count,
		 importer->header_width);
	return text;
}

/* Fill the item from the rows of a group. *ret_line and reason are set when one is at fault. */
static void build_from_rows(struct importer *importer, const struct row_group *group,
			    uint64_t *ret_line, struct buf *reason)
{
	struct lyc_error error = {0};
	char text[100];
	item_begin(&importer->item, importer->item_message);
	for (uint32_t at = group->first + 1; at > 0; at = importer->groups.rows[at - 1].next) {
		const struct row_ref *ref = &importer->groups.rows[at - 1];
		struct sheet_row *row = &importer->row;
		size_t column = 0;
		ensure(sheet_read_at(&importer->sheet, ref->offset, ref->line, row));
		const char *fault = fault_of(importer, row, text, sizeof(text));
		if (fault) {
			buf_add_text(reason, fault);
		} else if (item_add_row(&importer->item, &importer->mapping, row, &column,
					&error)) {
			buf_add_format(reason, "%s: %s", importer->mapping.columns[column].header,
				       error.text);
		}
		if (reason->len > 0) {
			*ret_line = ref->line;
			return;
		}
	}
	item_write(&importer->item, &importer->item_bytes);
}

static void build_from_json(struct importer *importer, const struct row_group *group,
			    uint64_t *ret_line, struct buf *reason)
{
	struct lyc_error error = {0};
	const struct row_ref *ref = &importer->groups.rows[group->first];
	struct span line = jsonl_line_at(importer->input.text, ref->offset);
	if (jsonl_item(importer->item_message, line, &importer->item_bytes, &error)) {
		*ret_line = ref->line;
		importer_explain(importer, error.field, error.text, reason);
	}
}

/* The path without its element numbers. */
static void strip_numbers(const char *field, char *ret_path, size_t size)
{
	size_t len = 0;
	for (const char *at = field; *at && len + 1 < size; at++) {
		if (*at == '[')
			at += strcspn(at, "]");
		if (*at && *at != ']')
			ret_path[len++] = *at;
	}
	ret_path[len] = '\0';
}

/* Which row brought the element at fault: the one that has the same fault alone. 0 when the fault
 * is not an element's, or the item has one row. */
static uint64_t find_row_at_fault(struct importer *importer, const struct row_group *group,
				  const char *field)
{
	char wanted[sizeof(((struct lyc_error *)0)->field)];
	char path[sizeof(wanted)];
	struct buf bytes = {0};
	uint64_t line = 0;
	if (importer->is_jsonl || group->first == group->last || !strchr(field, '['))
		return 0;
	strip_numbers(field, wanted, sizeof(wanted));
	for (uint32_t at = group->first + 1; at > 0 && line == 0;
	     at = importer->groups.rows[at - 1].next) {
		const struct row_ref *ref = &importer->groups.rows[at - 1];
		struct lyc_error fault = {0};
		size_t column = 0;
		buf_clear(&bytes);
		item_begin(&importer->item, importer->item_message);
		if (!sheet_read_at(&importer->sheet, ref->offset, ref->line, &importer->row) ||
		    item_add_row(&importer->item, &importer->mapping, &importer->row, &column,
				 &fault))
			continue;
		item_write(&importer->item, &bytes);
		if (!schema_check(importer->item_message, span_of(bytes.data, bytes.len), true,
				  &fault))
			continue;
		strip_numbers(fault.field, path, sizeof(path));
		if (strcmp(path, wanted) == 0)
			line = ref->line;
	}
	buf_fini(&bytes);
	return line;
}

/* One item: built, checked here, and handed to the batch. */
static enum lyc_status run_group(struct importer *importer, size_t index, struct lyc_error *error)
{
	const struct row_group *group = &importer->groups.groups[index];
	struct buf reason = {0};
	struct lyc_error fault = {0};
	uint64_t line = 0;
	enum lyc_status status = LYC_OK;
	buf_clear(&importer->item_bytes);
	if (importer->is_jsonl)
		build_from_json(importer, group, &line, &reason);
	else
		build_from_rows(importer, group, &line, &reason);
	struct span bytes = span_of(importer->item_bytes.data, importer->item_bytes.len);
	bool is_refused = reason.len > 0;
	if (!is_refused && schema_check(importer->item_message, bytes, true, &fault)) {
		importer_explain(importer, fault.field, fault.text, &reason);
		line = find_row_at_fault(importer, group, fault.field);
		is_refused = true;
	}
	bool is_sent = !importer->options.is_dry_run || importer->can_ask;
	if (!is_refused && is_sent) {
		status = batch_add(&importer->batch, bytes, index, &fault);
		if (status == LYC_INVALID_ARGUMENT) {
			buf_add_text(&reason, fault.text);
			is_refused = true;
			status = LYC_OK;
		} else if (status) {
			*error = fault;
		}
	}
	const char *text = buf_text(&reason);
	if (is_refused)
		status = importer_refuse(importer, index, line, text ? text : "refused", error);
	buf_fini(&reason);
	importer->done_count++;
	return status;
}

static void on_note(void *arg, size_t column, uint64_t line)
{
	struct importer *importer = arg;
	struct buf text = {0};
	buf_add_format(&text,
		       "%s: another value than in an earlier row of the same item; the "
		       "first one is taken",
		       importer->mapping.columns[column].header);
	report_add_note(&importer->report, buf_text(&text), line);
	buf_fini(&text);
}

static enum lyc_status on_result(void *arg, size_t tag, const struct batch_result *result,
				 struct lyc_error *error)
{
	struct importer *importer = arg;
	const struct row_group *group = &importer->groups.groups[tag];
	enum lyc_status status = LYC_OK;
	struct buf text = {0};
	struct buf field = {0};
	struct buf reason = {0};
	importer_clean(result->text, &text);
	importer_clean(result->field, &field);
	if (result->status && text.len == 0)
		buf_add_text(&text, lyc_status_name(result->status));
	importer_explain(importer, buf_text(&field), buf_text(&text), &reason);
	if (result->status) {
		status = importer_refuse(importer, tag, 0, buf_text(&reason), error);
	} else {
		report_add_change(&importer->report, result->changes, result->change);
		if (text.len > 0)
			report_add_note(&importer->report, buf_text(&reason),
					importer->groups.rows[group->first].line);
	}
	buf_fini(&text);
	buf_fini(&field);
	buf_fini(&reason);
	return status;
}

static enum lyc_status run_groups(struct importer *importer, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	importer->report.row_count += importer->groups.row_count;
	importer->report.item_count += importer->groups.group_count;
	for (size_t i = 0; i < importer->groups.group_count && !status; i++) {
		status = run_group(importer, i, error);
		show_progress(importer);
	}
	if (!status)
		status = batch_flush(&importer->batch, error);
	importer->batch.count = 0;
	buf_clear(&importer->batch.bytes);
	/* Failures of a whole request are never about the file itself. */
	if (status == LYC_INVALID_ARGUMENT || status == LYC_NOT_FOUND)
		status = LYC_INTERNAL;
	return status;
}

enum lyc_status importer_run(struct importer *importer, const char *path, struct lyc_error *error)
{
	importer->path = path;
	report_add_file(&importer->report, path);
	refused_file_init(&importer->refused, importer->options.refused_path, path);
	enum lyc_status status = text_input_open(path, &importer->input, error);
	if (status)
		goto out;
	importer->is_jsonl = jsonl_is(importer->input.text);
	if (importer->is_jsonl) {
		index_jsonl(importer);
	} else {
		status = read_header(importer, error);
		if (!status)
			status = prepare_mapping(importer, error);
		if (status)
			goto out;
		index_sheet(importer);
	}
	status = run_groups(importer, error);
	struct lyc_error write_error = {0};
	enum lyc_status closed = refused_file_close(&importer->refused, &write_error);
	if (!status && closed) {
		status = closed;
		*error = write_error;
	}
	if (importer->refused.row_count > 0)
		report_set_refused_file(&importer->report, importer->refused.path,
					importer->refused.row_count);
out:
	progress_clear(&importer->progress);
	end_file(importer);
	return status;
}
