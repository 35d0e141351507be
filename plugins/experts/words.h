/*
 * Words of a text, folded for comparison: letters and digits of any script, without case and
 * accents ("Müller" and "MULLER" are one word). Which letters decompose how is Unicode's business:
 * utf8proc. Apostrophes inside a word are dropped; everything else separates. Stemming is
 * lexicon.c's.
 */
#ifndef EXPERTS_WORDS_H
#define EXPERTS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* A folded word is cut after so many bytes. */
#define WORD_MAX 60

struct words {
	const char *at;
	const char *end;

	/* The word found last, as it is written in the text, and folded with a NUL behind it. */
	const char *start;
	size_t len;
	char folded[WORD_MAX + 1];
	size_t folded_len;
};

/* Borrows text for as long as the words are used. */
void words_init(struct words *words, const char *text, size_t len);
/* The next word; false at the end. */
bool words_next(struct words *words);
/* The words of text, folded, with one space between them; at most size - 1 bytes and a NUL.
 * Returns the length. */
size_t words_fold(const char *text, char *to, size_t size);
/* A word so common that it says nothing ("the", "of"). */
bool words_is_stop(const char *folded);

#endif
