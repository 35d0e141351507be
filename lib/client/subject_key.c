/* The other way round than lib/schema/key.c, which writes the tokens. */
#include <lyceum/client.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool lyc_subject_unescape(char *token)
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
