/* A record written by hand is the record of the schema, and the other way round. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lyceum/v1/record.pb-c.h"
#include "stream/record.h"

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

static void test_record_is_what_the_schema_says(void **state)
{
	(void)state;
	struct record record = {
		.origin = text("wales"),
		.epoch = 12,
		.origin_seq = 345,
		.subject = text("a.b.C.wales.1"),
		.time_ms = 1700000000000u,
		.principal = text("ann@wales"),
		.body = text("body"),
		.body_crc = 0xdeadbeef,
		.schema = 0x0123456789abcdefu,
		.label = span_of("\x10\x03\x1a\x04nhsa", 8),
		.removed = true,
		.former = span_of("\x10\x02", 2),
		.was = {.epoch = 11, .seq = 340, .time_ms = 1600000000000u, .form = RECORD_CUT},
		.seal = 0xfedcba9876543210u,
		.mark = 0x1122334455667788u};
	struct buf bytes = {0};
	record_write(&bytes, &record);
	Lyceum__V1__Record *message = lyceum__v1__record__unpack(NULL, bytes.len, bytes.data);
	assert_non_null(message);
	assert_string_equal(message->origin, "wales");
	assert_int_equal(message->epoch, 12);
	assert_int_equal(message->origin_seq, 345);
	assert_string_equal(message->subject, "a.b.C.wales.1");
	assert_true(message->time_ms == 1700000000000u);
	assert_string_equal(message->principal, "ann@wales");
	assert_memory_equal(message->body.data, "body", 4);
	assert_int_equal(message->body_crc, 0xdeadbeef);
	assert_true(message->schema == 0x0123456789abcdefu);
	assert_int_equal(message->label->visibility, LYCEUM__V1__VISIBILITY__AUDIENCE);
	assert_string_equal(message->label->audience[0], "nhsa");
	assert_true(message->removed);
	assert_int_equal(message->former->visibility, LYCEUM__V1__VISIBILITY__MEMBERS);
	assert_int_equal(message->was->epoch, 11);
	assert_int_equal(message->was->seq, 340);
	assert_true(message->was->time_ms == 1600000000000u);
	assert_int_equal(message->was->form, LYCEUM__V1__IDENTITY__FORM__CUT);
	assert_true(message->seal == 0xfedcba9876543210u);
	assert_true(message->mark == 0x1122334455667788u);

	uint8_t *packed = malloc(lyceum__v1__record__get_packed_size(message));
	size_t len = lyceum__v1__record__pack(message, packed);
	struct record again;
	assert_int_equal(record_read(span_of(packed, len), &again), LYC_OK);
	assert_true(span_equal(again.origin, record.origin));
	assert_true(span_equal(again.body, record.body));
	assert_true(span_equal(again.label, record.label));
	assert_true(span_equal(again.former, record.former));
	assert_int_equal(again.origin_seq, 345);
	assert_int_equal(again.was.epoch, 11);
	assert_int_equal(again.was.seq, 340);
	assert_true(again.was.time_ms == 1600000000000u);
	assert_int_equal(again.was.form, RECORD_CUT);
	assert_true(again.seal == 0xfedcba9876543210u);
	assert_true(again.mark == 0x1122334455667788u);
	assert_int_equal(again.body_crc, 0xdeadbeef);
	assert_true(again.removed);
	free(packed);
	lyceum__v1__record__free_unpacked(message, NULL);
	buf_fini(&bytes);
}

static void assert_same_span(struct span a, struct span b)
{
	assert_ptr_equal(a.data, b.data);
	assert_int_equal(a.len, b.len);
}

/* What a record is moved to it borrows, as if it had been read there. */
static void test_record_moves_into_its_bytes(void **state)
{
	(void)state;
	struct record record = {.subject = text("a.b.C.wales.1"),
				.time_ms = 1700000000000u,
				.principal = text("ann@wales"),
				.body = text("body"),
				.body_crc = 0xdeadbeef,
				.schema = 0x0123456789abcdefu,
				.label = span_of("\x10\x03\x1a\x04nhsa", 8),
				.former = span_of("", 0),
				.was = {.seq = 340}, /* of no epoch: it is not written */
				.erase = true};
	struct record again;
	struct buf bytes = {0};
	buf_add_text(&bytes, "before");
	assert_true(record_move(&bytes, &record));
	assert_int_equal(record_read(span_of(bytes.data + 6, bytes.len - 6), &again), LYC_OK);
	assert_same_span(record.origin, again.origin);
	assert_same_span(record.subject, again.subject);
	assert_same_span(record.principal, again.principal);
	assert_same_span(record.body, again.body);
	assert_same_span(record.label, again.label);
	assert_same_span(record.former, again.former);
	assert_same_span(record.trace, again.trace);
	assert_int_equal(record.was.seq, again.was.seq);
	assert_true(record.time_ms == again.time_ms && record.schema == again.schema);
	assert_true(record.erase && again.erase && record.body_crc == again.body_crc);
	assert_memory_equal(record.body.data, "body", 4);
	buf_fini(&bytes);
}

static void test_record_refuses_what_it_cannot_read(void **state)
{
	(void)state;
	struct record record;
	/* No subject; a subject as a number; cut off. */
	assert_int_equal(record_read(span_of("", 0), &record), LYC_INVALID_ARGUMENT);
	assert_int_equal(record_read(span_of("\x20\x01", 2), &record), LYC_INVALID_ARGUMENT);
	assert_int_equal(record_read(span_of("\x22\x05"
					     "ab",
					     4),
				     &record),
			 LYC_INVALID_ARGUMENT);
	/* Fields of later versions are passed over. */
	assert_int_equal(record_read(span_of("\x22\x01"
					     "a"
					     "\xa0\x06\x01",
					     6),
				     &record),
			 LYC_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_is_what_the_schema_says),
		cmocka_unit_test(test_record_moves_into_its_bytes),
		cmocka_unit_test(test_record_refuses_what_it_cannot_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
