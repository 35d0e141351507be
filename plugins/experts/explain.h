/*
 * The reasons of a hit in words: which work, case, topic or name matched, with which of its words.
 * Reads the record itself; score.c has decided the points.
 */
#ifndef EXPERTS_EXPLAIN_H
#define EXPERTS_EXPLAIN_H

#include <lyceum/experts/v1/search.pb-c.h>

#include "query.h"
#include "score.h"

/* Parts that are told one by one; the others are summed up in one. */
#define EXPLAIN_MAX_PARTS 8

/* Fill hit->parts, all allocated with malloc, so that their points sum to the total of `parts`. */
void explain(Lyceum__Experts__V1__Hit *hit, const Lyceum__Experts__V1__Expert *expert,
	     const struct score_parts *parts, const struct query *query, struct index *index);
/* A line for each piece of evidence: kind, year, reference and title. The caller frees the lines
 * and the list. */
char **explain_evidence(const Lyceum__Experts__V1__Expert *expert);

#endif
