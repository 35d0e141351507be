/*
 * Fills packets by protobuf-c's descriptors, so that a new field is tested without a word here; the
 * comparison is written out field by field, so that two fields that lib/wire took for each other
 * are noticed.
 */
#include "random_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/pb.h"

static char *random_text(struct rng *rng)
{
	static const char *const pieces[] = {"a", "Z", "0", ".", "ann@wales", "é", "ß", "漢", "🜁"};
	struct buf text = {0};
	for (uint64_t i = 0, count = 1 + rng_below(rng, 12); i < count; i++)
		buf_add_text(&text, pieces[rng_below(rng, 9)]);
	return buf_text(&text);
}

static uint64_t random_number(struct rng *rng)
{
	return rng_next(rng) >> rng_below(rng, 64);
}

static void *random_message(struct rng *rng, const ProtobufCMessageDescriptor *descriptor);

static void fill_one(struct rng *rng, const ProtobufCFieldDescriptor *field, void *at)
{
	const ProtobufCEnumDescriptor *values = field->descriptor;
	ProtobufCBinaryData *bytes = at;
	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		*(uint32_t *)at = (uint32_t)random_number(rng);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		*(uint64_t *)at = random_number(rng);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)at = 1;
		break;
	case PROTOBUF_C_TYPE_ENUM:
		*(int *)at = values->values[rng_below(rng, values->n_values)].value;
		break;
	case PROTOBUF_C_TYPE_STRING:
		*(char **)at = random_text(rng);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		bytes->len = 1 + (size_t)rng_below(rng, 300);
		bytes->data = malloc(bytes->len);
		assert_non_null(bytes->data);
		for (size_t i = 0; i < bytes->len; i++)
			bytes->data[i] = (uint8_t)rng_next(rng);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(void **)at = random_message(rng, field->descriptor);
		break;
	default:
		fail_msg("field %s is of a type that packets do not have", field->name);
	}
}

static void fill_repeated(struct rng *rng, const ProtobufCFieldDescriptor *field, uint8_t *message)
{
	size_t count = 1 + (size_t)rng_below(rng, 5);
	/* Texts and messages only. */
	void **elements = calloc(count, sizeof(void *));
	assert_non_null(elements);
	for (size_t i = 0; i < count; i++)
		fill_one(rng, field, &elements[i]);
	*(void ***)(void *)(message + field->offset) = elements;
	*(size_t *)(void *)(message + field->quantifier_offset) = count;
}

static void *random_message(struct rng *rng, const ProtobufCMessageDescriptor *descriptor)
{
	uint8_t *message = malloc(descriptor->sizeof_message);
	assert_non_null(message);
	descriptor->message_init((ProtobufCMessage *)(void *)message);
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		if (rng_below(rng, 2) == 0)
			continue;
		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			fill_repeated(rng, field, message);
		else
			fill_one(rng, field, message + field->offset);
	}
	return message;
}

Lyceum__V1__Packet *random_packet(struct rng *rng, enum packet_kind kind)
{
	Lyceum__V1__Packet *packet = malloc(sizeof(*packet));
	assert_non_null(packet);
	lyceum__v1__packet__init(packet);
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(&lyceum__v1__packet__descriptor, kind);
	assert_non_null(field);
	packet->kind_case = (Lyceum__V1__Packet__KindCase)kind;
	packet->hello = random_message(rng, field->descriptor);
	return packet;
}

void random_packet_pack(const Lyceum__V1__Packet *packet, struct buf *to)
{
	size_t len = lyceum__v1__packet__get_packed_size(packet);
	pb_write_varint(to, len);
	assert_true(buf_reserve(to, len));
	to->len += lyceum__v1__packet__pack(packet, to->data + to->len);
}

#define SAME_NUMBER(member_) assert_int_equal(ours->member_, theirs->member_)
#define SAME_TEXT(member_) same_text(ours->member_, theirs->member_)
#define SAME_BYTES(member_) same_bytes(ours->member_, theirs->member_)

static void same_bytes(struct span ours, ProtobufCBinaryData theirs)
{
	assert_int_equal(ours.len, theirs.len);
	if (ours.len > 0)
		assert_memory_equal(ours.data, theirs.data, ours.len);
}

static void same_text(struct span ours, char *theirs)
{
	same_bytes(ours, (ProtobufCBinaryData){.len = strlen(theirs), .data = (uint8_t *)theirs});
}

static void same_texts(const struct span *ours, size_t our_count, char **theirs, size_t count)
{
	assert_int_equal(our_count, count);
	for (size_t i = 0; i < count; i++)
		same_text(ours[i], theirs[i]);
}

static void same_position(const struct wire_position *ours, const Lyceum__V1__Position *theirs)
{
	SAME_TEXT(origin);
	SAME_NUMBER(epoch);
	SAME_NUMBER(seq);
	assert_int_equal(ours->age_ms, 0);
}

static void same_positions(const struct wire_position *ours, size_t our_count,
			   Lyceum__V1__Position **theirs, size_t count)
{
	assert_int_equal(our_count, count);
	for (size_t i = 0; i < count; i++)
		same_position(&ours[i], theirs[i]);
}

static void same_as_of(const struct wire_position *all_ours, size_t our_count,
		       Lyceum__V1__AsOf **all_theirs, size_t count)
{
	assert_int_equal(our_count, count);
	for (size_t i = 0; i < count; i++) {
		const struct wire_position *ours = &all_ours[i];
		const Lyceum__V1__AsOf *theirs = all_theirs[i];
		SAME_TEXT(origin);
		SAME_NUMBER(epoch);
		SAME_NUMBER(seq);
		SAME_NUMBER(age_ms);
	}
}

static void same_hello(const struct packet_hello *ours, const Lyceum__V1__Hello *theirs)
{
	SAME_NUMBER(version);
	SAME_TEXT(software);
	SAME_NUMBER(call_credit);
	SAME_NUMBER(epoch);
}

static void same_welcome(const struct packet_welcome *ours, const Lyceum__V1__Welcome *theirs)
{
	SAME_NUMBER(version);
	SAME_TEXT(daemon);
	SAME_NUMBER(epoch);
	SAME_TEXT(identity);
	SAME_NUMBER(call_credit);
	SAME_NUMBER(publish_credit);
	SAME_NUMBER(max_body);
	SAME_NUMBER(heartbeat_ms);
	SAME_TEXT(ack_means);
	SAME_TEXT(software);
}

static void same_register(const struct packet_register *ours, const Lyceum__V1__Register *theirs)
{
	SAME_NUMBER(id);
	same_texts(ours->services, ours->service_count, theirs->service, theirs->n_service);
	same_texts(ours->publishes, ours->publish_count, theirs->publishes, theirs->n_publishes);
	SAME_BYTES(schema);
	SAME_NUMBER(speaks_for_people);
}

static void same_registered(const struct packet_registered *ours,
			    const Lyceum__V1__Registered *theirs)
{
	SAME_NUMBER(id);
	SAME_NUMBER(status);
	SAME_TEXT(text);
}

static void same_call(const struct packet_call *ours, const Lyceum__V1__Call *theirs)
{
	SAME_NUMBER(id);
	SAME_TEXT(method);
	SAME_TEXT(at);
	SAME_TEXT(principal);
	same_texts(ours->groups, ours->group_count, theirs->group, theirs->n_group);
	SAME_NUMBER(timeout_ms);
	SAME_BYTES(body);
	same_positions(ours->after, ours->after_count, theirs->after, theirs->n_after);
	SAME_NUMBER(max_reply);
	SAME_TEXT(idempotency_key);
	SAME_TEXT(trace);
	SAME_NUMBER(want_as_of);
	SAME_NUMBER(hops);
	SAME_NUMBER(by_operator);
	SAME_NUMBER(credit);
}

static void same_reply(const struct packet_reply *ours, const Lyceum__V1__Reply *theirs)
{
	SAME_NUMBER(id);
	SAME_NUMBER(status);
	SAME_TEXT(text);
	SAME_TEXT(field);
	SAME_BYTES(body);
	SAME_NUMBER(more);
	assert_int_equal(ours->has_position, theirs->position != NULL);
	if (theirs->position)
		same_position(&ours->position, theirs->position);
	same_as_of(ours->as_of, ours->as_of_count, theirs->as_of, theirs->n_as_of);
	SAME_TEXT(served_by);
	SAME_NUMBER(remembered);
	SAME_NUMBER(refusal);
}

static void same_label(struct span ours, const Lyceum__V1__Label *theirs)
{
	uint8_t packed[4096];
	size_t len = theirs ? lyceum__v1__label__get_packed_size(theirs) : 0;
	assert_true(len <= sizeof(packed));
	if (theirs)
		lyceum__v1__label__pack(theirs, packed);
	same_bytes(ours, (ProtobufCBinaryData){.len = len, .data = packed});
}

static void same_publish(const struct packet_publish *ours, const Lyceum__V1__Publish *theirs)
{
	SAME_NUMBER(id);
	SAME_TEXT(subject);
	SAME_BYTES(body);
	SAME_NUMBER(durable);
	assert_int_equal(ours->has_expect, theirs->expect != NULL);
	if (theirs->expect)
		assert_int_equal(ours->expect_seq, theirs->expect->seq);
	SAME_NUMBER(remove);
	same_label(ours->label, theirs->label);
	SAME_TEXT(principal);
	SAME_NUMBER(hops);
	SAME_TEXT(origin);
	SAME_TEXT(trace);
}

static void same_ack(const struct packet_ack *ours, const Lyceum__V1__Ack *theirs)
{
	SAME_NUMBER(id);
	SAME_NUMBER(status);
	SAME_TEXT(text);
	SAME_TEXT(field);
	SAME_NUMBER(seq);
	SAME_NUMBER(refusal);
}

static void same_subscribe(const struct packet_subscribe *ours, const Lyceum__V1__Subscribe *theirs)
{
	SAME_NUMBER(id);
	SAME_TEXT(pattern);
	SAME_NUMBER(start);
	SAME_NUMBER(from);
	SAME_NUMBER(credit);
	SAME_TEXT(durable);
	SAME_TEXT(group);
	SAME_NUMBER(records_only);
}

static void same_deliver(const struct packet_deliver *ours, const Lyceum__V1__Deliver *theirs)
{
	SAME_NUMBER(id);
	SAME_NUMBER(seq);
	SAME_TEXT(subject);
	SAME_BYTES(body);
	SAME_TEXT(origin);
	SAME_NUMBER(epoch);
	SAME_NUMBER(origin_seq);
	SAME_NUMBER(time_ms);
	SAME_TEXT(principal);
	SAME_NUMBER(removed);
	SAME_NUMBER(schema);
	SAME_TEXT(trace);
}

static void same_gap(const struct packet_gap *ours, const Lyceum__V1__Gap *theirs)
{
	SAME_NUMBER(id);
	SAME_NUMBER(missed);
	SAME_NUMBER(seq);
}

static void same_copy(const struct packet_copy *ours, const Lyceum__V1__Copy *theirs)
{
	struct span rest = ours->records;
	struct span record;
	for (size_t i = 0; i < theirs->n_record; i++) {
		size_t len = lyceum__v1__record__get_packed_size(theirs->record[i]);
		uint8_t *packed = mem_get(len);
		lyceum__v1__record__pack(theirs->record[i], packed);
		assert_true(copy_next(&rest, &record));
		same_bytes(record, (ProtobufCBinaryData){.len = len, .data = packed});
		free(packed);
	}
	assert_false(copy_next(&rest, &record));
}

void random_packet_compare(const struct packet *ours, const Lyceum__V1__Packet *theirs)
{
	assert_int_equal(ours->kind, theirs->kind_case);
	switch (ours->kind) {
	case PACKET_HELLO:
		same_hello(&ours->hello, theirs->hello);
		break;
	case PACKET_WELCOME:
		same_welcome(&ours->welcome, theirs->welcome);
		break;
	case PACKET_PING:
		assert_int_equal(ours->ping.id, theirs->ping->id);
		break;
	case PACKET_PONG:
		assert_int_equal(ours->pong.id, theirs->pong->id);
		break;
	case PACKET_REGISTER:
		same_register(&ours->reg, theirs->register_);
		break;
	case PACKET_REGISTERED:
		same_registered(&ours->registered, theirs->registered);
		break;
	case PACKET_CALL:
		same_call(&ours->call, theirs->call);
		break;
	case PACKET_REPLY:
		same_reply(&ours->reply, theirs->reply);
		break;
	case PACKET_CANCEL:
		assert_int_equal(ours->cancel.id, theirs->cancel->id);
		break;
	case PACKET_PUBLISH:
		same_publish(&ours->publish, theirs->publish);
		break;
	case PACKET_ACK:
		same_ack(&ours->ack, theirs->ack);
		break;
	case PACKET_SUBSCRIBE:
		same_subscribe(&ours->subscribe, theirs->subscribe);
		break;
	case PACKET_UNSUBSCRIBE:
		assert_int_equal(ours->unsubscribe.id, theirs->unsubscribe->id);
		assert_int_equal(ours->unsubscribe.forget, theirs->unsubscribe->forget);
		assert_int_equal(ours->unsubscribe.refusal, theirs->unsubscribe->refusal);
		break;
	case PACKET_DELIVER:
		same_deliver(&ours->deliver, theirs->deliver);
		break;
	case PACKET_CONSUMED:
		assert_int_equal(ours->consumed.id, theirs->consumed->id);
		assert_int_equal(ours->consumed.value, theirs->consumed->seq);
		break;
	case PACKET_GAP:
		same_gap(&ours->gap, theirs->gap);
		break;
	case PACKET_CREDIT:
		assert_int_equal(ours->credit.id, theirs->credit->id);
		assert_int_equal(ours->credit.value, theirs->credit->bytes);
		assert_int_equal(ours->credit.call, theirs->credit->call);
		break;
	case PACKET_GOODBYE:
		assert_int_equal(ours->goodbye.reason, theirs->goodbye->reason);
		same_text(ours->goodbye.text, theirs->goodbye->text);
		break;
	case PACKET_FOLLOW:
		same_positions(ours->follow.positions, ours->follow.position_count,
			       theirs->follow->position, theirs->follow->n_position);
		assert_int_equal(ours->follow.credit, theirs->follow->credit);
		break;
	case PACKET_COPY:
		same_copy(&ours->copy, theirs->copy);
		break;
	case PACKET_FOUND:
		assert_int_equal(ours->copy.records.len > 0, theirs->found->n_record > 0);
		break;
	case PACKET_WANT:
		same_positions(ours->want.positions, ours->want.position_count,
			       theirs->want->position, theirs->want->n_position);
		break;
	case PACKET_HEADS:
		same_as_of(ours->heads.sent, ours->heads.sent_count, theirs->heads->sent,
			   theirs->heads->n_sent);
		same_positions(ours->heads.stored, ours->heads.stored_count, theirs->heads->stored,
			       theirs->heads->n_stored);
		assert_int_equal(ours->heads.stored_bytes, theirs->heads->stored_bytes);
		break;
	default:
		fail_msg("kind %d is not compared", (int)ours->kind);
	}
}
