/*
 * What a name stands for, as .proto text. What is asked for comes first, then, when wanted, what it
 * uses: a type inside a message is shown with that message, google.protobuf's own types are only
 * imported. One section for each package, each a .proto file that protoc takes.
 */
#include <stdlib.h>
#include <string.h>

#include "schema/proto_text.h"

struct item {
	const struct set_symbol *symbol;
	const char *only_method;
	struct buf text;
	/* Pointers to struct set_file. */
	struct buf imports;
	bool is_written;
};

struct describing {
	struct set set;
	struct arena arena;
	const struct schema *schema;
	struct item *items;
	size_t count;
	size_t cap;
};

static bool add_item(struct describing *describing, const struct set_symbol *symbol,
		     const char *only_method)
{
	for (size_t i = 0; i < describing->count; i++) {
		if (describing->items[i].symbol == symbol)
			return true;
	}
	if (describing->count == describing->cap) {
		size_t cap = describing->cap ? 2 * describing->cap : 16;
		struct item *items = realloc(describing->items, cap * sizeof(*items));
		if (!items)
			return false;
		describing->items = items;
		describing->cap = cap;
	}
	describing->items[describing->count++] =
		(struct item){.symbol = symbol, .only_method = only_method};
	return true;
}

static void add_import(struct item *item, const struct set_file *file)
{
	if (!pointers_have(&item->imports, file))
		buf_add(&item->imports, &file, sizeof(file));
}

static bool is_google(const struct set_symbol *symbol)
{
	return strcmp(symbol->file->package, "google.protobuf") == 0;
}

/* Print the item of that index; what it uses is added behind the others when asked for. */
static enum lyc_status print_item(struct describing *describing, size_t index, bool with_used)
{
	struct item *item = &describing->items[index];
	const char *package = item->symbol->file->package;
	struct buf printed = {0};
	struct proto_text text = {.schema = describing->schema,
				  .set = &describing->set,
				  .scratch = &describing->arena,
				  .to = &printed};
	bool has_memory = true;
	proto_text_write(&text, item->symbol, item->only_method);
	for (size_t at = 0; at < text.option_files.len; at += sizeof(void *)) {
		const struct set_file *file;
		memcpy(&file, text.option_files.data + at, sizeof(file));
		add_import(item, file);
	}
	for (size_t at = 0; at < text.used.len && has_memory; at += sizeof(void *)) {
		const struct set_symbol *used;
		memcpy(&used, text.used.data + at, sizeof(used));
		item = &describing->items[index];
		if (strcmp(used->file->package, package) != 0)
			add_import(item, used->file);
		if (with_used && (!is_google(used) || is_google(item->symbol)))
			has_memory = add_item(describing,
					      proto_text_outermost(&describing->set, used), NULL);
	}
	item = &describing->items[index];
	item->text = printed;
	has_memory = has_memory && !printed.has_failed && !text.used.has_failed &&
		     !text.option_files.has_failed && !item->imports.has_failed;
	buf_fini(&text.used);
	buf_fini(&text.option_files);
	return has_memory ? LYC_OK : LYC_RESOURCE_EXHAUSTED;
}

static bool is_same_section(const struct item *a, const struct item *b)
{
	return a->symbol->file->is_proto2 == b->symbol->file->is_proto2 &&
	       strcmp(a->symbol->file->package, b->symbol->file->package) == 0;
}

static void write_head(const struct describing *describing, const struct item *first,
		       struct buf *to)
{
	struct buf done = {0};
	const struct set_file *file = first->symbol->file;
	buf_add_format(to, "syntax = \"%s\";\n", file->is_proto2 ? "proto2" : "proto3");
	if (*file->package)
		buf_add_format(to, "\npackage %s;\n", file->package);
	for (size_t i = 0; i < describing->count; i++) {
		const struct item *item = &describing->items[i];
		for (size_t at = 0; at < item->imports.len; at += sizeof(void *)) {
			const struct set_file *import;
			memcpy(&import, item->imports.data + at, sizeof(import));
			if (!is_same_section(item, first) || pointers_have(&done, import))
				continue;
			buf_add_format(to, "%simport \"%s\";\n", done.len ? "" : "\n",
				       import->name);
			buf_add(&done, &import, sizeof(import));
		}
	}
	to->has_failed |= done.has_failed;
	buf_fini(&done);
}

static void write_sections(struct describing *describing, struct buf *to)
{
	for (size_t i = 0; i < describing->count; i++) {
		const struct item *first = &describing->items[i];
		if (first->is_written)
			continue;
		if (i > 0)
			buf_add_text(to, "\n");
		write_head(describing, first, to);
		for (size_t j = i; j < describing->count; j++) {
			struct item *item = &describing->items[j];
			if (!is_same_section(item, first))
				continue;
			buf_add_text(to, "\n");
			buf_add(to, item->text.data, item->text.len);
			item->is_written = true;
		}
	}
}

static enum lyc_status describe(struct describing *describing, const char *full_name,
				bool with_below, struct buf *to)
{
	size_t len = strcspn(full_name, "/");
	const char *method = full_name[len] == '/' ? full_name + len + 1 : NULL;
	const struct set_symbol *symbol = set_find(&describing->set, full_name, len);
	if (!symbol || (method && !schema_find_method(describing->schema, full_name)))
		return LYC_NOT_FOUND;
	if (!add_item(describing, proto_text_outermost(&describing->set, symbol), method))
		return LYC_RESOURCE_EXHAUSTED;
	for (size_t i = 0; i < describing->count; i++) {
		/* A method is nothing without what it takes and answers. */
		bool with_used = with_below || (i == 0 && method);
		enum lyc_status status = print_item(describing, i, with_used);
		if (status)
			return status;
	}
	write_sections(describing, to);
	return to->has_failed ? LYC_RESOURCE_EXHAUSTED : LYC_OK;
}

enum lyc_status describe_write(const struct schema *schema, const char *full_name, bool with_below,
			       struct buf *to)
{
	struct describing describing = {.schema = schema};
	size_t before = to->len;
	enum lyc_status status = set_read(schema_bytes(schema), &describing.arena,
					  &describing.arena, &describing.set, NULL);
	if (!status)
		status = describe(&describing, full_name, with_below, to);
	if (status)
		to->len = before;
	for (size_t i = 0; i < describing.count; i++) {
		buf_fini(&describing.items[i].text);
		buf_fini(&describing.items[i].imports);
	}
	free(describing.items);
	arena_fini(&describing.arena);
	return status;
}
