/*
 * Folding and splitting. ASCII takes a short path; other code points are decomposed, stripped of
 * marks and case-folded by utf8proc; a few Latin letters that Unicode does not decompose follow in
 * a table of their own.
 */
#include "words.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

struct letter {
	utf8proc_int32_t code;
	const char *folded;
};

/* After case folding. */
static const struct letter letters[] = {
	{0xe6, "ae"},  {0xf0, "d"},  {0xf8, "o"},  {0xfe, "th"}, {0x111, "d"},
	{0x127, "h"},  {0x131, "i"}, {0x138, "k"}, {0x142, "l"}, {0x14b, "n"},
	{0x153, "oe"}, {0x167, "t"}, {0x180, "b"}, {0x19a, "l"}, {0x1e5, "g"},
	{0x247, "e"},  {0x249, "j"}, {0x24d, "r"}, {0x24f, "y"}, {0x259, "e"},
};

/* In alphabetical order. */
static const char *const stop_words[] = {
	"a",       "about", "after", "all",  "also", "an",     "and",   "any",   "are",  "as",
	"at",      "be",    "been",  "but",  "by",   "can",    "did",   "do",    "does", "for",
	"from",    "had",   "has",   "have", "he",   "her",    "his",   "how",   "i",    "if",
	"in",      "into",  "is",    "it",   "its",  "me",     "more",  "my",    "no",   "not",
	"of",      "on",    "or",    "our",  "she",  "should", "so",    "some",  "such", "than",
	"that",    "the",   "their", "them", "then", "there",  "these", "they",  "this", "those",
	"through", "to",    "up",    "us",   "was",  "we",     "were",  "what",  "when", "where",
	"which",   "while", "who",   "whom", "why",  "will",   "with",  "would", "you",  "your",
};

static int compare_word(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

bool words_is_stop(const char *folded)
{
	return bsearch(folded, stop_words, sizeof(stop_words) / sizeof(stop_words[0]),
		       sizeof(stop_words[0]), compare_word) != NULL;
}

void words_init(struct words *words, const char *text, size_t len)
{
	*words = (struct words){.at = text, .end = text + len};
}

static void put(struct words *words, const char *bytes, size_t len)
{
	if (words->folded_len + len > WORD_MAX)
		return;
	memcpy(words->folded + words->folded_len, bytes, len);
	words->folded_len += len;
}

static void put_code(struct words *words, utf8proc_int32_t code)
{
	utf8proc_uint8_t bytes[4];

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		if (letters[i].code == code) {
			put(words, letters[i].folded, strlen(letters[i].folded));
			return;
		}
	}
	put(words, (const char *)bytes, (size_t)utf8proc_encode_char(code, bytes));
}

static void put_folded(struct words *words, utf8proc_int32_t code)
{
	utf8proc_int32_t parts[16];
	int last_class = UTF8PROC_BOUNDCLASS_START;
	utf8proc_ssize_t count = utf8proc_decompose_char(
		code, parts, 16,
		UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK,
		&last_class);

	for (utf8proc_ssize_t i = 0; i < count && i < 16; i++)
		put_code(words, parts[i]);
}

static bool is_mark(utf8proc_category_t category)
{
	return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

static bool is_word(utf8proc_category_t category)
{
	return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
	       (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

static bool is_apostrophe(utf8proc_int32_t code)
{
	return code == '\'' || code == 0x2019 || code == 0x02bc;
}

/* One code point of the text into the word. Returns false where the word ends. */
static bool take(struct words *words, utf8proc_int32_t code)
{
	if (code >= 0 && code < 128) {
		char c = (char)code;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
			put(words, &c, 1);
			return true;
		}
		return c == '\'' && words->folded_len > 0;
	}
	if (code < 0)
		return false;
	if (is_apostrophe(code))
		return words->folded_len > 0;
	utf8proc_category_t category = utf8proc_category(code);
	if (is_mark(category))
		return words->folded_len > 0;
	if (!is_word(category))
		return false;
	put_folded(words, code);
	return true;
}

bool words_next(struct words *words)
{
	words->start = NULL;
	words->folded_len = 0;
	while (words->at < words->end) {
		utf8proc_int32_t code = (unsigned char)*words->at;
		utf8proc_ssize_t used = 1;
		if (code >= 128) {
			used = utf8proc_iterate((const utf8proc_uint8_t *)words->at,
						words->end - words->at, &code);
			if (used < 1) {
				used = 1;
				code = -1;
			}
		}
		bool is_part = take(words, code);
		if (is_part && !words->start)
			words->start = words->at;
		if (!is_part && words->folded_len > 0)
			break;
		words->at += used;
	}
	if (words->folded_len == 0)
		return false;
	words->len = (size_t)(words->at - words->start);
	while (words->len > 0 && words->start[words->len - 1] == '\'')
		words->len--;
	words->folded[words->folded_len] = '\0';
	return true;
}

size_t words_fold(const char *text, char *to, size_t size)
{
	struct words words;
	size_t len = 0;

	words_init(&words, text, strlen(text));
	while (words_next(&words) && len + words.folded_len + 2 <= size) {
		if (len > 0)
			to[len++] = ' ';
		memcpy(to + len, words.folded, words.folded_len);
		len += words.folded_len;
	}
	to[len] = '\0';
	return len;
}
