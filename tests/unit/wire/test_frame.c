/* Frames: many packets, cut off anywhere, with kinds that this version does not know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "random_packet.h"

static struct frame_reader reader;

static enum frame_result read_bytes(const void *bytes, size_t len, struct packet *ret_packet)
{
	frame_start(&reader, span_of(bytes, len));
	return frame_next(&reader, ret_packet);
}

static void test_frame_walks_every_kind(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 5);
	struct buf frame = {0};
	for (unsigned kind = PACKET_HELLO; kind <= PACKET_FOUND; kind++) {
		if (kind == 19)
			continue;
		Lyceum__V1__Packet *packet = random_packet(&rng, (enum packet_kind)kind);
		random_packet_pack(packet, &frame);
		lyceum__v1__packet__free_unpacked(packet, NULL);
	}
	frame_start(&reader, span_of(frame.data, frame.len));
	struct packet packet;
	size_t len = 0;
	for (unsigned kind = PACKET_HELLO; kind <= PACKET_FOUND; kind++) {
		if (kind == 19)
			continue;
		assert_int_equal(frame_next(&reader, &packet), FRAME_PACKET);
		assert_int_equal(packet.kind, kind);
		len += packet.len;
	}
	assert_int_equal(frame_next(&reader, &packet), FRAME_END);
	assert_int_equal(len, frame.len);
	buf_fini(&frame);
}

/* The copy lies at the end of its own allocation, so that a sanitizer sees a read beyond it. */
static enum frame_result read_cut(const struct buf *frame, size_t len)
{
	uint8_t *cut = malloc(len);
	assert_non_null(cut);
	memcpy(cut, frame->data, len);
	struct packet packet;
	enum frame_result result = read_bytes(cut, len, &packet);
	if (result == FRAME_MALFORMED)
		assert_int_equal(frame_next(&reader, &packet), FRAME_END);
	free(cut);
	return result;
}

static void test_frame_refuses_a_packet_cut_anywhere(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 9);
	for (unsigned kind = PACKET_HELLO; kind <= PACKET_FOUND; kind++) {
		if (kind == 19)
			continue;
		for (int round = 0; round < 4; round++) {
			struct buf frame = {0};
			Lyceum__V1__Packet *packet = random_packet(&rng, (enum packet_kind)kind);
			random_packet_pack(packet, &frame);
			for (size_t len = 1; len < frame.len; len++)
				assert_int_equal(read_cut(&frame, len), FRAME_MALFORMED);
			lyceum__v1__packet__free_unpacked(packet, NULL);
			buf_fini(&frame);
		}
	}
}

/* Any damage is read as something or refused, never beyond the frame, and strings stay UTF-8. */
static void test_frame_survives_damage(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 31);
	for (int round = 0; round < 20000; round++) {
		struct buf frame = {0};
		unsigned kind = 1 + (unsigned)rng_below(&rng, PACKET_FOUND);
		if (kind == 19)
			continue;
		Lyceum__V1__Packet *packet = random_packet(&rng, (enum packet_kind)kind);
		random_packet_pack(packet, &frame);
		lyceum__v1__packet__free_unpacked(packet, NULL);
		for (int i = 0; i < 3; i++)
			frame.data[rng_below(&rng, frame.len)] = (uint8_t)rng_next(&rng);
		uint8_t *exact = malloc(frame.len);
		assert_non_null(exact);
		memcpy(exact, frame.data, frame.len);
		frame_start(&reader, span_of(exact, frame.len));
		struct packet ours;
		size_t count = 0;
		while (frame_next(&reader, &ours) != FRAME_END)
			assert_true(++count <= frame.len);
		free(exact);
		buf_fini(&frame);
	}
}

static void test_frame_passes_over_unknown_kinds(void **state)
{
	(void)state;
	struct packet packet;
	/* Kinds 19, 25 and 40, a packet of nothing, then a Ping. */
	static const uint8_t frame[] = {3,    0x9a, 1, 0,   5, 0xca, 1,    2, 'h',  'i', 4,
					0xc2, 2,    1, 'x', 0, 4,    0x1a, 2, 0x08, 7};
	frame_start(&reader, span_of(frame, sizeof(frame)));
	for (int i = 0; i < 4; i++)
		assert_int_equal(frame_next(&reader, &packet), FRAME_UNKNOWN);
	assert_int_equal(frame_next(&reader, &packet), FRAME_PACKET);
	assert_int_equal(packet.kind, PACKET_PING);
	assert_int_equal(packet.ping.id, 7);
	assert_int_equal(frame_next(&reader, &packet), FRAME_END);
}

static void test_frame_passes_over_fields_beside_the_kind(void **state)
{
	(void)state;
	struct packet packet;
	static const uint8_t before[] = {8, 0xa0, 6, 1, 0x1a, 3, 0x08, 0x87, 1};
	assert_int_equal(read_bytes(before, sizeof(before), &packet), FRAME_PACKET);
	assert_int_equal(packet.ping.id, 135);
	assert_int_equal(packet.len, 9);
	static const uint8_t after[] = {7, 0x1a, 2, 0x08, 7, 0xa0, 6, 1};
	assert_int_equal(read_bytes(after, sizeof(after), &packet), FRAME_PACKET);
	assert_int_equal(packet.ping.id, 7);
	assert_int_equal(packet.len, 8);
}

static void test_frame_refuses_what_is_malformed(void **state)
{
	(void)state;
	static const struct span bad[] = {
		/* Two kinds; a kind that is a number; field number 0; a length without end. */
		{(const uint8_t *)"\x04\x1a\x00\x22\x00", 5},
		{(const uint8_t *)"\x02\x18\x00", 3},
		{(const uint8_t *)"\x02\x02\x00", 3},
		{(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10},
		{(const uint8_t *)"\x80", 1},
		{(const uint8_t *)"\x05\x1a\x00", 3},
		{(const uint8_t *)"\x02\x1a\x05", 3},
	};
	struct packet packet;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_bytes(bad[i].data, bad[i].len, &packet), FRAME_MALFORMED);
	assert_int_equal(read_bytes("", 0, &packet), FRAME_END);
}

static void test_frame_limits_a_packet(void **state)
{
	(void)state;
	struct buf frame = {0};
	pb_write_varint(&frame, WIRE_MAX_PACKET + 1);
	assert_true(buf_reserve(&frame, WIRE_MAX_PACKET + 1));
	memset(frame.data + frame.len, 0, WIRE_MAX_PACKET + 1);
	frame.len += WIRE_MAX_PACKET + 1;
	struct packet packet;
	assert_int_equal(read_bytes(frame.data, frame.len, &packet), FRAME_MALFORMED);
	buf_fini(&frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_walks_every_kind),
		cmocka_unit_test(test_frame_refuses_a_packet_cut_anywhere),
		cmocka_unit_test(test_frame_survives_damage),
		cmocka_unit_test(test_frame_passes_over_unknown_kinds),
		cmocka_unit_test(test_frame_passes_over_fields_beside_the_kind),
		cmocka_unit_test(test_frame_refuses_what_is_malformed),
		cmocka_unit_test(test_frame_limits_a_packet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
