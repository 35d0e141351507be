/* Positions that calls wait for: this daemon's own, an origin's, or an origin that is not known. */
#include "host/after.h"

#define OWN UINT32_MAX
#define UNKNOWN (UINT32_MAX - 1)

bool after_is_missing(const struct stream *stream, const struct call *call)
{
	if (call->wait_origin == OWN)
		return call->wait_seq > stream->last_seq;
	if (call->wait_origin == UNKNOWN)
		return call->wait_seq == stream->origins.count;
	const struct origin *origin = &stream->origins.items[call->wait_origin];
	/* Of an epoch that is over: it may have been lost. */
	if (call->wait_epoch > 0 && call->wait_epoch < origin->epoch)
		return !origin_has(origin, call->wait_epoch, call->wait_seq);
	return origin_is_new(origin, call->wait_epoch, call->wait_seq);
}

enum after after_look(const struct stream *stream, const struct packet_call *packet,
		      struct call *call)
{
	const struct origins *origins = &stream->origins;
	for (size_t i = 0; i < packet->after_count; i++) {
		const struct wire_position *after = &packet->after[i];
		call->wait_epoch = after->epoch;
		call->wait_seq = after->seq;
		if (span_is(after->origin, stream->name)) {
			bool is_former = after->epoch != 0 && after->epoch != stream->epoch;
			if (is_former && !origin_has(&origins->items[0], after->epoch, after->seq))
				return AFTER_NEVER;
			if (is_former)
				continue;
			call->wait_origin = OWN;
		} else {
			uint32_t at = 0;
			while (at < origins->count &&
			       !span_is(after->origin, origins->items[at].name))
				at++;
			call->wait_origin = at < origins->count ? at : UNKNOWN;
			if (call->wait_origin == UNKNOWN)
				call->wait_seq = origins->count;
		}
		if (after_is_missing(stream, call))
			return AFTER_WAITS;
	}
	return AFTER_REACHED;
}
