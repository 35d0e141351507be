/*
 * Each side's preferences become one array of edges, a run for each party, the best first. A
 * venture walks down its run and proposes; an investor holds the best so far. Once an investor is
 * full, the worst that it holds only ever gets better, so a finger that moves one way through its
 * run finds it: every edge is proposed once and passed by a finger once.
 */
#include "matching.h"

#include <stdlib.h>
#include <string.h>

/* One party's view of one edge. */
struct choice {
	int64_t points;
	uint32_t served;
	uint32_t other;
	uint32_t edge;
};

struct side {
	/* Run of party p: choices[first[p]] up to choices[first[p + 1]], exclusive. */
	uint32_t *first;
	struct choice *choices;
	/* Partners that each party has now. */
	uint32_t *partner_count;
};

struct solver {
	const struct matching_problem *problem;
	bool *is_matched;
	struct side ventures;
	struct side investors;

	/* By edge: its place in the investor's run. */
	uint32_t *rank;
	/* By venture: the next place in its run to propose to. */
	uint32_t *next;
	/* By investor that is full: the place of the worst that it holds. */
	uint32_t *worst;
	/* Ventures that may have to propose again, each at most once. */
	uint32_t *waiting;
	size_t waiting_count;
	bool *is_waiting;
};

static bool are_ascending(const struct matching_party *parties, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!parties[i].token ||
		    (i > 0 && strcmp(parties[i - 1].token, parties[i].token) >= 0))
			return false;
	}
	return true;
}

static bool are_edges_ascending(const struct matching_problem *problem)
{
	for (size_t i = 0; i < problem->edge_count; i++) {
		const struct matching_edge *edge = &problem->edges[i];
		if (edge->venture >= problem->venture_count ||
		    edge->investor >= problem->investor_count)
			return false;
		if (i == 0)
			continue;
		const struct matching_edge *before = edge - 1;
		if (before->venture > edge->venture ||
		    (before->venture == edge->venture && before->investor >= edge->investor))
			return false;
	}
	return true;
}

static int compare_choices(const void *left, const void *right)
{
	const struct choice *one = left, *two = right;

	if (one->points != two->points)
		return one->points > two->points ? -1 : 1;
	if (one->served != two->served)
		return one->served < two->served ? -1 : 1;
	return one->other < two->other ? -1 : one->other > two->other;
}

static bool side_init(struct side *side, size_t party_count, size_t edge_count)
{
	side->first = calloc(party_count + 2, sizeof(*side->first));
	side->choices = calloc(edge_count + 1, sizeof(*side->choices));
	side->partner_count = calloc(party_count + 1, sizeof(*side->partner_count));
	return side->first && side->choices && side->partner_count;
}

static void side_fini(struct side *side)
{
	free(side->first);
	free(side->choices);
	free(side->partner_count);
}

/* Counts lie two places to the right of their party. Summed up, the start of a run lies one place
 * to the right; filling the run moves it to its end, which is where the next run starts. */
static void side_sum(struct side *side, size_t party_count)
{
	for (size_t party = 2; party < party_count + 2; party++)
		side->first[party] += side->first[party - 1];
}

static void side_sort(struct side *side, size_t party_count)
{
	for (size_t party = 0; party < party_count; party++) {
		uint32_t count = side->first[party + 1] - side->first[party];
		if (count > 1)
			qsort(side->choices + side->first[party], count, sizeof(*side->choices),
			      compare_choices);
	}
}

static void fill_runs(struct solver *solver)
{
	const struct matching_problem *problem = solver->problem;
	struct side *ventures = &solver->ventures, *investors = &solver->investors;

	for (size_t i = 0; i < problem->edge_count; i++) {
		ventures->first[problem->edges[i].venture + 2]++;
		investors->first[problem->edges[i].investor + 2]++;
	}
	side_sum(ventures, problem->venture_count);
	side_sum(investors, problem->investor_count);
	for (size_t i = 0; i < problem->edge_count; i++) {
		const struct matching_edge *edge = &problem->edges[i];
		ventures->choices[ventures->first[edge->venture + 1]++] = (struct choice){
			.points = edge->venture_points,
			.served = problem->investors[edge->investor].served,
			.other = edge->investor,
			.edge = (uint32_t)i,
		};
		investors->choices[investors->first[edge->investor + 1]++] = (struct choice){
			.points = edge->investor_points,
			.served = problem->ventures[edge->venture].served,
			.other = edge->venture,
			.edge = (uint32_t)i,
		};
	}
	side_sort(ventures, problem->venture_count);
	side_sort(investors, problem->investor_count);
	for (size_t investor = 0; investor < problem->investor_count; investor++) {
		uint32_t start = investors->first[investor], end = investors->first[investor + 1];
		for (uint32_t place = start; place < end; place++)
			solver->rank[investors->choices[place].edge] = place;
	}
}

static void wait_for_turn(struct solver *solver, uint32_t venture)
{
	if (solver->is_waiting[venture])
		return;
	solver->is_waiting[venture] = true;
	solver->waiting[solver->waiting_count++] = venture;
}

/* Move the finger to the worst that is held, from where it was towards the best. */
static void find_worst(struct solver *solver, uint32_t investor)
{
	while (!solver->is_matched[solver->investors.choices[solver->worst[investor]].edge])
		solver->worst[investor]--;
}

static void drop_worst(struct solver *solver, uint32_t investor)
{
	const struct choice *worst = &solver->investors.choices[solver->worst[investor]];

	solver->is_matched[worst->edge] = false;
	solver->ventures.partner_count[worst->other]--;
	wait_for_turn(solver, worst->other);
}

static void propose(struct solver *solver, uint32_t venture, uint32_t edge)
{
	uint32_t investor = solver->problem->edges[edge].investor;
	uint32_t capacity = solver->problem->investors[investor].capacity;
	uint32_t *partner_count = &solver->investors.partner_count[investor];

	if (capacity == 0)
		return;
	if (*partner_count == capacity) {
		if (solver->rank[edge] > solver->worst[investor])
			return;
		drop_worst(solver, investor);
	} else {
		(*partner_count)++;
		if (*partner_count == capacity)
			solver->worst[investor] = solver->investors.first[investor + 1] - 1;
	}
	solver->is_matched[edge] = true;
	solver->ventures.partner_count[venture]++;
	if (*partner_count == capacity)
		find_worst(solver, investor);
}

static void propose_all(struct solver *solver)
{
	const struct matching_problem *problem = solver->problem;

	for (size_t venture = problem->venture_count; venture-- > 0;)
		wait_for_turn(solver, (uint32_t)venture);
	while (solver->waiting_count > 0) {
		uint32_t venture = solver->waiting[--solver->waiting_count];
		uint32_t capacity = problem->ventures[venture].capacity;
		uint32_t end = solver->ventures.first[venture + 1];
		solver->is_waiting[venture] = false;
		while (solver->ventures.partner_count[venture] < capacity &&
		       solver->next[venture] < end) {
			uint32_t place = solver->next[venture]++;
			propose(solver, venture, solver->ventures.choices[place].edge);
		}
	}
}

static bool solver_init(struct solver *solver, const struct matching_problem *problem)
{
	bool has_sides =
		side_init(&solver->ventures, problem->venture_count, problem->edge_count) &&
		side_init(&solver->investors, problem->investor_count, problem->edge_count);

	solver->problem = problem;
	solver->rank = calloc(problem->edge_count + 1, sizeof(*solver->rank));
	solver->next = calloc(problem->venture_count + 1, sizeof(*solver->next));
	solver->worst = calloc(problem->investor_count + 1, sizeof(*solver->worst));
	solver->waiting = calloc(problem->venture_count + 1, sizeof(*solver->waiting));
	solver->is_waiting = calloc(problem->venture_count + 1, sizeof(*solver->is_waiting));
	return has_sides && solver->rank && solver->next && solver->worst && solver->waiting &&
	       solver->is_waiting;
}

static void solver_fini(struct solver *solver)
{
	side_fini(&solver->ventures);
	side_fini(&solver->investors);
	free(solver->rank);
	free(solver->next);
	free(solver->worst);
	free(solver->waiting);
	free(solver->is_waiting);
}

enum lyc_status matching_solve(const struct matching_problem *problem, bool *ret_matched)
{
	struct solver solver = {.is_matched = ret_matched};
	enum lyc_status status = LYC_OK;

	if (problem->venture_count > MATCHING_MAX || problem->investor_count > MATCHING_MAX ||
	    problem->edge_count > MATCHING_MAX)
		return LYC_RESOURCE_EXHAUSTED;
	if (!are_ascending(problem->ventures, problem->venture_count) ||
	    !are_ascending(problem->investors, problem->investor_count) ||
	    !are_edges_ascending(problem))
		return LYC_INVALID_ARGUMENT;
	if (!solver_init(&solver, problem)) {
		status = LYC_RESOURCE_EXHAUSTED;
		goto out;
	}
	if (problem->edge_count > 0)
		memset(ret_matched, 0, problem->edge_count * sizeof(*ret_matched));
	fill_runs(&solver);
	for (size_t venture = 0; venture < problem->venture_count; venture++)
		solver.next[venture] = solver.ventures.first[venture];
	propose_all(&solver);
out:
	solver_fini(&solver);
	return status;
}
