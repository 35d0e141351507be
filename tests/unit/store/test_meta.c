/* Small values beside the log: replaced as a whole, kept, checked. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "temp_log.h"

static void test_meta_keeps_the_last_value(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	struct buf value = {0};
	temp_log_open(log);
	assert_int_equal(store_get_meta(log->store, "position.a", &value), LYC_NOT_FOUND);
	assert_int_equal(store_put_meta(log->store, "position.a", text_span("one"), NULL), LYC_OK);
	assert_int_equal(store_put_meta(log->store, "position.a", text_span("second"), NULL),
			 LYC_OK);
	assert_int_equal(store_put_meta(log->store, "empty", text_span(""), NULL), LYC_OK);
	temp_log_reopen(log);
	assert_int_equal(store_get_meta(log->store, "position.a", &value), LYC_OK);
	assert_true(span_is(span_of(value.data, value.len), "second"));
	assert_int_equal(store_get_meta(log->store, "empty", &value), LYC_OK);
	assert_int_equal(value.len, 6);
	buf_fini(&value);
	temp_log_free(log);
}

static void test_meta_removes_and_counts(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	struct buf value = {0};
	temp_log_open(log);
	assert_int_equal(store_count_meta(log->store, "position."), 0);
	assert_int_equal(store_put_meta(log->store, "position.a", text_span("a"), NULL), LYC_OK);
	assert_int_equal(store_put_meta(log->store, "position.b", text_span("b"), NULL), LYC_OK);
	assert_int_equal(store_put_meta(log->store, "positio", text_span("c"), NULL), LYC_OK);
	assert_int_equal(store_count_meta(log->store, "position."), 2);
	assert_true(store_has_meta(log->store, "position.b"));
	assert_false(store_has_meta(log->store, "position."));
	assert_int_equal(store_remove_meta(log->store, "position.a", NULL), LYC_OK);
	assert_int_equal(store_remove_meta(log->store, "position.a", NULL), LYC_OK);
	assert_int_equal(store_remove_meta(log->store, "../LOCK", NULL), LYC_INVALID_ARGUMENT);
	assert_int_equal(store_count_meta(log->store, "position."), 1);
	assert_false(temp_log_has(log, "meta/position.a"));
	assert_int_equal(store_get_meta(log->store, "position.a", &value), LYC_NOT_FOUND);
	assert_int_equal(store_get_meta(log->store, "position.b", &value), LYC_OK);
	buf_fini(&value);
	temp_log_free(log);
}

static void test_meta_refuses_a_key_that_is_no_file_name(void **state)
{
	(void)state;
	static const char *const keys[] = {"", ".", "..", ".hidden", "a/b", "A", "a~", "a b"};
	struct temp_log *log = temp_log_new(0);
	struct buf value = {0};
	temp_log_open(log);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct lyc_error error = {0};
		assert_int_equal(store_put_meta(log->store, keys[i], text_span("x"), &error),
				 LYC_INVALID_ARGUMENT);
		assert_int_equal(store_get_meta(log->store, keys[i], &value), LYC_INVALID_ARGUMENT);
	}
	buf_fini(&value);
	temp_log_free(log);
}

static void test_meta_tells_a_damaged_value(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	struct buf value = {0};
	temp_log_open(log);
	assert_int_equal(store_put_meta(log->store, "key", text_span("value"), NULL), LYC_OK);
	struct buf file = {0};
	temp_log_load(log, "meta/key", &file);
	file.data[file.len - 1] ^= 1;
	temp_log_save(log, "meta/key", span_of(file.data, file.len));
	assert_int_equal(store_get_meta(log->store, "key", &value), LYC_DATA_LOSS);
	temp_log_save(log, "meta/key", span_of(file.data, 2));
	assert_int_equal(store_get_meta(log->store, "key", &value), LYC_DATA_LOSS);
	assert_int_equal(value.len, 0);
	buf_fini(&file);
	temp_log_free(log);
}

static void flip_last(const struct temp_log *log, const char *name)
{
	struct buf bytes = {0};
	temp_log_load(log, name, &bytes);
	bytes.data[bytes.len - 1] ^= 1;
	temp_log_save(log, name, span_of(bytes.data, bytes.len));
	buf_fini(&bytes);
}

static void take_key(const char *key, void *arg)
{
	struct buf *keys = arg;
	buf_add_format(keys, "%s ", key);
}

static void assert_damaged(struct temp_log *log, const char *expected)
{
	struct buf keys = {0};
	store_damaged_meta(log->store, take_key, &keys);
	assert_string_equal(keys.len > 0 ? buf_text(&keys) : "", expected);
	buf_fini(&keys);
}

static void test_meta_that_is_damaged_is_named_until_it_is_removed(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	struct buf value = {0};
	temp_log_open(log);
	assert_int_equal(store_put_meta(log->store, "position.a", text_span("secret"), NULL),
			 LYC_OK);
	assert_int_equal(store_put_meta(log->store, "position.b", text_span("b"), NULL), LYC_OK);
	assert_int_equal(store_put_meta(log->store, STORE_SUMMARY_KEY, text_span("s"), NULL),
			 LYC_OK);
	assert_false(store_meta_was_damaged(log->store, "position.a"));
	flip_last(log, "meta/position.a");
	flip_last(log, "meta/" STORE_SUMMARY_KEY);
	store_check_meta(log->store);
	assert_damaged(log, "position.a ");
	assert_true(store_meta_was_damaged(log->store, "position.a"));
	assert_false(store_meta_was_damaged(log->store, "position.b"));
	assert_int_equal(store_count_meta(log->store, "position."), 1);
	/* Nothing of what it said is kept. */
	assert_false(temp_log_contains(log, "secre"));
	temp_log_reopen(log);
	assert_int_equal(store_get_meta(log->store, "position.a", &value), LYC_NOT_FOUND);
	assert_true(store_meta_was_damaged(log->store, "position.a"));
	/* The summary is a shortcut. */
	assert_int_equal(store_get_meta(log->store, STORE_SUMMARY_KEY, &value), LYC_DATA_LOSS);
	assert_damaged(log, "position.a ");
	/* A new value: it is whole, and the mark stays for the operator. */
	assert_int_equal(store_put_meta(log->store, "position.a", text_span("new"), NULL), LYC_OK);
	assert_false(store_meta_was_damaged(log->store, "position.a"));
	assert_damaged(log, "position.a ");
	assert_int_equal(store_remove_meta(log->store, "position.a", NULL), LYC_OK);
	assert_damaged(log, "");
	buf_fini(&value);
	temp_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meta_that_is_damaged_is_named_until_it_is_removed),
		cmocka_unit_test(test_meta_keeps_the_last_value),
		cmocka_unit_test(test_meta_removes_and_counts),
		cmocka_unit_test(test_meta_refuses_a_key_that_is_no_file_name),
		cmocka_unit_test(test_meta_tells_a_damaged_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
