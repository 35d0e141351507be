/*
 * Protobuf's wire format, by hand: reading and writing tags, varints and length-delimited fields.
 * Used by the packets, the schema tables and the log; messages of plugins use protobuf-c. Readers
 * allocate nothing and borrow the bytes. Source: protobuf.dev/programming-guides/encoding.
 */
#ifndef LYC_BASE_PB_H
#define LYC_BASE_PB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum pb_wire {
	PB_VARINT = 0,
	PB_FIXED64 = 1,
	PB_LEN = 2,
	PB_GROUP_START = 3,
	PB_GROUP_END = 4,
	PB_FIXED32 = 5
};

/* One field as it was read: `value` for varints and fixed sizes, `bytes` for length-delimited ones.
 */
struct pb_field {
	uint32_t number;
	enum pb_wire wire;
	uint64_t value;
	struct span bytes;
};

struct pb_reader {
	const uint8_t *at;
	const uint8_t *end;
	/* Something was malformed or cut off. */
	bool has_failed;
};

static inline struct pb_reader pb_reader_of(struct span bytes)
{
	/* An empty span may be NULL, to which nothing may be added, not even 0. */
	const uint8_t *end = bytes.len ? bytes.data + bytes.len : bytes.data;
	return (struct pb_reader){.at = bytes.data, .end = end, .has_failed = false};
}

/* Of three bytes and more, or cut off: pb_varint_at. */
const uint8_t *pb_long_varint_at(const uint8_t *at, const uint8_t *end, uint64_t *ret_value);

/* Up to 10 bytes. Where it ends, NULL when it is cut off or longer than 64 bits. Most have one byte
 * or two: lengths, statuses, small numbers. */
static inline const uint8_t *pb_varint_at(const uint8_t *at, const uint8_t *end,
					  uint64_t *ret_value)
{
	if (__builtin_expect(at < end && *at < 0x80, 1)) {
		*ret_value = *at;
		return at + 1;
	}
	if (end - at >= 2 && at[1] < 0x80) {
		*ret_value = (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
		return at + 2;
	}
	return pb_long_varint_at(at, end, ret_value);
}

static inline bool pb_read_varint(struct pb_reader *reader, uint64_t *ret_value)
{
	const uint8_t *at = pb_varint_at(reader->at, reader->end, ret_value);
	if (!at) {
		reader->has_failed = true;
		return false;
	}
	reader->at = at;
	return true;
}

/* How many varints there are in a packed run, each of at most 8 bytes. False when one is longer or
 * the last one is cut off: who reads them one by one learns which. */
bool pb_count_varints(struct span run, size_t *ret_count);

/* The next field; false at the end and on malformed bytes (has_failed then). Groups are malformed
 * here. */
bool pb_read_field(struct pb_reader *reader, struct pb_field *ret_field);

static inline int64_t pb_zigzag_decode(uint64_t value)
{
	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static inline uint64_t pb_zigzag_encode(int64_t value)
{
	return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline size_t pb_varint_len(uint64_t value)
{
	size_t len = 1;
	while (value >= 0x80) {
		value >>= 7;
		len++;
	}
	return len;
}

/* Writes to at most 10 bytes at `to`; returns one past the last. */
static inline uint8_t *pb_put_varint(uint8_t *to, uint64_t value)
{
	while (value >= 0x80) {
		*to++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*to++ = (uint8_t)value;
	return to;
}

void pb_write_varint(struct buf *buf, uint64_t value);
/* A field with its tag. The plain ones leave out zero and empty values, as proto3 does. */
void pb_write_uint(struct buf *buf, uint32_t number, uint64_t value);
void pb_write_fixed32(struct buf *buf, uint32_t number, uint32_t value);
void pb_write_fixed64(struct buf *buf, uint32_t number, uint64_t value);
void pb_write_bytes(struct buf *buf, uint32_t number, const void *bytes, size_t len);
void pb_write_text(struct buf *buf, uint32_t number, const char *text);
/* Also when empty: a submessage, an element. */
void pb_write_message(struct buf *buf, uint32_t number, struct span bytes);
/* A submessage of unknown length: pb_begin writes the tag and returns a mark; pb_end puts the
 * length in front of what came since. */
size_t pb_begin(struct buf *buf, uint32_t number);
void pb_end(struct buf *buf, size_t mark);

#endif
