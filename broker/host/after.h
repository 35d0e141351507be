/*
 * What a call waits for: the positions of its `after` that this daemon has not reached. Kept as one
 * number to compare, so that a commit costs little however many calls wait.
 */
#ifndef LYC_HOST_AFTER_H
#define LYC_HOST_AFTER_H

#include "route/call.h"
#include "stream/stream.h"

enum after {
	AFTER_REACHED,
	AFTER_WAITS,
	/* It is of an epoch of this daemon's log that is no more. */
	AFTER_NEVER,
};

/* Has this daemon come as far as the call asks for? What is missing first is noted in `call`. */
enum after after_look(const struct stream *stream, const struct packet_call *packet,
		      struct call *call);
/* Is what was noted still missing? */
bool after_is_missing(const struct stream *stream, const struct call *call);

#endif
