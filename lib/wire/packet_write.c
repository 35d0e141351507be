/*
 * Writes packets. Each kind lists its fields once; the list runs twice, first to measure and then
 * to put, so that lengths stand in front without moving a byte and a body is copied once. Calls and
 * replies are put at once, behind room for their lengths; where it was misjudged they are moved.
 * Zero and empty values are left out, as proto3 does.
 */
#include <string.h>

#include "base/ensure.h"
#include "base/pb.h"
#include "wire/packet.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* `to` is NULL in the pass that measures. */
struct writer {
	uint8_t *to;
	size_t len;
};

/* What the head and the fields of a packet that is written in one pass come to besides the bytes of
 * its texts and its body: less than the one, and about the other. */
#define MOST_BESIDE 256
#define USUALLY_BESIDE 24
#define AT_ONCE_GROUPS 16

ALWAYS_INLINE size_t varint_len(uint64_t value)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
	return (bits * 9 + 64) / 64;
}

/* Numbers below 16 have a tag of one byte. */
ALWAYS_INLINE void put_tag(struct writer *out, uint32_t number, enum pb_wire wire)
{
	if (number < 16) {
		if (out->to)
			out->to[out->len] = (uint8_t)(number << 3 | wire);
		out->len++;
	} else {
		if (out->to) {
			out->to[out->len] = (uint8_t)(number << 3 | wire | 0x80);
			out->to[out->len + 1] = (uint8_t)(number >> 4);
		}
		out->len += 2;
	}
}

ALWAYS_INLINE void put_varint(struct writer *out, uint64_t value)
{
	if (!out->to) {
		out->len += varint_len(value);
		return;
	}
	/* One byte or two nearly always. */
	uint8_t *at = out->to + out->len;
	if (value < 0x80) {
		at[0] = (uint8_t)value;
		out->len++;
	} else if (value < 0x4000) {
		at[0] = (uint8_t)(value | 0x80);
		at[1] = (uint8_t)(value >> 7);
		out->len += 2;
	} else {
		out->len = (size_t)(pb_put_varint(at, value) - out->to);
	}
}

ALWAYS_INLINE void put_uint(struct writer *out, uint32_t number, uint64_t value)
{
	if (value == 0)
		return;
	put_tag(out, number, PB_VARINT);
	put_varint(out, value);
}

ALWAYS_INLINE void put_fixed64(struct writer *out, uint32_t number, uint64_t value)
{
	if (value == 0)
		return;
	put_tag(out, number, PB_FIXED64);
	if (out->to) {
		for (unsigned i = 0; i < 8; i++)
			out->to[out->len + i] = (uint8_t)(value >> (8 * i));
	}
	out->len += 8;
}

/* Also when empty: an element. */
ALWAYS_INLINE void put_element(struct writer *out, uint32_t number, struct span bytes)
{
	put_tag(out, number, PB_LEN);
	put_varint(out, bytes.len);
	if (out->to && bytes.len > 0)
		memcpy(out->to + out->len, bytes.data, bytes.len);
	out->len += bytes.len;
}

ALWAYS_INLINE void put_bytes(struct writer *out, uint32_t number, struct span bytes)
{
	if (bytes.len > 0)
		put_element(out, number, bytes);
}

static void put_elements(struct writer *out, uint32_t number, const struct span *spans,
			 size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_element(out, number, spans[i]);
}

ALWAYS_INLINE void position_fields(struct writer *out, const struct wire_position *position,
				   bool is_as_of)
{
	put_bytes(out, 1, position->origin);
	put_uint(out, 2, position->epoch);
	put_uint(out, 3, position->seq);
	if (is_as_of)
		put_uint(out, 4, position->age_ms);
}

static void put_position(struct writer *out, uint32_t number, const struct wire_position *position,
			 bool is_as_of)
{
	struct writer measure = {0};
	position_fields(&measure, position, is_as_of);
	put_tag(out, number, PB_LEN);
	put_varint(out, measure.len);
	if (out->to)
		position_fields(out, position, is_as_of);
	else
		out->len += measure.len;
}

static void put_positions(struct writer *out, uint32_t number,
			  const struct wire_position *positions, size_t count, bool is_as_of)
{
	for (size_t i = 0; i < count; i++)
		put_position(out, number, &positions[i], is_as_of);
}

ALWAYS_INLINE void hello_fields(struct writer *out, const struct packet_hello *hello)
{
	put_uint(out, 1, hello->version);
	put_bytes(out, 2, hello->software);
	put_uint(out, 3, hello->call_credit);
	put_uint(out, 4, hello->epoch);
}

ALWAYS_INLINE void welcome_fields(struct writer *out, const struct packet_welcome *welcome)
{
	put_uint(out, 1, welcome->version);
	put_bytes(out, 2, welcome->daemon);
	put_uint(out, 3, welcome->epoch);
	put_bytes(out, 4, welcome->identity);
	put_uint(out, 5, welcome->call_credit);
	put_uint(out, 6, welcome->publish_credit);
	put_uint(out, 7, welcome->max_body);
	put_uint(out, 8, welcome->heartbeat_ms);
	put_bytes(out, 9, welcome->ack_means);
	put_bytes(out, 10, welcome->software);
}

ALWAYS_INLINE void register_fields(struct writer *out, const struct packet_register *reg)
{
	put_uint(out, 1, reg->id);
	put_elements(out, 2, reg->services, reg->service_count);
	put_bytes(out, 3, reg->schema);
	put_elements(out, 4, reg->publishes, reg->publish_count);
	put_uint(out, 5, reg->speaks_for_people);
}

ALWAYS_INLINE void call_fields(struct writer *out, const struct packet_call *call)
{
	put_uint(out, 1, call->id);
	put_bytes(out, 2, call->method);
	put_bytes(out, 3, call->at);
	put_bytes(out, 4, call->principal);
	if (call->group_count)
		put_elements(out, 5, call->groups, call->group_count);
	put_uint(out, 6, call->timeout_ms);
	put_bytes(out, 7, call->body);
	if (call->after_count)
		put_positions(out, 8, call->after, call->after_count, false);
	put_uint(out, 9, call->max_reply);
	put_bytes(out, 10, call->idempotency_key);
	put_bytes(out, 11, call->trace);
	put_uint(out, 12, call->want_as_of);
	put_uint(out, 13, call->hops);
	put_uint(out, 14, call->by_operator);
	put_uint(out, 15, call->credit);
}

ALWAYS_INLINE void reply_fields(struct writer *out, const struct packet_reply *reply)
{
	put_uint(out, 1, reply->id);
	put_uint(out, 2, reply->status);
	put_bytes(out, 3, reply->text);
	put_bytes(out, 4, reply->field);
	put_bytes(out, 5, reply->body);
	put_uint(out, 6, reply->more);
	if (reply->has_position)
		put_position(out, 7, &reply->position, false);
	if (reply->as_of_count)
		put_positions(out, 8, reply->as_of, reply->as_of_count, true);
	put_bytes(out, 9, reply->served_by);
	put_uint(out, 10, reply->remembered);
	put_uint(out, 15, reply->refusal);
}

ALWAYS_INLINE void publish_fields(struct writer *out, const struct packet_publish *publish)
{
	put_uint(out, 1, publish->id);
	put_bytes(out, 2, publish->subject);
	put_bytes(out, 3, publish->body);
	put_uint(out, 4, publish->durable);
	if (publish->has_expect) {
		put_tag(out, 5, PB_LEN);
		put_varint(out, publish->expect_seq ? 1 + varint_len(publish->expect_seq) : 0);
		put_uint(out, 1, publish->expect_seq);
	}
	put_uint(out, 6, publish->remove);
	put_bytes(out, 7, publish->label);
	put_bytes(out, 8, publish->principal);
	put_uint(out, 9, publish->hops);
	put_bytes(out, 10, publish->origin);
	put_bytes(out, 11, publish->trace);
}

ALWAYS_INLINE void ack_fields(struct writer *out, const struct packet_ack *ack)
{
	put_uint(out, 1, ack->id);
	put_uint(out, 2, ack->status);
	put_bytes(out, 3, ack->text);
	put_bytes(out, 4, ack->field);
	put_uint(out, 5, ack->seq);
	put_uint(out, 15, ack->refusal);
}

ALWAYS_INLINE void subscribe_fields(struct writer *out, const struct packet_subscribe *subscribe)
{
	put_uint(out, 1, subscribe->id);
	put_bytes(out, 2, subscribe->pattern);
	put_uint(out, 3, subscribe->start);
	put_uint(out, 4, subscribe->from);
	put_uint(out, 5, subscribe->credit);
	put_bytes(out, 6, subscribe->durable);
	put_bytes(out, 7, subscribe->group);
	put_uint(out, 8, subscribe->records_only);
}

/* All but the id, which is the subscriber's. */
ALWAYS_INLINE void deliver_common_fields(struct writer *out, const struct packet_deliver *deliver)
{
	put_uint(out, 2, deliver->seq);
	put_bytes(out, 3, deliver->subject);
	put_bytes(out, 4, deliver->body);
	put_bytes(out, 5, deliver->origin);
	put_uint(out, 6, deliver->epoch);
	put_uint(out, 7, deliver->origin_seq);
	put_uint(out, 8, deliver->time_ms);
	put_bytes(out, 9, deliver->principal);
	put_uint(out, 10, deliver->removed);
	put_fixed64(out, 11, deliver->schema);
	put_bytes(out, 12, deliver->trace);
}

ALWAYS_INLINE void heads_fields(struct writer *out, const struct packet_heads *heads)
{
	put_positions(out, 1, heads->sent, heads->sent_count, true);
	put_positions(out, 2, heads->stored, heads->stored_count, false);
	put_uint(out, 3, heads->stored_bytes);
}

ALWAYS_INLINE void fields(struct writer *out, const struct packet *packet)
{
	switch (packet->kind) {
	case PACKET_HELLO:
		hello_fields(out, &packet->hello);
		break;
	case PACKET_WELCOME:
		welcome_fields(out, &packet->welcome);
		break;
	case PACKET_PING:
	case PACKET_PONG:
	case PACKET_CANCEL:
		put_uint(out, 1, packet->ping.id);
		break;
	case PACKET_REGISTER:
		register_fields(out, &packet->reg);
		break;
	case PACKET_REGISTERED:
		put_uint(out, 1, packet->registered.id);
		put_uint(out, 2, packet->registered.status);
		put_bytes(out, 3, packet->registered.text);
		break;
	case PACKET_CALL:
		call_fields(out, &packet->call);
		break;
	case PACKET_REPLY:
		reply_fields(out, &packet->reply);
		break;
	case PACKET_PUBLISH:
		publish_fields(out, &packet->publish);
		break;
	case PACKET_ACK:
		ack_fields(out, &packet->ack);
		break;
	case PACKET_SUBSCRIBE:
		subscribe_fields(out, &packet->subscribe);
		break;
	case PACKET_UNSUBSCRIBE:
		put_uint(out, 1, packet->unsubscribe.id);
		put_uint(out, 2, packet->unsubscribe.forget);
		put_uint(out, 3, packet->unsubscribe.status);
		put_bytes(out, 4, packet->unsubscribe.text);
		put_uint(out, 15, packet->unsubscribe.refusal);
		break;
	case PACKET_DELIVER:
		put_uint(out, 1, packet->deliver.id);
		deliver_common_fields(out, &packet->deliver);
		break;
	case PACKET_CONSUMED:
		put_uint(out, 1, packet->consumed.id);
		put_uint(out, 2, packet->consumed.value);
		break;
	case PACKET_CREDIT:
		put_uint(out, 1, packet->credit.id);
		put_uint(out, 2, packet->credit.value);
		put_uint(out, 3, packet->credit.call);
		break;
	case PACKET_GAP:
		put_uint(out, 1, packet->gap.id);
		put_uint(out, 2, packet->gap.missed);
		put_uint(out, 3, packet->gap.seq);
		break;
	case PACKET_GOODBYE:
		put_uint(out, 1, packet->goodbye.reason);
		put_bytes(out, 2, packet->goodbye.text);
		break;
	case PACKET_FOLLOW:
		put_positions(out, 1, packet->follow.positions, packet->follow.position_count,
			      false);
		put_uint(out, 2, packet->follow.credit);
		break;
	case PACKET_COPY:
	case PACKET_FOUND:
		if (out->to && packet->copy.records.len > 0)
			memcpy(out->to + out->len, packet->copy.records.data,
			       packet->copy.records.len);
		out->len += packet->copy.records.len;
		break;
	case PACKET_WANT:
		put_positions(out, 1, packet->want.positions, packet->want.position_count, false);
		break;
	case PACKET_HEADS:
		heads_fields(out, &packet->heads);
		break;
	}
}

/* The length, the kind's tag and the content's length; false when there is no memory. */
ALWAYS_INLINE bool begin(struct buf *to, enum packet_kind kind, size_t content_len,
			 struct writer *ret_out)
{
	size_t packet_len = (kind < 16 ? 1 : 2) + varint_len(content_len) + content_len;
	if (!buf_reserve(to, varint_len(packet_len) + packet_len))
		return false;
	struct writer out = {.to = to->data + to->len};
	put_varint(&out, packet_len);
	put_tag(&out, kind, PB_LEN);
	put_varint(&out, content_len);
	*ret_out = out;
	return true;
}

/* The bytes of the texts and the body of a packet that is written in one pass: of the kinds that
 * come by the thousand, and without positions of several origins. */
ALWAYS_INLINE bool least_len(const struct packet *packet, size_t *ret_len)
{
	const struct packet_call *call = &packet->call;
	const struct packet_reply *reply = &packet->reply;
	switch (packet->kind) {
	case PACKET_CALL:
		*ret_len = call->method.len + call->at.len + call->principal.len + call->body.len +
			   call->idempotency_key.len + call->trace.len;
		for (size_t i = 0; i < call->group_count; i++)
			*ret_len += call->groups[i].len;
		return call->group_count <= AT_ONCE_GROUPS && call->after_count == 0;
	case PACKET_REPLY:
		*ret_len = reply->text.len + reply->field.len + reply->body.len +
			   reply->served_by.len +
			   (reply->has_position ? reply->position.origin.len : 0);
		return reply->as_of_count == 0;
	default:
		return false;
	}
}

/* What stands in front of a content of this length, of a kind below 16. */
ALWAYS_INLINE size_t head_len(size_t content_len)
{
	size_t inner = 1 + varint_len(content_len);
	return varint_len(inner + content_len) + inner;
}

/* In one pass, behind room for a head as it will nearly always be. False when the packet is none
 * of these, or there is no memory. */
ALWAYS_INLINE bool write_at_once(struct buf *to, const struct packet *packet)
{
	size_t least;
	if (!least_len(packet, &least) || !buf_reserve(to, least + MOST_BESIDE))
		return false;
	uint8_t *start = to->data + to->len;
	size_t room = head_len(least + USUALLY_BESIDE);
	struct writer content = {.to = start + room};
	if (packet->kind == PACKET_CALL)
		call_fields(&content, &packet->call);
	else
		reply_fields(&content, &packet->reply);
	size_t head = head_len(content.len);
	ensure((head > room ? head : room) + content.len <= least + MOST_BESIDE);
	if (head != room)
		memmove(start + head, start + room, content.len);
	struct writer out = {.to = start};
	put_varint(&out, 1 + varint_len(content.len) + content.len);
	put_tag(&out, packet->kind, PB_LEN);
	put_varint(&out, content.len);
	ensure(out.len == head);
	to->len += head + content.len;
	return true;
}

void packet_write(struct buf *to, const struct packet *packet)
{
	if (write_at_once(to, packet))
		return;
	struct writer measure = {0};
	fields(&measure, packet);
	struct writer out;
	if (!begin(to, packet->kind, measure.len, &out))
		return;
	size_t header_len = out.len;
	fields(&out, packet);
	ensure(out.len == header_len + measure.len);
	to->len += out.len;
}

void packet_write_deliver_common(struct buf *to, const struct packet_deliver *deliver)
{
	struct writer measure = {0};
	deliver_common_fields(&measure, deliver);
	if (!buf_reserve(to, measure.len))
		return;
	struct writer out = {.to = to->data + to->len};
	deliver_common_fields(&out, deliver);
	ensure(out.len == measure.len);
	to->len += out.len;
}

void packet_write_deliver(struct buf *to, uint64_t id, struct span common)
{
	struct writer out;
	size_t id_len = id > 0 ? 1 + varint_len(id) : 0;
	if (!begin(to, PACKET_DELIVER, id_len + common.len, &out))
		return;
	put_uint(&out, 1, id);
	memcpy(out.to + out.len, common.data, common.len);
	to->len += out.len + common.len;
}

void packet_write_copy(struct buf *to, struct span record)
{
	struct writer out;
	if (!begin(to, PACKET_COPY, 1 + varint_len(record.len) + record.len, &out))
		return;
	put_element(&out, 1, record);
	to->len += out.len;
}
