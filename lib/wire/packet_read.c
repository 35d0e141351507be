/*
 * Reads the content of one packet. A table per kind says where each field goes and of which type it
 * is, so that one loop does every check. Allocates nothing; strings and bytes stay in the frame.
 * Numbers of 32 bits are cut to their low half and a bool is anything but 0, as protobuf does. A
 * string with a NUL, which no C string could carry, counts as malformed. What is inside a Label or
 * a Record is left to those who read them.
 */
#include "wire/packet_read.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "base/pb.h"
#include "base/utf8.h"

#define HIGH_BITS 0x8080808080808080u
#define LOW_BITS 0x0101010101010101u

enum place_type {
	NOTHING = 0,
	U32,
	U64,
	FLAG,
	FIXED64,
	TEXT,
	BYTES,
	BODY,
	EXPECT,
	POSITION,
	/* Those from here on may occur more than once. */
	TEXTS,
	POSITIONS,
	AS_OFS,
	RECORDS,
};

/* Where a field goes: `second` is the element count or the presence flag beside it, `max` the
 * count's limit, `array` which of the reader's arrays is used. */
struct place {
	uint8_t type;
	uint8_t array;
	uint16_t offset;
	uint16_t second;
	uint16_t max;
};

struct shape {
	const struct place *places;
	uint32_t count;
	/* Of the struct that is filled. */
	uint32_t size;
};

#define PLACE(kind_, member_, type_)                                                               \
	{                                                                                          \
		.type = (type_), .offset = offsetof(struct kind_, member_)                         \
	}
#define PLACE_WITH(kind_, member_, second_, type_)                                                 \
	{                                                                                          \
		.type = (type_), .offset = offsetof(struct kind_, member_),                        \
		.second = offsetof(struct kind_, second_)                                          \
	}
#define PLACE_TEXTS(kind_, member_, count_, max_, array_)                                          \
	{                                                                                          \
		.type = TEXTS, .array = (array_), .offset = offsetof(struct kind_, member_),       \
		.second = offsetof(struct kind_, count_), .max = (max_)                            \
	}
#define PLACE_POSITIONS(kind_, member_, count_, type_, array_)                                     \
	{                                                                                          \
		.type = (type_), .array = (array_), .offset = offsetof(struct kind_, member_),     \
		.second = offsetof(struct kind_, count_)                                           \
	}

static const struct place position_places[] = {
	[1] = PLACE(wire_position, origin, TEXT),
	[2] = PLACE(wire_position, epoch, U64),
	[3] = PLACE(wire_position, seq, U64),
};
static const struct place as_of_places[] = {
	[1] = PLACE(wire_position, origin, TEXT),
	[2] = PLACE(wire_position, epoch, U64),
	[3] = PLACE(wire_position, seq, U64),
	[4] = PLACE(wire_position, age_ms, U64),
};
static const struct place hello_places[] = {
	[1] = PLACE(packet_hello, version, U32),
	[2] = PLACE(packet_hello, software, TEXT),
	[3] = PLACE(packet_hello, call_credit, U64),
	[4] = PLACE(packet_hello, epoch, U64),
};
static const struct place welcome_places[] = {
	[1] = PLACE(packet_welcome, version, U32),
	[2] = PLACE(packet_welcome, daemon, TEXT),
	[3] = PLACE(packet_welcome, epoch, U64),
	[4] = PLACE(packet_welcome, identity, TEXT),
	[5] = PLACE(packet_welcome, call_credit, U64),
	[6] = PLACE(packet_welcome, publish_credit, U64),
	[7] = PLACE(packet_welcome, max_body, U32),
	[8] = PLACE(packet_welcome, heartbeat_ms, U32),
	[9] = PLACE(packet_welcome, ack_means, TEXT),
	[10] = PLACE(packet_welcome, software, TEXT),
};
static const struct place id_places[] = {
	[1] = PLACE(packet_number, id, U64),
};
static const struct place number_places[] = {
	[1] = PLACE(packet_number, id, U64),
	[2] = PLACE(packet_number, value, U64),
};
static const struct place credit_places[] = {
	[1] = PLACE(packet_credit, id, U64),
	[2] = PLACE(packet_credit, value, U64),
	[3] = PLACE(packet_credit, call, U64),
};
static const struct place register_places[] = {
	[1] = PLACE(packet_register, id, U64),
	[2] = PLACE_TEXTS(packet_register, services, service_count, WIRE_MAX_SERVICES, 0),
	[3] = PLACE(packet_register, schema, BYTES),
	[4] = PLACE_TEXTS(packet_register, publishes, publish_count, WIRE_MAX_SERVICES, 1),
	[5] = PLACE(packet_register, speaks_for_people, FLAG),
};
static const struct place registered_places[] = {
	[1] = PLACE(packet_registered, id, U64),
	[2] = PLACE(packet_registered, status, U32),
	[3] = PLACE(packet_registered, text, TEXT),
};
static const struct place call_places[] = {
	[1] = PLACE(packet_call, id, U64),
	[2] = PLACE(packet_call, method, TEXT),
	[3] = PLACE(packet_call, at, TEXT),
	[4] = PLACE(packet_call, principal, TEXT),
	[5] = PLACE_TEXTS(packet_call, groups, group_count, WIRE_MAX_GROUPS, 0),
	[6] = PLACE(packet_call, timeout_ms, U32),
	[7] = PLACE(packet_call, body, BODY),
	[8] = PLACE_POSITIONS(packet_call, after, after_count, POSITIONS, 0),
	[9] = PLACE(packet_call, max_reply, U32),
	[10] = PLACE(packet_call, idempotency_key, TEXT),
	[11] = PLACE(packet_call, trace, TEXT),
	[12] = PLACE(packet_call, want_as_of, FLAG),
	[13] = PLACE(packet_call, hops, U32),
	[14] = PLACE(packet_call, by_operator, FLAG),
	[15] = PLACE(packet_call, credit, U64),
};
static const struct place reply_places[] = {
	[1] = PLACE(packet_reply, id, U64),
	[2] = PLACE(packet_reply, status, U32),
	[3] = PLACE(packet_reply, text, TEXT),
	[4] = PLACE(packet_reply, field, TEXT),
	[5] = PLACE(packet_reply, body, BODY),
	[6] = PLACE(packet_reply, more, FLAG),
	[7] = PLACE_WITH(packet_reply, position, has_position, POSITION),
	[8] = PLACE_POSITIONS(packet_reply, as_of, as_of_count, AS_OFS, 0),
	[9] = PLACE(packet_reply, served_by, TEXT),
	[10] = PLACE(packet_reply, remembered, FLAG),
	[15] = PLACE(packet_reply, refusal, U64),
};
static const struct place publish_places[] = {
	[1] = PLACE(packet_publish, id, U64),
	[2] = PLACE(packet_publish, subject, TEXT),
	[3] = PLACE(packet_publish, body, BODY),
	[4] = PLACE(packet_publish, durable, FLAG),
	[5] = PLACE_WITH(packet_publish, expect_seq, has_expect, EXPECT),
	[6] = PLACE(packet_publish, remove, FLAG),
	[7] = PLACE(packet_publish, label, BYTES),
	[8] = PLACE(packet_publish, principal, TEXT),
	[9] = PLACE(packet_publish, hops, U32),
	[10] = PLACE(packet_publish, origin, TEXT),
	[11] = PLACE(packet_publish, trace, TEXT),
};
static const struct place ack_places[] = {
	[1] = PLACE(packet_ack, id, U64),    [2] = PLACE(packet_ack, status, U32),
	[3] = PLACE(packet_ack, text, TEXT), [4] = PLACE(packet_ack, field, TEXT),
	[5] = PLACE(packet_ack, seq, U64),   [15] = PLACE(packet_ack, refusal, U64),
};
static const struct place subscribe_places[] = {
	[1] = PLACE(packet_subscribe, id, U64),
	[2] = PLACE(packet_subscribe, pattern, TEXT),
	[3] = PLACE(packet_subscribe, start, U32),
	[4] = PLACE(packet_subscribe, from, U64),
	[5] = PLACE(packet_subscribe, credit, U64),
	[6] = PLACE(packet_subscribe, durable, TEXT),
	[7] = PLACE(packet_subscribe, group, TEXT),
	[8] = PLACE(packet_subscribe, records_only, FLAG),
};
static const struct place unsubscribe_places[] = {
	[1] = PLACE(packet_unsubscribe, id, U64),
	[2] = PLACE(packet_unsubscribe, forget, FLAG),
	[3] = PLACE(packet_unsubscribe, status, U32),
	[4] = PLACE(packet_unsubscribe, text, TEXT),
	[15] = PLACE(packet_unsubscribe, refusal, U64),
};
static const struct place deliver_places[] = {
	[1] = PLACE(packet_deliver, id, U64),          [2] = PLACE(packet_deliver, seq, U64),
	[3] = PLACE(packet_deliver, subject, TEXT),    [4] = PLACE(packet_deliver, body, BODY),
	[5] = PLACE(packet_deliver, origin, TEXT),     [6] = PLACE(packet_deliver, epoch, U64),
	[7] = PLACE(packet_deliver, origin_seq, U64),  [8] = PLACE(packet_deliver, time_ms, U64),
	[9] = PLACE(packet_deliver, principal, TEXT),  [10] = PLACE(packet_deliver, removed, FLAG),
	[11] = PLACE(packet_deliver, schema, FIXED64), [12] = PLACE(packet_deliver, trace, TEXT),
};
static const struct place gap_places[] = {
	[1] = PLACE(packet_gap, id, U64),
	[2] = PLACE(packet_gap, missed, U64),
	[3] = PLACE(packet_gap, seq, U64),
};
static const struct place goodbye_places[] = {
	[1] = PLACE(packet_goodbye, reason, U32),
	[2] = PLACE(packet_goodbye, text, TEXT),
};
static const struct place follow_places[] = {
	[1] = PLACE_POSITIONS(packet_follow, positions, position_count, POSITIONS, 0),
	[2] = PLACE(packet_follow, credit, U64),
};
static const struct place copy_places[] = {
	[1] = PLACE(packet_copy, records, RECORDS),
};
static const struct place heads_places[] = {
	[1] = PLACE_POSITIONS(packet_heads, sent, sent_count, AS_OFS, 0),
	[2] = PLACE_POSITIONS(packet_heads, stored, stored_count, POSITIONS, 1),
	[3] = PLACE(packet_heads, stored_bytes, U64),
};

static const struct place want_places[] = {
	[1] = PLACE_POSITIONS(packet_want, positions, position_count, POSITIONS, 0),
};

#define SHAPE(places_, kind_)                                                                      \
	{                                                                                          \
		.places = (places_), .count = sizeof(places_) / sizeof((places_)[0]),              \
		.size = sizeof(struct kind_)                                                       \
	}
static const struct shape position_shape = SHAPE(position_places, wire_position);
static const struct shape as_of_shape = SHAPE(as_of_places, wire_position);
static const struct shape shapes[] = {
	[PACKET_HELLO] = SHAPE(hello_places, packet_hello),
	[PACKET_WELCOME] = SHAPE(welcome_places, packet_welcome),
	[PACKET_PING] = SHAPE(id_places, packet_number),
	[PACKET_PONG] = SHAPE(id_places, packet_number),
	[PACKET_REGISTER] = SHAPE(register_places, packet_register),
	[PACKET_REGISTERED] = SHAPE(registered_places, packet_registered),
	[PACKET_CALL] = SHAPE(call_places, packet_call),
	[PACKET_REPLY] = SHAPE(reply_places, packet_reply),
	[PACKET_CANCEL] = SHAPE(id_places, packet_number),
	[PACKET_PUBLISH] = SHAPE(publish_places, packet_publish),
	[PACKET_ACK] = SHAPE(ack_places, packet_ack),
	[PACKET_SUBSCRIBE] = SHAPE(subscribe_places, packet_subscribe),
	[PACKET_UNSUBSCRIBE] = SHAPE(unsubscribe_places, packet_unsubscribe),
	[PACKET_DELIVER] = SHAPE(deliver_places, packet_deliver),
	[PACKET_CONSUMED] = SHAPE(number_places, packet_number),
	[PACKET_GAP] = SHAPE(gap_places, packet_gap),
	[PACKET_CREDIT] = SHAPE(credit_places, packet_credit),
	[PACKET_GOODBYE] = SHAPE(goodbye_places, packet_goodbye),
	[PACKET_FOLLOW] = SHAPE(follow_places, packet_follow),
	[PACKET_COPY] = SHAPE(copy_places, packet_copy),
	[PACKET_HEADS] = SHAPE(heads_places, packet_heads),
	[PACKET_WANT] = SHAPE(want_places, packet_want),
	[PACKET_FOUND] = SHAPE(copy_places, packet_copy),
};

static inline uint64_t load(const uint8_t *at, size_t len)
{
	uint64_t bytes = 0;
	memcpy(&bytes, at, len);
	return bytes;
}

/* Well-formed UTF-8 without a NUL. Eight bytes at a time while they are plain ASCII; the last ones
 * are looked at twice rather than one by one. */
static inline bool text_is_valid(struct span text)
{
	const uint8_t *at = text.data;
	const uint8_t *end = span_end(text);
	uint64_t odd = 0;
	uint64_t last;
	if (text.len >= 8) {
		for (; end - at > 8; at += 8)
			odd |= (load(at, 8) - LOW_BITS) | load(at, 8);
		last = load(end - 8, 8);
	} else if (text.len >= 4) {
		last = load(at, 4) | load(end - 4, 4) << 32;
	} else {
		/* A 1 is as good as any plain character. */
		last = LOW_BITS;
		for (; at != end; at++)
			last = last << 8 | *at;
	}
	odd |= (last - LOW_BITS) | last;
	if ((odd & HIGH_BITS) == 0)
		return true;
	return !memchr(text.data, 0, text.len) && utf8_check(text.data, text.len, NULL);
}

static inline bool read_number(struct pb_reader *in, uint32_t wire, uint64_t *ret_value)
{
	return wire == PB_VARINT && pb_read_varint(in, ret_value);
}

static inline bool read_bytes(struct pb_reader *in, uint32_t wire, struct span *ret_bytes)
{
	uint64_t len;
	if (wire != PB_LEN || !pb_read_varint(in, &len) || len > (uint64_t)(in->end - in->at))
		return false;
	*ret_bytes = span_of(in->at, (size_t)len);
	in->at += len;
	return true;
}

static inline bool read_fixed64(struct pb_reader *in, uint32_t wire, uint64_t *ret_value)
{
	if (wire != PB_FIXED64 || in->end - in->at < 8)
		return false;
	*ret_value = le64toh(load(in->at, 8));
	in->at += 8;
	return true;
}

static bool read_fields(struct frame_reader *reader, const struct shape *shape, struct span content,
			void *ret);

static bool read_position(const struct shape *shape, struct span content,
			  struct wire_position *ret_position)
{
	*ret_position = (struct wire_position){0};
	return read_fields(NULL, shape, content, ret_position);
}

/* The message Expect: {seq = 1}. */
static bool read_expect(struct span content, uint64_t *ret_seq)
{
	static const struct shape shape = SHAPE(id_places, packet_number);
	struct packet_number expect = {0};
	if (!read_fields(NULL, &shape, content, &expect))
		return false;
	*ret_seq = expect.id;
	return true;
}

static bool add_text(struct frame_reader *reader, const struct place *place, struct span text,
		     uint8_t *ret)
{
	size_t count;
	memcpy(&count, ret + place->second, sizeof(count));
	if (count == place->max || !text_is_valid(text))
		return false;
	struct span *first = reader->spans[place->array];
	first[count++] = text;
	memcpy(ret + place->offset, &first, sizeof(first));
	memcpy(ret + place->second, &count, sizeof(count));
	return true;
}

static bool add_position(struct frame_reader *reader, const struct place *place,
			 struct span content, uint8_t *ret)
{
	size_t count;
	memcpy(&count, ret + place->second, sizeof(count));
	struct wire_position *positions = reader->positions[place->array];
	const struct shape *shape = place->type == AS_OFS ? &as_of_shape : &position_shape;
	if (count == WIRE_MAX_POSITIONS || !read_position(shape, content, &positions[count]))
		return false;
	count++;
	const struct wire_position *first = positions;
	memcpy(ret + place->offset, &first, sizeof(first));
	memcpy(ret + place->second, &count, sizeof(count));
	return true;
}

/* The value of one field, behind its tag, to its place. */
static inline bool read_value(struct frame_reader *reader, const struct place *place,
			      struct pb_reader *in, uint32_t wire, uint8_t *ret)
{
	uint64_t value;
	struct span bytes;
	uint8_t *at = ret + place->offset;
	switch ((enum place_type)place->type) {
	case U32:
		if (!read_number(in, wire, &value))
			return false;
		*(uint32_t *)(void *)at = (uint32_t)value;
		return true;
	case U64:
		return read_number(in, wire, (uint64_t *)(void *)at);
	case FLAG:
		if (!read_number(in, wire, &value))
			return false;
		*(bool *)at = value != 0;
		return true;
	case FIXED64:
		return read_fixed64(in, wire, (uint64_t *)(void *)at);
	case TEXT:
		return read_bytes(in, wire, (struct span *)(void *)at) &&
		       text_is_valid(*(struct span *)(void *)at);
	case BYTES:
		return read_bytes(in, wire, (struct span *)(void *)at);
	case BODY:
		return read_bytes(in, wire, (struct span *)(void *)at) &&
		       ((struct span *)(void *)at)->len <= WIRE_MAX_BODY;
	case EXPECT:
		*(bool *)(ret + place->second) = true;
		return read_bytes(in, wire, &bytes) && read_expect(bytes, (uint64_t *)(void *)at);
	case POSITION:
		*(bool *)(ret + place->second) = true;
		return read_bytes(in, wire, &bytes) &&
		       read_position(&position_shape, bytes, (struct wire_position *)(void *)at);
	case TEXTS:
		return read_bytes(in, wire, &bytes) && add_text(reader, place, bytes, ret);
	case POSITIONS:
	case AS_OFS:
		return read_bytes(in, wire, &bytes) && add_position(reader, place, bytes, ret);
	case RECORDS:
		/* The whole content, which copy_next walks. */
		return read_bytes(in, wire, &bytes);
	case NOTHING:
		break;
	}
	return false;
}

/* reader is needed for repeated fields only. */
static bool read_fields(struct frame_reader *reader, const struct shape *shape, struct span content,
			void *ret)
{
	struct pb_reader in = pb_reader_of(content);
	uint32_t seen = 0;
	while (in.at != in.end) {
		uint32_t number = *in.at >> 3;
		if (*in.at >= 0x80 || number >= shape->count || number == 0) {
			/* A number that this version does not know; a known one in a longer tag
			 * than it needs is refused. */
			struct pb_field field;
			if (!pb_read_field(&in, &field) || field.number < shape->count)
				return false;
			continue;
		}
		const struct place *place = &shape->places[number];
		if ((seen & 1u << number) && place->type < TEXTS)
			return false;
		seen |= 1u << number;
		uint32_t wire = *in.at++ & 7;
		if (!read_value(reader, place, &in, wire, ret))
			return false;
	}
	return true;
}

/* Steps over the tag; false when another field comes, or none. */
static inline bool is_next(struct pb_reader *in, uint32_t number, enum pb_wire wire)
{
	if (in->at == in->end || *in->at != (number << 3 | wire))
		return false;
	in->at++;
	return true;
}

static inline bool take_number(struct pb_reader *in, uint32_t number, uint64_t *ret_value)
{
	return !is_next(in, number, PB_VARINT) || pb_read_varint(in, ret_value);
}

static inline bool take_bytes(struct pb_reader *in, uint32_t number, struct span *ret_bytes)
{
	return !is_next(in, number, PB_LEN) || read_bytes(in, PB_LEN, ret_bytes);
}

/* Thousands come with their fields in the order of their numbers: one look for each. False when one
 * is otherwise or malformed: the table decides, and writes all that was written here. */
static bool read_deliver(struct span content, struct packet_deliver *ret)
{
	struct pb_reader in = pb_reader_of(content);
	uint64_t removed = 0;
	bool is_read =
		take_number(&in, 1, &ret->id) && take_number(&in, 2, &ret->seq) &&
		take_bytes(&in, 3, &ret->subject) && take_bytes(&in, 4, &ret->body) &&
		take_bytes(&in, 5, &ret->origin) && take_number(&in, 6, &ret->epoch) &&
		take_number(&in, 7, &ret->origin_seq) && take_number(&in, 8, &ret->time_ms) &&
		take_bytes(&in, 9, &ret->principal) && take_number(&in, 10, &removed) &&
		(!is_next(&in, 11, PB_FIXED64) || read_fixed64(&in, PB_FIXED64, &ret->schema)) &&
		take_bytes(&in, 12, &ret->trace) && in.at == in.end;
	ret->removed = removed != 0;
	return is_read && ret->body.len <= WIRE_MAX_BODY && text_is_valid(ret->subject) &&
	       text_is_valid(ret->origin) && text_is_valid(ret->principal) &&
	       text_is_valid(ret->trace);
}

enum frame_result packet_read(struct frame_reader *reader, uint32_t kind, struct span content,
			      struct packet *ret_packet)
{
	if (kind >= sizeof(shapes) / sizeof(shapes[0]) || shapes[kind].count == 0)
		return FRAME_UNKNOWN;
	ret_packet->kind = (enum packet_kind)kind;
	/* All kinds lie at the same place; only this one is cleared. */
	memset(&ret_packet->hello, 0, shapes[kind].size);
	if (kind == PACKET_DELIVER && read_deliver(content, &ret_packet->deliver))
		return FRAME_PACKET;
	if (!read_fields(reader, &shapes[kind], content, &ret_packet->hello))
		return FRAME_MALFORMED;
	if (kind == PACKET_COPY || kind == PACKET_FOUND)
		ret_packet->copy.records = content;
	return FRAME_PACKET;
}
