/* Outstanding calls. The slab grows in chunks and never moves an entry. */
#include "route/call.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"

#define CHUNK_LEN 1024u
#define NONE UINT32_MAX
/* Bytes of groups' names that an entry keeps room for. */
#define GROUPS_KEPT 256
/* Places by number: few while few calls are out, so that they stay in the cache. */
#define MADE_MIN 1024u
#define MADE_MAX 65536u

void call_table_init(struct call_table *table, uint64_t now_ms, uint64_t seed)
{
	*table = (struct call_table){
		.first_free = NONE, .max_count = CALL_MAX_COUNT, .last_tick_ms = now_ms};
	table->made_count = MADE_MIN;
	table->made = mem_get(table->made_count * sizeof(struct call *));
	table->seed = seed;
	for (size_t i = 0; i < CALL_SLOTS; i++)
		list_init(&table->slots[i]);
}

void call_table_fini(struct call_table *table)
{
	for (uint32_t i = 0; i < table->chunk_count; i++) {
		for (uint32_t j = 0; j < CHUNK_LEN; j++) {
			if (table->chunks[i][j].is_used)
				call_end(table, &table->chunks[i][j]);
			buf_fini(&table->chunks[i][j].group_texts);
		}
	}
	for (uint32_t i = 0; i < table->chunk_count; i++)
		free(table->chunks[i]);
	free(table->chunks);
	free(table->made);
	table->made = NULL;
	table->chunks = NULL;
	table->chunk_count = 0;
}

static bool grow(struct call_table *table)
{
	struct call **chunks = realloc(table->chunks, (table->chunk_count + 1) * sizeof(*chunks));
	if (!chunks)
		return false;
	table->chunks = chunks;
	struct call *chunk = mem_try(CHUNK_LEN * sizeof(*chunk));
	if (!chunk)
		return false;
	chunks[table->chunk_count] = chunk;
	uint32_t base = table->chunk_count++ * CHUNK_LEN;
	for (uint32_t i = CHUNK_LEN; i-- > 0;) {
		chunk[i].index = base + i;
		chunk[i].generation = 1;
		chunk[i].next_free = table->first_free;
		table->first_free = base + i;
	}
	return true;
}

static uint64_t mix(uint64_t bits)
{
	bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
	bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
	return bits ^ bits >> 31;
}

static struct call **place_of(const struct call_table *table, const struct session *caller,
			      uint64_t caller_id)
{
	uint64_t hash = mix(mix(caller_id ^ table->seed) + caller->serial);
	return &table->made[hash & (table->made_count - 1)];
}

/* Four times the places; without memory for them the chains just get longer. */
static void spread(struct call_table *table)
{
	size_t count = table->made_count;
	struct call **made = table->made;
	struct call **wider = mem_try(4 * count * sizeof(struct call *));
	if (!wider)
		return;
	table->made = wider;
	table->made_count = 4 * count;
	for (size_t i = 0; i < count; i++) {
		while (made[i]) {
			struct call *call = made[i];
			made[i] = call->next_made;
			struct call **place = place_of(table, call->caller, call->caller_id);
			call->next_made = *place;
			*place = call;
		}
	}
	free(made);
}

struct call *call_add(struct call_table *table, struct session *caller, uint64_t caller_id,
		      uint32_t len, uint64_t deadline_ms)
{
	if (table->count >= table->max_count)
		return NULL;
	if (table->first_free == NONE && !grow(table))
		return NULL;
	struct call *call =
		&table->chunks[table->first_free / CHUNK_LEN][table->first_free % CHUNK_LEN];
	table->first_free = call->next_free;
	uint32_t index = call->index;
	uint32_t generation = call->generation;
	memset(call, 0, offsetof(struct call, principal));
	call->principal[0] = '\0';
	call->index = index;
	call->generation = generation;
	call->is_used = true;
	call->caller = caller;
	call->caller_id = caller_id;
	call->len = len;
	call->deadline_ms = deadline_ms;
	list_init(&call->of_callee);
	list_init(&call->of_waiting);
	list_add_last(&caller->calls_made, &call->of_caller);
	if (table->count >= table->made_count && table->made_count < MADE_MAX)
		spread(table);
	struct call **place = place_of(table, caller, caller_id);
	call->next_made = *place;
	*place = call;
	list_add_last(&table->slots[deadline_ms / CALL_SLOT_MS % CALL_SLOTS], &call->of_slot);
	caller->calls_made_len += len;
	caller->calls_made_count++;
	table->count++;
	return call;
}

void call_take_groups(struct call *call, const struct span *groups, size_t count)
{
	struct buf *texts = &call->group_texts;
	size_t len = 0;
	ensure(count <= CALL_MAX_GROUPS);
	for (size_t i = 0; i < count; i++)
		len += groups[i].len + 1;
	/* At once: the texts stay where they are put. */
	buf_clear(texts);
	ensure(buf_reserve(texts, len));
	for (size_t i = 0; i < count; i++) {
		call->groups[i] = (char *)texts->data + texts->len;
		buf_add(texts, groups[i].data, groups[i].len);
		buf_add_byte(texts, 0);
	}
	call->group_count = count;
}

void call_give(struct call *call, struct session *callee)
{
	call->callee = callee;
	callee->calls_given_len += call->len;
	if (call->turn) {
		call->turn->out_len += call->len;
		call->turn->out_count++;
	}
	list_add_last(&callee->calls_given, &call->of_callee);
}

uint64_t call_id(const struct call *call)
{
	return (uint64_t)call->generation << 32 | call->index;
}

struct call *call_find(struct call_table *table, uint64_t id)
{
	uint32_t index = (uint32_t)id;
	if (index / CHUNK_LEN >= table->chunk_count)
		return NULL;
	struct call *call = &table->chunks[index / CHUNK_LEN][index % CHUNK_LEN];
	return call->is_used && call->generation == id >> 32 ? call : NULL;
}

struct call *call_find_made(const struct call_table *table, const struct session *caller,
			    uint64_t caller_id)
{
	struct call *call = *place_of(table, caller, caller_id);
	while (call && (call->caller != caller || call->caller_id != caller_id))
		call = call->next_made;
	return call;
}

void call_end(struct call_table *table, struct call *call)
{
	struct call **at = place_of(table, call->caller, call->caller_id);
	while (*at != call)
		at = &(*at)->next_made;
	*at = call->next_made;
	table->held_len -= call->held.len;
	call->caller->calls_made_len -= call->len;
	call->caller->calls_made_count--;
	if (call->callee)
		call->callee->calls_given_len -= call->len;
	if (call->awaits_turn)
		call->turn->held_len -= call->len;
	if (call->callee && call->turn) {
		call->turn->out_len -= call->len;
		call->turn->out_count--;
		call->turn->done_len += call->len;
	}
	list_remove(&call->of_caller);
	list_remove(&call->of_callee);
	list_remove(&call->of_slot);
	list_remove(&call->of_waiting);
	buf_fini(&call->held);
	if (call->group_texts.cap > GROUPS_KEPT)
		buf_fini(&call->group_texts);
	call->is_used = false;
	call->generation++;
	if (call->generation == 0)
		call->generation = 1;
	call->next_free = table->first_free;
	table->first_free = call->index;
	table->count--;
}

void call_tick(struct call_table *table, uint64_t now_ms, call_fn on_expired, void *arg)
{
	uint64_t first = table->last_tick_ms / CALL_SLOT_MS;
	uint64_t last = now_ms / CALL_SLOT_MS;
	if (last - first >= CALL_SLOTS)
		first = last - CALL_SLOTS + 1;
	for (uint64_t slot = first; slot <= last; slot++) {
		list_each_safe (node, &table->slots[slot % CALL_SLOTS]) {
			struct call *call = list_entry(node, struct call, of_slot);
			if (call->deadline_ms <= now_ms)
				on_expired(call, arg);
		}
	}
	table->last_tick_ms = now_ms;
}
