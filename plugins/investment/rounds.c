/*
 * Two tables by key, and for each currency the sum of all commitments that stand, which is where an
 * overflow is refused: every total that anybody adds up is a part of such a sum.
 */
#include "rounds.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((element)->is_lost = true)
#include <uthash.h>

struct round_entry {
	struct rounds_round round;
	UT_hash_handle hh;
	bool is_lost;
};

struct commitment_entry {
	struct rounds_commitment commitment;
	struct currency_sum *sum;
	UT_hash_handle hh;
	bool is_lost;
};

struct currency_sum {
	char *currency;
	int64_t amount;
	UT_hash_handle hh;
	bool is_lost;
};

struct rounds {
	struct round_entry *rounds;
	struct commitment_entry *commitments;
	struct currency_sum *sums;
};

struct rounds *rounds_new(void)
{
	return calloc(1, sizeof(struct rounds));
}

static void text_free(const char *text)
{
	free((char *)(uintptr_t)text);
}

static bool text_copy(const char **text)
{
	*text = strdup(*text);
	return *text != NULL;
}

/* Rounds. */

static void round_fini(struct rounds_round *round)
{
	text_free(round->id);
	text_free(round->venture);
}

static bool round_copy(struct rounds_round *to, const struct rounds_round *from)
{
	struct rounds_round copy = *from;
	bool has_id = text_copy(&copy.id), has_venture = text_copy(&copy.venture);

	if (!has_id || !has_venture) {
		round_fini(&copy);
		return false;
	}
	*to = copy;
	return true;
}

static bool round_equal(const struct rounds_round *one, const struct rounds_round *other)
{
	return strcmp(one->venture, other->venture) == 0 && one->stage == other->stage &&
	       one->closed_ms == other->closed_ms && one->is_withdrawn == other->is_withdrawn;
}

static struct round_entry *find_round(const struct rounds *rounds, const char *id)
{
	struct round_entry *entry = NULL;

	HASH_FIND_STR(rounds->rounds, id, entry);
	return entry;
}

static void round_free(struct round_entry *entry)
{
	round_fini(&entry->round);
	free(entry);
}

enum lyc_status rounds_put_round(struct rounds *rounds, const struct rounds_round *round)
{
	struct rounds_round copy;

	if (!round->id || !round->id[0] || !round->venture || round->revision == 0)
		return LYC_INVALID_ARGUMENT;
	struct round_entry *entry = find_round(rounds, round->id);
	if (entry && round->revision < entry->round.revision)
		return LYC_OK;
	if (entry && round->revision == entry->round.revision)
		return round_equal(round, &entry->round) ? LYC_OK : LYC_ALREADY_EXISTS;
	if (!round_copy(&copy, round))
		return LYC_RESOURCE_EXHAUSTED;
	if (entry) {
		/* The key of the table is the entry's own text. */
		text_free(copy.id);
		copy.id = entry->round.id;
		text_free(entry->round.venture);
		entry->round = copy;
		return LYC_OK;
	}
	entry = calloc(1, sizeof(*entry));
	if (entry) {
		entry->round = copy;
		HASH_ADD_KEYPTR(hh, rounds->rounds, entry->round.id, strlen(entry->round.id),
				entry);
		if (!entry->is_lost)
			return LYC_OK;
	}
	round_fini(&copy);
	free(entry);
	return LYC_RESOURCE_EXHAUSTED;
}

/* Commitments. */

static void commitment_fini(struct rounds_commitment *commitment)
{
	for (size_t i = 0; commitment->credits && i < commitment->credit_count; i++)
		text_free(commitment->credits[i].node);
	free((void *)(uintptr_t)commitment->credits);
	text_free(commitment->id);
	text_free(commitment->round);
	text_free(commitment->investor);
	text_free(commitment->currency);
	text_free(commitment->via_node);
}

static bool credits_copy(struct rounds_commitment *copy)
{
	const struct rounds_credit *from = copy->credits;
	struct rounds_credit *to = calloc(copy->credit_count + 1, sizeof(*to));
	bool is_whole = to != NULL;

	for (size_t i = 0; to && i < copy->credit_count; i++) {
		to[i] = from[i];
		is_whole = text_copy(&to[i].node) && is_whole;
	}
	copy->credits = to;
	return is_whole;
}

static bool commitment_copy(struct rounds_commitment *to, const struct rounds_commitment *from)
{
	struct rounds_commitment copy = *from;
	const char **texts[] = {&copy.id, &copy.round, &copy.investor, &copy.currency,
				&copy.via_node};
	bool is_whole = credits_copy(&copy);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		is_whole = text_copy(texts[i]) && is_whole;
	if (!is_whole) {
		commitment_fini(&copy);
		return false;
	}
	*to = copy;
	return true;
}

static bool commitment_equal(const struct rounds_commitment *one,
			     const struct rounds_commitment *other)
{
	if (strcmp(one->round, other->round) != 0 || strcmp(one->investor, other->investor) != 0 ||
	    strcmp(one->currency, other->currency) != 0 ||
	    strcmp(one->via_node, other->via_node) != 0 || one->amount != other->amount ||
	    one->is_withdrawn != other->is_withdrawn || one->credit_count != other->credit_count)
		return false;
	for (size_t i = 0; i < one->credit_count; i++) {
		if (strcmp(one->credits[i].node, other->credits[i].node) != 0 ||
		    one->credits[i].weight != other->credits[i].weight)
			return false;
	}
	return true;
}

static struct commitment_entry *find_commitment(const struct rounds *rounds, const char *id)
{
	struct commitment_entry *entry = NULL;

	HASH_FIND_STR(rounds->commitments, id, entry);
	return entry;
}

static struct currency_sum *find_sum(const struct rounds *rounds, const char *currency)
{
	struct currency_sum *sum = NULL;

	HASH_FIND_STR(rounds->sums, currency, sum);
	return sum;
}

static struct currency_sum *get_sum(struct rounds *rounds, const char *currency)
{
	struct currency_sum *sum = find_sum(rounds, currency);

	if (sum)
		return sum;
	sum = calloc(1, sizeof(*sum));
	if (!sum)
		return NULL;
	sum->currency = strdup(currency);
	if (sum->currency) {
		HASH_ADD_KEYPTR(hh, rounds->sums, sum->currency, strlen(sum->currency), sum);
		if (!sum->is_lost)
			return sum;
	}
	free(sum->currency);
	free(sum);
	return NULL;
}

/* What counts of a commitment. */
static int64_t standing(const struct rounds_commitment *commitment)
{
	return commitment->is_withdrawn ? 0 : commitment->amount;
}

/* Do the credits, if there are any, say how to divide? */
static bool is_credited(const struct rounds_commitment *commitment)
{
	uint64_t sum = 0;

	if (commitment->credit_count > ROUNDS_MAX_CREDITS)
		return false;
	for (size_t i = 0; i < commitment->credit_count; i++) {
		if (!commitment->credits[i].node)
			return false;
		sum += commitment->credits[i].weight;
	}
	return commitment->credit_count == 0 || sum > 0;
}

/* LYC_OK with *ret_is_news false when there is nothing to do. */
static enum lyc_status judge(const struct rounds *rounds, const struct rounds_commitment *new,
			     bool *ret_is_news)
{
	*ret_is_news = false;
	if (!new->id || !new->id[0] || !new->round || !new->investor || !new->currency ||
	    !new->via_node || new->revision == 0 || new->amount < 0 || !is_credited(new))
		return LYC_INVALID_ARGUMENT;
	const struct commitment_entry *entry = find_commitment(rounds, new->id);
	if (entry && new->revision < entry->commitment.revision)
		return LYC_OK;
	if (entry && new->revision == entry->commitment.revision)
		return commitment_equal(new, &entry->commitment) ? LYC_OK : LYC_ALREADY_EXISTS;
	const struct currency_sum *sum = find_sum(rounds, new->currency);
	int64_t others = sum ? sum->amount : 0;
	if (entry && entry->sum == sum)
		others -= standing(&entry->commitment);
	if (standing(new) > INT64_MAX - others)
		return LYC_OUT_OF_RANGE;
	*ret_is_news = true;
	return LYC_OK;
}

enum lyc_status rounds_put_commitment(struct rounds *rounds,
				      const struct rounds_commitment *commitment)
{
	struct commitment_entry *entry = NULL;
	struct rounds_commitment copy;
	bool is_news;
	enum lyc_status status = judge(rounds, commitment, &is_news);

	if (status != LYC_OK || !is_news)
		return status;
	struct currency_sum *sum = get_sum(rounds, commitment->currency);
	if (!sum || !commitment_copy(&copy, commitment))
		return LYC_RESOURCE_EXHAUSTED;
	entry = find_commitment(rounds, commitment->id);
	if (entry) {
		struct rounds_commitment old = entry->commitment;
		entry->sum->amount -= standing(&old);
		/* The key of the table is the entry's own text. */
		const char *id = old.id;
		old.id = copy.id;
		copy.id = id;
		commitment_fini(&old);
	} else {
		entry = calloc(1, sizeof(*entry));
		if (entry)
			HASH_ADD_KEYPTR(hh, rounds->commitments, copy.id, strlen(copy.id), entry);
		if (!entry || entry->is_lost) {
			commitment_fini(&copy);
			free(entry);
			return LYC_RESOURCE_EXHAUSTED;
		}
	}
	entry->commitment = copy;
	entry->sum = sum;
	sum->amount += standing(&copy);
	return LYC_OK;
}

static void commitment_free(struct rounds *rounds, struct commitment_entry *entry)
{
	HASH_DEL(rounds->commitments, entry);
	commitment_fini(&entry->commitment);
	free(entry);
}

void rounds_free(struct rounds *rounds)
{
	struct round_entry *round, *next_round;
	struct commitment_entry *commitment, *next_commitment;
	struct currency_sum *sum, *next_sum;

	if (!rounds)
		return;
	HASH_ITER (hh, rounds->commitments, commitment, next_commitment)
		commitment_free(rounds, commitment);
	HASH_ITER (hh, rounds->rounds, round, next_round) {
		HASH_DEL(rounds->rounds, round);
		round_free(round);
	}
	HASH_ITER (hh, rounds->sums, sum, next_sum) {
		HASH_DEL(rounds->sums, sum);
		free(sum->currency);
		free(sum);
	}
	free(rounds);
}

size_t rounds_commitment_count(const struct rounds *rounds)
{
	return HASH_COUNT(rounds->commitments);
}

void rounds_each(const struct rounds *rounds, rounds_each_fn each, void *closure)
{
	for (const struct commitment_entry *at = rounds->commitments; at; at = at->hh.next) {
		const struct round_entry *entry = find_round(rounds, at->commitment.round);
		each(&at->commitment, entry ? &entry->round : NULL, closure);
	}
}
