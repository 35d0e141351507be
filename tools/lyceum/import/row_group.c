/* Groups rows by key with a hash table over the keys' bytes. Row numbers are 32 bits: a file of 4
 * GiB has fewer rows. */
#include "import/row_group.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"

/* Source: FNV-1a, with a final mix as in splitmix64. */
static uint64_t hash_of(struct span key)
{
	uint64_t hash = 0xCBF29CE484222325u;
	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ key.data[i]) * 0x100000001B3u;
	hash ^= hash >> 30;
	hash *= 0xBF58476D1CE4E5B9u;
	return hash ^ hash >> 27;
}

static void *grow(void *list, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return list;
	*cap = *cap ? *cap * 2 : 256;
	list = realloc(list, *cap * size);
	ensure(list != NULL);
	return list;
}

static size_t slot_of(const struct row_groups *groups, uint64_t hash, struct span key)
{
	size_t at = hash & (groups->table_cap - 1);
	while (groups->table[at]) {
		const struct row_group *group = &groups->groups[groups->table[at] - 1];
		if (group->hash == hash &&
		    span_equal(span_of(groups->keys.data + group->key_start, group->key_len), key))
			break;
		at = (at + 1) & (groups->table_cap - 1);
	}
	return at;
}

static void grow_table(struct row_groups *groups)
{
	if (groups->keyed_count * 2 < groups->table_cap)
		return;
	free(groups->table);
	groups->table_cap = groups->table_cap ? groups->table_cap * 2 : 1024;
	groups->table = mem_get(groups->table_cap * sizeof(*groups->table));
	for (size_t i = 0; i < groups->group_count; i++) {
		const struct row_group *group = &groups->groups[i];
		if (group->key_len == 0)
			continue;
		struct span key = span_of(groups->keys.data + group->key_start, group->key_len);
		groups->table[slot_of(groups, group->hash, key)] = (uint32_t)i + 1;
	}
}

static void add_group(struct row_groups *groups, uint64_t hash, struct span key, uint32_t row)
{
	groups->groups = grow(groups->groups, groups->group_count, &groups->group_cap,
			      sizeof(*groups->groups));
	groups->groups[groups->group_count++] = (struct row_group){.hash = hash,
								   .key_start = groups->keys.len,
								   .key_len = (uint32_t)key.len,
								   .first = row,
								   .last = row};
	buf_add(&groups->keys, key.data, key.len);
	ensure(!groups->keys.has_failed);
}

void row_groups_add(struct row_groups *groups, struct span key, size_t offset, uint64_t line)
{
	ensure(groups->row_count < UINT32_MAX - 1);
	groups->rows =
		grow(groups->rows, groups->row_count, &groups->row_cap, sizeof(*groups->rows));
	uint32_t row = (uint32_t)groups->row_count++;
	groups->rows[row] = (struct row_ref){.offset = offset, .line = line};
	if (key.len == 0) {
		add_group(groups, 0, key, row);
		return;
	}
	grow_table(groups);
	uint64_t hash = hash_of(key);
	size_t slot = slot_of(groups, hash, key);
	if (!groups->table[slot]) {
		add_group(groups, hash, key, row);
		groups->table[slot] = (uint32_t)groups->group_count;
		groups->keyed_count++;
		return;
	}
	struct row_group *group = &groups->groups[groups->table[slot] - 1];
	groups->rows[group->last].next = row + 1;
	group->last = row;
}

void row_groups_fini(struct row_groups *groups)
{
	free(groups->rows);
	free(groups->groups);
	free(groups->table);
	buf_fini(&groups->keys);
	*groups = (struct row_groups){0};
}
