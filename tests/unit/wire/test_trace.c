/* W3C trace context: what is taken for one, and what is made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/trace.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define GOOD "00-" ID "-00f067aa0ba902b7-01"

static bool is_good(const char *text)
{
	struct trace trace;
	return trace_read(span_of(text, strlen(text)), &trace);
}

static void test_trace_is_written_as_it_was_read(void **state)
{
	(void)state;
	struct trace trace;
	char text[TRACE_TEXT_LEN + 1];
	char id[TRACE_ID_LEN + 1];
	assert_true(trace_read(span_of(GOOD, strlen(GOOD)), &trace));
	assert_int_equal(trace.high, 0x4bf92f3577b34da6u);
	assert_int_equal(trace.low, 0xa3ce929d0e0e4736u);
	assert_int_equal(trace.span, 0x00f067aa0ba902b7u);
	assert_int_equal(trace.flags, TRACE_SAMPLED);
	struct span written = trace_write(&trace, text);
	assert_int_equal(written.len, TRACE_TEXT_LEN);
	assert_string_equal(text, GOOD);
	trace_write_id(&trace, id);
	assert_string_equal(id, ID);
}

static void test_trace_malformed_is_none(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		ID,
		"00-" ID "-00f067aa0ba902b7-0",
		"00-" ID "-00f067aa0ba902b7-01-",
		"00-" ID "-00f067aa0ba902b7-01x",
		"ff-" ID "-00f067aa0ba902b7-01",
		"00-" ID "-00F067AA0BA902B7-01",
		"00-" ID "-0000000000000000-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00_" ID "-00f067aa0ba902b7-01",
		"00-" ID "-00f067aa0ba902bg-01",
		"01-" ID "-00f067aa0ba902b7-01x",
	};
	assert_true(is_good(GOOD));
	assert_true(is_good("00-" ID "-00f067aa0ba902b7-00"));
	/* A later version is read as far as this one goes. */
	assert_true(is_good("01-" ID "-00f067aa0ba902b7-01-more"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (is_good(bad[i]))
			fail_msg("taken for a traceparent: %s", bad[i]);
	}
}

static void test_trace_next_hop_has_a_span_of_its_own(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 7);
	struct trace first = trace_begin(&rng);
	struct trace next = trace_next(&first, 0);
	struct trace other = trace_begin(&rng);
	char text[TRACE_TEXT_LEN + 1];
	assert_int_equal(first.flags, TRACE_SAMPLED);
	assert_true(is_good((const char *)trace_write(&first, text).data));
	assert_true(is_good((const char *)trace_write(&next, text).data));
	assert_true(trace_is_same(&first, &next));
	assert_false(first.span == next.span);
	assert_false(trace_is_same(&first, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace_is_written_as_it_was_read),
		cmocka_unit_test(test_trace_malformed_is_none),
		cmocka_unit_test(test_trace_next_hop_has_a_span_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
