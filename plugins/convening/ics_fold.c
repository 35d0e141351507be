/* See the header. */
#include "ics_fold.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 75

/* Without the folds: CR, LF and a blank are gone. */
static size_t unfold(const char *text, char *to)
{
	size_t len = 0;
	while (*text) {
		if (strncmp(text, "\r\n ", 3) == 0)
			text += 3;
		else
			to[len++] = *text++;
	}
	return len;
}

char *ics_fold(const char *text, size_t *ret_len)
{
	size_t size = strlen(text) + 1;
	char *whole = malloc(size);
	/* A fold takes three bytes and comes after 71 at the earliest. */
	char *folded = malloc(size + size / 70 * 3 + 8);
	size_t whole_len;
	size_t len = 0;
	size_t line = 0;
	if (!whole || !folded) {
		free(whole);
		free(folded);
		return NULL;
	}
	whole_len = unfold(text, whole);
	for (size_t i = 0; i < whole_len; i++) {
		bool is_end = whole[i] == '\r' || whole[i] == '\n';
		size_t step = 1;
		while (i + step < whole_len && (whole[i + step] & 0xc0) == 0x80)
			step++;
		if (step > 4)
			step = 1;
		if (!is_end && line + step > LINE_BYTES) {
			memcpy(folded + len, "\r\n ", 3);
			len += 3;
			line = 1;
		}
		memcpy(folded + len, whole + i, step);
		len += step;
		line = is_end ? 0 : line + step;
		i += step - 1;
	}
	folded[len] = '\0';
	free(whole);
	*ret_len = len;
	return folded;
}
