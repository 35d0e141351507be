/*
 * Writes the book of an event of this node: what its seats decide next becomes a page, and what a
 * page says of the people of another node a verdict for that node. Both are appended where there is
 * none, so it does not matter how often it is tried, or by whom.
 */
#ifndef CONVENING_BOOK_H
#define CONVENING_BOOK_H

#include "convening.h"

/* Decisions on one page. */
#define BOOK_PAGE 500

/* Whatever is next, if nothing is under way. */
void book_advance(struct convening *state, struct entry *entry);

#endif
