/*
 * The terms of an index: stems of English words, and names as they are. A folded word is stemmed
 * (Snowball's English stemmer) when it is seen first and remembered. Names also answer by prefix.
 */
#ifndef EXPERTS_LEXICON_H
#define EXPERTS_LEXICON_H

#include <stdbool.h>

#include "pool.h"

struct sb_stemmer;

struct lexicon {
	struct sb_stemmer *stemmer;
	struct pool words;
	/* By word: its stem's term. */
	uint32_t *stems;
	size_t stems_capacity;
	/* By word: an open record has had it as it is written here. */
	uint8_t *word_is_open;
	size_t word_is_open_capacity;

	/* "s" or "n" in front: a stem or a name. */
	struct pool terms;

	/* Terms that are names; the first names_sorted of them in order of their letters. */
	uint32_t *names;
	size_t names_capacity;
	uint32_t name_count;
	uint32_t names_sorted;
};

void lexicon_init(struct lexicon *lexicon);
void lexicon_fini(struct lexicon *lexicon);
/* The term of a folded word's stem, or of a folded name; new or not. */
uint32_t lexicon_add_stem(struct lexicon *lexicon, const char *word, size_t len, bool is_open);
uint32_t lexicon_add_name(struct lexicon *lexicon, const char *name, size_t len);
/* The same without adding: POOL_NONE when there is none. */
uint32_t lexicon_find_stem(struct lexicon *lexicon, const char *word, size_t len);
uint32_t lexicon_find_name(const struct lexicon *lexicon, const char *name, size_t len);
/* Up to max terms of names that begin with the prefix and are longer. Returns how many. */
size_t lexicon_find_prefix(struct lexicon *lexicon, const char *prefix, size_t len, uint32_t *to,
			   size_t max);
/* Up to max terms of stems of words that open records have and that begin with the prefix, each
 * once. Looks at every word. Returns how many. */
size_t lexicon_find_begun(const struct lexicon *lexicon, const char *prefix, size_t len,
			  uint32_t *to, size_t max);
/* The stem of a folded word, held or not; `to` has room for WORD_MAX + 1 bytes. */
void lexicon_stem(struct lexicon *lexicon, const char *word, char *to);
/* Call fn with each word that open records have had and each name, and its term. */
typedef void (*lexicon_word_fn)(const char *word, uint32_t term, void *arg);
void lexicon_each_word(const struct lexicon *lexicon, lexicon_word_fn fn, void *arg);

#endif
