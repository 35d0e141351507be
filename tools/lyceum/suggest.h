/* "Did you mean": the known names nearest to a word, by edit distance. */
#ifndef LYC_TOOLS_SUGGEST_H
#define LYC_TOOLS_SUGGEST_H

#include <stddef.h>

#include "base/buf.h"

/* How many letters must be added, dropped, changed or swapped with their neighbour, case apart. */
size_t suggest_distance(const char *a, const char *b);

/* A growing list of the best candidates for one word. */
#define SUGGEST_MAX 3
struct suggest {
	const char *word;
	const char *names[SUGGEST_MAX];
	size_t distances[SUGGEST_MAX];
	size_t count;
};

void suggest_start(struct suggest *suggest, const char *word);
/* Consider a name; `name` stays the caller's and must outlive the list. A dotted name is compared
 * by its last parts, too. */
void suggest_offer(struct suggest *suggest, const char *name);
/* Append ": did you mean a, b or c?"; nothing when none is near. `prefix` goes before each. */
void suggest_write(const struct suggest *suggest, const char *prefix, struct buf *to);

#endif
