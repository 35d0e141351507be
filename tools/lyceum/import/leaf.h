/*
 * The places of an item that a cell can fill: every field of the item message and of its
 * submessages that holds one value or a list of values, with its path.
 */
#ifndef LYC_IMPORT_LEAF_H
#define LYC_IMPORT_LEAF_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/schema.h"

#define LEAF_MAX_DEPTH 5
#define LEAF_MAX_COUNT 1024

struct leaf {
	/* From the item's own field down to the one that holds the value. */
	const struct schema_field *path[LEAF_MAX_DEPTH];
	size_t depth;
	/* "evidence.title". */
	char *name;
	/* A list of values, in one element of whatever is around it. */
	bool is_list;
	/* Each row may bring another one: a list, or below a repeated message. */
	bool is_many;
};

struct leaf_list {
	struct leaf *leaves;
	size_t count;
};

/* Borrows the message's schema. Maps, bytes and messages without a text form are left out. */
void leaf_list_init(struct leaf_list *list, const struct schema_message *item);
void leaf_list_fini(struct leaf_list *list);
/* The leaf of that path, in proto or JSON names; -1. */
int leaf_find(const struct leaf_list *list, const char *path);

static inline const struct schema_field *leaf_field(const struct leaf *leaf)
{
	return leaf->path[leaf->depth - 1];
}

#endif
