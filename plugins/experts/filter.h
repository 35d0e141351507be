/*
 * Who may be shown at all: the reader's eyes and the request's filters, over the people's facts.
 * Each label, region, organisation and set of languages is judged once a search, not once a person.
 */
#ifndef EXPERTS_FILTER_H
#define EXPERTS_FILTER_H

#include <lyceum/experts/v1/search.pb-c.h>

#include "people.h"
#include "search.h"

/* 0: not judged yet. */
enum { FILTER_NO = 1, FILTER_YES = 2 };

struct filter {
	const struct people *people;
	/* By number: a verdict. NULL: everything passes. */
	uint8_t *labels;
	uint32_t label_count;
	uint8_t *regions;
	uint8_t *organisations;
	uint8_t *homes;
	uint8_t *languages;
	/* One bit a kind; 0: all. */
	uint64_t kinds;
	uint32_t answers_within_days;
	/* The request filters by something. */
	bool is_narrow;

	search_may_see_fn may_see;
	void *arg;
};

/* One of the request's lists of wanted values, and what is held of that field. */
struct filter_set {
	/* In front of a value: "nobody here is in the region". */
	const char *nobody;
	const struct pool *held;
	char *const *wanted;
	size_t wanted_count;
	bool (*matches)(const char *held, const char *wanted);
	/* A document's number in `held`. */
	uint32_t (*number_of)(const struct facts *facts);
};

enum { FILTER_REGION, FILTER_ORGANISATION, FILTER_HOME, FILTER_LANGUAGE, FILTER_SETS };

/* Borrows both. */
void filter_sets(const struct people *people, const Lyceum__Experts__V1__FindRequest *request,
		 struct filter_set to[FILTER_SETS]);

/* Borrows all for as long as the filter is used; the people must not change. */
void filter_init(struct filter *filter, const struct people *people,
		 const Lyceum__Experts__V1__FindRequest *request, search_may_see_fn may_see,
		 void *arg);
void filter_fini(struct filter *filter);

/* A label's place among the verdicts: behind all of them stands that on who is gone. */
static inline uint32_t filter_label(uint32_t label, uint32_t label_count)
{
	return label < label_count ? label : label_count;
}

/* Judges the document's label, which is met for the first time. */
uint8_t filter_judge(struct filter *filter, uint32_t doc);
/* Do the request's filters let it through? */
bool filter_is_met(const struct filter *filter, uint32_t doc);

/* Is the document there, may the reader see it, and do the filters let it through? Most searches
 * look at no more than its label. */
static inline bool filter_passes(struct filter *filter, uint32_t doc)
{
	uint32_t label = filter_label(filter->people->label_of[doc], filter->label_count);
	uint8_t verdict = filter->labels[label];
	if (verdict == 0)
		verdict = filter_judge(filter, doc);
	return verdict == FILTER_YES && (!filter->is_narrow || filter_is_met(filter, doc));
}

#endif
