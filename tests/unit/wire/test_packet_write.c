/* What the hand-written writer writes is byte for byte what protobuf-c packs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "random_packet.h"

static struct frame_reader reader;

static void test_packet_write_equals_protobuf(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 77);
	for (unsigned kind = PACKET_HELLO; kind <= PACKET_FOUND; kind++) {
		for (int round = 0; kind != 19 && round < 300; round++) {
			struct buf frame = {0};
			struct buf ours = {0};
			struct packet packet;
			Lyceum__V1__Packet *theirs = random_packet(&rng, (enum packet_kind)kind);
			/* An empty label is left out by us. */
			if (kind == PACKET_PUBLISH && theirs->publish->label &&
			    lyceum__v1__label__get_packed_size(theirs->publish->label) == 0) {
				lyceum__v1__label__free_unpacked(theirs->publish->label, NULL);
				theirs->publish->label = NULL;
			}
			random_packet_pack(theirs, &frame);
			frame_start(&reader, span_of(frame.data, frame.len));
			assert_int_equal(frame_next(&reader, &packet), FRAME_PACKET);
			packet_write(&ours, &packet);
			assert_false(ours.has_failed);
			assert_int_equal(ours.len, frame.len);
			assert_memory_equal(ours.data, frame.data, frame.len);

			struct pb_reader in = pb_reader_of(span_of(ours.data, ours.len));
			uint64_t len = 0;
			assert_true(pb_read_varint(&in, &len));
			Lyceum__V1__Packet *again =
				lyceum__v1__packet__unpack(NULL, (size_t)len, in.at);
			assert_non_null(again);
			random_packet_compare(&packet, again);
			lyceum__v1__packet__free_unpacked(again, NULL);
			lyceum__v1__packet__free_unpacked(theirs, NULL);
			buf_fini(&ours);
			buf_fini(&frame);
		}
	}
}

/* Lengths around those at which a length itself takes one byte more. */
static void test_packet_write_equals_protobuf_where_lengths_grow(void **state)
{
	(void)state;
	static const size_t from[] = {0, 16000, 2096800};
	static const size_t to[] = {300, 16500, 2097200};
	static uint8_t body[2097200];
	Lyceum__V1__Packet theirs = LYCEUM__V1__PACKET__INIT;
	Lyceum__V1__Reply reply = LYCEUM__V1__REPLY__INIT;
	struct packet ours = {.kind = PACKET_REPLY, .reply = {.id = 300}};
	theirs.kind_case = LYCEUM__V1__PACKET__KIND_REPLY;
	theirs.reply = &reply;
	reply.id = 300;
	for (size_t i = 0; i < 3; i++) {
		for (size_t len = from[i]; len < to[i]; len += i == 2 ? 7 : 1) {
			struct buf packed = {0};
			struct buf written = {0};
			reply.body = (ProtobufCBinaryData){.len = len, .data = body};
			ours.reply.body = span_of(body, len);
			random_packet_pack(&theirs, &packed);
			packet_write(&written, &ours);
			assert_int_equal(written.len, packed.len);
			assert_memory_equal(written.data, packed.data, packed.len);
			buf_fini(&packed);
			buf_fini(&written);
		}
	}
}

static void test_packet_write_appends_large_bodies(void **state)
{
	(void)state;
	uint8_t *body = calloc(1, WIRE_MAX_BODY);
	assert_non_null(body);
	struct buf frame = {0};
	struct packet out = {.kind = PACKET_REPLY,
			     .reply = {.id = UINT64_MAX, .body = span_of(body, WIRE_MAX_BODY)}};
	packet_write(&frame, &out);
	out.reply.body.len = 127;
	packet_write(&frame, &out);
	frame_start(&reader, span_of(frame.data, frame.len));
	struct packet in;
	assert_int_equal(frame_next(&reader, &in), FRAME_PACKET);
	assert_int_equal(in.reply.id, UINT64_MAX);
	assert_int_equal(in.reply.body.len, WIRE_MAX_BODY);
	assert_int_equal(frame_next(&reader, &in), FRAME_PACKET);
	assert_int_equal(in.reply.body.len, 127);
	assert_int_equal(frame_next(&reader, &in), FRAME_END);
	buf_fini(&frame);
	free(body);
}

static void test_packet_write_copy_is_a_copy_of_one(void **state)
{
	(void)state;
	struct buf frame = {0};
	packet_write_copy(&frame, span_of("\x22\x01x", 3));
	packet_write_copy(&frame, span_of("", 0));
	frame_start(&reader, span_of(frame.data, frame.len));
	struct packet in;
	struct span record;
	assert_int_equal(frame_next(&reader, &in), FRAME_PACKET);
	assert_int_equal(in.kind, PACKET_COPY);
	assert_true(copy_next(&in.copy.records, &record));
	assert_true(span_is(record, "\x22\x01x"));
	assert_false(copy_next(&in.copy.records, &record));
	assert_int_equal(frame_next(&reader, &in), FRAME_PACKET);
	assert_true(copy_next(&in.copy.records, &record));
	assert_int_equal(record.len, 0);
	assert_int_equal(frame_next(&reader, &in), FRAME_END);
	buf_fini(&frame);
}

/* Whatever a Deliver holds: its two parts are what it is when it is written as one. */
static void test_packet_write_deliver_in_two_parts(void **state)
{
	(void)state;
	static const uint64_t ids[] = {0, 1, 127, 128, 300, UINT64_MAX};
	struct rng rng;
	rng_init(&rng, 78);
	for (int round = 0; round < 500; round++) {
		struct buf theirs = {0};
		struct buf common = {0};
		struct packet packet;
		Lyceum__V1__Packet *random = random_packet(&rng, PACKET_DELIVER);
		random_packet_pack(random, &theirs);
		frame_start(&reader, span_of(theirs.data, theirs.len));
		assert_int_equal(frame_next(&reader, &packet), FRAME_PACKET);
		/* The id is not among what is common. */
		packet_write_deliver_common(&common, &packet.deliver);
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
			struct buf whole = {0};
			struct buf parts = {0};
			packet.deliver.id = ids[i];
			/* Behind others, as in a frame. */
			buf_add_text(&whole, "before");
			buf_add_text(&parts, "before");
			packet_write(&whole, &packet);
			packet_write_deliver(&parts, ids[i], span_of(common.data, common.len));
			assert_int_equal(parts.len, whole.len);
			assert_memory_equal(parts.data, whole.data, whole.len);
			buf_fini(&whole);
			buf_fini(&parts);
		}
		lyceum__v1__packet__free_unpacked(random, NULL);
		buf_fini(&common);
		buf_fini(&theirs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packet_write_equals_protobuf),
		cmocka_unit_test(test_packet_write_equals_protobuf_where_lengths_grow),
		cmocka_unit_test(test_packet_write_appends_large_bodies),
		cmocka_unit_test(test_packet_write_copy_is_a_copy_of_one),
		cmocka_unit_test(test_packet_write_deliver_in_two_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
