/* In a token '.', '*', '>', '%', spaces and control bytes stand as %XX. */
#include "subject.h"

#include <string.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place: it only becomes shorter. */
static bool unescape(char *token)
{
	char *to = token;

	for (const char *at = token; *at; at++) {
		if (*at != '%') {
			*to++ = *at;
			continue;
		}
		if (hex(at[1]) < 0 || hex(at[2]) < 0)
			return false;
		*to++ = (char)(hex(at[1]) * 16 + hex(at[2]));
		at += 2;
	}
	*to = '\0';
	return to > token;
}

bool subject_read(const char *text, struct subject *ret_subject)
{
	size_t len = strlen(text), prefix = strlen(SUBJECT_PREFIX);
	char *next;

	if (strncmp(text, SUBJECT_PREFIX, prefix) != 0 || len - prefix >= sizeof(ret_subject->text))
		return false;
	memcpy(ret_subject->text, text + prefix, len - prefix + 1);
	ret_subject->type = ret_subject->text;
	ret_subject->key_count = 0;
	for (size_t i = 0; i < SUBJECT_MAX_KEYS; i++)
		ret_subject->key[i] = "";
	next = strchr(ret_subject->text, '.');
	while (next) {
		char *token = next + 1;
		*next = '\0';
		next = strchr(token, '.');
		if (next)
			*next = '\0';
		if (ret_subject->key_count == SUBJECT_MAX_KEYS || !unescape(token))
			return false;
		ret_subject->key[ret_subject->key_count++] = token;
	}
	return true;
}
