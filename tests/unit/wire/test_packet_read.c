/* The hand-written reader beside protobuf-c, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "random_packet.h"

static struct frame_reader reader;

static struct span frame_of(const struct buf *frame)
{
	return span_of(frame->data, frame->len);
}

static bool is_kind(unsigned number)
{
	return number != 19;
}

static void test_packet_read_equals_protobuf(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 20260101);
	for (unsigned kind = PACKET_HELLO; kind <= PACKET_FOUND; kind++) {
		for (int round = 0; is_kind(kind) && round < 300; round++) {
			struct buf frame = {0};
			struct packet packet;
			Lyceum__V1__Packet *theirs = random_packet(&rng, (enum packet_kind)kind);
			random_packet_pack(theirs, &frame);
			frame_start(&reader, frame_of(&frame));
			assert_int_equal(frame_next(&reader, &packet), FRAME_PACKET);
			assert_int_equal(packet.len, frame.len);
			random_packet_compare(&packet, theirs);
			assert_int_equal(frame_next(&reader, &packet), FRAME_END);
			lyceum__v1__packet__free_unpacked(theirs, NULL);
			buf_fini(&frame);
		}
	}
}

/* One packet of this kind and content: how does it read? */
static enum frame_result read_content(unsigned kind, const void *content, size_t len,
				      struct packet *ret_packet)
{
	static struct buf packet;
	static struct buf frame;
	buf_clear(&packet);
	buf_clear(&frame);
	pb_write_message(&packet, kind, span_of(content, len));
	pb_write_varint(&frame, packet.len);
	buf_add(&frame, packet.data, packet.len);
	frame_start(&reader, frame_of(&frame));
	return frame_next(&reader, ret_packet);
}

static void test_packet_read_refuses_a_scalar_twice(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(read_content(PACKET_CALL, "\x08\x01\x08\x02", 4, &packet),
			 FRAME_MALFORMED);
	assert_int_equal(read_content(PACKET_CALL,
				      "\x12\x01"
				      "a"
				      "\x12\x01"
				      "b",
				      6, &packet),
			 FRAME_MALFORMED);
	assert_int_equal(read_content(PACKET_CALL,
				      "\x2a\x01"
				      "a"
				      "\x2a\x01"
				      "b",
				      6, &packet),
			 FRAME_PACKET);
	assert_int_equal(packet.call.group_count, 2);
}

static void test_packet_read_refuses_a_wrong_wire_type(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(read_content(PACKET_CALL, "\x0a\x01\x01", 3, &packet), FRAME_MALFORMED);
	assert_int_equal(read_content(PACKET_CALL, "\x10\x01", 2, &packet), FRAME_MALFORMED);
	assert_int_equal(read_content(PACKET_DELIVER, "\x58\x01", 2, &packet), FRAME_MALFORMED);
	assert_int_equal(read_content(PACKET_PUBLISH, "\x28\x01", 2, &packet), FRAME_MALFORMED);
	assert_int_equal(read_content(PACKET_COPY, "\x08\x01", 2, &packet), FRAME_MALFORMED);
	/* A group. */
	assert_int_equal(read_content(PACKET_CALL, "\xa3\x06\xa4\x06", 4, &packet),
			 FRAME_MALFORMED);
}

/* One as it is nearly always written, and all else. */
static void test_packet_read_takes_a_deliver_in_any_order(void **state)
{
	(void)state;
	static const uint8_t usual[] = "\x08\x07\x1a\x03"
				       "a.b\x22\x02\xff\x00\x2a\x01h\x50\x02\x59"
				       "12345678\x62\x01t";
	static const uint8_t turned[] = "\x62\x01t\x59"
					"12345678\x50\x02\x2a\x01h\x22\x02\xff\x00\x1a\x03"
					"a.b\x08\x07";
	static const uint8_t unknown[] = "\x08\x07\x1a\x03"
					 "a.b\x22\x02\xff\x00\x2a\x01h\x50\x02\x59"
					 "12345678\x62\x01t\xf8\x07\x01";
	static const struct span all[] = {{usual, sizeof(usual) - 1},
					  {turned, sizeof(turned) - 1},
					  {unknown, sizeof(unknown) - 1}};
	struct packet packet;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(read_content(PACKET_DELIVER, all[i].data, all[i].len, &packet),
				 FRAME_PACKET);
		const struct packet_deliver *deliver = &packet.deliver;
		assert_int_equal(deliver->id, 7);
		assert_true(span_is(deliver->subject, "a.b") && span_is(deliver->origin, "h"));
		assert_int_equal(deliver->body.len, 2);
		assert_true(deliver->removed && span_is(deliver->trace, "t"));
		assert_int_equal(deliver->schema, 0x3837363534333231);
		assert_int_equal(deliver->seq, 0);
	}
	/* Twice, a text that is none, one that is cut off. */
	assert_int_equal(read_content(PACKET_DELIVER, "\x08\x07\x08\x07", 4, &packet),
			 FRAME_MALFORMED);
	assert_int_equal(read_content(PACKET_DELIVER, "\x08\x07\x1a\x01\xff", 5, &packet),
			 FRAME_MALFORMED);
	assert_int_equal(read_content(PACKET_DELIVER, "\x08\x07\x1a\x02x", 5, &packet),
			 FRAME_MALFORMED);
}

static void test_packet_read_refuses_bad_text(void **state)
{
	(void)state;
	static const struct span bad[] = {
		{(const uint8_t *)"\x12\x01\xff", 3},
		{(const uint8_t *)"\x12\x01\x00", 3},
		{(const uint8_t *)"\x12\x02\xc0\x80", 4},
		{(const uint8_t *)"\x12\x09plain an\x80", 11},
		{(const uint8_t *)"\x12\x09plain an\x00", 11},
		{(const uint8_t *)"\x12\x0apl\x00in any\x31", 12},
		{(const uint8_t *)"\x12\x03\xed\xa0\x80", 5},
		{(const uint8_t *)"\x2a\x01\xff", 3},
	};
	struct packet packet;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_content(PACKET_CALL, bad[i].data, bad[i].len, &packet),
				 FRAME_MALFORMED);
	}
	/* Bytes after a 0x01 that borrow nothing, and a body, which may be anything. */
	assert_int_equal(read_content(PACKET_CALL, "\x12\x09\x01\x01\x01\x01\x01\x01\x01\x01\x01",
				      11, &packet),
			 FRAME_PACKET);
	assert_int_equal(read_content(PACKET_CALL, "\x3a\x02\xff\x00", 4, &packet), FRAME_PACKET);
	assert_int_equal(packet.call.body.len, 2);
}

static void test_packet_read_passes_over_unknown_fields(void **state)
{
	(void)state;
	static const uint8_t content[] = {0x08, 5, 0x70, 1, 0xa2, 0x06, 1,    'x', 0x9d,
					  0x06, 1, 2,    3, 4,    0xd1, 1,    1,   2,
					  3,    4, 5,    6, 7,    8,    0x12, 1,   'm'};
	struct packet packet;
	assert_int_equal(read_content(PACKET_CALL, content, sizeof(content), &packet),
			 FRAME_PACKET);
	assert_int_equal(packet.call.id, 5);
	assert_true(span_is(packet.call.method, "m"));
	/* A known number in a tag longer than needed. */
	assert_int_equal(read_content(PACKET_CALL, "\x88\x00\x05", 3, &packet), FRAME_MALFORMED);
	/* Number 0. */
	assert_int_equal(read_content(PACKET_CALL, "\x02\x00", 2, &packet), FRAME_MALFORMED);
}

static void test_packet_read_limits_counts_and_bodies(void **state)
{
	(void)state;
	struct packet packet;
	struct buf content = {0};
	for (int i = 0; i < WIRE_MAX_GROUPS; i++)
		pb_write_message(&content, 5, span_of("g", 1));
	assert_int_equal(read_content(PACKET_CALL, content.data, content.len, &packet),
			 FRAME_PACKET);
	assert_int_equal(packet.call.group_count, WIRE_MAX_GROUPS);
	pb_write_message(&content, 5, span_of("g", 1));
	assert_int_equal(read_content(PACKET_CALL, content.data, content.len, &packet),
			 FRAME_MALFORMED);

	buf_clear(&content);
	for (int i = 0; i < WIRE_MAX_POSITIONS; i++)
		pb_write_message(&content, 8, span_of("\x18\x07", 2));
	assert_int_equal(read_content(PACKET_CALL, content.data, content.len, &packet),
			 FRAME_PACKET);
	assert_int_equal(packet.call.after[WIRE_MAX_POSITIONS - 1].seq, 7);
	pb_write_message(&content, 8, span_of("", 0));
	assert_int_equal(read_content(PACKET_CALL, content.data, content.len, &packet),
			 FRAME_MALFORMED);

	buf_clear(&content);
	uint8_t *body = calloc(1, WIRE_MAX_BODY + 1);
	assert_non_null(body);
	pb_write_bytes(&content, 7, body, WIRE_MAX_BODY);
	assert_int_equal(read_content(PACKET_CALL, content.data, content.len, &packet),
			 FRAME_PACKET);
	buf_clear(&content);
	pb_write_bytes(&content, 7, body, WIRE_MAX_BODY + 1);
	assert_int_equal(read_content(PACKET_CALL, content.data, content.len, &packet),
			 FRAME_MALFORMED);
	free(body);
	buf_fini(&content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packet_read_equals_protobuf),
		cmocka_unit_test(test_packet_read_refuses_a_scalar_twice),
		cmocka_unit_test(test_packet_read_refuses_a_wrong_wire_type),
		cmocka_unit_test(test_packet_read_takes_a_deliver_in_any_order),
		cmocka_unit_test(test_packet_read_refuses_bad_text),
		cmocka_unit_test(test_packet_read_passes_over_unknown_fields),
		cmocka_unit_test(test_packet_read_limits_counts_and_bodies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
