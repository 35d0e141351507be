/* The textbook. Its lists are sorted with the same function of the C library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matching/batch.h"

static void *get(size_t count, size_t size)
{
	void *block = calloc(count, size);

	if (!block) {
		fputs("bench_matching: out of memory\n", stderr);
		abort();
	}
	return block;
}

static const struct batch *sorted_batch;

static int by_venture(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	const struct matching_edge *one = &sorted_batch->edges[a];
	const struct matching_edge *two = &sorted_batch->edges[b];
	uint32_t served_one = sorted_batch->investors[one->investor].served;
	uint32_t served_two = sorted_batch->investors[two->investor].served;

	if (one->venture_points != two->venture_points)
		return one->venture_points > two->venture_points ? -1 : 1;
	if (served_one != served_two)
		return served_one < served_two ? -1 : 1;
	return one->investor < two->investor ? -1 : 1;
}

static int by_investor(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	const struct matching_edge *one = &sorted_batch->edges[a];
	const struct matching_edge *two = &sorted_batch->edges[b];
	uint32_t served_one = sorted_batch->ventures[one->venture].served;
	uint32_t served_two = sorted_batch->ventures[two->venture].served;

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
	/* rank[investor * BATCH_VENTURES + venture]. */
	uint32_t *rank;
	/* The edges that each investor holds. */
	uint32_t (*held)[32];
	uint32_t *held_count;
	uint32_t *next;
	uint32_t *partner_count;
	uint32_t *free;
	size_t free_count;
};

static void book_sort(struct book *book, const struct batch *batch)
{
	uint32_t *order = get(BATCH_EDGES, sizeof(*order));

	sorted_batch = batch;
	for (uint32_t i = 0; i < BATCH_EDGES; i++)
		book->lists[i] = order[i] = i;
	for (size_t venture = 0; venture < BATCH_VENTURES; venture++)
		qsort(book->lists + venture * BATCH_DEGREE, BATCH_DEGREE, sizeof(*book->lists),
		      by_venture);
	qsort(order, BATCH_EDGES, sizeof(*order), by_investor);
	for (uint32_t i = 0; i < BATCH_EDGES; i++) {
		const struct matching_edge *edge = &batch->edges[order[i]];
		book->rank[(size_t)edge->investor * BATCH_VENTURES + edge->venture] = i;
	}
	free(order);
}

static void book_propose(struct book *book, const struct batch *batch, uint32_t at)
{
	const struct matching_edge *edge = &batch->edges[at];
	uint32_t *held = book->held[edge->investor];
	uint32_t *count = &book->held_count[edge->investor];
	const uint32_t *rank = book->rank + (size_t)edge->investor * BATCH_VENTURES;

	book->partner_count[edge->venture]++;
	held[(*count)++] = at;
	if (*count <= batch->investors[edge->investor].capacity)
		return;
	uint32_t worst = 0;
	for (uint32_t i = 1; i < *count; i++) {
		if (rank[batch->edges[held[i]].venture] > rank[batch->edges[held[worst]].venture])
			worst = i;
	}
	uint32_t dropped = batch->edges[held[worst]].venture;
	held[worst] = held[--*count];
	book->partner_count[dropped]--;
	if (dropped != edge->venture)
		book->free[book->free_count++] = dropped;
}

void batch_solve_by_book(const struct batch *batch, bool *ret_matched)
{
	struct book book = {.lists = get(BATCH_EDGES, sizeof(uint32_t)),
			    .rank = get((size_t)BATCH_VENTURES * BATCH_INVESTORS, sizeof(uint32_t)),
			    .held = get(BATCH_INVESTORS, sizeof(*book.held)),
			    .held_count = get(BATCH_INVESTORS, sizeof(uint32_t)),
			    .next = get(BATCH_VENTURES, sizeof(uint32_t)),
			    .partner_count = get(BATCH_VENTURES, sizeof(uint32_t)),
			    .free = get(BATCH_VENTURES + BATCH_EDGES, sizeof(uint32_t))};

	book_sort(&book, batch);
	for (uint32_t venture = BATCH_VENTURES; venture-- > 0;)
		book.free[book.free_count++] = venture;
	while (book.free_count > 0) {
		uint32_t venture = book.free[--book.free_count];
		while (book.partner_count[venture] < batch->ventures[venture].capacity &&
		       book.next[venture] < BATCH_DEGREE)
			book_propose(&book, batch,
				     book.lists[venture * BATCH_DEGREE + book.next[venture]++]);
	}
	memset(ret_matched, 0, BATCH_EDGES * sizeof(*ret_matched));
	for (uint32_t investor = 0; investor < BATCH_INVESTORS; investor++) {
		for (uint32_t i = 0; i < book.held_count[investor]; i++)
			ret_matched[book.held[investor][i]] = true;
	}
	free(book.lists);
	free(book.rank);
	free(book.held);
	free(book.held_count);
	free(book.next);
	free(book.partner_count);
	free(book.free);
}
