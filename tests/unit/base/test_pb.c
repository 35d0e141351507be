/* Protobuf's wire format: what is written is read again, and what is malformed is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "base/rng.h"

static void test_varint_round_trips_at_every_length(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		for (int around = -1; around <= 1; around++) {
			uint64_t value = ((uint64_t)1 << bit) + (uint64_t)around;
			uint8_t bytes[10];
			size_t len = (size_t)(pb_put_varint(bytes, value) - bytes);
			assert_int_equal(len, pb_varint_len(value));
			struct pb_reader reader = pb_reader_of(span_of(bytes, len));
			uint64_t again;
			assert_true(pb_read_varint(&reader, &again));
			assert_true(again == value);
			assert_ptr_equal(reader.at, reader.end);
			for (size_t cut = 0; cut < len; cut++) {
				reader = pb_reader_of(span_of(bytes, cut));
				assert_false(pb_read_varint(&reader, &again));
				assert_true(reader.has_failed);
			}
		}
	}
}

static void test_varint_beyond_64_bits_is_refused(void **state)
{
	(void)state;
	uint8_t bytes[11];
	uint64_t value;
	memset(bytes, 0xff, sizeof(bytes));
	bytes[9] = 0x01;
	struct pb_reader reader = pb_reader_of(span_of(bytes, 10));
	assert_true(pb_read_varint(&reader, &value));
	assert_true(value == UINT64_MAX);
	bytes[9] = 0x02;
	reader = pb_reader_of(span_of(bytes, 10));
	assert_false(pb_read_varint(&reader, &value));
	bytes[9] = 0x81;
	bytes[10] = 0x00;
	reader = pb_reader_of(span_of(bytes, 11));
	assert_false(pb_read_varint(&reader, &value));
	assert_true(reader.has_failed);
}

/* As the page of the format has it: byte by byte. */
static size_t slow_varint(const uint8_t *bytes, size_t len, uint64_t *ret_value)
{
	*ret_value = 0;
	for (size_t i = 0; i < len && i < 10; i++) {
		if (i == 9 && bytes[i] > 1)
			return 0;
		*ret_value |= (uint64_t)(bytes[i] & 0x7f) << (7 * i);
		if (bytes[i] < 0x80)
			return i + 1;
	}
	return 0;
}

/* Runs of bytes with and without the high bit, of 0 to 11, so that each length ends at each place.
 */
static size_t make_run(struct rng *rng, uint8_t *to, size_t size)
{
	size_t len = rng_below(rng, size + 1);
	for (size_t i = 0; i < len;) {
		size_t high = rng_below(rng, rng_below(rng, 4) == 0 ? 12 : 4);
		for (; high > 0 && i < len; high--)
			to[i++] = (uint8_t)(0x80 | rng_next(rng));
		if (i < len)
			to[i++] = (uint8_t)(rng_below(rng, 3) == 0 ? rng_below(rng, 3)
								   : rng_next(rng) & 0x7f);
	}
	return len;
}

static void test_varints_are_read_as_byte_by_byte(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 7);
	for (int round = 0; round < 100000; round++) {
		uint8_t bytes[48];
		size_t len = make_run(&rng, bytes, sizeof(bytes));
		size_t at = 0;
		size_t count = 0;
		size_t longest = 0;
		size_t step = 1;
		for (; at < len && step > 0; at += step, count += step > 0) {
			uint64_t wanted;
			uint64_t value;
			step = slow_varint(bytes + at, len - at, &wanted);
			const uint8_t *end = pb_varint_at(bytes + at, bytes + len, &value);
			assert_ptr_equal(end, step > 0 ? bytes + at + step : NULL);
			assert_true(step == 0 || value == wanted);
			longest = step > longest ? step : longest;
		}
		size_t counted = 0;
		bool is_counted = pb_count_varints(span_of(bytes, len), &counted);
		assert_int_equal(is_counted, step > 0 && longest < 9);
		assert_int_equal(counted, is_counted ? count : 0);
	}
}

static void test_zigzag_maps_small_numbers_to_small_ones(void **state)
{
	(void)state;
	const int64_t values[] = {0, -1, 1, -2, 2, INT64_MAX, INT64_MIN};
	const uint64_t encoded[] = {0, 1, 2, 3, 4, UINT64_MAX - 1, UINT64_MAX};
	for (size_t i = 0; i < 7; i++) {
		assert_true(pb_zigzag_encode(values[i]) == encoded[i]);
		assert_true(pb_zigzag_decode(encoded[i]) == values[i]);
	}
}

static void test_fields_are_read_as_written(void **state)
{
	(void)state;
	struct buf buf = {0};
	pb_write_uint(&buf, 1, 300);
	pb_write_fixed32(&buf, 2, 0x01020304);
	pb_write_fixed64(&buf, 536870911, 0x0102030405060708u);
	pb_write_text(&buf, 4, "text");
	pb_write_message(&buf, 5, span_of(NULL, 0));
	struct pb_reader reader = pb_reader_of(span_of(buf.data, buf.len));
	struct pb_field field;
	assert_true(pb_read_field(&reader, &field));
	assert_int_equal(field.number, 1);
	assert_int_equal(field.wire, PB_VARINT);
	assert_int_equal(field.value, 300);
	assert_true(pb_read_field(&reader, &field));
	assert_int_equal(field.wire, PB_FIXED32);
	assert_int_equal(field.value, 0x01020304);
	assert_true(pb_read_field(&reader, &field));
	assert_int_equal(field.number, 536870911);
	assert_int_equal(field.wire, PB_FIXED64);
	assert_true(field.value == 0x0102030405060708u);
	assert_true(pb_read_field(&reader, &field));
	assert_true(span_is(field.bytes, "text"));
	assert_true(pb_read_field(&reader, &field));
	assert_int_equal(field.number, 5);
	assert_int_equal(field.bytes.len, 0);
	assert_false(pb_read_field(&reader, &field));
	assert_false(reader.has_failed);
	buf_fini(&buf);
}

static void test_zero_and_empty_are_left_out(void **state)
{
	(void)state;
	struct buf buf = {0};
	pb_write_uint(&buf, 1, 0);
	pb_write_fixed32(&buf, 2, 0);
	pb_write_fixed64(&buf, 3, 0);
	pb_write_bytes(&buf, 4, "", 0);
	pb_write_text(&buf, 5, NULL);
	pb_write_text(&buf, 6, "");
	assert_int_equal(buf.len, 0);
	buf_fini(&buf);
}

static void test_malformed_field_is_refused(void **state)
{
	(void)state;
	/* Number 0; number beyond 29 bits; groups; wire types 6 and 7; a length beyond the end;
	 * fixed ones cut off. */
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{"\x00\x01", 2},
		{"\x80\x80\x80\x80\x10\x01", 6},
		{"\x0b\x0c", 2},
		{"\x0c", 1},
		{"\x0e\x01", 2},
		{"\x0f\x01", 2},
		{"\x0a\x02x", 3},
		{"\x0d\x01\x02\x03", 4},
		{"\x09\x01\x02\x03\x04\x05\x06\x07", 8},
		{"\x0a", 1},
		{"\x08", 1},
		{"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pb_reader reader = pb_reader_of(span_of(cases[i].bytes, cases[i].len));
		struct pb_field field;
		assert_false(pb_read_field(&reader, &field));
		assert_true(reader.has_failed);
		assert_false(pb_read_field(&reader, &field));
	}
}

static void test_nothing_is_an_empty_message(void **state)
{
	(void)state;
	struct pb_reader reader = pb_reader_of(span_of(NULL, 0));
	struct pb_field field;
	assert_false(pb_read_field(&reader, &field));
	assert_false(reader.has_failed);
}

static void test_submessage_has_its_length_in_front_whatever_it_is(void **state)
{
	(void)state;
	static const size_t lens[] = {0, 1, 127, 128, 16383, 16384};
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct buf buf = {0};
		pb_write_uint(&buf, 1, 9);
		size_t mark = pb_begin(&buf, 2);
		for (size_t k = 0; k < lens[i]; k++)
			buf_add_byte(&buf, (uint8_t)k);
		pb_end(&buf, mark);
		pb_write_uint(&buf, 3, 8);
		struct pb_reader reader = pb_reader_of(span_of(buf.data, buf.len));
		struct pb_field field;
		assert_true(pb_read_field(&reader, &field));
		assert_true(pb_read_field(&reader, &field));
		assert_int_equal(field.bytes.len, lens[i]);
		for (size_t k = 0; k < lens[i]; k++)
			assert_int_equal(field.bytes.data[k], (uint8_t)k);
		assert_true(pb_read_field(&reader, &field));
		assert_int_equal(field.value, 8);
		buf_fini(&buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_varint_round_trips_at_every_length),
		cmocka_unit_test(test_varint_beyond_64_bits_is_refused),
		cmocka_unit_test(test_varints_are_read_as_byte_by_byte),
		cmocka_unit_test(test_zigzag_maps_small_numbers_to_small_ones),
		cmocka_unit_test(test_fields_are_read_as_written),
		cmocka_unit_test(test_zero_and_empty_are_left_out),
		cmocka_unit_test(test_malformed_field_is_refused),
		cmocka_unit_test(test_nothing_is_an_empty_message),
		cmocka_unit_test(test_submessage_has_its_length_in_front_whatever_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
