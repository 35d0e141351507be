/* The hash of the tables in memory: the same for the same bytes, another for others of any length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

static void test_hash_sees_every_byte_and_the_length(void **state)
{
	uint8_t bytes[40] = {0};
	(void)state;
	for (size_t len = 1; len <= sizeof(bytes); len++) {
		uint32_t hash = hash_bytes(7, bytes, len);
		assert_int_equal(hash_bytes(7, bytes, len), hash);
		assert_int_not_equal(hash_bytes(8, bytes, len), hash);
		assert_int_not_equal(hash_bytes(7, bytes, len - 1), hash);
		for (size_t i = 0; i < len; i++) {
			bytes[i] = 1;
			assert_int_not_equal(hash_bytes(7, bytes, len), hash);
			bytes[i] = 0;
		}
	}
}

/* Keys that differ in little fill the buckets of a table evenly: of 4,096 in as many the fullest
 * has not many. */
static void test_hash_spreads_keys_that_count(void **state)
{
	static uint8_t buckets[4096];
	(void)state;
	for (uint32_t i = 0; i < 4096; i++) {
		char key[40] = "lyceum.bench.v1.Reading.r0001.d";
		memcpy(key + 31, &i, sizeof(i));
		uint8_t *bucket = &buckets[hash_bytes(1, key, 35) % 4096];
		assert_true(++*bucket < 12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_sees_every_byte_and_the_length),
		cmocka_unit_test(test_hash_spreads_keys_that_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
