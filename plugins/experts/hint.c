/* Near spellings are looked for in a pass over the words, for a few words of a question only. */
#include "hint.h"

#include <stdarg.h>

#include "grow.h"
#include "kind.h"
#include "near.h"
#include "region.h"

typedef Lyceum__Experts__V1__FindReply find_reply;

/* So many words get a near spelling and a note of their own. */
#define MAX_LOOKED_UP 8

static void add_note(find_reply *reply, const char *format, ...) LYC_PRINTF(2, 3);

static void add_note(find_reply *reply, const char *format, ...)
{
	char text[400];
	size_t capacity = reply->n_note;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	reply->note = grow(reply->note, &capacity, reply->n_note + 1, sizeof(reply->note[0]));
	reply->note[reply->n_note++] = grow_copy(text, strlen(text));
}

void hint_no_word(find_reply *reply)
{
	add_note(reply, "there is no word in the question: ask with words, or without a question "
			"to list everybody");
}

/* ---- Words ---- */

struct looking {
	struct near *near;
	const struct index *index;
};

static void offer_word(const char *word, uint32_t term, void *arg)
{
	struct looking *looking = arg;
	uint32_t frequency = index_frequency(looking->index, term);

	if (frequency > 0)
		near_offer(looking->near, word, word, frequency);
}

static void tell_word(find_reply *reply, const struct query_word *word, const char *nearest)
{
	const char *region = region_name(word->folded);
	Lyceum__Experts__V1__ExpertKind kind = kind_find(word->folded);
	const char *quote = region && strchr(region, ' ') ? "\"" : "";
	char kind_name[KIND_SIZE];
	int len = word->written_len > WORD_MAX ? WORD_MAX : (int)word->written_len;

	if (region && region[0])
		add_note(reply,
			 "no record has the word \"%.*s\": for people there say "
			 "--region %s%s%s",
			 len, word->written, quote, region, quote);
	else if (kind_write(kind, kind_name))
		add_note(reply,
			 "no record has the word \"%.*s\": for that kind of expert say "
			 "--kind %s",
			 len, word->written, kind_name);
	else if (nearest[0])
		add_note(reply, "no record has the word \"%.*s\": did you mean \"%s\"?", len,
			 word->written, nearest);
	else
		add_note(reply, "no record has the word \"%.*s\"", len, word->written);
}

static void add_unmatched(find_reply *reply, const struct query_word *word, struct index *index)
{
	Lyceum__Experts__V1__UnmatchedWord *unmatched = grow_new(1, sizeof(*unmatched));
	struct near near;
	struct looking looking = {&near, index};

	near_init(&near, word->folded);
	if (near.max_distance > 0 && reply->n_unmatched < MAX_LOOKED_UP)
		lexicon_each_word(index_lexicon(index), offer_word, &looking);
	const char *nearest = near.best ? near.best : "";
	lyceum__experts__v1__unmatched_word__init(unmatched);
	unmatched->word = grow_copy(word->written, word->written_len);
	unmatched->nearest = grow_copy(nearest, strlen(nearest));
	if (reply->n_unmatched < MAX_LOOKED_UP)
		tell_word(reply, word, nearest);
	reply->unmatched[reply->n_unmatched++] = unmatched;
}

/* In the order of the question. */
static const struct query_word *next_unmatched(const struct query *query, const char *after)
{
	const struct query_word *next = NULL;

	for (uint32_t i = 0; i < query->word_count; i++) {
		const struct query_word *word = &query->words[i];
		if (word->is_unmatched && (!after || word->written > after) &&
		    (!next || word->written < next->written))
			next = word;
	}
	return next;
}

void hint_words(find_reply *reply, const struct query *query, struct index *index)
{
	const struct query_word *word = NULL;

	reply->unmatched = grow_new(query->word_count, sizeof(reply->unmatched[0]));
	while ((word = next_unmatched(query, word ? word->written : NULL)))
		add_unmatched(reply, word, index);
	if (reply->n_unmatched > MAX_LOOKED_UP)
		add_note(reply, "no record has %zu more words of the question",
			 reply->n_unmatched - MAX_LOOKED_UP);
}

/* ---- Filters ---- */

static void offer_value(struct near *near, const char *value)
{
	char folded[WORD_MAX * 2];

	words_fold(value, folded, sizeof(folded));
	near_offer(near, value, folded, 0);
}

/* A note if nothing that is seen matches. */
static void judge_value(find_reply *reply, const struct filter_set *set, const uint8_t *is_seen,
			const char *wanted, bool is_region)
{
	struct near near;

	near_init(&near, wanted);
	for (uint32_t i = 0; i < set->held->count; i++) {
		if (is_seen[i] && set->matches(pool_at(set->held, i), wanted))
			return;
		if (is_seen[i])
			offer_value(&near, pool_at(set->held, i));
	}
	for (size_t i = 0; is_region && region_at(i); i++)
		offer_value(&near, region_at(i));
	/* "Scotland" is right though nobody is there. */
	bool is_other = near.best && near.best_distance > 0;
	add_note(reply, "%s \"%.100s\"%s%.100s%s", set->nobody, wanted,
		 is_other ? ": did you mean \"" : "", is_other ? near.best : "",
		 is_other ? "\"?" : "");
}

static void judge_set(find_reply *reply, const struct people *people, const struct filter_set *set,
		      struct filter *eyes, bool is_region)
{
	uint8_t *is_seen = grow_new(set->held->count, 1);

	for (uint32_t doc = 0; doc < people->doc_count; doc++) {
		if (filter_passes(eyes, doc))
			is_seen[set->number_of(&people->facts[doc])] = 1;
	}
	for (size_t i = 0; i < set->wanted_count; i++)
		judge_value(reply, set, is_seen, set->wanted[i], is_region);
	free(is_seen);
}

void hint_filters(find_reply *reply, const struct people *people,
		  const Lyceum__Experts__V1__FindRequest *request, struct filter *eyes)
{
	struct filter_set sets[FILTER_SETS];

	filter_sets(people, request, sets);
	for (size_t i = 0; i < FILTER_SETS; i++) {
		/* A single value that lets somebody through is right. */
		if (sets[i].wanted_count > 1 || (sets[i].wanted_count == 1 && reply->total == 0))
			judge_set(reply, people, &sets[i], eyes, i == FILTER_REGION);
	}
}
