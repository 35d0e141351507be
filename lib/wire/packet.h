/*
 * The packets of lyceum/v1/wire.proto, read and written by hand: a reader borrows the frame and
 * allocates nothing, a writer appends to a buffer. A frame is a run of length-delimited packets.
 * Strings are spans here; everything is zero or empty when absent.
 */
#ifndef LYC_WIRE_PACKET_H
#define LYC_WIRE_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"

#define WIRE_VERSION 1
/* A frame is flushed when it has grown to this, not later: so that the next one in the way works on
 * it meanwhile. A larger packet goes alone. */
#define WIRE_FRAME_LEN (32 * 1024)
/* Calls and replies are flushed when what they answer has been handled: many that came together
 * stay together, up to this, since a frame costs as much on its way as dozens of packets. A little
 * less than a power of two, as its memory has. */
#define WIRE_FRAME_MOST (120 * 1024)
#define WIRE_MAX_BODY (1024 * 1024)
/* A packet is a body and its envelope. */
#define WIRE_MAX_PACKET (WIRE_MAX_BODY + 64 * 1024)
#define WIRE_MAX_POSITIONS 64
#define WIRE_MAX_GROUPS 64
#define WIRE_MAX_SERVICES 256
/* Of a service's name, and of what a subscription's or a link's receiver may grant at once. */
#define WIRE_MAX_SERVICE_NAME 200
#define WIRE_MAX_CREDIT (8 * 1024 * 1024)
#define WIRE_MAX_FOLLOW_CREDIT (16 * 1024 * 1024)
/* A daemon gives the credit of transient publishes back when it owes so much of what it granted: a
 * single publish may take no more than the rest. */
#define WIRE_OWED_PUBLISHES(granted) ((granted) / 8)
/* Of a stream whose caller does not say. */
#define WIRE_STREAM_CREDIT (1024 * 1024)

/* The field numbers of Packet.kind. */
enum packet_kind {
	PACKET_HELLO = 1,
	PACKET_WELCOME = 2,
	PACKET_PING = 3,
	PACKET_PONG = 4,
	PACKET_REGISTER = 5,
	PACKET_REGISTERED = 6,
	PACKET_CALL = 7,
	PACKET_REPLY = 8,
	PACKET_CANCEL = 9,
	PACKET_PUBLISH = 10,
	PACKET_ACK = 11,
	PACKET_SUBSCRIBE = 12,
	PACKET_UNSUBSCRIBE = 13,
	PACKET_DELIVER = 14,
	PACKET_CONSUMED = 15,
	PACKET_GAP = 16,
	PACKET_CREDIT = 17,
	PACKET_GOODBYE = 18,
	PACKET_FOLLOW = 20,
	PACKET_COPY = 21,
	PACKET_HEADS = 22,
	PACKET_WANT = 23,
	PACKET_FOUND = 24, /* read and written as a Copy */
};

/* What one reply of a stream takes of the call's credit, and what a call begins with. */
static inline int64_t wire_reply_cost(size_t body_len)
{
	return (int64_t)body_len + 64;
}

static inline int64_t wire_stream_credit(uint64_t given)
{
	return given == 0                ? WIRE_STREAM_CREDIT
	       : given < WIRE_MAX_CREDIT ? (int64_t)given
					 : WIRE_MAX_CREDIT;
}

enum goodbye_reason {
	GOODBYE_UNSPECIFIED = 0,
	GOODBYE_NO_SESSION = 1,
	GOODBYE_FLOOD = 2,
	GOODBYE_VERSION = 3,
	GOODBYE_MALFORMED = 4,
	GOODBYE_SHUTDOWN = 5,
	GOODBYE_TIMEOUT = 6,
	GOODBYE_DENIED = 7,
	GOODBYE_REPLACED = 8,
};

struct wire_position {
	struct span origin;
	uint64_t epoch;
	uint64_t seq;
	uint64_t age_ms; /* AsOf only */
};

struct packet_hello {
	uint32_t version;
	struct span software;
	uint64_t call_credit;
	uint64_t epoch;
};

struct packet_welcome {
	uint32_t version;
	struct span daemon;
	uint64_t epoch;
	struct span identity;
	uint64_t call_credit;
	uint64_t publish_credit;
	uint32_t max_body;
	uint32_t heartbeat_ms;
	struct span ack_means;
	struct span software;
};

struct packet_register {
	uint64_t id;
	const struct span *services;
	size_t service_count;
	struct span schema;
	const struct span *publishes;
	size_t publish_count;
	bool speaks_for_people;
};

struct packet_registered {
	uint64_t id;
	uint32_t status;
	struct span text;
};

struct packet_call {
	uint64_t id;
	struct span method;
	struct span at;
	struct span principal;
	const struct span *groups;
	size_t group_count;
	uint32_t timeout_ms;
	struct span body;
	const struct wire_position *after;
	size_t after_count;
	uint32_t max_reply;
	struct span idempotency_key;
	struct span trace;
	bool want_as_of;
	uint32_t hops;
	bool by_operator;
	uint64_t credit;
};

struct packet_reply {
	uint64_t id;
	uint32_t status;
	struct span text;
	struct span field;
	struct span body;
	bool more;
	bool has_position;
	struct wire_position position;
	const struct wire_position *as_of;
	size_t as_of_count;
	struct span served_by;
	bool remembered;
	uint64_t refusal;
};

struct packet_publish {
	uint64_t id;
	struct span subject;
	struct span body;
	bool durable;
	bool has_expect;
	uint64_t expect_seq;
	bool remove;
	struct span label; /* a serialised lyceum.v1.Label */
	struct span principal;
	uint32_t hops;
	struct span origin;
	struct span trace;
};

struct packet_ack {
	uint64_t id;
	uint32_t status;
	struct span text;
	struct span field;
	uint64_t seq;
	uint64_t refusal;
};

enum subscribe_start {
	SUBSCRIBE_NOW = 0,
	SUBSCRIBE_SEQ = 1,
	SUBSCRIBE_LAST = 2,
	SUBSCRIBE_TIME = 3
};

struct packet_subscribe {
	uint64_t id;
	struct span pattern;
	uint32_t start;
	uint64_t from;
	uint64_t credit;
	struct span durable;
	struct span group;
	bool records_only;
};

struct packet_unsubscribe {
	uint64_t id;
	bool forget;
	uint32_t status; /* from the daemon: refused or ended, and why */
	struct span text;
	uint64_t refusal;
};

struct packet_deliver {
	uint64_t id;
	uint64_t seq;
	struct span subject;
	struct span body;
	struct span origin;
	uint64_t epoch;
	uint64_t origin_seq;
	uint64_t time_ms;
	struct span principal;
	bool removed;
	uint64_t schema;
	struct span trace;
};

struct packet_gap {
	uint64_t id;
	uint64_t missed;
	uint64_t seq;
};

/* Cancel, Ping and Pong: id. Consumed: id and value (seq). */
struct packet_number {
	uint64_t id;
	uint64_t value;
};

struct packet_credit {
	uint64_t id;
	uint64_t value; /* bytes */
	uint64_t call;  /* of a call's stream instead */
};

struct packet_goodbye {
	uint32_t reason;
	struct span text;
};

struct packet_follow {
	const struct wire_position *positions;
	size_t position_count;
	uint64_t credit;
};

struct packet_want {
	const struct wire_position *positions;
	size_t position_count;
};

/* The serialised lyceum.v1.Record messages: walk `records` with copy_next. */
struct packet_copy {
	struct span records;
};

struct packet_heads {
	const struct wire_position *sent;
	size_t sent_count;
	const struct wire_position *stored;
	size_t stored_count;
	uint64_t stored_bytes;
};

struct packet {
	enum packet_kind kind;
	/* Bytes that it took in its frame, length prefix included: what credit counts. */
	size_t len;
	union {
		struct packet_hello hello;
		struct packet_welcome welcome;
		struct packet_number ping;
		struct packet_number pong;
		struct packet_register reg;
		struct packet_registered registered;
		struct packet_call call;
		struct packet_reply reply;
		struct packet_number cancel;
		struct packet_publish publish;
		struct packet_ack ack;
		struct packet_subscribe subscribe;
		struct packet_unsubscribe unsubscribe;
		struct packet_deliver deliver;
		struct packet_number consumed;
		struct packet_gap gap;
		struct packet_credit credit;
		struct packet_goodbye goodbye;
		struct packet_follow follow;
		struct packet_copy copy; /* of a Found, too */
		struct packet_want want;
		struct packet_heads heads;
	};
};

/* Walks the packets of one frame. Owns the small arrays that repeated fields point into: what a
 * packet points to is valid until the next frame_next. About 14 KB: keep one per loop, not per
 * message. */
struct frame_reader {
	const uint8_t *at;
	const uint8_t *end;
	struct span spans[2][WIRE_MAX_SERVICES];
	struct wire_position positions[2][WIRE_MAX_POSITIONS];
};

enum frame_result { FRAME_END = 0, FRAME_PACKET = 1, FRAME_MALFORMED = -1, FRAME_UNKNOWN = 2 };

void frame_start(struct frame_reader *reader, struct span frame);
/* FRAME_PACKET: ret_packet is filled. FRAME_UNKNOWN: a packet of a kind that this version does not
 * know was passed over. FRAME_MALFORMED: a length, tag, wire type, a string that is not UTF-8, or a
 * limit is wrong; the rest of the frame is lost. Unknown fields are passed over; a scalar that
 * occurs twice counts as malformed. */
enum frame_result frame_next(struct frame_reader *reader, struct packet *ret_packet);

/* The next serialised Record of a Copy; false at its end. *at starts as packet.copy.records. */
bool copy_next(struct span *at, struct span *ret_record);

/* Append one packet with its length in front. packet->len is ignored. */
void packet_write(struct buf *to, const struct packet *packet);
/* A Deliver to many: first what all of them get alike, without the length in front; then, for each,
 * the packet of its subscription with that behind the id. The same bytes as packet_write's. */
void packet_write_deliver_common(struct buf *to, const struct packet_deliver *deliver);
void packet_write_deliver(struct buf *to, uint64_t id, struct span common);
/* Append a Copy of one record. */
void packet_write_copy(struct buf *to, struct span record);

#endif
