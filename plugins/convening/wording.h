/* Do the words of a question occur in an event? Pure. */
#ifndef CONVENING_WORDING_H
#define CONVENING_WORDING_H

#include <stdbool.h>

#include "messages.h"

/* Points: a word in the title counts 4, in a topic 3, in place or description 1; words of one or
 * two letters and the commonest ones count nothing. ret_found, which may be NULL, gets the words
 * that occurred, "cell, therapy". */
int wording_score(const event_msg *event, const char *text, char *ret_found, size_t size);
/* Does every word occur somewhere? */
bool wording_has_all(const event_msg *event, const char *text);
/* Does the text hold this name, whatever its case, as words of their own? */
bool wording_names(const char *text, const char *name);
/* The name as a whole, or the family name alone: its last word of three letters and more, in
 * "Okafor, Ada" the first. */
bool wording_names_person(const char *text, const char *name);
/* "ann@wales" as a whole, or "ann" alone where that has three letters and more, or a digit. */
bool wording_names_id(const char *text, const char *id);

#endif
