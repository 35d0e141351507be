/*
 * The first pass over a FileDescriptorSet, by hand on the wire bytes: files, names, comments. It
 * trusts nothing: names are identifiers, nesting and sizes are limited, duplicates are refused.
 * Source: google/protobuf/descriptor.proto.
 */
#include "schema/set_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "base/utf8.h"

struct reading {
	struct arena *arena;
	struct arena *scratch;
	struct set *set;
	struct set_symbol *last;
	struct lyc_error *error;
};

enum lyc_status set_no_memory(struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED,
			 "the schema needs more memory than there is or may be used");
}

static enum lyc_status malformed(struct lyc_error *error, const char *file)
{
	return error_set(error, LYC_INVALID_ARGUMENT, "%s: the descriptor is malformed",
			 file ? file : "the schema");
}

bool set_is_identifier(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!is_letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return name.len > 0 && name.len <= SET_MAX_NAME;
}

static bool is_package(struct span package)
{
	size_t from = 0;
	for (size_t i = 0; i <= package.len; i++) {
		if (i < package.len && package.data[i] != '.')
			continue;
		if (!set_is_identifier(span_of(package.data + from, i - from)))
			return false;
		from = i + 1;
	}
	return package.len <= SET_MAX_NAME;
}

struct set_path set_path_down(const struct set_path *path, uint32_t number, uint32_t index)
{
	struct set_path down = *path;
	/* Nesting is limited, so this always fits. */
	if (down.len + 10 <= sizeof(down.bytes)) {
		uint8_t *at = down.bytes + down.len;
		at = pb_put_varint(at, number);
		at = pb_put_varint(at, index);
		down.len = (size_t)(at - down.bytes);
	}
	return down;
}

static int compare_paths(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_comments(const void *a, const void *b)
{
	const struct set_comment *one = a;
	const struct set_comment *two = b;
	return compare_paths(one->path, two->path);
}

const char *set_comment(const struct set_file *file, const struct set_path *path,
			struct arena *arena)
{
	struct set_comment wanted = {.path = span_of(path->bytes, path->len)};
	const struct set_comment *found = NULL;
	if (file->comment_count > 0)
		found = bsearch(&wanted, file->comments, file->comment_count, sizeof(wanted),
				compare_comments);
	if (!found || !utf8_check(found->text.data, found->text.len, NULL) ||
	    memchr(found->text.data, '\0', found->text.len))
		return "";
	char *text = arena_get(arena, found->text.len + 1);
	if (!text)
		return NULL;
	size_t len = 0;
	bool is_line_start = true;
	for (size_t i = 0; i < found->text.len; i++) {
		char c = (char)found->text.data[i];
		if (!is_line_start || c != ' ')
			text[len++] = c;
		is_line_start = c == '\n';
	}
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	text[len] = '\0';
	return text;
}

/* One SourceCodeInfo.Location: leading comment, else trailing. */
static struct set_comment location_read(struct span bytes)
{
	struct set_comment comment = {0};
	struct span trailing = {0};
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			comment.path = field.bytes;
		else if (field.number == 3)
			comment.text = field.bytes;
		else if (field.number == 4)
			trailing = field.bytes;
	}
	if (comment.text.len == 0)
		comment.text = trailing;
	return comment;
}

static enum lyc_status read_comments(struct reading *reading, struct set_file *file,
				     struct span info)
{
	struct pb_reader reader = pb_reader_of(info);
	struct pb_field field;
	size_t count = 0;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1 && location_read(field.bytes).text.len > 0)
			count++;
	}
	if (reader.has_failed)
		return malformed(reading->error, file->name);
	file->comments = arena_get_many(reading->scratch, count, sizeof(file->comments[0]));
	if (!file->comments)
		return set_no_memory(reading->error);
	reader = pb_reader_of(info);
	while (pb_read_field(&reader, &field)) {
		struct set_comment comment = {0};
		if (field.number == 1)
			comment = location_read(field.bytes);
		if (comment.text.len > 0)
			file->comments[file->comment_count++] = comment;
	}
	if (file->comment_count > 0)
		qsort(file->comments, file->comment_count, sizeof(file->comments[0]),
		      compare_comments);
	return LYC_OK;
}

/* Field 1, the name, of any descriptor. */
static struct span name_of(struct span proto)
{
	struct span name = {0};
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			name = field.bytes;
	}
	return name;
}

static const char *join(struct arena *arena, const char *scope, struct span name)
{
	size_t scope_len = strlen(scope);
	size_t dot = scope_len > 0 ? 1 : 0;
	char *text = arena_get(arena, scope_len + dot + name.len + 1);
	if (!text)
		return NULL;
	memcpy(text, scope, scope_len);
	if (dot)
		text[scope_len] = '.';
	memcpy(text + scope_len + dot, name.data, name.len);
	return text;
}

static enum lyc_status add_symbol(struct reading *reading, const struct set_file *file,
				  const char *scope, struct set_symbol filled,
				  struct set_symbol **ret_symbol)
{
	struct span name = name_of(filled.proto);
	if (!set_is_identifier(name))
		return error_set(reading->error, LYC_INVALID_ARGUMENT,
				 "%s: a definition in %s has no proper name", file->name,
				 scope[0] ? scope : "it");
	if (strlen(scope) + 1 + name.len > SET_MAX_NAME)
		return error_set(reading->error, LYC_INVALID_ARGUMENT,
				 "%s: a name is longer than %d characters", file->name,
				 SET_MAX_NAME);
	struct set_symbol *symbol = arena_get(reading->scratch, sizeof(*symbol));
	if (!symbol)
		return set_no_memory(reading->error);
	*symbol = filled;
	symbol->file = file;
	symbol->full_name = join(reading->arena, scope, name);
	if (!symbol->full_name)
		return set_no_memory(reading->error);
	symbol->next = reading->last;
	reading->last = symbol;
	reading->set->symbol_count++;
	*ret_symbol = symbol;
	return LYC_OK;
}

/* A message and, below it, its own messages and enums. */
static enum lyc_status read_message(struct reading *reading, const struct set_file *file,
				    const char *scope, struct span proto,
				    const struct set_path *path, int depth)
{
	if (depth > SET_MAX_NESTING)
		return error_set(reading->error, LYC_INVALID_ARGUMENT,
				 "%s: messages are nested deeper than %d", file->name,
				 SET_MAX_NESTING);
	struct set_symbol *symbol;
	enum lyc_status status = add_symbol(
		reading, file, scope,
		(struct set_symbol){.kind = SET_MESSAGE, .proto = proto, .path = *path}, &symbol);
	if (status != LYC_OK)
		return status;
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field field;
	uint32_t message_index = 0;
	uint32_t enum_index = 0;
	while (status == LYC_OK && pb_read_field(&reader, &field)) {
		if (field.number == 3) {
			struct set_path down = set_path_down(path, 3, message_index++);
			status = read_message(reading, file, symbol->full_name, field.bytes, &down,
					      depth + 1);
		} else if (field.number == 4) {
			struct set_symbol *below;
			status = add_symbol(
				reading, file, symbol->full_name,
				(struct set_symbol){.kind = SET_ENUM,
						    .proto = field.bytes,
						    .path = set_path_down(path, 4, enum_index++)},
				&below);
		}
	}
	if (status == LYC_OK && reader.has_failed)
		return malformed(reading->error, file->name);
	return status;
}

static enum lyc_status read_definitions(struct reading *reading, struct set_file *file)
{
	static const struct set_path root = {.len = 0};
	struct pb_reader reader = pb_reader_of(file->proto);
	struct pb_field field;
	enum lyc_status status = LYC_OK;
	uint32_t index[7] = {0};
	while (status == LYC_OK && pb_read_field(&reader, &field)) {
		if (field.number < 4 || field.number > 6)
			continue;
		struct set_path path = set_path_down(&root, field.number, index[field.number]++);
		struct set_symbol *symbol;
		if (field.number == 4)
			status = read_message(reading, file, file->package, field.bytes, &path, 1);
		else
			status = add_symbol(reading, file, file->package,
					    (struct set_symbol){.kind = field.number == 5
										? SET_ENUM
										: SET_SERVICE,
								.proto = field.bytes,
								.path = path},
					    &symbol);
	}
	return status;
}

static enum lyc_status read_file(struct reading *reading, struct span proto, struct set_file *file)
{
	struct span name = {0};
	struct span package = {0};
	struct span syntax = {0};
	struct span info = {0};
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			name = field.bytes;
		else if (field.number == 2)
			package = field.bytes;
		else if (field.number == 9)
			info = field.bytes;
		else if (field.number == 12)
			syntax = field.bytes;
	}
	if (name.len == 0 || name.len > SET_MAX_NAME || memchr(name.data, '\0', name.len) ||
	    !utf8_check(name.data, name.len, NULL))
		return error_set(reading->error, LYC_INVALID_ARGUMENT,
				 "the schema has a file without a proper name");
	file->name = arena_text(reading->arena, name);
	file->package = arena_text(reading->arena, package);
	if (!file->name || !file->package)
		return set_no_memory(reading->error);
	file->proto = proto;
	file->is_proto2 = syntax.len == 0 || span_is(syntax, "proto2");
	if (reader.has_failed)
		return malformed(reading->error, file->name);
	if (!file->is_proto2 && !span_is(syntax, "proto3"))
		return error_set(reading->error, LYC_INVALID_ARGUMENT,
				 "%s: only the syntaxes proto2 and proto3 are known", file->name);
	if (package.len > 0 && !is_package(package))
		return error_set(reading->error, LYC_INVALID_ARGUMENT,
				 "%s: the package has no proper name", file->name);
	return read_comments(reading, file, info);
}

static int compare_files(const void *a, const void *b)
{
	const struct set_file *one = a;
	const struct set_file *two = b;
	return strcmp(one->name, two->name);
}

static enum lyc_status check_imports(struct reading *reading, const struct set_file *file)
{
	struct pb_reader reader = pb_reader_of(file->proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number != 3)
			continue;
		char name[SET_MAX_NAME + 1] = {0};
		if (field.bytes.len < sizeof(name) && field.bytes.len > 0)
			memcpy(name, field.bytes.data, field.bytes.len);
		struct set_file wanted = {.name = name};
		if (!bsearch(&wanted, reading->set->files, reading->set->file_count, sizeof(wanted),
			     compare_files))
			return error_set(reading->error, LYC_INVALID_ARGUMENT,
					 "%s: imports %.80s, which is not in the set; make the set "
					 "with --include_imports",
					 file->name, name);
	}
	return LYC_OK;
}

static enum lyc_status read_files(struct reading *reading, struct span bytes)
{
	struct set *set = reading->set;
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			set->file_count++;
	}
	if (reader.has_failed)
		return malformed(reading->error, NULL);
	if (set->file_count == 0)
		return error_set(reading->error, LYC_INVALID_ARGUMENT, "the schema holds no files");
	set->files = arena_get_many(reading->scratch, set->file_count, sizeof(set->files[0]));
	if (!set->files)
		return set_no_memory(reading->error);
	reader = pb_reader_of(bytes);
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; status == LYC_OK && pb_read_field(&reader, &field);) {
		if (field.number == 1)
			status = read_file(reading, field.bytes, &set->files[i++]);
	}
	if (status != LYC_OK)
		return status;
	qsort(set->files, set->file_count, sizeof(set->files[0]), compare_files);
	for (size_t i = 1; i < set->file_count; i++) {
		if (compare_files(&set->files[i - 1], &set->files[i]) == 0)
			return error_set(reading->error, LYC_INVALID_ARGUMENT,
					 "%s: the file is in the set twice", set->files[i].name);
	}
	for (size_t i = 0; status == LYC_OK && i < set->file_count; i++)
		status = check_imports(reading, &set->files[i]);
	for (size_t i = 0; status == LYC_OK && i < set->file_count; i++)
		status = read_definitions(reading, &set->files[i]);
	return status;
}

static int compare_symbols(const void *a, const void *b)
{
	const struct set_symbol *const *one = a;
	const struct set_symbol *const *two = b;
	return strcmp((*one)->full_name, (*two)->full_name);
}

static enum lyc_status sort_symbols(struct reading *reading)
{
	struct set *set = reading->set;
	set->symbols = arena_get_many(reading->scratch, set->symbol_count, sizeof(set->symbols[0]));
	if (!set->symbols)
		return set_no_memory(reading->error);
	size_t count = 0;
	for (struct set_symbol *symbol = reading->last; symbol; symbol = symbol->next)
		set->symbols[count++] = symbol;
	if (count > 0)
		qsort(set->symbols, count, sizeof(set->symbols[0]), compare_symbols);
	for (size_t i = 0; i < count; i++) {
		struct set_symbol *symbol = set->symbols[i];
		if (i > 0 && compare_symbols(&set->symbols[i - 1], &set->symbols[i]) == 0)
			return error_set(reading->error, LYC_INVALID_ARGUMENT,
					 "%s: %s is defined twice", symbol->file->name,
					 symbol->full_name);
		symbol->index = set->kind_count[symbol->kind]++;
	}
	return LYC_OK;
}

enum lyc_status set_read(struct span bytes, struct arena *arena, struct arena *scratch,
			 struct set *ret_set, struct lyc_error *error)
{
	*ret_set = (struct set){0};
	if (bytes.len > SET_MAX_LEN)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the schema has %zu bytes, at most %zu are allowed", bytes.len,
				 SET_MAX_LEN);
	struct reading reading = {
		.arena = arena, .scratch = scratch, .set = ret_set, .error = error};
	enum lyc_status status = read_files(&reading, bytes);
	if (status == LYC_OK)
		status = sort_symbols(&reading);
	return status;
}

const struct set_symbol *set_find(const struct set *set, const char *full_name, size_t len)
{
	size_t low = 0;
	size_t high = set->symbol_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *name = set->symbols[middle]->full_name;
		int order = strncmp(name, full_name, len);
		if (order == 0 && name[len] != '\0')
			order = 1;
		if (order == 0)
			return set->symbols[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
