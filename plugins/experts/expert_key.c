/* In a token '.', '*', '>', '%', spaces and control bytes stand as %XX. */
#include "expert_key.h"

#include <string.h>

static int hex(char c)
{
	const char *digits = "0123456789ABCDEF", *lower = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	if (at)
		return (int)(at - digits);
	at = c ? strchr(lower, c) : NULL;
	return at ? (int)(at - lower) : -1;
}

static bool read_token(const char *token, size_t len, char *to, size_t size)
{
	size_t used = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (used + 1 >= size)
			return false;
		if (token[i] != '%') {
			to[used++] = token[i];
			continue;
		}
		if (i + 2 >= len || hex(token[i + 1]) < 0 || hex(token[i + 2]) < 0)
			return false;
		to[used++] = (char)(hex(token[i + 1]) * 16 + hex(token[i + 2]));
		i += 2;
	}
	to[used] = '\0';
	return true;
}

bool expert_key_read(const char *subject, char home[EXPERT_KEY_MAX_HOME],
		     char id[EXPERT_KEY_MAX_ID])
{
	size_t prefix_len = strlen(EXPERT_KEY_PREFIX);

	if (strncmp(subject, EXPERT_KEY_PREFIX, prefix_len) != 0)
		return false;
	const char *home_at = subject + prefix_len;
	const char *dot = strchr(home_at, '.');
	if (!dot || strchr(dot + 1, '.'))
		return false;
	return read_token(home_at, (size_t)(dot - home_at), home, EXPERT_KEY_MAX_HOME) &&
	       read_token(dot + 1, strlen(dot + 1), id, EXPERT_KEY_MAX_ID);
}
