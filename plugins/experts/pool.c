/* Open addressing with linear steps, at most half full. */
#include "pool.h"

#include "grow.h"

uint64_t pool_hash(const char *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return hash;
}

void pool_init(struct pool *strings)
{
	*strings = (struct pool){.table_size = 64};
	strings->table = grow_new(strings->table_size, sizeof(uint32_t));
	strings->offsets = grow(NULL, &strings->offsets_capacity, 16, sizeof(strings->offsets[0]));
}

void pool_fini(struct pool *strings)
{
	free(strings->bytes);
	free(strings->offsets);
	free(strings->table);
	*strings = (struct pool){0};
}

const char *pool_at(const struct pool *strings, uint32_t number)
{
	return strings->bytes + strings->offsets[number];
}

size_t pool_len(const struct pool *strings, uint32_t number)
{
	return strings->offsets[number + 1] - strings->offsets[number] - 1;
}

static uint32_t slot_of(const struct pool *strings, const char *bytes, size_t len)
{
	uint64_t hash = pool_hash(bytes, len);
	uint32_t slot = (uint32_t)(hash ^ (hash >> 32)) & (strings->table_size - 1);

	while (strings->table[slot]) {
		uint32_t number = strings->table[slot] - 1;
		if (pool_len(strings, number) == len &&
		    memcmp(pool_at(strings, number), bytes, len) == 0)
			break;
		slot = (slot + 1) & (strings->table_size - 1);
	}
	return slot;
}

static void widen(struct pool *strings)
{
	free(strings->table);
	strings->table_size *= 2;
	strings->table = grow_new(strings->table_size, sizeof(uint32_t));
	for (uint32_t i = 0; i < strings->count; i++)
		strings->table[slot_of(strings, pool_at(strings, i), pool_len(strings, i))] = i + 1;
}

uint32_t pool_find(const struct pool *strings, const char *bytes, size_t len)
{
	uint32_t found = strings->table[slot_of(strings, bytes, len)];
	return found ? found - 1 : POOL_NONE;
}

uint32_t pool_add(struct pool *strings, const char *bytes, size_t len)
{
	uint32_t slot = slot_of(strings, bytes, len);
	if (strings->table[slot])
		return strings->table[slot] - 1;

	strings->bytes =
		grow(strings->bytes, &strings->bytes_capacity, strings->bytes_len + len + 1, 1);
	if (len > 0)
		memcpy(strings->bytes + strings->bytes_len, bytes, len);
	strings->bytes[strings->bytes_len + len] = '\0';
	strings->bytes_len += len + 1;
	uint32_t number = strings->count++;
	strings->offsets = grow(strings->offsets, &strings->offsets_capacity,
				(size_t)strings->count + 1, sizeof(strings->offsets[0]));
	strings->offsets[strings->count] = strings->bytes_len;
	strings->table[slot] = number + 1;
	if (strings->count * 2 > strings->table_size)
		widen(strings);
	return number;
}

size_t pool_memory(const struct pool *strings)
{
	return strings->bytes_capacity + strings->offsets_capacity * sizeof(strings->offsets[0]) +
	       (size_t)strings->table_size * sizeof(uint32_t);
}
