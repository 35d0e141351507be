/* Protobuf's wire format, by hand. */
#include "base/pb.h"

#include <string.h>

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

bool pb_read_field(struct pb_reader *reader, struct pb_field *ret_field)
{
	if (reader->at == reader->end || reader->has_failed)
		return false;
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
