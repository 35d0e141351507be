/*
 * What was meant by a word that is not there: the nearest of many, by the number of letters to
 * change (two neighbours swapped count as one).
 */
#ifndef EXPERTS_NEAR_H
#define EXPERTS_NEAR_H

#include <stddef.h>
#include <stdint.h>

#include "words.h"

struct near {
	/* Folded. */
	char word[WORD_MAX + 1];
	size_t len;
	/* One letter of short words, two of long ones, none of the shortest. */
	size_t max_distance;

	/* The best so far; best is borrowed and NULL when there is none. */
	const char *best;
	size_t best_distance;
	uint64_t best_weight;
};

void near_init(struct near *near, const char *word);
/* Offer a candidate: `text` is what is shown, `folded` what is compared. Of equally near ones the
 * heavier wins, then the first in order of letters. Borrows text for as long as near is used. */
void near_offer(struct near *near, const char *text, const char *folded, uint64_t weight);

#endif
