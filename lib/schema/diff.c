/*
 * Compares two versions of a schema: files by name, messages, enums and services by full name. What
 * breaks is put in the order of files and lines. The pairs themselves are compared in diff_*.c.
 */
#include "schema/diff.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/differ.h"
#include "schema/source_line.h"

static struct diff_break *room(struct diff *diff)
{
	if (diff->count < diff->cap)
		return &diff->breaks[diff->count];
	size_t cap = diff->cap > 0 ? diff->cap * 2 : 16;
	struct diff_break *grown = arena_get_many(&diff->arena, cap, sizeof(*grown));
	if (!grown)
		return NULL;
	if (diff->count > 0)
		memcpy(grown, diff->breaks, diff->count * sizeof(*grown));
	diff->breaks = grown;
	diff->cap = cap;
	return &diff->breaks[diff->count];
}

void differ_report(struct differ *differ, enum diff_rule_id rule, const struct set_file *file,
		   const struct set_path *path, const char *format, ...)
{
	char text[600];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	size_t used = len < 0 ? 0 : (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
	struct diff *diff = differ->diff;
	struct diff_break *breaking = room(diff);
	if (breaking) {
		*breaking = (struct diff_break){
			.rule = diff_rules[rule].name,
			.file = arena_text(&diff->arena, span_of(file->name, strlen(file->name))),
			.line = source_line(file, path),
			.text = arena_text(&diff->arena, span_of(text, used))};
	}
	if (!breaking || !breaking->file || !breaking->text)
		differ->has_failed = true;
	else
		diff->count++;
}

/* protobuf's own package is the same for everybody. */
static bool is_compared(const struct set_file *file, const char *package)
{
	if (strcmp(file->package, "google.protobuf") == 0)
		return false;
	return !package || strcmp(file->package, package) == 0;
}

static const struct set_file *find_file(const struct set *set, const char *name)
{
	for (size_t i = 0; i < set->file_count; i++) {
		if (strcmp(set->files[i].name, name) == 0)
			return &set->files[i];
	}
	return NULL;
}

static void diff_files(struct differ *differ, const char *package)
{
	static const struct set_path package_path = {.bytes = {2}, .len = 1};
	for (size_t i = 0; i < differ->older_set.file_count; i++) {
		const struct set_file *older = &differ->older_set.files[i];
		const struct set_file *newer = find_file(&differ->newer_set, older->name);
		if (is_compared(older, package) && newer &&
		    strcmp(older->package, newer->package) != 0)
			differ_report(differ, FILE_SAME_PACKAGE, newer, &package_path,
				      "the package was \"%s\" and is \"%s\"", older->package,
				      newer->package);
	}
}

static void diff_symbols(struct differ *differ, const char *package)
{
	for (size_t i = 0; i < differ->older_set.symbol_count && !differ->has_failed; i++) {
		struct diff_pair pair = {.older = differ->older_set.symbols[i]};
		const char *name = pair.older->full_name;
		pair.newer = set_find(&differ->newer_set, name, strlen(name));
		if (!is_compared(pair.older->file, package) || !pair.newer ||
		    pair.newer->kind != pair.older->kind)
			continue;
		if (pair.older->kind == SET_MESSAGE)
			diff_messages(differ, &pair);
		else if (pair.older->kind == SET_ENUM)
			diff_enums(differ, &pair);
		else
			diff_services(differ, &pair);
	}
}

static int compare_breaks(const void *a, const void *b)
{
	const struct diff_break *one = a;
	const struct diff_break *two = b;
	int order = strcmp(one->file, two->file);
	if (order == 0)
		order = (one->line > two->line) - (one->line < two->line);
	if (order == 0)
		order = strcmp(one->text, two->text);
	return order != 0 ? order : strcmp(one->rule, two->rule);
}

enum lyc_status diff_new(const struct schema *older, const struct schema *newer,
			 const char *package, struct diff *ret_diff, struct lyc_error *error)
{
	struct diff diff = {0};
	struct differ differ = {.older = older, .newer = newer, .diff = &diff};
	/* Both were read before: what fails here is memory. */
	enum lyc_status status = set_read(schema_bytes(older), &differ.scratch, &differ.scratch,
					  &differ.older_set, error);
	if (status == LYC_OK)
		status = set_read(schema_bytes(newer), &differ.scratch, &differ.scratch,
				  &differ.newer_set, error);
	if (status != LYC_OK)
		goto out;
	diff_files(&differ, package);
	diff_symbols(&differ, package);
	if (differ.has_failed) {
		status = set_no_memory(error);
		goto out;
	}
	if (diff.count > 1)
		qsort(diff.breaks, diff.count, sizeof(diff.breaks[0]), compare_breaks);
	*ret_diff = diff;
	diff = (struct diff){0};
out:
	arena_fini(&differ.scratch);
	diff_fini(&diff);
	return status;
}

void diff_fini(struct diff *diff)
{
	arena_fini(&diff->arena);
	*diff = (struct diff){0};
}

void diff_write(const struct diff_break *breaking, struct buf *to)
{
	if (breaking->line > 0)
		buf_add_format(to, "%s:%u: %s (%s)", breaking->file, breaking->line, breaking->text,
			       breaking->rule);
	else
		buf_add_format(to, "%s: %s (%s)", breaking->file, breaking->text, breaking->rule);
}
