/* What was asked and is not answered yet. */
#include "client/pending.h"

#include <stdlib.h>

#include "base/mem.h"

#define FIRST_CAP 64
/* Deadlines are looked for at most this often. */
#define SCAN_MS 10

void pending_fini(struct pending_table *table)
{
	free(table->places);
	*table = (struct pending_table){.last_id = table->last_id};
}

struct pending_table pending_take_all(struct pending_table *table)
{
	struct pending_table taken = *table;
	*table = (struct pending_table){.last_id = taken.last_id};
	return taken;
}

/* Ids that differ in their low bits still do with one bit more, so nothing collides. */
static bool grow(struct pending_table *table)
{
	size_t cap = table->cap ? 2 * table->cap : FIRST_CAP;
	if (cap > 2 * (size_t)PENDING_MAX)
		return false;
	struct pending *places = mem_try(cap * sizeof(*places));
	if (!places)
		return false;
	for (size_t i = 0; i < table->cap; i++) {
		if (table->places[i].id)
			places[table->places[i].id & (cap - 1)] = table->places[i];
	}
	free(table->places);
	table->places = places;
	table->cap = cap;
	return true;
}

struct pending *pending_add(struct pending_table *table)
{
	if (2 * (table->count + 1) > table->cap && !grow(table))
		return NULL;
	/* Half of the places are free: an old one in the way is stepped over. */
	struct pending *pending;
	do {
		table->last_id++;
		pending = &table->places[table->last_id & (table->cap - 1)];
	} while (pending->id != 0);
	if (table->count == 0)
		table->next_deadline_ms = UINT64_MAX;
	*pending = (struct pending){.id = table->last_id, .deadline_ms = UINT64_MAX};
	table->count++;
	return pending;
}

struct pending *pending_find(struct pending_table *table, uint64_t id)
{
	if (id == 0 || table->cap == 0)
		return NULL;
	struct pending *pending = &table->places[id & (table->cap - 1)];
	return pending->id == id ? pending : NULL;
}

void pending_set_len(struct pending_table *table, struct pending *pending, size_t len)
{
	table->len += len - pending->len;
	pending->len = (uint32_t)len;
}

void pending_set_deadline(struct pending_table *table, struct pending *pending,
			  uint64_t deadline_ms)
{
	pending->deadline_ms = deadline_ms;
	if (deadline_ms < table->next_deadline_ms)
		table->next_deadline_ms = deadline_ms;
}

void pending_remove(struct pending_table *table, struct pending *pending)
{
	table->len -= pending->len;
	table->count--;
	pending->id = 0;
}

bool pending_take_expired(struct pending_table *table, uint64_t now_ms, size_t *at,
			  struct pending *ret_pending)
{
	if (table->count == 0 || now_ms < table->next_deadline_ms)
		return false;
	for (; *at < table->cap; (*at)++) {
		struct pending *pending = &table->places[*at];
		if (pending->id == 0 || pending->deadline_ms > now_ms)
			continue;
		*ret_pending = *pending;
		pending_remove(table, pending);
		return true;
	}
	uint64_t next = UINT64_MAX;
	for (size_t i = 0; i < table->cap; i++) {
		if (table->places[i].id && table->places[i].deadline_ms < next)
			next = table->places[i].deadline_ms;
	}
	table->next_deadline_ms =
		next != UINT64_MAX && next < now_ms + SCAN_MS ? now_ms + SCAN_MS : next;
	return false;
}
