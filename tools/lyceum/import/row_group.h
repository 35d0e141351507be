/*
 * Which rows make one item: those with the same key, wherever they stand. Holds a position for each
 * row and each key once, not the rows.
 */
#ifndef LYC_IMPORT_ROW_GROUP_H
#define LYC_IMPORT_ROW_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct row_ref {
	size_t offset;
	uint64_t line;
	/* Index + 1 of the next row of its group; 0 for the last. */
	uint32_t next;
};

struct row_group {
	uint64_t hash;
	size_t key_start;
	uint32_t key_len;
	/* Indexes of rows. */
	uint32_t first;
	uint32_t last;
};

struct row_groups {
	struct row_ref *rows;
	size_t row_count;
	size_t row_cap;
	/* In the order of their first rows. */
	struct row_group *groups;
	size_t group_count;
	size_t group_cap;

	struct buf keys;
	/* Open addressing: group index + 1. */
	uint32_t *table;
	size_t table_cap;
	size_t keyed_count;
};

/* Add a row; with an empty key it makes a group of its own. */
void row_groups_add(struct row_groups *groups, struct span key, size_t offset, uint64_t line);
/* Also for the next file. Accepts a zeroed one. */
void row_groups_fini(struct row_groups *groups);

#endif
