/* The progress line is for a terminal only. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "import/progress.h"

static const struct progress_state halfway = {
	.rows = 100, .items = 20, .items_total = 40, .refused = 3};

static void test_progress_draws_on_a_terminal(void **state)
{
	(void)state;
	char seen[512] = "";
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	FILE *terminal = fopen(ptsname(master), "w");
	assert_non_null(terminal);
	struct progress progress;
	progress_init(&progress, terminal);
	progress_show(&progress, &halfway);
	progress_show(&progress, &halfway);
	progress_clear(&progress);
	fclose(terminal);
	assert_true(read(master, seen, sizeof(seen) - 1) > 0);
	close(master);
	assert_non_null(strstr(seen, "[############............] 100 rows, 20 of 40 items, "
				     "3 refused, "));
}

static void test_progress_is_silent_elsewhere(void **state)
{
	(void)state;
	FILE *file = tmpfile();
	assert_non_null(file);
	struct progress progress;
	progress_init(&progress, file);
	progress_show(&progress, &halfway);
	progress_clear(&progress);
	fflush(file);
	assert_int_equal(ftell(file), 0);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_progress_draws_on_a_terminal),
		cmocka_unit_test(test_progress_is_silent_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
