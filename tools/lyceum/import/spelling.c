/* Folds names and counts slips. Source of the distance: optimal string alignment (Damerau-
 * Levenshtein without overlapping swaps). */
#include "import/spelling.h"

#include <string.h>

#include "base/utf8.h"

/* U+00C0 to U+017F without their accents; '*' and '/' are the multiplication and division signs. */
static const char latin[] = "aaaaaaaceeeeiiiidnooooo*ouuuuytsaaaaaaaceeeeiiiidnooooo/ouuuuyty"
			    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
			    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
_Static_assert(sizeof(latin) - 1 == 0x180 - 0xC0, "one letter for each code point");

static bool is_letter(uint32_t code)
{
	return (code >= 'a' && code <= 'z') || (code >= '0' && code <= '9');
}

void spelling_fold(struct span text, char *ret_folded)
{
	const uint8_t *at = text.data;
	const uint8_t *end = span_end(text);
	size_t len = 0;
	while (at < end) {
		uint8_t bytes[4];
		uint32_t code = utf8_next(&at, end);
		if (code >= 'A' && code <= 'Z')
			code += 'a' - 'A';
		else if (code >= 0xC0 && code < 0x180)
			code = (uint8_t)latin[code - 0xC0];
		/* Outside Latin a letter stays as it is; punctuation, joiners and signs go. */
		bool is_other = code >= 0x0370 && !(code >= 0x2000 && code < 0x2C00) &&
				!(code >= 0x3000 && code < 0x3005) && code != 0xFEFF &&
				code != 0xFFFD;
		if (!is_letter(code) && !is_other)
			continue;
		size_t size = utf8_put(bytes, code);
		if (len + size >= SPELLING_MAX)
			break;
		memcpy(ret_folded + len, bytes, size);
		len += size;
	}
	ret_folded[len] = '\0';
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;
	return least < c ? least : c;
}

size_t spelling_distance(const char *a, const char *b, size_t limit)
{
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);
	size_t rows[3][SPELLING_MAX + 1];
	size_t *before = rows[0];
	size_t *last = rows[1];
	size_t *now = rows[2];
	size_t gap = a_len > b_len ? a_len - b_len : b_len - a_len;
	if (gap > limit || a_len >= SPELLING_MAX || b_len >= SPELLING_MAX)
		return limit + 1;
	for (size_t j = 0; j <= b_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = last[j - 1] + (a[i - 1] != b[j - 1]);
			now[j] = min3(last[j] + 1, now[j - 1] + 1, change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		size_t *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len] > limit ? limit + 1 : last[b_len];
}

size_t spelling_tolerance(const char *folded)
{
	size_t len = strlen(folded);
	return len < 5 ? 0 : len < 9 ? 1 : 2;
}
