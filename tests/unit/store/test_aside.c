/* Files kept aside: named after what they were, counted, and gone with what is erased. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "store/aside.h"
#include "temp_log.h"

static void test_aside_keeps_a_file_until_its_segment_is_forgotten(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(8192);
	struct segment_folder folder = {0};
	const char *names[] = {"00000000000000000001.log", "00000000000000000101.log"};
	char kept[ASIDE_NAME_LEN];
	assert_int_equal(segment_folder_open(&folder, log->folder, NULL), LYC_OK);
	for (uint32_t i = 0; i < 2; i++) {
		struct segment segment = {.folder = &folder, .generation = 7 + i};
		temp_log_save(log, names[i], text_span("damaged"));
		segment_name(i == 0 ? 1 : 101, ".log", segment.name);
		assert_string_equal(segment.name, names[i]);
		aside_name(&segment, kept);
		assert_int_equal(aside_keep(&segment, kept, NULL), LYC_OK);
		/* A crash may have come in between. */
		assert_int_equal(aside_keep(&segment, kept, NULL), LYC_OK);
	}
	assert_string_equal(kept, "00000000000000000101.log.damaged-8");
	assert_int_equal(aside_count(&folder), 2);
	assert_int_equal(aside_forget(&folder, 1, NULL), LYC_OK);
	assert_int_equal(aside_count(&folder), 1);
	assert_true(temp_log_has(log, kept));
	assert_true(temp_log_has(log, names[0]));
	assert_false(temp_log_has(log, "00000000000000000001.log.damaged-7"));
	assert_int_equal(aside_forget(&folder, 101, NULL), LYC_OK);
	assert_int_equal(aside_count(&folder), 0);
	/* One that cannot be deleted is named. */
	struct lyc_error error = {0};
	char path[160];
	snprintf(path, sizeof(path), "%s/00000000000000000001.log.damaged-9", log->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_not_equal(aside_forget(&folder, 0, &error), LYC_OK);
	assert_non_null(strstr(error.text, "00000000000000000001.log.damaged-9"));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(aside_forget(&folder, 0, NULL), LYC_OK);
	segment_folder_fini(&folder);
	temp_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aside_keeps_a_file_until_its_segment_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
