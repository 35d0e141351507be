/* Replies as tables, lists and JSON. */
#include "render.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "age.h"
#include "base/mem.h"
#include "cell.h"
#include "paint.h"
#include "table.h"
#include "value.h"

/* "HEADING=path": the path; the heading is what stands before it. */
static const char *path_of(const char *column)
{
	const char *equals = strchr(column, '=');
	return equals ? equals + 1 : column;
}

static char *heading_of(const char *column)
{
	return mem_dup_try(column, strcspn(column, "="));
}

/* ---- A table of rows ---- */

struct rows {
	const struct session_output *output;
	const struct schema_command *command;
	struct table *table;
};

struct details {
	const struct schema_command *command;
	struct table *table;
};

static void set_cells(struct table *table, const struct schema_message *message, struct span body,
		      const char *const *columns, size_t count)
{
	struct buf text = {0};
	table_add_row(table);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&text);
		value_write(message, body, path_of(columns[i]), &text);
		table_set(table, i, text.data ? (const char *)text.data : "", text.len);
	}
	buf_fini(&text);
}

static void add_detail(const struct schema_message *message, struct span body, void *arg)
{
	const struct details *details = arg;
	set_cells(details->table, message, body, details->command->detail_columns,
		  details->command->detail_column_count);
}

/* The details of one row: a small table, indented, below it. */
static void hang_details(const struct rows *rows, const struct schema_message *message,
			 struct span body)
{
	struct table table;
	struct details details = {.command = rows->command, .table = &table};
	struct buf text = {0};
	size_t width = rows->output->width;
	bool has_colour = rows->output->has_colour;
	table_init(&table, rows->command->detail_column_count);
	value_each(message, body, rows->command->detail, add_detail, &details);
	table_write(&table, width > 10 ? width - 4 : 0, false, &text);
	const char *at = text.len ? buf_text(&text) : "";
	while (*at) {
		size_t len = strcspn(at, "\n");
		struct buf line = {0};
		buf_add_format(&line, "    %s%.*s%s", paint(has_colour, PAINT_DIM), (int)len, at,
			       paint(has_colour, PAINT_PLAIN));
		table_add_line(rows->table, (const char *)line.data, line.len);
		buf_fini(&line);
		at += len + (at[len] == '\n');
	}
	buf_fini(&text);
	table_fini(&table);
}

static void add_row(const struct schema_message *message, struct span body, void *arg)
{
	const struct rows *rows = arg;
	set_cells(rows->table, message, body, rows->command->columns, rows->command->column_count);
	if (*rows->command->detail && rows->command->detail_column_count > 0)
		hang_details(rows, message, body);
}

static void write_table(const struct session_output *output, const struct schema_method *method,
			struct span body, struct buf *to)
{
	const struct schema_command *command = &method->command;
	struct table table;
	struct rows rows = {.output = output, .command = command, .table = &table};
	char **headings = mem_get((command->column_count + 1) * sizeof(*headings));
	for (size_t i = 0; i < command->column_count; i++)
		headings[i] = heading_of(command->columns[i]);
	table_init(&table, command->column_count);
	table_add_headings(&table, (const char *const *)headings);
	value_each(method->output, body, command->rows, add_row, &rows);
	if (table.row_count > 1)
		table_write(&table, output->width, output->has_colour, to);
	for (size_t i = 0; i < command->column_count; i++)
		free(headings[i]);
	free(headings);
	table_fini(&table);
}

/* ---- One thing, as a list ---- */

static void add_pair(struct table *table, const char *name, const char *text)
{
	table_add_row(table);
	table_set(table, 0, name, strlen(name));
	/* Never cut: a list shows the thing in full. */
	table_set(table, 1, text, strlen(text));
}

static void add_line(const char *path, const char *text, void *arg)
{
	struct buf name = {0};
	buf_add_format(&name, "%s:", path);
	add_pair(arg, buf_text(&name), text);
	buf_fini(&name);
}

static void add_columns(struct table *table, const struct schema_method *method, struct span body)
{
	for (size_t i = 0; i < method->command.column_count; i++) {
		struct buf text = {0};
		char *heading = heading_of(method->command.columns[i]);
		value_write(method->output, body, path_of(method->command.columns[i]), &text);
		if (heading && text.len > 0)
			add_pair(table, heading, buf_text(&text));
		free(heading);
		buf_fini(&text);
	}
}

static void write_list(const struct schema_method *method, struct span body, struct buf *to)
{
	struct table table;
	table_init(&table, 2);
	if (method->command.column_count > 0)
		add_columns(&table, method, body);
	else
		value_lines(method->output, body, add_line, &table);
	table_write(&table, 0, false, to);
	table_fini(&table);
}

/* Each line of a text as one, clean. */
static void write_lines(const char *text, struct buf *to)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		cell_clean(to, text, len > 0 && text[len - 1] == '\r' ? len - 1 : len);
		buf_add_byte(to, '\n');
		text += len + (text[len] == '\n');
	}
}

void render_write(const struct session_output *output, const struct schema_method *method,
		  struct span body, struct buf *to)
{
	const struct schema_command *command = &method->command;
	if (*command->headline) {
		struct buf text = {0};
		value_fill(method->output, body, command->headline, &text);
		write_lines(text.len ? buf_text(&text) : "", to);
		buf_fini(&text);
	}
	if (*command->rows && command->column_count > 0)
		write_table(output, method, body, to);
	else if (command->column_count > 0 || !*command->headline)
		write_list(method, body, to);
}

void render_notes(const struct schema_method *method, struct span body, struct buf *to)
{
	for (size_t i = 0; i < method->command.note_count; i++) {
		struct buf lines = {0};
		value_write_joined(method->output, body, method->command.notes[i], "\n", &lines);
		write_lines(lines.len ? buf_text(&lines) : "", to);
		buf_fini(&lines);
	}
}

/* ---- JSON, and what stands around a reply ---- */

enum lyc_status render_json(const struct session *session, const struct schema_message *message,
			    struct span body, bool is_pretty, struct lyc_error *error)
{
	struct json_options options = {.is_pretty = is_pretty && session->output.width > 0};
	struct buf text = {0};
	enum lyc_status status = json_write(message, body, &options, &text, error);
	if (status == LYC_OK) {
		buf_add_byte(&text, '\n');
		fwrite(text.data, 1, text.len, stdout);
	}
	buf_fini(&text);
	return status;
}

/* 64-bit numbers are strings, as everywhere in protobuf's JSON. */
static json_t *json_of_position(const struct lyc_position *position)
{
	char epoch[24], seq[24];
	snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long)position->epoch);
	snprintf(seq, sizeof(seq), "%llu", (unsigned long long)position->seq);
	return json_pack("{s:s, s:s, s:s}", "origin", position->origin, "epoch", epoch, "seq", seq);
}

static char *meta_text(const struct session_reply *reply)
{
	json_t *meta = json_object();
	json_t *as_of = json_array();
	if (reply->served_by)
		json_object_set_new(meta, "servedBy", json_string(reply->served_by));
	if (reply->position.origin && *reply->position.origin) {
		struct buf after = {0};
		buf_add_format(&after, "%s:%llu:%llu", reply->position.origin,
			       (unsigned long long)reply->position.epoch,
			       (unsigned long long)reply->position.seq);
		json_object_set_new(meta, "position", json_of_position(&reply->position));
		json_object_set_new(meta, "after", json_string(buf_text(&after)));
		buf_fini(&after);
	}
	for (size_t i = 0; i < reply->as_of_count; i++) {
		json_t *one = json_of_position(&reply->as_of[i]);
		json_object_set_new(one, "ageMs", json_integer((json_int_t)reply->as_of[i].age_ms));
		json_array_append_new(as_of, one);
	}
	json_object_set_new(meta, "asOf", as_of);
	json_object_set_new(meta, "ms", json_integer((json_int_t)reply->duration_ms));
	char *text = json_dumps(meta, JSON_COMPACT);
	json_decref(meta);
	return text;
}

static enum lyc_status print_with_meta(const struct schema_message *message,
				       const struct session_reply *reply, struct lyc_error *error)
{
	struct buf text = {0};
	char *meta = meta_text(reply);
	enum lyc_status status =
		json_write(message, span_of(reply->body.data, reply->body.len), NULL, &text, error);
	if (status == LYC_OK)
		printf("{\"reply\":%s,\"meta\":%s}\n", buf_text(&text), meta);
	free(meta);
	buf_fini(&text);
	return status;
}

static void print_as_of(const struct session *session, const struct session_reply *reply)
{
	struct buf text = {0};
	if (reply->as_of_count == 0)
		return;
	for (size_t i = 0; i < reply->as_of_count; i++) {
		buf_add_format(&text, "%s%s ", i ? ", " : "from: ", reply->as_of[i].origin);
		age_write_ago(&text, reply->as_of[i].age_ms);
	}
	fflush(stdout);
	fprintf(stderr, "%s%s%s\n", paint(session->output.has_error_colour, PAINT_DIM),
		buf_text(&text), paint(session->output.has_error_colour, PAINT_PLAIN));
	buf_fini(&text);
}

enum lyc_status render_reply(const struct session *session, const struct schema_method *method,
			     const struct session_reply *reply, struct lyc_error *error)
{
	struct span body = span_of(reply->body.data, reply->body.len);
	if (session->output.with_meta)
		return print_with_meta(method->output, reply, error);
	if (session->output.is_json)
		return render_json(session, method->output, body, !method->is_server_streaming,
				   error);
	struct buf text = {0};
	render_notes(method, body, &text);
	if (text.len > 0)
		fwrite(text.data, 1, text.len, stderr);
	buf_clear(&text);
	render_write(&session->output, method, body, &text);
	if (text.len > 0)
		fwrite(text.data, 1, text.len, stdout);
	if (text.len == 0) {
		fflush(stdout);
		fprintf(stderr, "%s\n", *method->command.rows ? "Nothing found." : "Done.");
	}
	buf_fini(&text);
	print_as_of(session, reply);
	return LYC_OK;
}
