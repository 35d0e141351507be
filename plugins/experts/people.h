/*
 * The people that this daemon knows of: one holding per record, numbered like the index's
 * documents. What a search looks at for every match (its label; region, kind ...) lies in two small
 * arrays; the record itself is kept as it came and unpacked when it is shown.
 */
#ifndef EXPERTS_PEOPLE_H
#define EXPERTS_PEOPLE_H

#include <stdbool.h>

#include "pool.h"

#define PEOPLE_NO_DOC UINT32_MAX
/* The label of a document that is gone. */
#define PEOPLE_GONE UINT32_MAX

struct Lyceum__Experts__V1__Expert;
struct Lyceum__V1__Label;

/* Numbers in the sets of strings below. */
struct facts {
	uint32_t organisation;
	uint32_t region;
	uint32_t home;
	uint32_t languages;
	uint16_t answers_within_days;
	uint8_t kind;
	bool is_open;
};

struct holding {
	/* In keys; and a hash of it, which orders equals without favour to any name or node. */
	uint32_t key;
	uint64_t lot;
	uint32_t body_len;
	/* The record; behind it the folded name, family name first, ended by a NUL. */
	char *block;
};

struct people {
	struct facts *facts;
	size_t facts_capacity;
	/* By document: its number in `labels`. Alone, since it is all that most searches look at.
	 */
	uint32_t *label_of;
	size_t label_of_capacity;
	struct holding *holdings;
	size_t holdings_capacity;
	/* Documents given out, and those of them that are there. */
	uint32_t doc_count;
	uint32_t count;

	/* Home, line feed, id; and by key: its document and the sequence of its last record or
	 * withdrawal. */
	struct pool keys;
	uint32_t *docs;
	size_t docs_capacity;
	uint64_t *seqs;
	size_t seqs_capacity;

	struct pool organisations;
	struct pool regions;
	struct pool homes;
	/* "cy en" */
	struct pool languages;
	/* Serialised labels, and each unpacked. */
	struct pool labels;
	struct Lyceum__V1__Label **unpacked_labels;
	size_t unpacked_labels_capacity;

	/* Documents by name; valid while order_is_right. */
	uint32_t *order;
	size_t order_capacity;
	uint32_t order_count;
	bool order_is_right;
};

void people_init(struct people *people);
void people_fini(struct people *people);
/* Hold a record; `body` is what `expert` was unpacked from. Returns its document number, one more
 * than any before. Whoever was held under the key must have been removed. Borrows. */
uint32_t people_put(struct people *people, const struct Lyceum__Experts__V1__Expert *expert,
		    const void *body, size_t body_len, uint64_t seq);
/* Drop what is held under the key and remember the sequence that did it. Returns the document that
 * was dropped, PEOPLE_NO_DOC when there was none. */
uint32_t people_remove(struct people *people, const char *home, const char *id, uint64_t seq);
/* PEOPLE_NO_DOC when nobody is held under the key. ret_seq, which may be NULL, gets the key's last
 * sequence, 0 for none. */
uint32_t people_find(const struct people *people, const char *home, const char *id,
		     uint64_t *ret_seq);
/* Close the gaps: document i becomes map[i]. `map` has doc_count entries and is filled in here. */
void people_renumber(struct people *people, uint32_t *map);

static inline bool people_is_gone(const struct people *people, uint32_t doc)
{
	return people->label_of[doc] == PEOPLE_GONE;
}

/* Unpacked; freed with lyceum__experts__v1__expert__free_unpacked. */
struct Lyceum__Experts__V1__Expert *people_unpack(const struct people *people, uint32_t doc);
/* The documents of this name, in any order and case; `seen` says which count, up to `max` go into
 * `to`. Returns how many there are. */
size_t people_named(const struct people *people, const char *name,
		    bool (*seen)(uint32_t doc, void *arg), void *arg, uint32_t *to, size_t max);
/* The key's two halves. Valid until the next put. */
const char *people_home(const struct people *people, uint32_t doc);
const char *people_id(const struct people *people, uint32_t doc);
/* Every document that is there, in the order of names, then keys. Valid until the next change. */
const uint32_t *people_in_order(struct people *people);
size_t people_memory(const struct people *people);

#endif
