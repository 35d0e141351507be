/*
 * A question, taken apart: its words in order of weight, each with the terms of the index that
 * stand for it (a stem, a name, names that begin so). Weights are inverse frequencies among the
 * open documents, as whole numbers.
 */
#ifndef EXPERTS_QUERY_H
#define EXPERTS_QUERY_H

#include "index.h"
#include "words.h"

#define QUERY_MAX_WORDS 64
#define QUERY_MAX_TERMS 4096

struct query_word {
	char folded[WORD_MAX + 1];
	uint32_t weight;
	/* How often the question says it. */
	uint32_t times;
	/* Its terms in query.terms. */
	uint32_t first_term;
	uint32_t term_count;
	/* Some open document has it; otherwise it matches only where the reader sees one. */
	bool is_open;
	/* A weightier word of the question has the same stem: it counts only as a name. */
	bool is_twin;
	/* The reader sees no document with it: it counts as not covered. */
	bool is_unmatched;
	/* As the question writes it first; borrowed. */
	const char *written;
	size_t written_len;
};

struct query_term {
	uint32_t term;
	uint16_t word;
	/* Tenths of an exact match. */
	uint8_t strength;
};

struct query {
	struct query_word words[QUERY_MAX_WORDS];
	uint32_t word_count;
	struct query_term *terms;
	size_t terms_capacity;
	uint32_t term_count;
	/* What a full match weighs: the sum over the words, those that nothing matches among them.
	 */
	uint64_t weight_sum;
	/* How sharply a partial match is held back; see score.c. */
	unsigned power;

	/* The bits of all terms: what shares none with it has none of them. */
	uint64_t signature;
	/* term to 1 + its place in terms. Open addressing. */
	uint32_t *table;
	uint32_t table_size;
};

/* Borrows text for as long as the query is used, the index only for the call; terms stay right
 * until it changes. Of an unfinished question the last word may stand for those that begin so. */
void query_init(struct query *query, struct index *index, const char *text, bool is_unfinished);
void query_fini(struct query *query);
/* Decide which words are matched: is_seen[i] says that the reader sees a document with word i. To
 * be called once, before scoring. */
void query_settle(struct query *query, const bool *is_seen);
/* The query's terms for a term of a document, NULL when there is none. */
const struct query_term *query_find(const struct query *query, uint32_t term);

#endif
