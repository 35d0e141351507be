/* A list of pieces, freed together. */
#include "ics_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct ics_piece {
	struct ics_piece *next;
	max_align_t bytes[];
};

void *ics_keep(struct ics_memory *memory, size_t size)
{
	struct ics_piece *piece = calloc(1, sizeof(*piece) + size);
	if (!piece) {
		memory->has_failed = true;
		return NULL;
	}
	piece->next = memory->first;
	memory->first = piece;
	return piece->bytes;
}

void ics_memory_fini(struct ics_memory *memory)
{
	while (memory->first) {
		struct ics_piece *piece = memory->first;
		memory->first = piece->next;
		free(piece);
	}
}

/* The length of the UTF-8 character at `at`; 0 when it is none. */
static size_t character_len(const unsigned char *at)
{
	size_t len = at[0] < 0x80    ? 1
		     : at[0] < 0xc2  ? 0
		     : at[0] < 0xe0  ? 2
		     : at[0] < 0xf0  ? 3
		     : at[0] <= 0xf4 ? 4
				     : 0;
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Longer than needed, surrogates, behind U+10FFFF. */
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
	    (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return len;
}

const char *ics_keep_text(struct ics_memory *memory, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	char *copy;
	size_t len = 0;
	if (!text)
		return NULL;
	copy = ics_keep(memory, strlen(text) * 3 + 1);
	if (!copy)
		return NULL;
	while (*at) {
		size_t step = character_len(at);
		if (step == 0) {
			memcpy(copy + len, "\xef\xbf\xbd", 3);
			len += 3;
		} else if (step > 1 || (*at >= ' ' && *at != 0x7f) || *at == '\n' || *at == '\t') {
			memcpy(copy + len, at, step);
			len += step;
		}
		at += step ? step : 1;
	}
	/* Blanks at the end of a line do not travel. */
	while (len > 0 && strchr(" \t\n", copy[len - 1]))
		copy[--len] = '\0';
	return copy;
}

bool ics_keep_more(struct ics_memory *memory, void **array, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 4;
	void *larger;
	if (count < *room)
		return true;
	larger = ics_keep(memory, more * size);
	if (!larger)
		return false;
	if (count > 0)
		memcpy(larger, *array, count * size);
	*array = larger;
	*room = more;
	return true;
}
