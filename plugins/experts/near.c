/* Optimal string alignment distance over bytes, given up as soon as a row is too far off. */
#include "near.h"

#include <stdbool.h>
#include <string.h>

#define ROW (WORD_MAX + 1)

void near_init(struct near *near, const char *word)
{
	*near = (struct near){0};
	near->len = words_fold(word, near->word, sizeof(near->word));
	near->max_distance = near->len < 4 ? 0 : near->len < 8 ? 1 : 2;
	near->best_distance = near->max_distance + 1;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* One more row of the table; returns its least number. */
static size_t fill_row(const char *a, size_t i, const char *b, size_t b_len, const size_t *two_up,
		       const size_t *up, size_t *row)
{
	size_t lowest = row[0] = i;

	for (size_t j = 1; j <= b_len; j++) {
		size_t changed = up[j - 1] + (a[i - 1] != b[j - 1]);
		row[j] = least(least(up[j], row[j - 1]) + 1, changed);
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
			row[j] = least(row[j], two_up[j - 2] + 1);
		lowest = least(lowest, row[j]);
	}
	return lowest;
}

/* More than max: at least max + 1. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len, size_t max)
{
	size_t rows[3][ROW];
	size_t *two_up = rows[0], *up = rows[1], *row = rows[2];
	size_t lowest_before = 0;

	for (size_t j = 0; j <= b_len; j++)
		up[j] = two_up[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t lowest = fill_row(a, i, b, b_len, two_up, up, row);
		/* A swap looks two rows back. */
		if (lowest > max && lowest_before > max)
			return max + 1;
		lowest_before = lowest;
		size_t *spare = two_up;
		two_up = up;
		up = row;
		row = spare;
	}
	return up[b_len];
}

void near_offer(struct near *near, const char *text, const char *folded, uint64_t weight)
{
	size_t len = strlen(folded);

	if (near->max_distance == 0 || len > WORD_MAX || len + near->max_distance < near->len ||
	    near->len + near->max_distance < len)
		return;
	size_t away = distance(near->word, near->len, folded, len, near->max_distance);
	bool is_tie = near->best && away == near->best_distance;
	if (away > near->best_distance || away > near->max_distance)
		return;
	if (is_tie && (weight < near->best_weight ||
		       (weight == near->best_weight && strcmp(text, near->best) >= 0)))
		return;
	near->best = text;
	near->best_distance = away;
	near->best_weight = weight;
}
