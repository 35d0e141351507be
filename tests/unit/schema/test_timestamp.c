/* Times and durations as text, to the borders of their range. */
#include "text_case.h"

#include "base/rng.h"
#include "schema/timestamp.h"

static void times(int64_t seconds, int32_t nanos, const char *text)
{
	struct buf out = {0};
	int64_t back = 0;
	int32_t back_nanos = 0;
	assert_true(timestamp_write(&out, seconds, nanos));
	assert_string_equal(buf_text(&out), text);
	assert_true(timestamp_read(span_of(text, strlen(text)), &back, &back_nanos));
	assert_int_equal(back, seconds);
	assert_int_equal(back_nanos, nanos);
	buf_fini(&out);
}

static void test_timestamp_covers_its_range(void **state)
{
	(void)state;
	times(TIMESTAMP_MIN_SECONDS, 0, "0001-01-01T00:00:00Z");
	times(TIMESTAMP_MAX_SECONDS, 999999999, "9999-12-31T23:59:59.999999999Z");
	times(0, 0, "1970-01-01T00:00:00Z");
	times(-1, 500000000, "1969-12-31T23:59:59.500Z");
	times(951782400, 1000, "2000-02-29T00:00:00.000001Z");
	struct buf out = {0};
	assert_false(timestamp_write(&out, TIMESTAMP_MAX_SECONDS + 1, 0));
	assert_false(timestamp_write(&out, TIMESTAMP_MIN_SECONDS - 1, 0));
	assert_false(timestamp_write(&out, 0, -1));
	assert_false(timestamp_write(&out, 0, 1000000000));
	assert_int_equal(out.len, 0);
}

static void test_timestamp_reads_what_it_wrote(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 3);
	for (int i = 0; i < 20000; i++) {
		uint64_t span = (uint64_t)(TIMESTAMP_MAX_SECONDS - TIMESTAMP_MIN_SECONDS);
		int64_t seconds = TIMESTAMP_MIN_SECONDS + (int64_t)rng_below(&rng, span);
		struct buf out = {0};
		int64_t back = 0;
		int32_t nanos = 0;
		assert_true(timestamp_write(&out, seconds, 7));
		assert_true(timestamp_read(span_of(out.data, out.len), &back, &nanos));
		assert_int_equal(back, seconds);
		buf_fini(&out);
	}
}

static void test_timestamp_refuses_no_times(void **state)
{
	(void)state;
	const char *texts[] = {"",
			       "2026-05-01",
			       "2026-05-01T09:30:00",
			       "2026-05-01t09:30:00Z",
			       "2026-05-01T09:30:60Z",
			       "2026-05-01T24:00:00Z",
			       "2026-13-01T00:00:00Z",
			       "2026-04-31T00:00:00Z",
			       "1900-02-29T00:00:00Z",
			       "0000-01-01T00:00:00Z",
			       "2026-05-01T09:30:00.Z",
			       "2026-05-01T09:30:00.1234567890Z",
			       "2026-05-01T09:30:00+1:00",
			       "2026-05-01T09:30:00Z ",
			       "0001-01-01T00:00:00+00:01",
			       "9999-12-31T23:59:59-00:01"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t seconds;
		int32_t nanos;
		assert_false(timestamp_read(span_of(texts[i], strlen(texts[i])), &seconds, &nanos));
	}
}

static void spans(int64_t seconds, int32_t nanos, const char *text)
{
	struct buf out = {0};
	int64_t back = 0;
	int32_t back_nanos = 0;
	assert_true(duration_write(&out, seconds, nanos));
	assert_string_equal(buf_text(&out), text);
	assert_true(duration_read(span_of(text, strlen(text)), &back, &back_nanos));
	assert_int_equal(back, seconds);
	assert_int_equal(back_nanos, nanos);
	buf_fini(&out);
}

static void test_duration_covers_its_range(void **state)
{
	(void)state;
	spans(0, 0, "0s");
	spans(0, -1, "-0.000000001s");
	spans(-3, -500000000, "-3.500s");
	spans(DURATION_MAX_SECONDS, 0, "315576000000s");
	spans(-DURATION_MAX_SECONDS, 0, "-315576000000s");
	struct buf out = {0};
	assert_false(duration_write(&out, 1, -1));
	assert_false(duration_write(&out, -1, 1));
	assert_false(duration_write(&out, DURATION_MAX_SECONDS + 1, 0));
	const char *texts[] = {
		"", "1", "s", ".5s", "1.s", "+1s", "1.0000000001s", "315576000001s", "1 s", "--1s"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t seconds;
		int32_t nanos;
		assert_false(duration_read(span_of(texts[i], strlen(texts[i])), &seconds, &nanos));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timestamp_covers_its_range),
		cmocka_unit_test(test_timestamp_reads_what_it_wrote),
		cmocka_unit_test(test_timestamp_refuses_no_times),
		cmocka_unit_test(test_duration_covers_its_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
