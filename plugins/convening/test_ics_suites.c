/*
 * Every file of three libraries' test data, broken ones among them: read in bounded time, and what
 * is read is written, read again and gives starts. They are not part of the project; LYCEUM_DATA or
 * ../shared/data holds them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ics.h"
#include "wall.h"

#define MAX_FILE_BYTES ((size_t)8 << 20)

static char folder[1000];
static struct zones *zones;
static size_t file_count;
static size_t event_count;
static size_t start_count;
static size_t written_count;
static double slowest_s;

static double now_s(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void try_starts(const struct ics_calendar *calendar)
{
	for (size_t i = 0; i < calendar->event_count; i++) {
		struct recurrence set;
		struct lyc_error error;
		int64_t *starts = NULL;
		size_t count = 0;
		bool has_more;
		if (ics_recurrence(&calendar->events[i], zones, &set, &error) ||
		    recurrence_list(&set, WALL_MIN, WALL_MAX, 100, &starts, &count, &has_more))
			continue;
		for (size_t j = 1; j < count; j++)
			assert_true(starts[j - 1] < starts[j]);
		start_count += count;
		free(starts);
	}
}

/* What can be written is, then, as stable as what we made ourselves. */
static void try_writing(const struct ics_calendar *calendar, const char *path)
{
	struct ics_calendar again = {0};
	struct lyc_error error = {0};
	char *one = NULL;
	char *two = NULL;
	size_t one_len = 0;
	size_t two_len = 0;
	if (ics_write(calendar, zones, &one, &one_len, &error)) {
		assert_true(error.text[0] != '\0');
		return;
	}
	if (ics_read(one, one_len, zones, &again, &error) ||
	    ics_write(&again, zones, &two, &two_len, &error))
		fail_msg("%s: %s", path, error.text);
	if (strcmp(one, two) != 0)
		fail_msg("%s: it is written\n%s\nand then\n%s", path, one, two);
	assert_int_equal(again.event_count, calendar->event_count);
	written_count++;
	free(one);
	free(two);
	ics_fini(&again);
}

static int try_file(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	struct ics_calendar calendar = {0};
	struct lyc_error error = {0};
	double started_s = now_s();
	char *text;
	size_t len;
	FILE *file;
	(void)stat;
	(void)at;
	if (kind != FTW_F)
		return 0;
	file = fopen(path, "rb");
	text = malloc(MAX_FILE_BYTES);
	assert_non_null(file);
	assert_non_null(text);
	len = fread(text, 1, MAX_FILE_BYTES, file);
	fclose(file);
	if (ics_read(text, len, zones, &calendar, &error) == LYC_OK) {
		event_count += calendar.event_count;
		try_starts(&calendar);
		try_writing(&calendar, path);
		ics_fini(&calendar);
	} else {
		assert_true(error.text[0] != '\0');
	}
	free(text);
	file_count++;
	if (now_s() - started_s > slowest_s)
		slowest_s = now_s() - started_s;
	return 0;
}

static void test_ics_reads_every_file(void **state)
{
	(void)state;
	assert_int_equal(nftw(folder, try_file, 16, FTW_PHYS), 0);
	printf("%zu files, %zu events, %zu starts, %zu calendars written again, slowest %.0f ms\n",
	       file_count, event_count, start_count, written_count, slowest_s * 1000);
	assert_true(file_count > 40);
	assert_true(event_count > 1000);
	assert_true(written_count > 15);
	assert_true(slowest_s < 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_ics_reads_every_file)};
	const char *data = getenv("LYCEUM_DATA");
	int code;
	snprintf(folder, sizeof(folder), "%s/icalendar_suites",
		 data ? data : SOURCE_ROOT "/../shared/data");
	if (access(folder, R_OK) != 0) {
		printf("skipped: %s is not there; set LYCEUM_DATA\n", folder);
		return 77;
	}
	zones = zones_new(NULL);
	code = zones ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	zones_free(zones);
	return code;
}
