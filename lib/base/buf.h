/*
 * A growable run of bytes. An append that finds no memory sets has_failed and changes nothing more,
 * so a writer checks once at the end.
 */
#ifndef LYC_BASE_BUF_H
#define LYC_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool has_failed;
};

/* A borrowed run of bytes. */
struct span {
	const uint8_t *data;
	size_t len;
};

/* A zeroed struct buf is empty and ready. Frees the memory and zeroes; accepts a zeroed one. */
void buf_fini(struct buf *buf);
/* Make room for `more` bytes; false when there is no memory. The room starts at data + len. */
bool buf_reserve(struct buf *buf, size_t more);
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_byte(struct buf *buf, uint8_t byte);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_format(struct buf *buf, const char *format, ...) LYC_PRINTF(2, 3);
/* Keep the memory, drop the content and the failure. */
void buf_clear(struct buf *buf);
/* The content as a C string: adds a NUL that len does not count. NULL when there is no memory.
 * Valid until the next change. */
char *buf_text(struct buf *buf);

static inline struct span span_of(const void *data, size_t len)
{
	return (struct span){.data = (const uint8_t *)data, .len = len};
}

/* One past its last byte; of an empty one without bytes, NULL: nothing is added to a null pointer.
 */
static inline const uint8_t *span_end(struct span span)
{
	return span.len > 0 ? span.data + span.len : span.data;
}

bool span_equal(struct span a, struct span b);
bool span_is(struct span a, const char *text);

#endif
