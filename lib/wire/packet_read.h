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

#endif
