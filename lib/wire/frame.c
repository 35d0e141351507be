/*
 * Frames: a run of packets, each with its length in front. Finds a packet and its kind and leaves
 * the content to packet_read.c; borrows the frame.
 */
#include <string.h>

#include "base/pb.h"
#include "wire/packet.h"
#include "wire/packet_read.h"

void frame_start(struct frame_reader *reader, struct span frame)
{
	reader->at = frame.data;
	reader->end = span_end(frame);
}

/* The one kind that a packet has; fields that are no kind are passed over, two kinds are malformed.
 */
static enum frame_result find_kind(struct pb_reader *in, uint32_t *ret_kind,
				   struct span *ret_content)
{
	uint32_t kind = 0;
	struct pb_field field;
	while (pb_read_field(in, &field)) {
		if (field.number > PACKET_FOUND || field.number == PACKET_GOODBYE + 1)
			continue;
		if (field.wire != PB_LEN || kind != 0)
			return FRAME_MALFORMED;
		kind = field.number;
		*ret_content = field.bytes;
	}
	if (in->has_failed)
		return FRAME_MALFORMED;
	*ret_kind = kind;
	return kind ? FRAME_PACKET : FRAME_UNKNOWN;
}

static enum frame_result read_one(struct frame_reader *reader, struct packet *ret_packet)
{
	struct pb_reader in = {.at = reader->at, .end = reader->end};
	uint64_t len;
	if (!pb_read_varint(&in, &len) || len > WIRE_MAX_PACKET || len > (uint64_t)(in.end - in.at))
		return FRAME_MALFORMED;
	in.end = in.at + len;
	size_t whole_len = (size_t)(in.end - reader->at);
	reader->at = in.end;

	uint32_t kind;
	struct span content;
	/* Nearly every packet is one field with a tag of one byte and no more. */
	struct pb_reader fast = {.at = in.at + 1, .end = in.end};
	uint64_t content_len;
	if (len > 1 && in.at[0] >= 8 && (in.at[0] & 0x87) == PB_LEN &&
	    pb_read_varint(&fast, &content_len) && content_len == (uint64_t)(fast.end - fast.at)) {
		kind = *in.at >> 3;
		content = span_of(fast.at, (size_t)content_len);
	} else {
		enum frame_result result = find_kind(&in, &kind, &content);
		if (result != FRAME_PACKET)
			return result;
	}
	ret_packet->len = whole_len;
	return packet_read(reader, kind, content, ret_packet);
}

enum frame_result frame_next(struct frame_reader *reader, struct packet *ret_packet)
{
	if (reader->at == reader->end)
		return FRAME_END;
	enum frame_result result = read_one(reader, ret_packet);
	if (result == FRAME_MALFORMED)
		reader->at = reader->end;
	return result;
}

bool copy_next(struct span *at, struct span *ret_record)
{
	struct pb_reader in = pb_reader_of(*at);
	struct pb_field field;
	while (pb_read_field(&in, &field)) {
		if (field.number != 1 || field.wire != PB_LEN)
			continue;
		*at = span_of(in.at, (size_t)(in.end - in.at));
		*ret_record = field.bytes;
		return true;
	}
	*at = (struct span){0};
	return false;
}
