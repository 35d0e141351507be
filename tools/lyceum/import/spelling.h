/* Names as people write them: folded to what matters, and how far two of them are apart. */
#ifndef LYC_IMPORT_SPELLING_H
#define LYC_IMPORT_SPELLING_H

#include <stddef.h>

#include "base/buf.h"

#define SPELLING_MAX 96

/* Lower case, without accents, spaces, underscores and punctuation; cut at SPELLING_MAX - 1 bytes.
 * "Start Year", "start_year" and "startYear" are one. */
void spelling_fold(struct span text, char *ret_folded);
/* Letters to add, drop, change or swap, up to `limit`; limit + 1 when there are more. */
size_t spelling_distance(const char *a, const char *b, size_t limit);
/* How many slips a word may have and still be meant: none in a short one. */
size_t spelling_tolerance(const char *folded);

#endif
