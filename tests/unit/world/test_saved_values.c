/* Values on their way to the disk: the newest of a key, the oldest key first, none forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "temp_log.h"
#include "world/saved_values.h"

static bool has(const struct saved_values *values, const char *key, const char *content)
{
	struct buf value = {0};
	bool is_there = saved_values_find(values, key, &value) &&
			span_is(span_of(value.data, value.len), content);
	buf_fini(&value);
	return is_there;
}

static bool is_stored(struct temp_log *log, const char *key, const char *content)
{
	struct buf value = {0};
	bool is_there = store_get_meta(log->store, key, &value) == LYC_OK &&
			span_is(span_of(value.data, value.len), content);
	buf_fini(&value);
	return is_there;
}

static void test_saved_values_write_the_newest_of_each_key(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(8192);
	struct saved_values values = {0};
	struct buf none = {0};
	temp_log_open(log);
	assert_false(saved_values_are_due(&values, false));
	assert_false(saved_values_find(&values, "a", &none));
	saved_values_add(&values, "a", text_span("1"));
	saved_values_add(&values, "b", text_span("2"));
	saved_values_add(&values, "a", text_span("3"));
	for (int i = 0; i < 2; i++) {
		assert_true(saved_values_are_due(&values, false));
		const struct saved_value *value = saved_values_begin(&values);
		/* On its way it is still known. */
		assert_true(has(&values, "a", "3") == (i == 0));
		assert_true(has(&values, "b", "2"));
		assert_true(saved_value_write(value, log->store));
		saved_values_end(&values, true, false);
	}
	assert_false(saved_values_are_due(&values, true));
	assert_true(is_stored(log, "a", "3"));
	assert_true(is_stored(log, "b", "2"));
	/* An empty one removes. */
	saved_values_add(&values, "a", span_of(NULL, 0));
	assert_true(saved_value_write(saved_values_begin(&values), log->store));
	saved_values_end(&values, true, false);
	assert_int_equal(store_get_meta(log->store, "a", &none), LYC_NOT_FOUND);
	buf_fini(&none);
	temp_log_free(log);
}

static void test_saved_values_wait_where_the_disk_takes_none(void **state)
{
	(void)state;
	struct saved_values values = {0};
	saved_values_add(&values, "a", text_span("1"));
	(void)saved_values_begin(&values);
	saved_values_end(&values, false, false);
	assert_true(has(&values, "a", "1"));
	assert_false(saved_values_are_due(&values, false));
	/* A newer one has come meanwhile. */
	assert_true(saved_values_are_due(&values, true));
	(void)saved_values_begin(&values);
	saved_values_add(&values, "a", text_span("2"));
	saved_values_end(&values, false, false);
	assert_true(has(&values, "a", "2"));
	/* At the end it is tried once more, and given up. */
	(void)saved_values_begin(&values);
	saved_values_end(&values, false, true);
	assert_false(saved_values_are_due(&values, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_saved_values_write_the_newest_of_each_key),
		cmocka_unit_test(test_saved_values_wait_where_the_disk_takes_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
