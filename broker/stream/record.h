/* lyceum.v1.Record by hand: read without a copy, written once. */
#ifndef LYC_STREAM_RECORD_H
#define LYC_STREAM_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"
#include "wire/packet.h"

/* A link adds where a record comes from and a packet around it: so much is left of a packet. */
#define RECORD_MAX_LEN (WIRE_MAX_PACKET - 1024)

/* How much of a record came back to its home after a restore; lyceum.v1.Identity.Form. */
enum record_form {
	RECORD_WHOLE = 0,  /* or it was never lost */
	RECORD_CUT,        /* without the parts that had stayed at home */
	RECORD_WITHDRAWN,  /* nothing of what it said */
	RECORD_WHOLE_AGAIN /* whole, after one of the two others */
};

struct record {
	struct span origin; /* empty in its home's own log */
	uint64_t epoch;
	uint64_t origin_seq;
	struct span subject;
	uint64_t time_ms;
	struct span principal;
	struct span body;
	uint32_t body_crc;
	uint64_t schema;
	struct span label; /* a serialised lyceum.v1.Label */
	bool removed;
	struct span former;
	struct span trace; /* a traceparent */
	/* What it was before the restore that lost it; epoch 0: this is its first identity. */
	struct {
		uint64_t epoch;
		uint64_t seq;
		uint64_t time_ms;
		enum record_form form;
	} was;
	uint64_t seal; /* of its home, in copies, over all that is sent */
	uint64_t mark; /* of its home, in copies, over its identity alone */
	bool erase;    /* a withdrawal that takes the bytes, too */
};

/* INVALID_ARGUMENT when malformed or without a subject. Spans borrow the bytes. */
LYC_MUST_USE enum lyc_status record_read(struct span bytes, struct record *ret_record);
/* What somebody gets in the place of a record that is not for him any more: who has withdrawn
 * something says his name. */
bool record_is_hidden(const struct record *record);
/* How many records an entry stands for that only says that they are lost (Record.lost); 0: it is a
 * record. ret_subject is that of a single one where it is known, else empty; it may be NULL. */
uint64_t record_lost(struct span bytes, struct span *ret_subject);
void record_write(struct buf *to, const struct record *record);
/* The same, and the record is then what record_read makes of the bytes: its spans borrow them, as
 * long as the buffer is not added to. False, and nothing has changed, when there is no memory. */
LYC_MUST_USE bool record_move(struct buf *to, struct record *record);

#endif
