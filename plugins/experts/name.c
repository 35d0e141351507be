/* Works on words between spaces; says nothing about scripts without them. */
#include "name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "words.h"

static bool is_in(const char *word, size_t len, const char *const *list)
{
	while (len > 0 && word[len - 1] == '.')
		len--;
	for (; *list; list++) {
		if (strlen(*list) == len && strncasecmp(*list, word, len) == 0)
			return true;
	}
	return false;
}

static const char *const titles[] = {"dr", "prof", "professor", "mr", "mrs",
				     "ms", "miss", "mx",        NULL};
static const char *const letters_after[] = {
	"phd", "dphil", "md",   "msc",     "bsc",   "ba", "ma",  "obe", "mbe",
	"cbe", "frs",   "frcp", "mbbs",    "jr",    "sr", "ii",  "iii", "esq",
	"kc",  "qc",    "frse", "fmedsci", "mbchb", "rn", "dsc", NULL};
static const char *const particles[] = {"van",   "von", "der", "den", "de",  "di",  "da",  "del",
					"della", "la",  "le",  "ap",  "ab",  "bin", "ibn", "al",
					"el",    "dos", "du",  "st",  "ter", "ten", NULL};

/* One space between words, none around; at most NAME_SIZE - 1 bytes. */
static void squeeze(const char *text, size_t len, char *to)
{
	size_t used = 0;

	for (size_t i = 0; i < len && used + 1 < NAME_SIZE; i++) {
		bool is_space = isspace((unsigned char)text[i]);
		if (is_space && (used == 0 || to[used - 1] == ' '))
			continue;
		to[used++] = is_space ? ' ' : text[i];
	}
	while (used > 0 && to[used - 1] == ' ')
		used--;
	to[used] = '\0';
}

static void drop_titles(char *text)
{
	for (;;) {
		size_t len = strcspn(text, " ");
		if (!text[len] || !is_in(text, len, titles))
			return;
		memmove(text, text + len + 1, strlen(text + len + 1) + 1);
	}
}

/* "Okafor, Ada" to "Ada Okafor"; "Ada Okafor, PhD" to "Ada Okafor". */
static void turn_round(struct name *name)
{
	char text[NAME_SIZE], front[NAME_SIZE], back[NAME_SIZE], both[2 * NAME_SIZE];
	char *comma;

	while ((comma = strrchr(name->display, ',')) != NULL) {
		squeeze(comma + 1, strlen(comma + 1), text);
		if (text[0] && !is_in(text, strcspn(text, " "), letters_after))
			break;
		*comma = '\0';
		squeeze(name->display, strlen(name->display), text);
		memcpy(name->display, text, sizeof(text));
	}
	comma = strchr(name->display, ',');
	if (!comma)
		return;
	squeeze(name->display, (size_t)(comma - name->display), front);
	squeeze(comma + 1, strlen(comma + 1), back);
	drop_titles(back);
	if (!name->family[0] && !name->given[0]) {
		memcpy(name->family, front, sizeof(front));
		memcpy(name->given, back, sizeof(back));
	}
	snprintf(both, sizeof(both), "%s %s", back, front);
	squeeze(both, strlen(both), name->display);
}

/* The last word is the family name, with the particles before it. */
static void take_apart(struct name *name)
{
	char *space = strrchr(name->display, ' ');

	if (!space)
		return;
	for (;;) {
		char *before = space;
		while (before > name->display && before[-1] != ' ')
			before--;
		if (before == name->display || !is_in(before, (size_t)(space - before), particles))
			break;
		space = before - 1;
	}
	squeeze(space + 1, strlen(space + 1), name->family);
	squeeze(name->display, (size_t)(space - name->display), name->given);
}

void name_arrange(const char *display, const char *family, const char *given, struct name *ret_name)
{
	struct name *name = ret_name;

	squeeze(display, strlen(display), name->display);
	squeeze(family, strlen(family), name->family);
	squeeze(given, strlen(given), name->given);
	drop_titles(name->display);
	turn_round(name);
	if (!name->display[0] && (name->family[0] || name->given[0])) {
		char both[NAME_SIZE * 2];
		snprintf(both, sizeof(both), "%s %s", name->given, name->family);
		squeeze(both, strlen(both), name->display);
	}
	if (!name->family[0] && !name->given[0])
		take_apart(name);
}

bool name_is_placeholder(const char *display)
{
	static const char *const nobody[] = {
		"unknown",    "na",        "none",    "tbc",     "tba",         "null",
		"nil",        "anonymous", "anon",    "unnamed", "unspecified", "name",
		"nobody",     "test",      "n",       "a",       "not",         "known",
		"applicable", "vacant",    "vacancy", "person",  NULL};
	struct words words;

	words_init(&words, display, strlen(display));
	while (words_next(&words)) {
		if (!is_in(words.folded, words.folded_len, nobody))
			return false;
	}
	return true;
}
