/* Words are letters and digits, and whatever is not ASCII. */
#include "wording.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_WORD 60
#define MAX_WORDS 200

static bool is_letter(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 128;
}

/* The next word of at most MAX_WORD bytes; false at the end. */
static bool next_word(const char **at, char word[MAX_WORD + 1])
{
	size_t len = 0;

	while (**at && !is_letter(**at))
		(*at)++;
	while (is_letter(**at)) {
		if (len < MAX_WORD)
			word[len++] = (char)tolower((unsigned char)**at);
		(*at)++;
	}
	word[len] = '\0';
	return len > 0;
}

static bool is_common(const char *word)
{
	static const char *const common[] = {"the",   "and",    "for",     "who",  "what",
					     "with",  "about",  "our",     "can",  "how",
					     "are",   "that",   "this",    "from", "need",
					     "event", "events", "meeting", "does", "have"};

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		if (strcmp(common[i], word) == 0)
			return true;
	}
	return strlen(word) < 3;
}

/* At the beginning of a word: "therap" is in "cell therapies". */
static bool occurs(const char *text, const char *word)
{
	size_t len = strlen(word);

	/* Plurals and endings: the last letter of a longer word may be another. */
	if (len > 5)
		len--;
	for (const char *at = text; *at; at++) {
		if ((at == text || !is_letter(at[-1])) && strncasecmp(at, word, len) == 0)
			return true;
	}
	return false;
}

static int points_of(const event_msg *event, const char *word)
{
	if (occurs(event->title, word))
		return 4;
	for (size_t i = 0; i < event->n_topic; i++) {
		if (occurs(event->topic[i], word))
			return 3;
	}
	return occurs(event->description, word) || occurs(event->place, word);
}

int wording_score(const event_msg *event, const char *text, char *ret_found, size_t size)
{
	char word[MAX_WORD + 1];
	size_t len = 0;
	int score = 0;

	if (ret_found)
		ret_found[0] = '\0';
	for (int i = 0; i < MAX_WORDS && next_word(&text, word); i++) {
		int points = is_common(word) ? 0 : points_of(event, word);
		score += points;
		if (points == 0 || !ret_found || strstr(ret_found, word))
			continue;
		int more = snprintf(ret_found + len, size - len, "%s%s", len ? ", " : "", word);
		len = more > 0 && len + (size_t)more < size ? len + (size_t)more : len;
	}
	return score;
}

bool wording_has_all(const event_msg *event, const char *text)
{
	char word[MAX_WORD + 1];

	while (next_word(&text, word)) {
		if (points_of(event, word) == 0)
			return false;
	}
	return true;
}

bool wording_names(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = text; len > 0 && *at; at++) {
		if ((at == text || !is_letter(at[-1])) && strncasecmp(at, name, len) == 0 &&
		    !is_letter(at[len]))
			return true;
	}
	return false;
}

/* Titles and degrees that stand behind a name: no family is called so. */
static bool is_suffix(const char *word, size_t len)
{
	static const char *const suffixes[] = {"phd", "obe", "mbe", "cbe", "frs", "msc", "esq"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (len == strlen(suffixes[i]) && strncasecmp(word, suffixes[i], len) == 0)
			return true;
	}
	return false;
}

bool wording_names_person(const char *text, const char *name)
{
	const char *comma = strchr(name, ',');
	const char *end = name + strlen(name);
	char word[MAX_WORD * 3];

	if (wording_names(text, name))
		return true;
	/* "Okafor, Ada", but also "Ada Okafor, PhD": then the comma ends the name. */
	if (comma && memchr(name, ' ', (size_t)(comma - name)))
		end = comma;
	else if (comma)
		return comma - name >= 3 && (size_t)(comma - name) < sizeof(word) &&
		       snprintf(word, sizeof(word), "%.*s", (int)(comma - name), name) > 0 &&
		       wording_names(text, word);
	while (end > name) {
		const char *begin = end;
		while (begin > name && begin[-1] != ' ')
			begin--;
		size_t len = (size_t)(end - begin);
		if (len >= 3 && len < sizeof(word) && !is_suffix(begin, len)) {
			snprintf(word, sizeof(word), "%.*s", (int)len, begin);
			/* One word is a name of its own, and was looked for. */
			return begin > name && wording_names(text, word);
		}
		end = begin > name ? begin - 1 : name;
	}
	return false;
}

bool wording_names_id(const char *text, const char *id)
{
	size_t len = strcspn(id, "@");
	char word[140];

	if (wording_names(text, id))
		return true;
	if (len >= sizeof(word) || (len < 3 && strcspn(id, "0123456789") >= len))
		return false;
	snprintf(word, sizeof(word), "%.*s", (int)len, id);
	return wording_names(text, word);
}
