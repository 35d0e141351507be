/* The sets are judged up front where the request filters by them; labels when first met. */
#include "filter.h"

#include <strings.h>

#include "grow.h"
#include "region.h"
#include "words.h"

static bool same_folded(const char *held, const char *wanted)
{
	char one[400], two[400];

	words_fold(held, one, sizeof(one));
	words_fold(wanted, two, sizeof(two));
	return strcmp(one, two) == 0;
}

static bool same_home(const char *held, const char *wanted)
{
	return strcmp(held, wanted) == 0;
}

/* `wanted` is one of the tags in `held`, or the front of one: "en" finds "en-GB". */
static bool speaks(const char *held, const char *wanted)
{
	size_t len = strlen(wanted);

	while (*held) {
		if (strncasecmp(held, wanted, len) == 0 &&
		    (held[len] == '\0' || held[len] == ' ' || held[len] == '-'))
			return true;
		held += strcspn(held, " ");
		held += strspn(held, " ");
	}
	return false;
}

static uint32_t region_of(const struct facts *facts)
{
	return facts->region;
}

static uint32_t organisation_of(const struct facts *facts)
{
	return facts->organisation;
}

static uint32_t home_of(const struct facts *facts)
{
	return facts->home;
}

static uint32_t languages_of(const struct facts *facts)
{
	return facts->languages;
}

void filter_sets(const struct people *people, const Lyceum__Experts__V1__FindRequest *request,
		 struct filter_set to[FILTER_SETS])
{
	to[FILTER_REGION] = (struct filter_set){"nobody here is in the region",
						&people->regions,
						request->region,
						request->n_region,
						region_is_within,
						region_of};
	to[FILTER_ORGANISATION] = (struct filter_set){"nobody here is of the organisation",
						      &people->organisations,
						      request->organisation,
						      request->n_organisation,
						      same_folded,
						      organisation_of};
	to[FILTER_HOME] = (struct filter_set){"nobody here is kept by the node",
					      &people->homes,
					      request->home,
					      request->n_home,
					      same_home,
					      home_of};
	to[FILTER_LANGUAGE] = (struct filter_set){"nobody here answers in the language",
						  &people->languages,
						  request->language,
						  request->n_language,
						  speaks,
						  languages_of};
}

static uint8_t *judge(const struct filter_set *set)
{
	if (set->wanted_count == 0)
		return NULL;
	uint8_t *verdicts = grow_new(set->held->count, 1);
	for (uint32_t i = 0; i < set->held->count; i++) {
		verdicts[i] = FILTER_NO;
		for (size_t j = 0; j < set->wanted_count && verdicts[i] == FILTER_NO; j++) {
			if (set->matches(pool_at(set->held, i), set->wanted[j]))
				verdicts[i] = FILTER_YES;
		}
	}
	return verdicts;
}

void filter_init(struct filter *filter, const struct people *people,
		 const Lyceum__Experts__V1__FindRequest *request, search_may_see_fn may_see,
		 void *arg)
{
	struct filter_set sets[FILTER_SETS];

	filter_sets(people, request, sets);
	*filter = (struct filter){.people = people, .may_see = may_see, .arg = arg};
	filter->label_count = people->labels.count;
	filter->labels = grow_new((size_t)filter->label_count + 1, 1);
	filter->labels[filter->label_count] = FILTER_NO;
	filter->regions = judge(&sets[FILTER_REGION]);
	filter->organisations = judge(&sets[FILTER_ORGANISATION]);
	filter->homes = judge(&sets[FILTER_HOME]);
	filter->languages = judge(&sets[FILTER_LANGUAGE]);
	for (size_t i = 0; i < request->n_kind; i++)
		filter->kinds |= UINT64_C(1) << ((unsigned)request->kind[i] & 63);
	filter->answers_within_days = request->answers_within_days;
	filter->is_narrow = filter->kinds || filter->regions || filter->organisations ||
			    filter->homes || filter->languages || filter->answers_within_days;
}

void filter_fini(struct filter *filter)
{
	free(filter->labels);
	free(filter->regions);
	free(filter->organisations);
	free(filter->homes);
	free(filter->languages);
	*filter = (struct filter){0};
}

uint8_t filter_judge(struct filter *filter, uint32_t doc)
{
	uint32_t label = filter->people->label_of[doc];
	bool is_seen = filter->may_see(filter->arg, filter->people->unpacked_labels[label]);

	filter->labels[label] = is_seen ? FILTER_YES : FILTER_NO;
	return filter->labels[label];
}

bool filter_is_met(const struct filter *filter, uint32_t doc)
{
	const struct facts *facts = &filter->people->facts[doc];

	if (filter->kinds && !(filter->kinds & UINT64_C(1) << (facts->kind & 63)))
		return false;
	if (filter->regions && filter->regions[facts->region] != FILTER_YES)
		return false;
	if (filter->organisations && filter->organisations[facts->organisation] != FILTER_YES)
		return false;
	if (filter->homes && filter->homes[facts->home] != FILTER_YES)
		return false;
	if (filter->languages && filter->languages[facts->languages] != FILTER_YES)
		return false;
	return filter->answers_within_days == 0 ||
	       (facts->answers_within_days > 0 &&
		facts->answers_within_days <= filter->answers_within_days);
}
