/*
 * From a graph to a table: the subset construction. Each state of the table stands for a set of
 * steps of the graph. States, memory and work are limited.
 */
#include "schema/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "schema/nfa.h"

#define MAX_SCRATCH ((size_t)24 * 1024 * 1024)
#define BUCKETS 8192

/* The steps and the end that a state stands for, ascending. */
struct state {
	const uint32_t *steps;
	uint32_t step_count;
	bool is_final;
	uint16_t *next;
};

struct building {
	const struct nfa *nfa;
	struct arena scratch;
	uint64_t *work;

	/* Collecting one set: `marks` holds the round in which a node was last met. */
	uint32_t *marks;
	uint32_t round;
	uint32_t *waiting;
	uint32_t *found;
	size_t found_count;

	struct state states[PATTERN_MAX_STATES];
	size_t state_count;
	uint16_t buckets[BUCKETS];

	uint8_t class_of[256];
	uint8_t byte_of[256];
	size_t class_count;
};

static enum lyc_status too_large(struct lyc_error *error)
{
	return error_set(error, LYC_INVALID_ARGUMENT,
			 "the pattern needs more than %d states or too much work; make it shorter",
			 PATTERN_MAX_STATES);
}

/* The scratch memory gave nothing: is that the pattern's fault? */
static enum lyc_status no_room(const struct building *building, struct lyc_error *error)
{
	return building->scratch.is_full ? too_large(error)
					 : error_set(error, LYC_RESOURCE_EXHAUSTED,
						     "there is no memory for the pattern");
}

/* Bytes between which no step of the graph tells apart. */
static void make_classes(struct building *building)
{
	bool begins[257] = {false};
	begins[0] = true;
	for (size_t i = 0; i < building->nfa->count; i++) {
		const struct nfa_node *node = &building->nfa->nodes[i];
		if (node->kind != NFA_STEP)
			continue;
		begins[node->low] = true;
		begins[node->high + 1] = true;
	}
	for (size_t byte = 0; byte < 256; byte++) {
		if (begins[byte])
			building->byte_of[building->class_count++] = (uint8_t)byte;
		building->class_of[byte] = (uint8_t)(building->class_count - 1);
	}
}

/* Add a node, and what is reached from it without a byte, to the set. */
static bool reach(struct building *building, uint32_t from)
{
	size_t waiting_count = 0;
	building->waiting[waiting_count++] = from;
	while (waiting_count > 0) {
		uint32_t index = building->waiting[--waiting_count];
		if (*building->work == 0)
			return false;
		*building->work -= 1;
		if (index == NFA_NONE || building->marks[index] == building->round)
			continue;
		building->marks[index] = building->round;
		const struct nfa_node *node = &building->nfa->nodes[index];
		if (node->kind != NFA_SPLIT) {
			building->found[building->found_count++] = index;
			continue;
		}
		/* Both fit: each node puts in two at most, once. */
		building->waiting[waiting_count++] = node->next;
		building->waiting[waiting_count++] = node->other;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a;
	uint32_t two = *(const uint32_t *)b;
	return (one > two) - (one < two);
}

static size_t hash(const uint32_t *steps, size_t count)
{
	uint64_t mixed = count;
	for (size_t i = 0; i < count; i++)
		mixed = (mixed ^ steps[i]) * 0x9e3779b97f4a7c15u;
	return (size_t)(mixed >> 40);
}

/* The state of the set just collected; a new one when there is none yet. */
static enum lyc_status state_of(struct building *building, uint16_t *ret_state,
				struct lyc_error *error)
{
	size_t count = building->found_count;
	if (count == 0) {
		*ret_state = 0;
		return LYC_OK;
	}
	if (count > 1)
		qsort(building->found, count, sizeof(building->found[0]), compare);
	size_t at = hash(building->found, count) % BUCKETS;
	for (; building->buckets[at] != 0; at = (at + 1) % BUCKETS) {
		const struct state *state = &building->states[building->buckets[at]];
		if (state->step_count == count &&
		    memcmp(state->steps, building->found, count * sizeof(state->steps[0])) == 0) {
			*ret_state = building->buckets[at];
			return LYC_OK;
		}
	}
	if (building->state_count == PATTERN_MAX_STATES)
		return too_large(error);
	uint32_t *steps = arena_get_many(&building->scratch, count, sizeof(steps[0]));
	uint16_t *next = arena_get_many(&building->scratch, building->class_count, sizeof(next[0]));
	if (!steps || !next)
		return no_room(building, error);
	memcpy(steps, building->found, count * sizeof(steps[0]));
	struct state *state = &building->states[building->state_count];
	*state = (struct state){.steps = steps, .step_count = (uint32_t)count, .next = next};
	for (size_t i = 0; i < count; i++)
		state->is_final |= building->nfa->nodes[steps[i]].kind == NFA_ACCEPT;
	building->buckets[at] = (uint16_t)building->state_count;
	*ret_state = (uint16_t)building->state_count++;
	return LYC_OK;
}

static enum lyc_status follow(struct building *building, size_t from, size_t class,
			      struct lyc_error *error)
{
	const struct state *state = &building->states[from];
	uint8_t byte = building->byte_of[class];
	building->round++;
	building->found_count = 0;
	if (*building->work < state->step_count)
		return too_large(error);
	*building->work -= state->step_count;
	for (size_t i = 0; i < state->step_count; i++) {
		const struct nfa_node *node = &building->nfa->nodes[state->steps[i]];
		if (node->kind == NFA_STEP && node->low <= byte && byte <= node->high &&
		    !reach(building, node->next))
			return too_large(error);
	}
	return state_of(building, &state->next[class], error);
}

static enum lyc_status build(struct building *building, struct lyc_error *error)
{
	size_t count = building->nfa->count;
	building->marks = arena_get_many(&building->scratch, count, sizeof(uint32_t));
	building->waiting = arena_get_many(&building->scratch, count * 2 + 2, sizeof(uint32_t));
	building->found = arena_get_many(&building->scratch, count, sizeof(uint32_t));
	uint16_t *nowhere =
		arena_get_many(&building->scratch, building->class_count, sizeof(uint16_t));
	if (!building->marks || !building->waiting || !building->found || !nowhere)
		return no_room(building, error);
	building->states[0] = (struct state){.next = nowhere};
	building->state_count = 1;
	building->round = 1;
	if (!reach(building, building->nfa->start))
		return too_large(error);
	uint16_t start;
	enum lyc_status status = state_of(building, &start, error);
	for (size_t i = 1; status == LYC_OK && i < building->state_count; i++) {
		for (size_t class = 0; status == LYC_OK && class < building->class_count; class ++)
			status = follow(building, i, class, error);
	}
	return status;
}

static const struct pattern *pack(const struct building *building, struct arena *arena)
{
	struct pattern *pattern = arena_get(arena, sizeof(*pattern));
	size_t count = building->state_count;
	uint16_t *next = arena_get_many(arena, count * building->class_count, sizeof(next[0]));
	bool *is_final = arena_get_many(arena, count, sizeof(is_final[0]));
	if (!pattern || !next || !is_final)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		memcpy(next + i * building->class_count, building->states[i].next,
		       building->class_count * sizeof(next[0]));
		is_final[i] = building->states[i].is_final;
	}
	memcpy(pattern->class_of, building->class_of, sizeof(pattern->class_of));
	pattern->next = next;
	pattern->is_final = is_final;
	pattern->class_count = (uint16_t)building->class_count;
	pattern->state_count = (uint16_t)count;
	return pattern;
}

enum lyc_status pattern_new(struct span text, struct arena *arena, uint64_t *work,
			    const struct pattern **ret_pattern, struct lyc_error *error)
{
	if (text.len > PATTERN_MAX_LEN)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the pattern has %zu bytes, at most %d are allowed", text.len,
				 PATTERN_MAX_LEN);
	struct nfa nfa;
	struct building *building = NULL;
	enum lyc_status status = nfa_init(&nfa, text, work, error);
	if (status != LYC_OK)
		goto out;
	building = mem_try(sizeof(*building));
	if (!building) {
		status = error_set(error, LYC_RESOURCE_EXHAUSTED,
				   "there is no memory for the pattern");
		goto out;
	}
	building->nfa = &nfa;
	building->work = work;
	building->scratch.limit = MAX_SCRATCH;
	make_classes(building);
	status = build(building, error);
	if (status != LYC_OK)
		goto out;
	const struct pattern *pattern = pack(building, arena);
	if (pattern)
		*ret_pattern = pattern;
	else
		status = error_set(error, LYC_RESOURCE_EXHAUSTED,
				   "there is no memory for the pattern");
out:
	if (building)
		arena_fini(&building->scratch);
	free(building);
	nfa_fini(&nfa);
	return status;
}
