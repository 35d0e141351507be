/* The content of one packet, read by hand: between frame.c, which finds packets, and packet_read.c.
 * Everybody else reads frames. */
#ifndef LYC_WIRE_PACKET_READ_H
#define LYC_WIRE_PACKET_READ_H

#include "base/pb.h"
#include "wire/packet.h"

/* Fill ret_packet from the content of a packet of this kind; FRAME_UNKNOWN when the kind is not
 * known, FRAME_MALFORMED when the content is. Repeated fields go to the reader's arrays. */
enum frame_result packet_read(struct frame_reader *reader, uint32_t kind, struct span content,
			      struct packet *ret_packet);

/* pb_read_varint, for what nearly always has one byte or two: lengths, statuses, small numbers. */
static inline bool packet_read_varint(struct pb_reader *in, uint64_t *ret_value)
{
	const uint8_t *at = in->at;
	if (in->end - at < 2)
		return pb_read_varint(in, ret_value);
	if (at[0] < 0x80) {
		*ret_value = at[0];
		in->at = at + 1;
		return true;
	}
	if (at[1] >= 0x80)
		return pb_read_varint(in, ret_value);
	*ret_value = (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
	in->at = at + 2;
	return true;
}

#endif
