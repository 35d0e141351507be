/* A sorted array of runs. */
#include "stream/seq_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"

void seq_set_fini(struct seq_set *set)
{
	free(set->runs);
	*set = (struct seq_set){0};
}

/* How many runs begin at or before it. */
static size_t find(const struct seq_set *set, uint64_t epoch, uint64_t seq)
{
	size_t low = 0;
	size_t high = set->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct seq_run *run = &set->runs[middle];
		if (run->epoch < epoch || (run->epoch == epoch && run->first <= seq))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool seq_set_has(const struct seq_set *set, uint64_t epoch, uint64_t seq)
{
	size_t at = find(set, epoch, seq);
	return at > 0 && set->runs[at - 1].epoch == epoch && set->runs[at - 1].last >= seq;
}

static void insert(struct seq_set *set, size_t at, struct seq_run run)
{
	if (set->count == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 8;
		set->runs = realloc(set->runs, set->cap * sizeof(*set->runs));
		ensure(set->runs != NULL);
	}
	memmove(set->runs + at + 1, set->runs + at, (set->count - at) * sizeof(run));
	set->runs[at] = run;
	set->count++;
}

void seq_set_add(struct seq_set *set, uint64_t epoch, uint64_t seq)
{
	size_t at = find(set, epoch, seq);
	struct seq_run *before = at > 0 ? &set->runs[at - 1] : NULL;
	struct seq_run *after = at < set->count ? &set->runs[at] : NULL;
	if (before && (before->epoch != epoch || before->last + 1 < seq))
		before = NULL;
	if (after && (after->epoch != epoch || after->first != seq + 1))
		after = NULL;
	if (before && before->last >= seq)
		return;
	if (before && after) {
		before->last = after->last;
		set->count--;
		memmove(set->runs + at, set->runs + at + 1, (set->count - at) * sizeof(*set->runs));
	} else if (before) {
		before->last = seq;
	} else if (after) {
		after->first = seq;
	} else {
		insert(set, at, (struct seq_run){.epoch = epoch, .first = seq, .last = seq});
	}
}

void seq_set_add_run(struct seq_set *set, const struct seq_run *run)
{
	insert(set, set->count, *run);
}
