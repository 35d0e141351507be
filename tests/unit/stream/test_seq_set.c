/* A set of sequences, compared with a table of all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "stream/seq_set.h"

#define EPOCHS 3
#define SEQS 200

static void test_seq_set_holds_what_was_added_and_nothing_else(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct rng rng;
		struct seq_set set = {0};
		bool expected[EPOCHS][SEQS] = {0};
		rng_init(&rng, seed);
		for (int i = 0; i < 300; i++) {
			uint64_t epoch = rng_below(&rng, EPOCHS);
			uint64_t seq = rng_below(&rng, SEQS);
			seq_set_add(&set, epoch, seq);
			expected[epoch][seq] = true;
		}
		for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
			for (uint64_t seq = 0; seq < SEQS; seq++)
				assert_int_equal(seq_set_has(&set, epoch, seq),
						 expected[epoch][seq]);
		}
		seq_set_fini(&set);
	}
}

static void test_seq_set_keeps_a_row_as_one_run(void **state)
{
	(void)state;
	struct seq_set set = {0};
	for (uint64_t seq = 1; seq <= 1000; seq += 2)
		seq_set_add(&set, 7, seq);
	assert_int_equal(set.count, 500);
	for (uint64_t seq = 1000; seq > 0; seq -= 2)
		seq_set_add(&set, 7, seq);
	assert_int_equal(set.count, 1);
	seq_set_add(&set, 8, 1001);
	assert_int_equal(set.count, 2);
	seq_set_add(&set, 7, UINT64_MAX);
	assert_true(seq_set_has(&set, 7, UINT64_MAX));
	seq_set_fini(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seq_set_holds_what_was_added_and_nothing_else),
		cmocka_unit_test(test_seq_set_keeps_a_row_as_one_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
