/* Home and id are the two tokens behind the type. */
#include "expert_key.h"

#include <string.h>

#include <lyceum/client.h>

static bool read_token(const char *token, size_t len, char *to, size_t size)
{
	if (len >= size)
		return false;
	memcpy(to, token, len);
	to[len] = '\0';
	return lyc_subject_unescape(to);
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
