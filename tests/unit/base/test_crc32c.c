/* CRC-32C: the vectors of RFC 3720, and the instruction against the table. Both are inner
 * functions, so the source itself is included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

/* The library has one of this name already. */
#define crc32c crc32c_here
#include "base/crc32c.c"

/* RFC 3720, appendix B.4. */
static void test_crc32c_of_the_standard_vectors(void **state)
{
	(void)state;
	uint8_t bytes[32];
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(crc32c(0, bytes, 32), 0x46dd794e);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(31 - i);
	assert_int_equal(crc32c(0, bytes, 32), 0x113fdb5c);
	static const uint8_t read_command[48] = {
		0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
		0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	assert_int_equal(crc32c(0, read_command, 48), 0xd9963a56);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, NULL, 0), 0);
	assert_int_equal(~by_table(~0u, (const uint8_t *)"123456789", 9), 0xe3069283);
}

static void test_crc32c_goes_on_where_it_ended(void **state)
{
	(void)state;
	static const char text[] = "a record, its length and its checksum";
	uint32_t whole = crc32c(0, text, sizeof(text));
	for (size_t cut = 0; cut <= sizeof(text); cut++)
		assert_int_equal(crc32c(crc32c(0, text, cut), text + cut, sizeof(text) - cut),
				 whole);
}

static void test_crc32c_by_instruction_is_that_by_table(void **state)
{
	(void)state;
#if defined(__x86_64__)
	if (!__builtin_cpu_supports("sse4.2"))
		skip();
	struct rng rng;
	rng_init(&rng, 1);
	uint8_t bytes[300];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rng_next(&rng);
	for (size_t from = 0; from < 9; from++) {
		for (size_t len = 0; len + from <= sizeof(bytes); len++) {
			uint32_t start = (uint32_t)rng_next(&rng);
			assert_int_equal(by_instruction(start, bytes + from, len),
					 by_table(start, bytes + from, len));
		}
	}
#else
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc32c_of_the_standard_vectors),
		cmocka_unit_test(test_crc32c_goes_on_where_it_ended),
		cmocka_unit_test(test_crc32c_by_instruction_is_that_by_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
