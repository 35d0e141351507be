/* Protobuf's wire format, by hand. */
#include "base/pb.h"

#include <endian.h>
#include <string.h>

#define HIGH_BITS 0x8080808080808080u

/* The bytes of eight that end a varint, as their highest bits. */
static inline uint64_t ends_of(uint64_t eight)
{
	return ~eight & HIGH_BITS;
}

static inline uint64_t load_eight(const uint8_t *at)
{
	uint64_t eight;
	memcpy(&eight, at, 8);
	return le64toh(eight);
}

/* Seven bits of each byte, next to each other. */
static inline uint64_t join_sevens(uint64_t eight)
{
	eight = (eight & 0x007f007f007f007fu) | (eight & 0x7f007f007f007f00u) >> 1;
	eight = (eight & 0x00003fff00003fffu) | (eight & 0x3fff00003fff0000u) >> 2;
	return (eight & 0x000000000fffffffu) | (eight & 0x0fffffff00000000u) >> 4;
}

const uint8_t *pb_long_varint_at(const uint8_t *at, const uint8_t *end, uint64_t *ret_value)
{
	if (end - at >= 8) {
		uint64_t eight = load_eight(at);
		uint64_t ends = ends_of(eight);
		if (ends != 0) {
			/* All bits up to those of the first byte that ends one. */
			*ret_value = join_sevens(eight & (ends ^ (ends - 1)));
			return at + (__builtin_ctzll(ends) >> 3) + 1;
		}
	}
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
		uint8_t byte = *at++;
		if (shift == 63 && byte > 1)
			return NULL;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret_value = value;
			return at;
		}
	}
	return NULL;
}

bool pb_count_varints(struct span run, size_t *ret_count)
{
	const uint8_t *at = run.data;
	size_t left = run.len;
	size_t count = 0;
	/* Bytes since the last end. */
	size_t open = 0;
	for (; left >= 8; at += 8, left -= 8) {
		uint64_t ends = ends_of(load_eight(at));
		if (ends == 0 || open + (size_t)(__builtin_ctzll(ends) >> 3) > 7)
			return false;
		count += (size_t)((ends >> 7) * 0x0101010101010101u >> 56);
		open = (size_t)(__builtin_clzll(ends) >> 3);
	}
	for (; left > 0; at++, left--) {
		if (*at >= 0x80) {
			open++;
			continue;
		}
		if (open > 7)
			return false;
		count++;
		open = 0;
	}
	if (open > 0)
		return false;
	*ret_count = count;
	return true;
}

static bool read_fixed(struct pb_reader *reader, size_t size, uint64_t *ret_value)
{
	if ((size_t)(reader->end - reader->at) < size) {
		reader->has_failed = true;
		return false;
	}
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)reader->at[i] << (8 * i);
	reader->at += size;
	*ret_value = value;
	return true;
}

/* Most fields: a tag of one byte, then a number of one, or so many bytes as fit into a length of
 * two. False, and nothing has changed, when it is another, or none. */
static inline bool read_short(struct pb_reader *reader, struct pb_field *ret_field)
{
	const uint8_t *at = reader->at;
	if (reader->end - at < 3 || at[0] >= 0x80 || at[0] < 1 << 3)
		return false;
	enum pb_wire wire = (enum pb_wire)(at[0] & 7);
	bool is_long = at[1] >= 0x80;
	if (wire == PB_VARINT && !is_long) {
		*ret_field =
			(struct pb_field){.number = at[0] >> 3, .wire = PB_VARINT, .value = at[1]};
		reader->at = at + 2;
		return true;
	}
	if (wire != PB_LEN || (is_long && at[2] >= 0x80))
		return false;
	size_t len = is_long ? (at[1] & 0x7fu) | (size_t)at[2] << 7 : at[1];
	const uint8_t *bytes = at + (is_long ? 3 : 2);
	if (len > (size_t)(reader->end - bytes))
		return false;
	*ret_field = (struct pb_field){
		.number = at[0] >> 3, .wire = PB_LEN, .bytes = span_of(bytes, len)};
	reader->at = bytes + len;
	return true;
}

bool pb_read_field(struct pb_reader *reader, struct pb_field *ret_field)
{
	if (reader->at == reader->end || reader->has_failed)
		return false;
	if (read_short(reader, ret_field))
		return true;
	uint64_t tag;
	if (!pb_read_varint(reader, &tag))
		return false;
	uint64_t number = tag >> 3;
	if (number == 0 || number > 536870911) {
		reader->has_failed = true;
		return false;
	}
	struct pb_field field = {.number = (uint32_t)number, .wire = (enum pb_wire)(tag & 7)};
	uint64_t len;
	switch (field.wire) {
	case PB_VARINT:
		if (!pb_read_varint(reader, &field.value))
			return false;
		break;
	case PB_FIXED64:
		if (!read_fixed(reader, 8, &field.value))
			return false;
		break;
	case PB_FIXED32:
		if (!read_fixed(reader, 4, &field.value))
			return false;
		break;
	case PB_LEN:
		if (!pb_read_varint(reader, &len))
			return false;
		if (len > (uint64_t)(reader->end - reader->at)) {
			reader->has_failed = true;
			return false;
		}
		field.bytes = span_of(reader->at, (size_t)len);
		reader->at += len;
		break;
	case PB_GROUP_START:
	case PB_GROUP_END:
	default:
		reader->has_failed = true;
		return false;
	}
	*ret_field = field;
	return true;
}

void pb_write_varint(struct buf *buf, uint64_t value)
{
	if (!buf_reserve(buf, 10))
		return;
	uint8_t *end = pb_put_varint(buf->data + buf->len, value);
	buf->len = (size_t)(end - buf->data);
}

static void write_tag(struct buf *buf, uint32_t number, enum pb_wire wire)
{
	pb_write_varint(buf, (uint64_t)number << 3 | (uint64_t)wire);
}

void pb_write_uint(struct buf *buf, uint32_t number, uint64_t value)
{
	if (value == 0)
		return;
	write_tag(buf, number, PB_VARINT);
	pb_write_varint(buf, value);
}

static void write_fixed(struct buf *buf, size_t size, uint64_t value)
{
	uint8_t bytes[8];
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	buf_add(buf, bytes, size);
}

void pb_write_fixed32(struct buf *buf, uint32_t number, uint32_t value)
{
	if (value == 0)
		return;
	write_tag(buf, number, PB_FIXED32);
	write_fixed(buf, 4, value);
}

void pb_write_fixed64(struct buf *buf, uint32_t number, uint64_t value)
{
	if (value == 0)
		return;
	write_tag(buf, number, PB_FIXED64);
	write_fixed(buf, 8, value);
}

void pb_write_bytes(struct buf *buf, uint32_t number, const void *bytes, size_t len)
{
	if (len > 0)
		pb_write_message(buf, number, span_of(bytes, len));
}

void pb_write_text(struct buf *buf, uint32_t number, const char *text)
{
	if (text)
		pb_write_bytes(buf, number, text, strlen(text));
}

void pb_write_message(struct buf *buf, uint32_t number, struct span bytes)
{
	write_tag(buf, number, PB_LEN);
	pb_write_varint(buf, bytes.len);
	buf_add(buf, bytes.data, bytes.len);
}

size_t pb_begin(struct buf *buf, uint32_t number)
{
	write_tag(buf, number, PB_LEN);
	return buf->len;
}

void pb_end(struct buf *buf, size_t mark)
{
	if (buf->has_failed)
		return;
	size_t len = buf->len - mark;
	size_t prefix = pb_varint_len(len);
	if (!buf_reserve(buf, prefix))
		return;
	memmove(buf->data + mark + prefix, buf->data + mark, len);
	pb_put_varint(buf->data + mark, len);
	buf->len += prefix;
}
