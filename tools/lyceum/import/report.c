/* Keeps counts by kind and prints them. A kind is a sentence without what it quotes. */
#include "import/report.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ensure.h"
#include "base/mem.h"

#define SHOWN_KINDS 20

void report_add_file(struct report *report, const char *path)
{
	report->files = realloc(report->files, (report->file_count + 1) * sizeof(*report->files));
	ensure(report->files);
	report->files[report->file_count++] = (struct report_file){.path = mem_dup(path)};
}

void report_set_refused_file(struct report *report, const char *path, uint64_t row_count)
{
	struct report_file *file = &report->files[report->file_count - 1];
	file->refused_path = mem_dup(path);
	file->refused_rows = row_count;
}

/* Items come in the order of their first rows, so lines come out of order: keep the lowest. */
static void keep_first(struct report_kind *kind, size_t file, uint64_t line)
{
	size_t at = kind->first_count;
	while (at > 0 && kind->first[at - 1].file == file && kind->first[at - 1].line > line)
		at--;
	if (at == REPORT_LINES)
		return;
	if (kind->first_count < REPORT_LINES)
		kind->first_count++;
	for (size_t i = kind->first_count - 1; i > at; i--)
		kind->first[i] = kind->first[i - 1];
	kind->first[at].file = file;
	kind->first[at].line = line;
}

static struct report_kind *add_kind(struct report_list *list, const char *text)
{
	list->kinds = realloc(list->kinds, (list->count + 1) * sizeof(*list->kinds));
	ensure(list->kinds);
	struct report_kind *kind = &list->kinds[list->count++];
	*kind = (struct report_kind){.text = mem_dup(text)};
	return kind;
}

static void add(struct report *report, struct report_list *list, const char *text, uint64_t line)
{
	struct report_kind *kind = NULL;
	for (size_t i = 0; i < list->count && !kind; i++) {
		if (strcmp(list->kinds[i].text, text) == 0)
			kind = &list->kinds[i];
	}
	if (!kind && list->count == REPORT_MAX_KINDS) {
		list->other_count++;
		return;
	}
	if (!kind)
		kind = add_kind(list, text);
	kind->count++;
	if (line > 0)
		keep_first(kind, report->file_count - 1, line);
}

/* `"abc" is not a date` and `"def" is not a date` are one kind. */
static char *without_quotes(const char *text)
{
	struct buf kind = {0};
	for (const char *at = text; *at; at++) {
		const char *close = *at == '"' ? strchr(at + 1, '"') : NULL;
		if (close) {
			buf_add_text(&kind, "\"…\"");
			at = close;
		} else {
			buf_add_byte(&kind, (uint8_t)*at);
		}
	}
	char *result = mem_dup(buf_text(&kind));
	buf_fini(&kind);
	return result;
}

void report_add_reason(struct report *report, const char *text, uint64_t line)
{
	char *kind = without_quotes(text);
	add(report, &report->reasons, kind, line);
	free(kind);
}

void report_add_note(struct report *report, const char *text, uint64_t line)
{
	char *kind = without_quotes(text);
	add(report, &report->notes, kind, line);
	free(kind);
}

/* "CHANGE_ADDED" of enum Change is "added". */
static void change_text(const struct schema_enum *changes, const char *name, char *ret_text,
			size_t size)
{
	const char *type = changes ? strrchr(changes->full_name, '.') : NULL;
	type = type ? type + 1 : "";
	size_t type_len = strlen(type);
	if (name && type_len && strncasecmp(name, type, type_len) == 0 && name[type_len] == '_')
		name += type_len + 1;
	snprintf(ret_text, size, "%s", name ? name : "accepted");
	for (char *at = ret_text; *at; at++)
		*at = *at == '_' ? ' ' : (char)tolower((unsigned char)*at);
}

void report_add_change(struct report *report, const struct schema_enum *changes, const char *name)
{
	char text[80];
	/* All of them at once, with none counted, so that they are told in the enum's order. */
	bool is_first = changes && report->changes.count == 0;
	for (size_t i = 0; is_first && i < changes->value_count; i++) {
		change_text(changes, changes->values[i].name, text, sizeof(text));
		if (changes->values[i].number != 0 && report->changes.count < REPORT_MAX_KINDS)
			add_kind(&report->changes, text);
	}
	change_text(changes, name, text, sizeof(text));
	add(report, &report->changes, text, 0);
}

static void print_lines(const struct report *report, const struct report_kind *kind, FILE *out)
{
	if (kind->first_count == 0)
		return;
	fprintf(out, " (line%s", kind->count > 1 ? "s" : "");
	for (size_t i = 0; i < kind->first_count; i++) {
		fputs(i ? ", " : " ", out);
		if (report->file_count > 1)
			fprintf(out, "%s:", report->files[kind->first[i].file].path);
		fprintf(out, "%llu", (unsigned long long)kind->first[i].line);
	}
	fputs(kind->count > kind->first_count ? ", …)" : ")", out);
}

static void print_list(const struct report *report, const struct report_list *list, FILE *out)
{
	size_t shown = list->count < SHOWN_KINDS ? list->count : SHOWN_KINDS;
	for (size_t i = 0; i < shown; i++) {
		fprintf(out, "  %6llu  %s", (unsigned long long)list->kinds[i].count,
			list->kinds[i].text);
		print_lines(report, &list->kinds[i], out);
		fputc('\n', out);
	}
	uint64_t rest = list->other_count;
	for (size_t i = shown; i < list->count; i++)
		rest += list->kinds[i].count;
	if (rest)
		fprintf(out, "  %6llu  others\n", (unsigned long long)rest);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

void report_print(const struct report *report, FILE *out)
{
	fprintf(out, "%llu row%s read, %llu item%s%s", (unsigned long long)report->row_count,
		plural(report->row_count), (unsigned long long)report->item_count,
		plural(report->item_count), report->changes.count ? ": " : "");
	const char *between = "";
	for (size_t i = 0; i < report->changes.count; i++) {
		const struct report_kind *kind = &report->changes.kinds[i];
		if (kind->count == 0)
			continue;
		fprintf(out, "%s%llu %s", between, (unsigned long long)kind->count, kind->text);
		between = ", ";
	}
	fputs(".\n", out);
	if (report->is_dry_run)
		fputs(report->is_asked
			      ? "This was a dry run: nothing was changed.\n"
			      : "This was a dry run: nothing was sent. The service cannot say what "
				"it would do, so the items were checked here only.\n",
		      out);
	if (report->refused_items || report->refused_rows) {
		fprintf(out, "%llu row%s refused (%llu item%s):\n",
			(unsigned long long)report->refused_rows, plural(report->refused_rows),
			(unsigned long long)report->refused_items, plural(report->refused_items));
		print_list(report, &report->reasons, out);
	}
	if (report->notes.count) {
		fputs("To know:\n", out);
		print_list(report, &report->notes, out);
	}
	for (size_t i = 0; i < report->file_count; i++) {
		const struct report_file *file = &report->files[i];
		if (file->refused_path)
			fprintf(out,
				"The refused rows are in %s: mend them there and import that "
				"file.\n",
				file->refused_path);
	}
	if (report->stopped[0])
		fprintf(out,
			"Stopped early: %s. What is in stays; import the file again for the "
			"rest.\n",
			report->stopped);
}

static json_t *list_to_json(const struct report *report, const struct report_list *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->count; i++) {
		const struct report_kind *kind = &list->kinds[i];
		json_t *lines = json_array();
		for (size_t j = 0; j < kind->first_count; j++)
			json_array_append_new(lines,
					      json_pack("{s:s, s:I}", "file",
							report->files[kind->first[j].file].path,
							"line", (json_int_t)kind->first[j].line));
		json_array_append_new(array, json_pack("{s:s%, s:I, s:o}", "text", kind->text,
						       strlen(kind->text), "count",
						       (json_int_t)kind->count, "first", lines));
	}
	return array;
}

static json_int_t count_of(const struct report *report, const char *change)
{
	for (size_t i = 0; i < report->changes.count; i++) {
		if (strcmp(report->changes.kinds[i].text, change) == 0)
			return (json_int_t)report->changes.kinds[i].count;
	}
	return 0;
}

void report_print_json(const struct report *report, FILE *out)
{
	static const char *const usual[] = {"added", "updated", "unchanged"};
	json_t *object = json_object();
	json_object_set_new(object, "rows", json_integer((json_int_t)report->row_count));
	json_object_set_new(object, "items", json_integer((json_int_t)report->item_count));
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		json_object_set_new(object, usual[i], json_integer(count_of(report, usual[i])));
	for (size_t i = 0; i < report->changes.count; i++)
		json_object_set_new(object, report->changes.kinds[i].text,
				    json_integer((json_int_t)report->changes.kinds[i].count));
	json_object_set_new(object, "refused_rows", json_integer((json_int_t)report->refused_rows));
	json_object_set_new(object, "refused_items",
			    json_integer((json_int_t)report->refused_items));
	json_object_set_new(object, "dry_run", json_boolean(report->is_dry_run));
	json_object_set_new(object, "reasons", list_to_json(report, &report->reasons));
	json_object_set_new(object, "notes", list_to_json(report, &report->notes));
	json_t *files = json_array();
	for (size_t i = 0; i < report->file_count; i++) {
		const struct report_file *file = &report->files[i];
		json_array_append_new(files,
				      json_pack("{s:s, s:s?, s:I}", "file", file->path,
						"refused_file", file->refused_path, "refused_rows",
						(json_int_t)file->refused_rows));
	}
	json_object_set_new(object, "files", files);
	if (report->stopped[0])
		json_object_set_new(object, "stopped", json_string(report->stopped));
	json_dumpf(object, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(object);
}

static void list_fini(struct report_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->kinds[i].text);
	free(list->kinds);
}

void report_fini(struct report *report)
{
	list_fini(&report->changes);
	list_fini(&report->reasons);
	list_fini(&report->notes);
	for (size_t i = 0; i < report->file_count; i++) {
		free(report->files[i].path);
		free(report->files[i].refused_path);
	}
	free(report->files);
	*report = (struct report){0};
}
