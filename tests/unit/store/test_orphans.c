/* Subjects that have lost their last record get the one before it, wherever that lies. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "store/orphans.h"
#include "temp_log.h"

#define RECORDS 100
#define SUBJECTS 7
#define GONE 1000

/* As after the removal of a record that was the subject's last. */
static void lose_last(struct temp_log *log, struct subject_index *orphans, const char *subject)
{
	subject_index_find(&log->store->subjects, text_span(subject))->last_seq = GONE;
	assert_true(subject_index_add(orphans, text_span(subject), GONE, 1));
}

static void test_orphans_get_the_last_record_that_is_left(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(1024);
	struct subject_index orphans = {0};
	temp_log_open(log);
	uint64_t early = temp_log_append(log, "t.early", "in the first segment");
	for (int i = 0; i < RECORDS; i += 10)
		temp_log_fill(log, 10, SUBJECTS);
	assert_true(store_count_segments(log->store) > 3);
	uint64_t last = temp_log_last_of(log, "t.s3");
	uint64_t other = temp_log_last_of(log, "t.s4");
	lose_last(log, &orphans, "t.early");
	lose_last(log, &orphans, "t.s3");
	/* And one that has got a record since. */
	assert_true(subject_index_add(&orphans, text_span("t.s4"), GONE, 1));
	assert_int_equal(orphans_settle(log->store, &orphans, NULL), LYC_OK);
	assert_int_equal(temp_log_last_of(log, "t.early"), early);
	assert_int_equal(temp_log_last_of(log, "t.s3"), last);
	assert_int_equal(temp_log_last_of(log, "t.s4"), other);
	assert_int_equal(orphans.count, 0);
	subject_index_fini(&orphans);
	temp_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orphans_get_the_last_record_that_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
