/*
 * The memory of one calendar that was read: pieces that live until all of it is freed, so that its
 * structs are plain pointers. Texts are made clean on the way in: valid UTF-8, no control bytes but
 * line ends and tabs, no blanks at the end.
 */
#ifndef CONVENING_ICS_MEMORY_H
#define CONVENING_ICS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

struct ics_piece;

/* Zeroed is ready. has_failed: a piece was asked for and there was no memory. */
struct ics_memory {
	struct ics_piece *first;
	bool has_failed;
};

/* Zeroed bytes; NULL when there are none. */
void *ics_keep(struct ics_memory *memory, size_t size);
/* A clean copy; each byte that is no UTF-8 becomes U+FFFD. NULL stays NULL. */
const char *ics_keep_text(struct ics_memory *memory, const char *text);
/* Room for one more in an array of `size` bytes each: a larger copy when it is full. False when
 * there is no memory. */
bool ics_keep_more(struct ics_memory *memory, void **array, size_t count, size_t *room,
		   size_t size);
void ics_memory_fini(struct ics_memory *memory);

#endif
