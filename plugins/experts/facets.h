/*
 * How those whom a search finds are spread over regions, kinds and organisations: counted one by
 * one while it passes over them, written into the reply with the most frequent first.
 */
#ifndef EXPERTS_FACETS_H
#define EXPERTS_FACETS_H

#include <lyceum/experts/v1/search.pb-c.h>

#include "people.h"

#define FACETS_MAX_KINDS 64

struct facets {
	const struct people *people;
	/* By number. */
	uint32_t *organisations;
	uint32_t *regions;
	uint32_t kinds[FACETS_MAX_KINDS];
};

/* Borrows the people for as long as the facets are used; they must not change. */
void facets_init(struct facets *facets, const struct people *people);
void facets_fini(struct facets *facets);
void facets_count(struct facets *facets, const struct facts *facts);
/* At most `limit` values of each, 10 when 0. */
void facets_add(const struct facets *facets, size_t limit, Lyceum__Experts__V1__FindReply *reply);

#endif
