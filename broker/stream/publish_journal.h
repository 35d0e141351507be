/*
 * What the journal hears of a publish or a subscription: what a traced one became, and why one was
 * refused.
 */
#ifndef LYC_STREAM_PUBLISH_JOURNAL_H
#define LYC_STREAM_PUBLISH_JOURNAL_H

#include "stream/stream.h"

/* A publish on its way, as the journal knows it. */
struct publish_origin {
	const struct session *session;
	struct span principal; /* empty: not known yet */
	struct span subject;
	const struct schema_message *message; /* NULL: not known */
	struct span trace;                    /* a traceparent with this daemon's span */
	uint64_t parent_span;
	uint64_t begun_ms;
};

/* It became the record of this sequence, or (0) went to the subscribers of the moment. */
void publish_journal_done(struct stream *stream, const struct publish_origin *from, uint64_t seq);
/* Returns the refusal's number. */
uint64_t publish_journal_refused(struct stream *stream, const struct publish_origin *from,
				 const struct lyc_error *error);
uint64_t subscribe_journal_refused(struct stream *stream, const struct session *session,
				   struct span pattern, enum lyc_status status, const char *text);

#endif
