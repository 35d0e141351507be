/* Counting is an addition a document; only what was met is sorted. */
#include "facets.h"

#include "grow.h"
#include "kind.h"

typedef Lyceum__Experts__V1__FindReply find_reply;

#define DEFAULT_LIMIT 10

void facets_init(struct facets *facets, const struct people *people)
{
	*facets = (struct facets){.people = people};
	facets->organisations = grow_new(people->organisations.count, sizeof(uint32_t));
	facets->regions = grow_new(people->regions.count, sizeof(uint32_t));
}

void facets_fini(struct facets *facets)
{
	free(facets->organisations);
	free(facets->regions);
	*facets = (struct facets){0};
}

void facets_count(struct facets *facets, const struct facts *facts)
{
	facets->organisations[facts->organisation]++;
	facets->regions[facts->region]++;
	facets->kinds[facts->kind & (FACETS_MAX_KINDS - 1)]++;
}

struct value {
	const char *text;
	uint32_t count;
};

static int compare_values(const void *a, const void *b)
{
	const struct value *one = a, *two = b;

	if (one->count != two->count)
		return one->count > two->count ? -1 : 1;
	return strcmp(one->text, two->text);
}

/* Takes `values`. */
static void add_facet(find_reply *reply, const char *field, struct value *values,
		      size_t value_count, size_t limit)
{
	Lyceum__Experts__V1__Facet *facet = grow_new(1, sizeof(*facet));

	lyceum__experts__v1__facet__init(facet);
	facet->field = grow_copy(field, strlen(field));
	if (value_count > 0)
		qsort(values, value_count, sizeof(values[0]), compare_values);
	facet->value = grow_new(limit, sizeof(facet->value[0]));
	for (size_t i = 0; i < value_count && i < limit; i++) {
		Lyceum__Experts__V1__FacetValue *value = grow_new(1, sizeof(*value));
		lyceum__experts__v1__facet_value__init(value);
		value->value = grow_copy(values[i].text, strlen(values[i].text));
		value->count = values[i].count;
		facet->value[facet->n_value++] = value;
	}
	free(values);
	reply->facets[reply->n_facets++] = facet;
}

static void add_string_facet(find_reply *reply, const char *field, const struct pool *strings,
			     const uint32_t *counts, size_t limit)
{
	struct value *values = grow_new(strings->count, sizeof(*values));
	size_t used = 0;

	for (uint32_t i = 0; i < strings->count; i++) {
		if (counts[i] > 0 && pool_len(strings, i) > 0)
			values[used++] = (struct value){pool_at(strings, i), counts[i]};
	}
	add_facet(reply, field, values, used, limit);
}

static void add_kind_facet(find_reply *reply, const uint32_t *counts, size_t limit)
{
	struct value *values = grow_new(FACETS_MAX_KINDS, sizeof(*values));
	char names[FACETS_MAX_KINDS][KIND_SIZE];
	size_t used = 0;

	for (int i = 1; i < FACETS_MAX_KINDS; i++) {
		if (counts[i] > 0 && kind_write((Lyceum__Experts__V1__ExpertKind)i, names[i]))
			values[used++] = (struct value){names[i], counts[i]};
	}
	add_facet(reply, "kind", values, used, limit);
}

void facets_add(const struct facets *facets, size_t limit, find_reply *reply)
{
	const struct people *people = facets->people;

	if (limit == 0)
		limit = DEFAULT_LIMIT;
	reply->facets = grow_new(3, sizeof(reply->facets[0]));
	add_string_facet(reply, "region", &people->regions, facets->regions, limit);
	add_kind_facet(reply, facets->kinds, limit);
	add_string_facet(reply, "organisation", &people->organisations, facets->organisations,
			 limit);
}
