/*
 * How well a person answers a question, in whole points that add up. Each item (a work, a case, a
 * topic, a name) is judged by itself: the share of the question that it covers, to a power, times
 * what its kind weighs. A total is the plain sum, so taking one item away takes exactly its points
 * away; the power sees to it that one item that answers outweighs a great many that graze the
 * question. Nothing is divided by how much a person has: nobody is ranked down for having no
 * papers.
 */
#ifndef EXPERTS_SCORE_H
#define EXPERTS_SCORE_H

#include "index.h"
#include "query.h"

/* What a whole match of weight 1.0 is worth: so many that even a graze tells from another. */
#define SCORE_ONE 1000000

struct score_part {
	int64_t points;
	enum index_field field;
	uint32_t ordinal;
};

struct score_parts {
	struct score_part *parts;
	size_t capacity;
	size_t count;
};

/* The points of a document; parts may be NULL, otherwise gets every part that has points, the
 * weightiest first. */
int64_t score_document(const struct index *index, uint32_t doc, const struct query *query,
		       struct score_parts *parts);

#endif
