/* Walks an item message once and lists what a cell can fill. A message that contains itself is
 * followed once. What a cell's text means is value.c's. */
#include "import/leaf.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/ensure.h"
#include "base/mem.h"

struct walk {
	struct leaf_list *list;
	struct leaf current;
	const struct schema_message *above[LEAF_MAX_DEPTH + 1];
};

static bool holds_value(const struct schema_field *field)
{
	if (field->is_map || field->type == SCHEMA_BYTES || field->type == SCHEMA_GROUP)
		return false;
	if (field->type != SCHEMA_MESSAGE)
		return true;
	if (field->message->known == SCHEMA_WRAPPER)
		return field->message->field_count == 1 &&
		       field->message->fields[0].type != SCHEMA_BYTES;
	return field->message->known == SCHEMA_TIMESTAMP;
}

static bool holds_fields(const struct schema_field *field)
{
	return field->type == SCHEMA_MESSAGE && !field->is_map &&
	       (field->message->known == SCHEMA_PLAIN || field->message->known == SCHEMA_LABEL);
}

static void add_leaf(struct walk *walk)
{
	struct leaf_list *list = walk->list;
	struct buf name = {0};
	struct leaf leaf = walk->current;
	for (size_t i = 0; i < leaf.depth; i++) {
		if (i > 0)
			buf_add_byte(&name, '.');
		buf_add_text(&name, leaf.path[i]->name);
		leaf.is_many |= leaf.path[i]->is_repeated;
	}
	leaf.is_list = leaf_field(&leaf)->is_repeated;
	leaf.name = mem_dup(buf_text(&name));
	buf_fini(&name);
	list->leaves = realloc(list->leaves, (list->count + 1) * sizeof(leaf));
	ensure(list->leaves);
	list->leaves[list->count++] = leaf;
}

static void visit(struct walk *walk, const struct schema_message *message)
{
	size_t depth = walk->current.depth;
	if (depth == LEAF_MAX_DEPTH)
		return;
	for (size_t i = 0; i < depth; i++) {
		if (walk->above[i] == message)
			return;
	}
	walk->above[depth] = message;
	walk->current.depth = depth + 1;
	for (size_t i = 0; i < message->field_count; i++) {
		const struct schema_field *field = &message->fields[message->by_declaration[i]];
		if (walk->list->count == LEAF_MAX_COUNT)
			break;
		walk->current.path[depth] = field;
		if (holds_value(field))
			add_leaf(walk);
		else if (holds_fields(field))
			visit(walk, field->message);
	}
	walk->current.depth = depth;
}

void leaf_list_init(struct leaf_list *list, const struct schema_message *item)
{
	struct walk walk = {.list = list};
	*list = (struct leaf_list){0};
	visit(&walk, item);
}

void leaf_list_fini(struct leaf_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->leaves[i].name);
	free(list->leaves);
	*list = (struct leaf_list){0};
}

static bool path_is(const struct leaf *leaf, const char *path)
{
	for (size_t i = 0; i < leaf->depth; i++) {
		size_t len = strcspn(path, ".");
		const char *name = leaf->path[i]->name;
		const char *json_name = leaf->path[i]->json_name;
		if ((strlen(name) != len || memcmp(name, path, len) != 0) &&
		    (strlen(json_name) != len || memcmp(json_name, path, len) != 0))
			return false;
		bool is_last = i + 1 == leaf->depth;
		if (path[len] != (is_last ? '\0' : '.'))
			return false;
		path += len + 1;
	}
	return true;
}

int leaf_find(const struct leaf_list *list, const char *path)
{
	for (size_t i = 0; i < list->count; i++) {
		if (path_is(&list->leaves[i], path))
			return (int)i;
	}
	return -1;
}
