/* Last sequence and count per subject, beside a plain array that does the same. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/rng.h"
#include "store/subject_index.h"
#include "temp_log.h"

#define SUBJECTS 3000

static void test_subject_index_agrees_with_an_array(void **state)
{
	(void)state;
	static uint64_t last[SUBJECTS];
	static uint32_t count[SUBJECTS];
	struct subject_index index = {0};
	struct rng rng;
	size_t live = 0;
	rng_init(&rng, 11);
	for (uint64_t seq = 1; seq <= 100000; seq++) {
		size_t at = (size_t)rng_below(&rng, SUBJECTS);
		char name[32];
		snprintf(name, sizeof(name), "t.subject.%zu", at);
		if (rng_below(&rng, 2) == 0) {
			assert_true(subject_index_add(&index, text_span(name), seq, 1));
			live += count[at]++ == 0;
			last[at] = seq;
		} else {
			subject_index_remove(&index, text_span(name));
			if (count[at] > 0)
				live -= --count[at] == 0;
		}
		assert_int_equal(index.count, live);
	}
	for (size_t i = 0; i < SUBJECTS; i++) {
		char name[32];
		snprintf(name, sizeof(name), "t.subject.%zu", i);
		const struct subject_entry *entry = subject_index_find(&index, text_span(name));
		assert_int_equal(entry != NULL, count[i] > 0);
		if (!entry)
			continue;
		assert_int_equal(entry->last_seq, last[i]);
		assert_int_equal(entry->count, count[i]);
		assert_true(span_is(subject_entry_name(entry), name));
	}
	subject_index_fini(&index);
}

static void test_subject_index_needs_no_memory_after_a_reserve(void **state)
{
	(void)state;
	struct subject_index index = {0};
	assert_true(subject_index_reserve(&index, 500, 500 * 10));
	const struct subject_entry *entries = index.entries;
	const struct subject_block *blocks = index.blocks;
	for (int i = 0; i < 500; i++) {
		char name[16];
		snprintf(name, sizeof(name), "subject%03d", i);
		assert_true(subject_index_add(&index, text_span(name), 1, 1));
	}
	assert_ptr_equal(index.entries, entries);
	assert_ptr_equal(index.blocks, blocks);
	subject_index_fini(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subject_index_agrees_with_an_array),
		cmocka_unit_test(test_subject_index_needs_no_memory_after_a_reserve),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
