/*
 * The index: which person's record has which terms. One document per person, in memory, two ways
 * round: postings (by term: the documents, with a coarse weight each) find the candidates, and the
 * document's own list of items (by evidence, topic, role, name: the terms, with a weight each) is
 * what score.c reads to rank them. Documents have rising numbers; a changed record is a new one.
 * Collection statistics count open documents only: those that every member may see.
 */
#ifndef EXPERTS_INDEX_H
#define EXPERTS_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lexicon.h"

#define INDEX_NO_DOC UINT32_MAX
/* Strengths of a term in an item: in its title (or a topic, role, name), or only in its body. */
#define INDEX_STRENGTH_TITLE 10
#define INDEX_STRENGTH_BODY 6

enum index_field {
	INDEX_EVIDENCE = 0,
	INDEX_TOPIC = 1,
	INDEX_ROLE = 2,
	INDEX_ORGANISATION = 3,
	INDEX_NAME = 4,
};

/* One thing that speaks for a person. */
struct index_item {
	enum index_field field;
	/* Its place among those of its field. */
	uint32_t ordinal;
	/* What kind of evidence, for score.c: 0 to 15. */
	uint8_t kind;
	const char *title;
	/* May be NULL. */
	const char *body;
};

struct index;

struct index *index_new(void);
void index_free(struct index *index);
/* Add document number `doc`, higher than any before. Borrows the items. */
void index_put(struct index *index, uint32_t doc, bool is_open, const struct index_item *items,
	       size_t item_count);
/* Forget a document: its statistics at once, its postings at the next index_renumber; the caller
 * passes over its number until then. */
void index_remove(struct index *index, uint32_t doc);
/* Document i becomes map[i], INDEX_NO_DOC: dropped. The order stays. */
void index_renumber(struct index *index, const uint32_t *map, uint32_t count);

struct lexicon *index_lexicon(struct index *index);
uint32_t index_open_count(const struct index *index);
/* Open documents that have the term. */
uint32_t index_frequency(const struct index *index, uint32_t term);
size_t index_memory(const struct index *index);

/* Add weight times the coarse weight (1 to 15) of each document with the term to sums[doc]. */
void index_add_up(const struct index *index, uint32_t term, uint32_t weight, uint32_t *sums);
/* Call fn for each document with the term. */
typedef void (*index_doc_fn)(uint32_t doc, void *arg);
void index_each(const struct index *index, uint32_t term, index_doc_fn fn, void *arg);

/* A term's bit in the signatures by which an item is passed over unread. */
static inline uint64_t index_signature(uint32_t term)
{
	return UINT64_C(1) << ((term * 2654435761u) >> 26);
}

/* Reads the items of one document in the order of put. */
struct index_reader {
	const uint8_t *at;
	const uint8_t *end;

	/* The present item: the bits of all its terms, and where its terms end. */
	enum index_field field;
	uint8_t kind;
	uint32_t ordinal;
	uint64_t signature;
	/* How many terms its title has. */
	uint32_t title_len;
	const uint8_t *item_end;

	/* The present term. */
	uint32_t term;
	uint8_t strength;
};

struct index_reader index_read(const struct index *index, uint32_t doc);
/* The next item, whose terms then follow; false at the end. Terms left unread are passed over. */
bool index_read_item(struct index_reader *reader);
/* The next term of the item, in rising order; false at its end. */
bool index_read_term(struct index_reader *reader);

#endif
