/* Transient messages that were heard: their place in the stream of who said them. */
#ifndef LYC_TESTS_SIM_HEARD_H
#define LYC_TESTS_SIM_HEARD_H

#include "sim_node.h"
#include "wire/packet.h"
#include "writer.h"

struct heard {
	uint8_t groups[WRITER_STREAMS_MAX][WRITER_COUNT_MAX]; /* nodes at which a group had it */
};

/* False when it is not one of a stream. */
bool heard_place(struct span body, uint64_t *ret_stream, uint64_t *ret_count);
/* One member of each daemon's group may have it. */
void heard_in_group(struct sim *sim, const struct sim_node *node,
		    const struct packet_deliver *deliver);

#endif
