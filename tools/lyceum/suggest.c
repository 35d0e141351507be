/* The nearest known names to a mistyped word: optimal string alignment distance, up to a third of
 * the word wrong. */
#include "suggest.h"

#include <ctype.h>
#include <string.h>

#define MAX_LEN 120

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t suggest_distance(const char *a, const char *b)
{
	size_t rows[3][MAX_LEN + 1];
	size_t *two_up = rows[0], *up = rows[1], *row = rows[2];
	size_t a_len = least(strlen(a), MAX_LEN), b_len = least(strlen(b), MAX_LEN);
	for (size_t j = 0; j <= b_len; j++)
		up[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			int x = tolower((unsigned char)a[i - 1]),
			    y = tolower((unsigned char)b[j - 1]);
			row[j] = least(least(up[j], row[j - 1]) + 1, up[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]))
				row[j] = least(row[j], two_up[j - 2] + 1);
		}
		size_t *spare = two_up;
		two_up = up;
		up = row;
		row = spare;
	}
	return up[b_len];
}

void suggest_start(struct suggest *suggest, const char *word)
{
	*suggest = (struct suggest){.word = word};
}

/* The best distance to the name or to what follows one of its dots or slashes. */
static size_t distance_to(const char *word, const char *name)
{
	size_t best = suggest_distance(word, name);
	for (const char *at = name; *at; at++) {
		if (*at == '.' || *at == '/')
			best = least(best, suggest_distance(word, at + 1));
	}
	return best;
}

void suggest_offer(struct suggest *suggest, const char *name)
{
	size_t len = strlen(suggest->word);
	size_t distance = distance_to(suggest->word, name);
	if (len >= 3 && strncasecmp(name, suggest->word, len) == 0)
		distance = least(distance, 1);
	if (distance > (len + 2) / 3)
		return;
	size_t at = suggest->count;
	while (at > 0 && suggest->distances[at - 1] > distance)
		at--;
	if (at == SUGGEST_MAX)
		return;
	for (size_t i = 0; i < suggest->count; i++) {
		if (strcmp(suggest->names[i], name) == 0)
			return;
	}
	if (suggest->count < SUGGEST_MAX)
		suggest->count++;
	for (size_t i = suggest->count - 1; i > at; i--) {
		suggest->names[i] = suggest->names[i - 1];
		suggest->distances[i] = suggest->distances[i - 1];
	}
	suggest->names[at] = name;
	suggest->distances[at] = distance;
}

void suggest_write(const struct suggest *suggest, const char *prefix, struct buf *to)
{
	size_t count = suggest->count;
	/* What is further off than the best is noise. */
	while (count > 1 && suggest->distances[count - 1] > suggest->distances[0])
		count--;
	for (size_t i = 0; i < count; i++) {
		buf_add_text(to, i == 0 ? ": did you mean " : i + 1 == count ? " or " : ", ");
		buf_add_format(to, "%s%s", prefix, suggest->names[i]);
	}
	if (count > 0)
		buf_add_text(to, "?");
}
