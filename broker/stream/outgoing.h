/*
 * What leaves towards a subscriber, whether it is a record or a transient message: the question who
 * may have it, and the packets.
 */
#ifndef LYC_STREAM_OUTGOING_H
#define LYC_STREAM_OUTGOING_H

#include "stream/stream.h"

/* May this session have it, and what of it? `cut` gets the body without the parts that it may not
 * see. */
enum egress outgoing_judge(struct stream *stream, const struct session *session,
			   const struct schema_message *message, struct span body,
			   const struct label *label, const char *home, struct buf *cut);
/* Are both the same reader, to whom the same label says the same? */
bool outgoing_are_alike(const struct session *session, const struct session *other);
/* Send a Deliver; returns the credit that it took. */
uint32_t outgoing_deliver(struct stream *stream, struct subscription *subscription,
			  const struct packet *packet);
/* The same of one whose common part is written (wire/packet.h). */
uint32_t outgoing_deliver_common(struct stream *stream, struct subscription *subscription,
				 struct span common);
/* The same of a record, which does not wait; returns the credit that it took. */
uint32_t outgoing_deliver_record(struct stream *stream, struct subscription *subscription,
				 struct span common);
/* Messages were missed; or, with 0, everything up to seq has been sent. */
void outgoing_gap(struct stream *stream, struct subscription *subscription, uint64_t missed,
		  uint64_t seq);
/* The subscription is refused, or has ended. */
void outgoing_refuse(struct stream *stream, struct session *session, uint64_t id,
		     enum lyc_status status, const char *text);

#endif
