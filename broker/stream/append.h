/*
 * An append on its way to the log: the record as it is written, and who has to be told when it is
 * synced. For the files of stream/ that make records; others say stream_append_*.
 */
#ifndef LYC_STREAM_APPEND_H
#define LYC_STREAM_APPEND_H

#include "stream/stream.h"

struct stream_append {
	struct append base;
	struct stream *stream;
	struct subject_note *note; /* its subject's, of subjects_expect; before append_start */
	/* The record as it was written: its spans borrow base.record. No subject where somebody
	 * else has written it. */
	struct record written;
	/* A session's publish, if it is still the same session. */
	uint64_t session_serial;
	uint64_t publish_id;
	uint32_t packet_len;
	uint64_t begun_ms;
	uint64_t parent_span;
	/* Or somebody inside. */
	stream_done_fn on_done;
	void *arg;
};

/* The memory of a publish until it is acknowledged, for limits.memory: a buffer that grew may have
 * twice the room. */
static inline size_t append_memory(uint32_t packet_len)
{
	return sizeof(struct stream_append) + 2 * (size_t)packet_len;
}

/* One that has done its work, with the memory of its buffers, or a new one. */
struct stream_append *append_new(struct stream *stream, struct span subject);
/* Those that wait for work go. */
void append_fini(struct stream *stream);
/* One that was not started. */
void append_free(struct stream_append *append);
/* Give it to the log; it is freed when whoever waits for it has been told. */
void append_start(struct stream *stream, struct stream_append *append);
/* The record of something that is at home here, if a link can carry it. It gets its time and its
 * checksum. */
LYC_MUST_USE enum lyc_status append_write(struct stream_append *append, struct record *record,
					  struct lyc_error *error);
/* A serialised Label of a visibility without audiences. */
void append_write_visibility(struct buf *to, int visibility);
/* That of MEMBERS. */
struct span append_members_label(void);
/* The Ack of a session's publish; id 0 wants none. */
void append_acknowledge(struct stream *stream, struct session *session, uint64_t id,
			enum lyc_status status, const struct lyc_error *error, uint64_t seq,
			uint64_t refusal);

#endif
