/* The log's threads: answers come in order, and a disk that is full is said once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "log.h"
#include "temp_log.h"
#include "world/log_threads.h"

#define SEGMENT_LEN 16384
#define BIG_LEN 20000

static uv_loop_t loop;
static struct temp_log *log_folder;
static struct log_threads *threads;
static int pending;
static enum lyc_status last_status;

static void appended(struct append *append)
{
	pending--;
	last_status = append->status;
	buf_fini(&append->subject);
	buf_fini(&append->record);
	free(append);
}

/* `count` records of this length, each in a group of its own. */
static void append_all(int count, size_t len)
{
	for (int i = 0; i < count; i++) {
		struct append *append = mem_new(struct append);
		buf_add_text(&append->subject, "a.x");
		buf_reserve(&append->record, len);
		memset(append->record.data, 'x', len);
		append->record.len = len;
		append->on_done = appended;
		pending++;
		log_threads_append(threads, append);
		log_threads_flush(threads);
		while (pending > 0)
			uv_run(&loop, UV_RUN_ONCE);
	}
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;
	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		count++;
	return count;
}

static void test_log_threads_say_once_that_the_disk_is_full_and_that_it_goes_on(void **state)
{
	(void)state;
	struct rlimit old;
	static char said[8192];
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	assert_non_null(file);
	append_all(1, 100);
	assert_int_equal(last_status, LYC_OK);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	/* The process's own limit of a file's length stands for the full disk. */
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	struct rlimit low = {.rlim_cur = SEGMENT_LEN, .rlim_max = old.rlim_max};
	setrlimit(RLIMIT_FSIZE, &low);
	append_all(3, BIG_LEN);
	enum lyc_status full = last_status;
	setrlimit(RLIMIT_FSIZE, &old);
	append_all(3, BIG_LEN);
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);
	said[fread(said, 1, sizeof(said) - 1, file)] = '\0';
	fclose(file);
	assert_int_equal(full, LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(last_status, LYC_OK);
	assert_int_equal(count_of(said, "error   log: the log takes no records"), 1);
	assert_int_equal(count_of(said, log_folder->folder), 1);
	assert_int_equal(count_of(said, "notice  log: the log takes records again"), 1);
	assert_int_equal(count_of(said, "\n"), 2);
}

static void test_log_threads_write_a_value_when_the_disk_has_room_again(void **state)
{
	(void)state;
	struct rlimit old;
	struct buf value = {0};
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	struct rlimit low = {.rlim_cur = 2, .rlim_max = old.rlim_max};
	setrlimit(RLIMIT_FSIZE, &low);
	log_threads_save(threads, "position", text_span("17"));
	log_threads_save(threads, "other", text_span("1"));
	/* It is tried, and not forgotten. */
	for (int i = 0; i < 20; i++)
		usleep(1000);
	assert_true(log_threads_saved(threads, "position", &value));
	assert_int_equal(store_get_meta(log_folder->store, "position", &value), LYC_NOT_FOUND);
	log_threads_save(threads, "position", text_span("18"));
	setrlimit(RLIMIT_FSIZE, &old);
	buf_clear(&value);
	for (int i = 0;
	     i < 10000 && store_get_meta(log_folder->store, "position", &value) != LYC_OK; i++)
		usleep(1000);
	assert_true(span_is(span_of(value.data, value.len), "18"));
	buf_fini(&value);
}

static int setup(void **state)
{
	struct lyc_error error;
	(void)state;
	log_configure(LOG_TEXT, LOG_NOTICE, "test");
	uv_loop_init(&loop);
	log_folder = temp_log_new(SEGMENT_LEN);
	temp_log_open(log_folder);
	return log_threads_start(&loop, log_folder->store, &threads, &error) == LYC_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	log_threads_stop(threads);
	temp_log_free(log_folder);
	return uv_loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_log_threads_say_once_that_the_disk_is_full_and_that_it_goes_on, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_log_threads_write_a_value_when_the_disk_has_room_again, setup,
			teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
