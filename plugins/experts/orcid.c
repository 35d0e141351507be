/* Source: support.orcid.org, "Structure of the ORCID identifier". */
#include "orcid.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *pass_address(const char *text)
{
	static const char *const fronts[] = {"https://", "http://", "www.", "orcid.org/", "orcid:"};

	while (isspace((unsigned char)*text))
		text++;
	for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
		size_t len = strlen(fronts[i]);
		if (strncasecmp(text, fronts[i], len) == 0)
			text += len;
	}
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

static char check_digit(const char digits[15])
{
	unsigned sum = 0;

	for (size_t i = 0; i < 15; i++)
		sum = (sum + (unsigned)(digits[i] - '0')) * 2 % 11;
	unsigned digit = (12 - sum) % 11;
	return digit == 10 ? 'X' : (char)('0' + digit);
}

enum orcid_verdict orcid_read(const char *text, char to[ORCID_SIZE])
{
	char digits[16];
	size_t count = 0;

	for (text = pass_address(text); *text && count < 16; text++) {
		char c = (char)toupper((unsigned char)*text);
		if ((c == '-' || c == ' ') && count > 0 && count % 4 == 0)
			continue;
		if (!isdigit((unsigned char)c) && !(c == 'X' && count == 15))
			return ORCID_SHAPE;
		digits[count++] = c;
	}
	while (*text == '/' || isspace((unsigned char)*text))
		text++;
	if (count != 16 || *text)
		return ORCID_SHAPE;
	if (digits[15] != check_digit(digits))
		return ORCID_CHECK;
	for (size_t i = 0, at = 0; i < 16; i++) {
		if (i > 0 && i % 4 == 0)
			to[at++] = '-';
		to[at++] = digits[i];
	}
	to[ORCID_SIZE - 1] = '\0';
	return ORCID_OK;
}
