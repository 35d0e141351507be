/*
 * points = SCORE_ONE * weight(kind) * (covered / asked) ^ power, in integers of 30 binary places;
 * at least 1 for anything that matches. `covered` is the sum over the question's words of their
 * weight times the strength of the match in this item.
 */
#include "score.h"

#include "grow.h"

#define ONE (UINT64_C(1) << 30)
/* So many tenths of the share go down as a title gets longer than 8 terms, and up as it gets
 * shorter. On held-out award titles this raises the mean reciprocal rank from 0.430 to 0.439. */
#define LENGTH_TENTHS 3

/* Tenths, by Evidence.Kind. A decided case or a granted patent is rarer and says more than a talk;
 * none needs a paper beside it. */
static const unsigned evidence_weights[16] = {
	[0] = 10, /* not said */
	[1] = 10, /* work */
	[2] = 11, /* grant */
	[3] = 15, /* case */
	[4] = 12, /* patent */
	[5] = 8,  /* talk */
	[6] = 12, /* testimony */
	[7] = 11, /* project */
	10,       10, 10, 10, 10, 10, 10, 10,
};

static const unsigned field_weights[] = {
	[INDEX_EVIDENCE] = 10,    [INDEX_TOPIC] = 7, [INDEX_ROLE] = 6,
	[INDEX_ORGANISATION] = 3, [INDEX_NAME] = 30,
};

/* What the item covers of the question, in parts of ONE. */
static uint64_t coverage(struct index_reader *reader, const struct query *query)
{
	uint8_t best[QUERY_MAX_WORDS];
	uint64_t has = 0, sum = 0;

	while (index_read_term(reader)) {
		if (!(query->signature & index_signature(reader->term)))
			continue;
		const struct query_term *term = query_find(query, reader->term);
		if (!term)
			continue;
		uint8_t strength = (uint8_t)(reader->strength * term->strength);
		uint64_t bit = UINT64_C(1) << term->word;
		if (!(has & bit) || best[term->word] < strength)
			best[term->word] = strength;
		has |= bit;
	}
	for (uint64_t left = has; left; left &= left - 1) {
		int word = __builtin_ctzll(left);
		sum += (uint64_t)query->words[word].weight * best[word];
	}
	if (sum == 0 || query->weight_sum == 0)
		return 0;
	uint64_t whole = query->weight_sum * INDEX_STRENGTH_TITLE * INDEX_STRENGTH_TITLE;
	uint64_t share = sum * ONE / whole * 80 /
			 (8 * (10 - LENGTH_TENTHS) + LENGTH_TENTHS * (uint64_t)reader->title_len);
	return share > ONE ? ONE : share;
}

static int64_t points_of(const struct index_reader *reader, uint64_t share, unsigned power)
{
	unsigned weight = field_weights[reader->field];
	uint64_t value = ONE;

	if (reader->field == INDEX_EVIDENCE)
		weight = evidence_weights[reader->kind & 15];
	for (unsigned i = 0; i < power; i++)
		value = value * share >> 30;
	int64_t points = (int64_t)(value * SCORE_ONE * weight / 10 >> 30);
	return points < 1 ? 1 : points;
}

static int compare_parts(const void *a, const void *b)
{
	const struct score_part *one = a, *two = b;

	if (one->points != two->points)
		return one->points > two->points ? -1 : 1;
	if (one->field != two->field)
		return one->field < two->field ? -1 : 1;
	return one->ordinal < two->ordinal ? -1 : one->ordinal > two->ordinal;
}

int64_t score_document(const struct index *index, uint32_t doc, const struct query *query,
		       struct score_parts *parts)
{
	struct index_reader reader = index_read(index, doc);
	int64_t total = 0;

	if (parts)
		parts->count = 0;
	while (index_read_item(&reader)) {
		if (!(reader.signature & query->signature))
			continue;
		uint64_t share = coverage(&reader, query);
		if (share == 0)
			continue;
		int64_t points = points_of(&reader, share, query->power);
		total += points;
		if (!parts)
			continue;
		parts->parts = grow(parts->parts, &parts->capacity, parts->count + 1,
				    sizeof(parts->parts[0]));
		parts->parts[parts->count++] = (struct score_part){
			.points = points, .field = reader.field, .ordinal = reader.ordinal};
	}
	if (parts && parts->count > 1)
		qsort(parts->parts, parts->count, sizeof(parts->parts[0]), compare_parts);
	return total;
}
