/*
 * The set of starts: the walks of its rules and its RDATEs merged in order, each once, without its
 * EXDATEs. One budget of steps for all of it bounds the work.
 */
#include "recurrence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recurrence_walk.h"
#include "wall.h"

/* Some tenths of a second on a slow machine. */
#define MAX_STEPS 4000000

/* One question about a set. */
struct question {
	int64_t steps;
	struct walk *walks;
	int64_t heads[RECURRENCE_MAX_RULES];
	bool has_head[RECURRENCE_MAX_RULES];
	size_t walk_count;

	int64_t *added; /* sorted */
	size_t added_count;
	size_t added_at;
	int64_t *removed; /* sorted */
	size_t removed_count;
	int64_t before; /* what was given last */
	bool has_before;
};

static int compare(const void *one, const void *two)
{
	int64_t a;
	int64_t b;
	memcpy(&a, one, sizeof(a));
	memcpy(&b, two, sizeof(b));
	return a < b ? -1 : a > b;
}

/* A sorted copy with room for one more. */
static int64_t *sorted(const int64_t *list, size_t count)
{
	int64_t *copy = calloc(count + 1, sizeof(*copy));
	if (copy && count > 0) {
		memcpy(copy, list, count * sizeof(*copy));
		qsort(copy, count, sizeof(*copy), compare);
	}
	return copy;
}

static void question_fini(struct question *question)
{
	free(question->walks);
	free(question->added);
	free(question->removed);
}

static enum lyc_status question_init(struct question *question, const struct recurrence *set,
				     int64_t from, int64_t last)
{
	*question = (struct question){.steps = MAX_STEPS};
	if (set->start < WALL_MIN || set->start > WALL_MAX)
		return LYC_OUT_OF_RANGE;
	question->walk_count =
		set->rule_count < RECURRENCE_MAX_RULES ? set->rule_count : RECURRENCE_MAX_RULES;
	question->walks = calloc(question->walk_count + 1, sizeof(*question->walks));
	question->added = sorted(set->added, set->added_count);
	question->removed = sorted(set->removed, set->removed_count);
	if (!question->walks || !question->added || !question->removed) {
		question_fini(question);
		return LYC_RESOURCE_EXHAUSTED;
	}
	question->added_count = set->added_count;
	question->removed_count = set->removed_count;
	if (set->rule_count == 0) {
		question->added[question->added_count++] = set->start;
		qsort(question->added, question->added_count, sizeof(*question->added), compare);
	}
	while (question->added_at < question->added_count &&
	       question->added[question->added_at] < from)
		question->added_at++;
	for (size_t i = 0; i < question->walk_count; i++) {
		walk_init(&question->walks[i], set, &set->rules[i], from, last, &question->steps);
		question->has_head[i] = walk_next(&question->walks[i], &question->heads[i]);
	}
	return LYC_OK;
}

/* The least of all heads, which moves on. */
static bool take_least(struct question *question, int64_t *ret_at)
{
	bool is_added = question->added_at < question->added_count;
	int64_t least = is_added ? question->added[question->added_at] : INT64_MAX;
	size_t from = question->walk_count;
	for (size_t i = 0; i < question->walk_count; i++) {
		if (question->has_head[i] && question->heads[i] < least) {
			least = question->heads[i];
			from = i;
		}
	}
	if (from < question->walk_count)
		question->has_head[from] =
			walk_next(&question->walks[from], &question->heads[from]);
	else if (is_added)
		question->added_at++;
	else
		return false;
	*ret_at = least;
	return true;
}

static bool question_next(struct question *question, int64_t *ret_at)
{
	int64_t at;
	/* When the steps are used up a later head may be missing: nothing more is sure. */
	while (question->steps >= 0 && take_least(question, &at)) {
		if (question->has_before && at == question->before)
			continue;
		question->before = at;
		question->has_before = true;
		if (bsearch(&at, question->removed, question->removed_count, sizeof(at), compare))
			continue;
		*ret_at = at;
		return true;
	}
	return false;
}

static bool grow(int64_t **list, size_t *room)
{
	size_t more = *room ? *room * 2 : 16;
	int64_t *bigger = realloc(*list, more * sizeof(*bigger));
	if (!bigger)
		return false;
	*list = bigger;
	*room = more;
	return true;
}

enum lyc_status recurrence_list(const struct recurrence *set, int64_t from, int64_t to, size_t max,
				int64_t **ret_starts, size_t *ret_count, bool *ret_has_more)
{
	struct question question;
	enum lyc_status status;
	int64_t *starts = NULL;
	size_t count = 0;
	size_t room = 0;
	int64_t at;
	bool has_more = false;

	if (from < WALL_MIN)
		from = WALL_MIN;
	if (to > WALL_MAX + 1)
		to = WALL_MAX + 1;
	status = question_init(&question, set, from, to - 1);
	if (status)
		return status;
	while (question_next(&question, &at) && at < to) {
		if (count == max) {
			has_more = true;
			break;
		}
		if (count == room && !grow(&starts, &room)) {
			status = LYC_RESOURCE_EXHAUSTED;
			goto out;
		}
		starts[count++] = at;
	}
	if (question.steps < 0 && !has_more) {
		status = LYC_RESOURCE_EXHAUSTED;
		goto out;
	}
	*ret_starts = starts;
	*ret_count = count;
	*ret_has_more = has_more;
	starts = NULL;
out:
	free(starts);
	question_fini(&question);
	return status;
}

enum lyc_status recurrence_next(const struct recurrence *set, int64_t from, int64_t *ret_start)
{
	struct question question;
	enum lyc_status status = question_init(&question, set, from, WALL_MAX);
	if (status)
		return status;
	if (!question_next(&question, ret_start))
		status = question.steps < 0 ? LYC_RESOURCE_EXHAUSTED : LYC_NOT_FOUND;
	question_fini(&question);
	return status;
}

bool recurrence_has_start(const struct recurrence *set)
{
	struct recurrence bare = *set;
	int64_t start;
	bare.added_count = 0;
	bare.removed_count = 0;
	return !recurrence_next(&bare, bare.start, &start) && start == bare.start;
}
