/*
 * A long brief keeps its 64 weightiest words. A word of a short question also finds the names that
 * begin with it.
 */
#include "query.h"

#include <math.h>

#include "grow.h"

#define WEIGHT_ONE 1024
#define PREFIX_MIN_LEN 2
#define PREFIX_MAX_NAMES 1000
#define PREFIX_MAX_WORDS 4
#define PREFIX_STRENGTH 7
/* What a word that is still being typed may stand for. */
#define BEGUN_MIN_LEN 3
#define BEGUN_MAX_STEMS 64
/* Distinct words of a brief that are looked at. */
#define BRIEF_MAX_WORDS 2000

static uint32_t weight_of(uint32_t open_count, uint32_t frequency)
{
	double odds = (open_count - (double)frequency + 0.5) / (frequency + 0.5);
	double weight = log(1.0 + (odds > 0 ? odds : 0)) * WEIGHT_ONE;
	return weight < 1 ? 1 : (uint32_t)lround(weight);
}

/* The distinct words of text. Stop words only when there are no others. */
static size_t read_words(const char *text, struct query_word *to, size_t max, bool with_stops)
{
	struct words words;
	struct pool seen;
	size_t count = 0;

	pool_init(&seen);
	words_init(&words, text, strlen(text));
	while (words_next(&words)) {
		if (!with_stops && words_is_stop(words.folded))
			continue;
		uint32_t number = pool_find(&seen, words.folded, words.folded_len);
		if (number != POOL_NONE) {
			to[number].times++;
			continue;
		}
		if (count == max)
			break;
		pool_add(&seen, words.folded, words.folded_len);
		to[count] = (struct query_word){
			.times = 1, .written = words.start, .written_len = words.len};
		memcpy(to[count++].folded, words.folded, words.folded_len + 1);
	}
	pool_fini(&seen);
	return count;
}

static void weigh(struct index *index, struct query_word *word)
{
	struct lexicon *lexicon = index_lexicon(index);
	size_t len = strlen(word->folded);
	uint32_t stem = lexicon_find_stem(lexicon, word->folded, len);
	uint32_t name = lexicon_find_name(lexicon, word->folded, len);
	uint32_t frequency = 0;

	if (stem != POOL_NONE)
		frequency += index_frequency(index, stem);
	if (name != POOL_NONE)
		frequency += index_frequency(index, name);
	word->is_open = frequency > 0;
	word->weight = weight_of(index_open_count(index), frequency);
	if (word->times > 1)
		word->weight += word->weight * (word->times > 4 ? 4 : word->times) / 4;
}

static int compare_weight(const void *a, const void *b)
{
	const struct query_word *one = a, *two = b;

	if (one->is_open != two->is_open)
		return one->is_open ? -1 : 1;
	if (one->weight != two->weight)
		return one->weight > two->weight ? -1 : 1;
	return strcmp(one->folded, two->folded);
}

static void add_term(struct query *query, uint32_t term, uint32_t word, uint8_t strength)
{
	if (query->term_count == QUERY_MAX_TERMS)
		return;
	query->terms = grow(query->terms, &query->terms_capacity, (size_t)query->term_count + 1,
			    sizeof(query->terms[0]));
	query->terms[query->term_count++] =
		(struct query_term){.term = term, .word = (uint16_t)word, .strength = strength};
}

static void add_word(struct query *query, struct index *index, uint32_t at, bool with_prefix)
{
	struct lexicon *lexicon = index_lexicon(index);
	struct query_word *word = &query->words[at];
	size_t len = strlen(word->folded);
	uint32_t stem = lexicon_find_stem(lexicon, word->folded, len);
	uint32_t name = lexicon_find_name(lexicon, word->folded, len);

	word->first_term = query->term_count;
	if (word->is_twin)
		word->is_open = name != POOL_NONE && index_frequency(index, name) > 0;
	else if (stem != POOL_NONE)
		add_term(query, stem, at, INDEX_STRENGTH_TITLE);
	if (name != POOL_NONE)
		add_term(query, name, at, INDEX_STRENGTH_TITLE);
	if (with_prefix && len >= PREFIX_MIN_LEN) {
		uint32_t names[PREFIX_MAX_NAMES];
		size_t count =
			lexicon_find_prefix(lexicon, word->folded, len, names, PREFIX_MAX_NAMES);
		for (size_t i = 0; i < count; i++) {
			add_term(query, names[i], at, PREFIX_STRENGTH);
			word->is_open = word->is_open || index_frequency(index, names[i]) > 0;
		}
	}
	word->term_count = query->term_count - word->first_term;
}

/* The words that begin as the last one of an unfinished question does. One that is held is whole.
 */
static void add_begun(struct query *query, struct index *index, uint32_t at)
{
	struct lexicon *lexicon = index_lexicon(index);
	struct query_word *word = &query->words[at];
	size_t len = strlen(word->folded);
	uint32_t stems[BEGUN_MAX_STEMS];

	if (len < BEGUN_MIN_LEN || word->is_open)
		return;
	size_t count = lexicon_find_begun(lexicon, word->folded, len, stems, BEGUN_MAX_STEMS);
	for (size_t i = 0; i < count; i++) {
		add_term(query, stems[i], at, PREFIX_STRENGTH);
		word->is_open = word->is_open || index_frequency(index, stems[i]) > 0;
	}
	word->term_count = query->term_count - word->first_term;
}

/* Two words of one stem: the weightier has it. By their letters, not by what is held, which the
 * reader may not see. */
static void find_twins(struct query *query, struct lexicon *lexicon)
{
	char stems[QUERY_MAX_WORDS][WORD_MAX + 1];

	for (uint32_t i = 0; i < query->word_count; i++) {
		lexicon_stem(lexicon, query->words[i].folded, stems[i]);
		for (uint32_t j = 0; j < i && !query->words[i].is_twin; j++)
			query->words[i].is_twin = strcmp(stems[i], stems[j]) == 0;
	}
}

static void build_table(struct query *query)
{
	query->table_size = 16;
	while (query->table_size < query->term_count * 4)
		query->table_size *= 2;
	query->table = grow_new(query->table_size, sizeof(uint32_t));
	for (uint32_t i = 0; i < query->term_count; i++) {
		uint32_t slot = (query->terms[i].term * 2654435761u) & (query->table_size - 1);
		query->signature |= index_signature(query->terms[i].term);
		/* An exact name that is also another word's prefix stays exact: it came first or
		 * the scan below meets both and takes the stronger. */
		while (query->table[slot]) {
			struct query_term *held = &query->terms[query->table[slot] - 1];
			if (held->term == query->terms[i].term) {
				if (held->strength < query->terms[i].strength)
					query->table[slot] = i + 1;
				break;
			}
			slot = (slot + 1) & (query->table_size - 1);
		}
		if (!query->table[slot])
			query->table[slot] = i + 1;
	}
}

const struct query_term *query_find(const struct query *query, uint32_t term)
{
	uint32_t slot = (term * 2654435761u) & (query->table_size - 1);

	while (query->table[slot]) {
		const struct query_term *held = &query->terms[query->table[slot] - 1];
		if (held->term == term)
			return held;
		slot = (slot + 1) & (query->table_size - 1);
	}
	return NULL;
}

void query_init(struct query *query, struct index *index, const char *text, bool is_unfinished)
{
	const char *end = text + strlen(text);
	size_t max = (size_t)(end - text) / 2 + 1;
	if (max > BRIEF_MAX_WORDS)
		max = BRIEF_MAX_WORDS;
	struct query_word *words = grow_new(max, sizeof(*words));
	size_t count = read_words(text, words, max, false);

	*query = (struct query){0};
	if (count == 0)
		count = read_words(text, words, max, true);
	for (size_t i = 0; i < count; i++)
		weigh(index, &words[i]);
	if (count > 0)
		qsort(words, count, sizeof(words[0]), compare_weight);
	if (count > QUERY_MAX_WORDS)
		count = QUERY_MAX_WORDS;
	memcpy(query->words, words, count * sizeof(words[0]));
	free(words);

	query->word_count = (uint32_t)count;
	find_twins(query, index_lexicon(index));
	for (uint32_t i = 0; i < query->word_count; i++) {
		const struct query_word *word = &query->words[i];
		add_word(query, index, i, count <= PREFIX_MAX_WORDS);
		if (is_unfinished && word->written + word->written_len == end)
			add_begun(query, index, i);
	}
	build_table(query);
}

void query_settle(struct query *query, const bool *is_seen)
{
	uint32_t count = 0;

	query->weight_sum = 0;
	for (uint32_t i = 0; i < query->word_count; i++) {
		struct query_word *word = &query->words[i];
		bool is_matched = word->is_open || is_seen[i];
		/* No record is found by a single letter, unless it is a name. */
		word->is_unmatched = !is_matched && !word->is_twin && word->folded[1];
		if (!is_matched && !word->is_unmatched)
			continue;
		query->weight_sum += word->weight;
		count++;
	}
	query->power = count <= 4 ? 8 : count <= 8 ? 5 : 3;
}

void query_fini(struct query *query)
{
	free(query->terms);
	free(query->table);
	*query = (struct query){0};
}
