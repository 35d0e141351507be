/* Everything is counted afresh for every question. */
#include "test_batch.h"

#include <stdio.h>
#include <string.h>

void batch_init(struct batch *batch, uint32_t venture_count, uint32_t investor_count,
		uint32_t capacity)
{
	uint32_t counts[2] = {venture_count, investor_count};

	for (int side = 0; side < 2; side++) {
		for (uint32_t i = 0; i < counts[side]; i++) {
			snprintf(batch->tokens[side][i], sizeof(batch->tokens[side][i]), "%c%04u",
				 side ? 'i' : 'v', (unsigned)i);
			batch->parties[side][i] = (struct matching_party){
				.token = batch->tokens[side][i], .capacity = capacity};
		}
	}
	for (uint32_t i = 0; i < venture_count * investor_count; i++)
		batch->refused[i] = 4;
	batch->problem = (struct matching_problem){
		.ventures = batch->parties[0],
		.venture_count = venture_count,
		.investors = batch->parties[1],
		.investor_count = investor_count,
		.edges = batch->edges,
	};
}

void batch_add(struct batch *batch, uint32_t venture, uint32_t investor, int64_t venture_points,
	       int64_t investor_points)
{
	batch->refused[venture * batch->problem.investor_count + investor] = 0;
	batch->edges[batch->problem.edge_count++] = (struct matching_edge){
		.venture = venture,
		.investor = investor,
		.venture_points = venture_points,
		.investor_points = investor_points,
	};
}

void batch_random(struct batch *batch, struct rng *rng, const struct batch_shape *shape)
{
	batch_init(batch, shape->venture_count, shape->investor_count, 0);
	for (int side = 0; side < 2; side++) {
		uint32_t count = side ? shape->investor_count : shape->venture_count;
		for (uint32_t i = 0; i < count; i++) {
			batch->parties[side][i].capacity =
				(uint32_t)rng_below(rng, shape->max_capacity + 1);
			batch->parties[side][i].served = (uint32_t)rng_below(rng, 3);
		}
	}
	for (uint32_t venture = 0; venture < shape->venture_count; venture++) {
		for (uint32_t investor = 0; investor < shape->investor_count; investor++) {
			if (rng_below(rng, 100) < shape->edge_percent)
				batch_add(batch, venture, investor,
					  (int64_t)rng_below(rng, shape->max_points + 1),
					  (int64_t)rng_below(rng, shape->max_points + 1));
		}
	}
}

bool batch_prefers(const struct batch *batch, bool is_venture, size_t one, size_t other)
{
	const struct matching_edge *a = &batch->edges[one], *b = &batch->edges[other];
	int64_t points_a = is_venture ? a->venture_points : a->investor_points;
	int64_t points_b = is_venture ? b->venture_points : b->investor_points;
	const struct matching_party *party_a =
		is_venture ? &batch->parties[1][a->investor] : &batch->parties[0][a->venture];
	const struct matching_party *party_b =
		is_venture ? &batch->parties[1][b->investor] : &batch->parties[0][b->venture];

	if (points_a != points_b)
		return points_a > points_b;
	if (party_a->served != party_b->served)
		return party_a->served < party_b->served;
	return strcmp(party_a->token, party_b->token) < 0;
}

/* Would the venture (or investor) of the edge take it, by dropping its worst if need be? */
static bool would_take(const struct batch *batch, const bool *is_matched, bool is_venture,
		       size_t edge)
{
	const struct matching_edge *edges = batch->edges;
	uint32_t party = is_venture ? edges[edge].venture : edges[edge].investor;
	uint32_t capacity = batch->parties[is_venture ? 0 : 1][party].capacity;
	uint32_t count = 0;
	bool has_worse = false;

	for (size_t i = 0; i < batch->problem.edge_count; i++) {
		uint32_t owner = is_venture ? edges[i].venture : edges[i].investor;
		if (!is_matched[i] || owner != party)
			continue;
		count++;
		has_worse = has_worse || batch_prefers(batch, is_venture, edge, i);
	}
	return capacity > 0 && (count < capacity || has_worse);
}

static bool has_room(const struct batch *batch, const bool *is_matched)
{
	uint32_t counts[2][BATCH_MAX_PARTIES] = {{0}};

	for (size_t i = 0; i < batch->problem.edge_count; i++) {
		const struct matching_edge *edge = &batch->edges[i];
		if (!is_matched[i])
			continue;
		if (++counts[0][edge->venture] > batch->parties[0][edge->venture].capacity ||
		    ++counts[1][edge->investor] > batch->parties[1][edge->investor].capacity)
			return false;
	}
	return true;
}

bool batch_is_stable(const struct batch *batch, const bool *is_matched)
{
	if (!has_room(batch, is_matched))
		return false;
	for (size_t i = 0; i < batch->problem.edge_count; i++) {
		if (!is_matched[i] && would_take(batch, is_matched, true, i) &&
		    would_take(batch, is_matched, false, i))
			return false;
	}
	return true;
}
