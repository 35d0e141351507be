/*
 * A batch of introductions: deferred acceptance of plugins/investment beside the textbook's (each
 * side's list sorted, ranks in a full table, the worst held found by looking at all that are held),
 * in turns in one run on the same batch; both outcomes must be equal. Then what the certificate
 * costs. Prints the best round of each, which noise touches least, and the median.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "certificate.h"
#include "matching.h"

#define VENTURES 10000
#define INVESTORS 1000
#define DEGREE 50
#define EDGES (VENTURES * DEGREE)
#define ROUNDS 7

struct setting {
	char venture_tokens[VENTURES][12];
	char investor_tokens[INVESTORS][12];
	struct matching_party ventures[VENTURES];
	struct matching_party investors[INVESTORS];
	struct matching_edge edges[EDGES];
	uint16_t refused[(size_t)VENTURES * INVESTORS];
	bool is_matched[EDGES];
	bool is_matched_by_book[EDGES];
	struct matching_problem problem;
};

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void *get(size_t count, size_t size)
{
	void *block = calloc(count, size);

	if (!block) {
		fputs("bench_matching: out of memory\n", stderr);
		exit(1);
	}
	return block;
}

static void make_parties(struct matching_party *parties, char (*tokens)[12], uint32_t count,
			 uint32_t capacity, struct rng *rng)
{
	for (uint32_t i = 0; i < count; i++) {
		snprintf(tokens[i], sizeof(tokens[i]), "t%07u", (unsigned)i);
		parties[i] = (struct matching_party){.token = tokens[i],
						     .capacity = capacity,
						     .served = (uint32_t)rng_below(rng, 5)};
	}
}

static void make_edges(struct setting *setting, struct rng *rng)
{
	size_t count = 0;

	memset(setting->refused, 1, sizeof(setting->refused));
	for (uint32_t venture = 0; venture < VENTURES; venture++) {
		uint16_t *row = setting->refused + (size_t)venture * INVESTORS;
		for (uint32_t i = 0; i < DEGREE;) {
			uint32_t investor = (uint32_t)rng_below(rng, INVESTORS);
			i += row[investor] != 0;
			row[investor] = 0;
		}
		for (uint32_t investor = 0; investor < INVESTORS; investor++) {
			if (row[investor] == 0)
				setting->edges[count++] = (struct matching_edge){
					.venture = venture,
					.investor = investor,
					.venture_points = (int64_t)rng_below(rng, 1001),
					.investor_points = (int64_t)rng_below(rng, 1001)};
		}
	}
}

static struct setting *make_setting(void)
{
	struct setting *setting = get(1, sizeof(*setting));
	struct rng rng;

	rng_init(&rng, 7);
	make_parties(setting->ventures, setting->venture_tokens, VENTURES, 3, &rng);
	/* A fifth less room than the ventures want. */
	make_parties(setting->investors, setting->investor_tokens, INVESTORS, 24, &rng);
	make_edges(setting, &rng);
	setting->problem = (struct matching_problem){.ventures = setting->ventures,
						     .venture_count = VENTURES,
						     .investors = setting->investors,
						     .investor_count = INVESTORS,
						     .edges = setting->edges,
						     .edge_count = EDGES};
	return setting;
}

/* The textbook. Its lists are sorted with the same function of the C library. */

static const struct setting *sorted_setting;

static int by_venture(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	const struct matching_edge *one = &sorted_setting->edges[a];
	const struct matching_edge *two = &sorted_setting->edges[b];
	uint32_t served_one = sorted_setting->investors[one->investor].served;
	uint32_t served_two = sorted_setting->investors[two->investor].served;

	if (one->venture_points != two->venture_points)
		return one->venture_points > two->venture_points ? -1 : 1;
	if (served_one != served_two)
		return served_one < served_two ? -1 : 1;
	return one->investor < two->investor ? -1 : 1;
}

static int by_investor(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	const struct matching_edge *one = &sorted_setting->edges[a];
	const struct matching_edge *two = &sorted_setting->edges[b];
	uint32_t served_one = sorted_setting->ventures[one->venture].served;
	uint32_t served_two = sorted_setting->ventures[two->venture].served;

	if (one->investor != two->investor)
		return one->investor < two->investor ? -1 : 1;
	if (one->investor_points != two->investor_points)
		return one->investor_points > two->investor_points ? -1 : 1;
	if (served_one != served_two)
		return served_one < served_two ? -1 : 1;
	return one->venture < two->venture ? -1 : 1;
}

struct book {
	uint32_t *lists;
	/* rank[investor * VENTURES + venture]. */
	uint32_t *rank;
	/* The edges that each investor holds. */
	uint32_t (*held)[32];
	uint32_t *held_count;
	uint32_t *next;
	uint32_t *partner_count;
	uint32_t *free;
	size_t free_count;
};

static void book_sort(struct book *book, const struct setting *setting)
{
	uint32_t *order = get(EDGES, sizeof(*order));

	sorted_setting = setting;
	for (uint32_t i = 0; i < EDGES; i++)
		book->lists[i] = order[i] = i;
	for (size_t venture = 0; venture < VENTURES; venture++)
		qsort(book->lists + venture * DEGREE, DEGREE, sizeof(*book->lists), by_venture);
	qsort(order, EDGES, sizeof(*order), by_investor);
	for (uint32_t i = 0; i < EDGES; i++) {
		const struct matching_edge *edge = &setting->edges[order[i]];
		book->rank[(size_t)edge->investor * VENTURES + edge->venture] = i;
	}
	free(order);
}

static void book_propose(struct book *book, const struct setting *setting, uint32_t at)
{
	const struct matching_edge *edge = &setting->edges[at];
	uint32_t *held = book->held[edge->investor];
	uint32_t *count = &book->held_count[edge->investor];
	const uint32_t *rank = book->rank + (size_t)edge->investor * VENTURES;

	book->partner_count[edge->venture]++;
	held[(*count)++] = at;
	if (*count <= setting->investors[edge->investor].capacity)
		return;
	uint32_t worst = 0;
	for (uint32_t i = 1; i < *count; i++) {
		if (rank[setting->edges[held[i]].venture] >
		    rank[setting->edges[held[worst]].venture])
			worst = i;
	}
	uint32_t dropped = setting->edges[held[worst]].venture;
	held[worst] = held[--*count];
	book->partner_count[dropped]--;
	if (dropped != edge->venture)
		book->free[book->free_count++] = dropped;
}

static void solve_by_book(struct setting *setting)
{
	struct book book = {.lists = get(EDGES, sizeof(uint32_t)),
			    .rank = get((size_t)VENTURES * INVESTORS, sizeof(uint32_t)),
			    .held = get(INVESTORS, sizeof(*book.held)),
			    .held_count = get(INVESTORS, sizeof(uint32_t)),
			    .next = get(VENTURES, sizeof(uint32_t)),
			    .partner_count = get(VENTURES, sizeof(uint32_t)),
			    .free = get(VENTURES + EDGES, sizeof(uint32_t))};

	book_sort(&book, setting);
	for (uint32_t venture = VENTURES; venture-- > 0;)
		book.free[book.free_count++] = venture;
	while (book.free_count > 0) {
		uint32_t venture = book.free[--book.free_count];
		while (book.partner_count[venture] < setting->ventures[venture].capacity &&
		       book.next[venture] < DEGREE)
			book_propose(&book, setting,
				     book.lists[venture * DEGREE + book.next[venture]++]);
	}
	memset(setting->is_matched_by_book, 0, sizeof(setting->is_matched_by_book));
	for (uint32_t investor = 0; investor < INVESTORS; investor++) {
		for (uint32_t i = 0; i < book.held_count[investor]; i++)
			setting->is_matched_by_book[book.held[investor][i]] = true;
	}
	free(book.lists);
	free(book.rank);
	free(book.held);
	free(book.held_count);
	free(book.next);
	free(book.partner_count);
	free(book.free);
}

static int compare_times(const void *left, const void *right)
{
	double one = *(const double *)left, two = *(const double *)right;
	return one < two ? -1 : one > two;
}

static void print_row(const char *what, double *times)
{
	qsort(times, ROUNDS, sizeof(*times), compare_times);
	printf("| %-42s | %8.1f | %8.1f |\n", what, times[0], times[ROUNDS / 2]);
}

int main(void)
{
	struct setting *setting = make_setting();
	double times[4][ROUNDS];
	size_t match_count = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct certificate certificate;
		struct certificate_fault fault;
		double start = now_ms();
		enum lyc_status status = matching_solve(&setting->problem, setting->is_matched);
		times[0][round] = now_ms() - start;
		start = now_ms();
		solve_by_book(setting);
		times[1][round] = now_ms() - start;
		start = now_ms();
		if (!status)
			status =
				certificate_make("bench", 1, &setting->problem, setting->is_matched,
						 setting->refused, &certificate);
		times[2][round] = now_ms() - start;
		start = now_ms();
		if (!status)
			status = certificate_check(&certificate, NULL, &fault);
		times[3][round] = now_ms() - start;
		if (status || memcmp(setting->is_matched, setting->is_matched_by_book,
				     sizeof(setting->is_matched)) != 0) {
			fputs("bench_matching: the outcomes differ or are not stable\n", stderr);
			return 1;
		}
		certificate_fini(&certificate);
	}
	for (size_t i = 0; i < EDGES; i++)
		match_count += setting->is_matched[i];
	printf("%d ventures (room for 3), %d investors (room for 24), %d edges: %zu matched\n\n",
	       VENTURES, INVESTORS, EDGES, match_count);
	printf("| what | best ms | median ms |\n|---|---|---|\n");
	print_row("matching_solve, sorting included", times[0]);
	print_row("textbook, sorting included", times[1]);
	print_row("certificate: made, with its digest", times[2]);
	print_row("certificate: checked", times[3]);
	free(setting);
	return 0;
}
