/*
 * The words that the network shares: regions, sectors, instruments, traits and needs. What is
 * outside the list would single somebody out, or never match, so it is refused with a near hint.
 * "therapeutics/cell therapy" is a word of the list with a finer one behind it, which stays at
 * home.
 */
#ifndef INVESTMENT_VOCABULARY_H
#define INVESTMENT_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>

#include "pad.h"

enum word_kind { WORD_REGION, WORD_SECTOR, WORD_INSTRUMENT, WORD_TRAIT, WORD_NEED };

struct word {
	enum word_kind kind;
	const char *word;
	/* Other names, between semicolons; the first one is shown. */
	const char *also;
};

/* All of them, ended by one without a word. */
const struct word *vocabulary(void);
const char *vocabulary_kind_name(enum word_kind kind);
/* The listed word for what somebody wrote, whatever the case; NULL: there is none. Valid for ever.
 */
const char *vocabulary_find(enum word_kind kind, const char *text);
/* "regions are GB-WLS (Wales), ..." for an error. */
char *vocabulary_hint(struct pad *pad, enum word_kind kind);
/* The same word, with what stands behind a slash in lower case; NULL when the front is not listed.
 */
char *vocabulary_normal(struct pad *pad, enum word_kind kind, const char *text);
/* The listed word alone: what others may see of it. */
char *vocabulary_coarse(struct pad *pad, const char *normal);
/* Does a text mention the word or one of its other names, as whole words? */
bool vocabulary_is_mentioned(const struct word *word, const char *lower_text);

#endif
