/* New names are sorted in when somebody asks for a prefix, not one by one. */
#include "lexicon.h"

#include <libstemmer.h>

#include "grow.h"
#include "words.h"

void lexicon_init(struct lexicon *lexicon)
{
	*lexicon = (struct lexicon){0};
	lexicon->stemmer = grow_check(sb_stemmer_new("english", "UTF_8"));
	pool_init(&lexicon->words);
	pool_init(&lexicon->terms);
}

void lexicon_fini(struct lexicon *lexicon)
{
	if (lexicon->stemmer)
		sb_stemmer_delete(lexicon->stemmer);
	pool_fini(&lexicon->words);
	pool_fini(&lexicon->terms);
	free(lexicon->stems);
	free(lexicon->word_is_open);
	free(lexicon->names);
	*lexicon = (struct lexicon){0};
}

/* "s" and the stem; returns the length. */
static size_t stem(struct lexicon *lexicon, const char *word, size_t len, char *to)
{
	const sb_symbol *stemmed =
		sb_stemmer_stem(lexicon->stemmer, (const sb_symbol *)word, (int)len);
	grow_check((void *)(uintptr_t)stemmed);
	size_t stem_len = (size_t)sb_stemmer_length(lexicon->stemmer);

	if (stem_len > WORD_MAX)
		stem_len = WORD_MAX;
	to[0] = 's';
	memcpy(to + 1, stemmed, stem_len);
	return stem_len + 1;
}

uint32_t lexicon_add_stem(struct lexicon *lexicon, const char *word, size_t len, bool is_open)
{
	uint32_t count = lexicon->words.count;
	uint32_t number = pool_add(&lexicon->words, word, len);

	if (number == count) {
		char text[WORD_MAX + 1];
		size_t text_len = stem(lexicon, word, len, text);
		lexicon->stems = grow(lexicon->stems, &lexicon->stems_capacity, (size_t)number + 1,
				      sizeof(lexicon->stems[0]));
		lexicon->stems[number] = pool_add(&lexicon->terms, text, text_len);
		lexicon->word_is_open = grow(lexicon->word_is_open, &lexicon->word_is_open_capacity,
					     (size_t)number + 1, sizeof(lexicon->word_is_open[0]));
		lexicon->word_is_open[number] = false;
	}
	lexicon->word_is_open[number] |= is_open;
	return lexicon->stems[number];
}

uint32_t lexicon_find_stem(struct lexicon *lexicon, const char *word, size_t len)
{
	char text[WORD_MAX + 1];
	uint32_t number = pool_find(&lexicon->words, word, len);

	if (number != POOL_NONE)
		return lexicon->stems[number];
	return pool_find(&lexicon->terms, text, stem(lexicon, word, len, text));
}

static size_t name_text(const char *name, size_t len, char *to)
{
	if (len > WORD_MAX)
		len = WORD_MAX;
	to[0] = 'n';
	memcpy(to + 1, name, len);
	return len + 1;
}

uint32_t lexicon_add_name(struct lexicon *lexicon, const char *name, size_t len)
{
	char text[WORD_MAX + 1];
	uint32_t count = lexicon->terms.count;
	uint32_t term = pool_add(&lexicon->terms, text, name_text(name, len, text));

	if (term == count) {
		lexicon->names = grow(lexicon->names, &lexicon->names_capacity,
				      (size_t)lexicon->name_count + 1, sizeof(lexicon->names[0]));
		lexicon->names[lexicon->name_count++] = term;
	}
	return term;
}

uint32_t lexicon_find_name(const struct lexicon *lexicon, const char *name, size_t len)
{
	char text[WORD_MAX + 1];
	return pool_find(&lexicon->terms, text, name_text(name, len, text));
}

static int compare_terms(const void *a, const void *b, void *terms)
{
	return strcmp(pool_at(terms, *(const uint32_t *)a), pool_at(terms, *(const uint32_t *)b));
}

static void sort_names(struct lexicon *lexicon)
{
	if (lexicon->names_sorted == lexicon->name_count)
		return;
	qsort_r(lexicon->names, lexicon->name_count, sizeof(lexicon->names[0]), compare_terms,
		&lexicon->terms);
	lexicon->names_sorted = lexicon->name_count;
}

size_t lexicon_find_prefix(struct lexicon *lexicon, const char *prefix, size_t len, uint32_t *to,
			   size_t max)
{
	char text[WORD_MAX + 2];
	size_t text_len = name_text(prefix, len, text);
	uint32_t low = 0, high;
	size_t count = 0;

	sort_names(lexicon);
	text[text_len] = '\0';
	high = lexicon->name_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (strcmp(pool_at(&lexicon->terms, lexicon->names[middle]), text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < lexicon->name_count && count < max; low++) {
		uint32_t term = lexicon->names[low];
		if (strncmp(pool_at(&lexicon->terms, term), text, text_len) != 0)
			break;
		if (pool_len(&lexicon->terms, term) > text_len)
			to[count++] = term;
	}
	return count;
}

size_t lexicon_find_begun(const struct lexicon *lexicon, const char *prefix, size_t len,
			  uint32_t *to, size_t max)
{
	size_t count = 0;

	for (uint32_t i = 0; i < lexicon->words.count && count < max; i++) {
		if (!lexicon->word_is_open[i] ||
		    strncmp(pool_at(&lexicon->words, i), prefix, len) != 0)
			continue;
		size_t j = 0;
		while (j < count && to[j] != lexicon->stems[i])
			j++;
		if (j == count)
			to[count++] = lexicon->stems[i];
	}
	return count;
}

void lexicon_stem(struct lexicon *lexicon, const char *word, char *to)
{
	char text[WORD_MAX + 1];
	size_t len = stem(lexicon, word, strlen(word), text);

	memcpy(to, text + 1, len - 1);
	to[len - 1] = '\0';
}

void lexicon_each_word(const struct lexicon *lexicon, lexicon_word_fn fn, void *arg)
{
	for (uint32_t i = 0; i < lexicon->words.count; i++) {
		if (lexicon->word_is_open[i])
			fn(pool_at(&lexicon->words, i), lexicon->stems[i], arg);
	}
	for (uint32_t i = 0; i < lexicon->name_count; i++)
		fn(pool_at(&lexicon->terms, lexicon->names[i]) + 1, lexicon->names[i], arg);
}
