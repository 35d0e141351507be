/* Deliberate faults of a connection: packets that are lost, repeated or changed on their way. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "line.h"
#include "sim_peer.h"
#include "wire/packet.h"

/* How often a packet is to be there: 0, 1 or 2 times. It may be changed. */
static int times(struct line *line, enum line_way way, struct packet *packet, bool *ret_is_changed)
{
	struct sim *sim = line->sim;
	bool is_to_peer = way == LINE_DOWN && line->peer;
	bool is_lucky = sim_chance(sim, 200);
	switch (sim->mutation) {
	case MUTATION_DROP_COPY:
		return packet->kind == PACKET_COPY && line->node && is_lucky ? 0 : 1;
	case MUTATION_REPEAT_CALL:
		return packet->kind == PACKET_CALL && (line->node || is_to_peer) && is_lucky ? 2
											     : 1;
	case MUTATION_LOSE_REPLY:
		return packet->kind == PACKET_REPLY && is_to_peer && !packet->reply.more && is_lucky
			       ? 0
			       : 1;
	case MUTATION_IGNORE_AFTER:
		if (packet->kind == PACKET_CALL && packet->call.after_count > 0) {
			packet->call.after_count = 0;
			*ret_is_changed = true;
		}
		return 1;
	case MUTATION_LOSE_REMOVAL:
		return packet->kind == PACKET_DELIVER && is_to_peer && packet->deliver.removed &&
				       strcmp(line->peer->identity, "carol") == 0
			       ? 0
			       : 1;
	case MUTATION_LOSE_GAP:
		return packet->kind == PACKET_GAP && is_to_peer && packet->gap.missed > 0 ? 0 : 1;
	case MUTATION_SINCE_LATER:
	case MUTATION_SINCE_BEFORE:
		if (packet->kind == PACKET_SUBSCRIBE && packet->subscribe.from > 300 &&
		    packet->subscribe.start == SUBSCRIBE_TIME) {
			packet->subscribe.from +=
				sim->mutation == MUTATION_SINCE_LATER ? 300 : (uint64_t)-300;
			*ret_is_changed = true;
		}
		return 1;
	case MUTATION_LOSE_FOUND:
		return packet->kind == PACKET_FOUND ? 0 : 1;
	case MUTATION_SHARE_TWICE:
		return packet->kind == PACKET_DELIVER && is_to_peer &&
				       strcmp(line->peer->identity, "gina") == 0 && is_lucky
			       ? 2
			       : 1;
	default:
		return 1;
	}
}

void mutated_frame(struct line *line, enum line_way way, struct buf *frame)
{
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	struct buf out = {0};
	enum frame_result result;
	frame_start(reader, span_of(frame->data, frame->len));
	const uint8_t *before = reader->at;
	while ((result = frame_next(reader, &packet)) > 0) {
		bool is_changed = false;
		int count = result == FRAME_PACKET ? times(line, way, &packet, &is_changed) : 1;
		for (; count > 0; count--) {
			if (is_changed)
				packet_write(&out, &packet);
			else
				buf_add(&out, before, (size_t)(reader->at - before));
		}
		before = reader->at;
	}
	buf_fini(frame);
	*frame = out;
	free(reader);
}
