/*
 * One flipped bit in every byte of every file of a small log, sealed and open segments,
 * checkpoints, digest and state: the log opens, and each record is read exactly or named; with a
 * whole copy it is as before, and with anything else it is not.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/embedded.h"
#include "temp_log.h"

#define SEGMENT_LEN 1024
#define RECORDS 60
#define SUBJECTS 7
#define MAX_FILES 32

/* The log as it was, file by file. */
struct whole {
	struct temp_log *log;
	char names[MAX_FILES][40];
	struct buf contents[MAX_FILES];
	size_t count;
	struct temp_records *records;
};

static void load_files(struct whole *whole)
{
	DIR *dir = opendir(whole->log->folder);
	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (entry->d_type != DT_REG || strcmp(entry->d_name, "lock") == 0 ||
		    strcmp(entry->d_name, "reserve") == 0)
			continue;
		assert_true(whole->count < MAX_FILES);
		snprintf(whole->names[whole->count], 40, "%.39s", entry->d_name);
		temp_log_load(whole->log, entry->d_name, &whole->contents[whole->count++]);
	}
	closedir(dir);
}

/* Three batches and more to a segment, a removed record, closed properly. */
static void whole_init(struct whole *whole)
{
	*whole = (struct whole){.log = temp_log_new(SEGMENT_LEN)};
	temp_log_open(whole->log);
	for (int i = 0; i < RECORDS; i += 4)
		temp_log_fill(whole->log, 4, SUBJECTS);
	uint64_t gone[] = {6, 7, 30};
	assert_int_equal(store_remove(whole->log->store, gone, 3, NULL), LYC_OK);
	whole->records = temp_log_read(whole->log, 1);
	temp_log_close(whole->log);
	load_files(whole);
}

static void whole_fini(struct whole *whole)
{
	for (size_t i = 0; i < whole->count; i++)
		buf_fini(&whole->contents[i]);
	free(whole->records);
	temp_log_free(whole->log);
}

static bool is_of_whole(const struct whole *whole, const char *name)
{
	for (size_t i = 0; i < whole->count; i++) {
		if (strcmp(whole->names[i], name) == 0)
			return true;
	}
	return strcmp(name, "lock") == 0 || strcmp(name, "reserve") == 0;
}

/* A new epoch has made files, too. */
static void delete_others(const struct whole *whole, const char *below)
{
	char path[120];
	snprintf(path, sizeof(path), "%s%s", whole->log->folder, below);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (entry->d_type == DT_REG && !is_of_whole(whole, entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
}

static void restore(const struct whole *whole)
{
	delete_others(whole, "");
	delete_others(whole, "/meta");
	for (size_t i = 0; i < whole->count; i++)
		temp_log_save(whole->log, whole->names[i],
			      span_of(whole->contents[i].data, whole->contents[i].len));
}

/* Open with `len` bytes of a file damaged, and look through all of it, as a scrub does. */
static void open_damaged(const struct whole *whole, size_t file, size_t at, size_t len,
			 uint8_t flip)
{
	struct buf bytes = {0};
	bool was_damaged;
	struct lyc_error error = {0};
	restore(whole);
	buf_add(&bytes, whole->contents[file].data, whole->contents[file].len);
	for (size_t i = at; i < at + len && i < bytes.len; i++)
		bytes.data[i] ^= flip;
	temp_log_save(whole->log, whole->names[file], span_of(bytes.data, bytes.len));
	buf_fini(&bytes);
	temp_log_open(whole->log);
	assert_int_equal(store_mend(whole->log->store, 1, UINT64_MAX, &was_damaged, &error),
			 LYC_OK);
}

struct lost_list {
	uint64_t seqs[RECORDS];
	size_t count;
};

static void list_lost(uint64_t first_seq, uint64_t last_seq, struct span details, void *arg)
{
	struct lost_list *list = arg;
	(void)details;
	for (uint64_t seq = first_seq; seq <= last_seq && list->count < RECORDS; seq++)
		list->seqs[list->count++] = seq;
}

static const struct temp_record *record_of(const struct whole *whole, uint64_t seq)
{
	for (size_t i = 0; i < whole->records->count; i++) {
		if (whole->records->items[i].seq == seq)
			return &whole->records->items[i];
	}
	return NULL;
}

/* Give all that is lost back, changed by one letter when is_wrong; how many are taken. */
static size_t heal(const struct whole *whole, bool is_wrong)
{
	struct lost_list lost = {0};
	struct store_healed healed[RECORDS] = {0};
	char texts[RECORDS][64];
	size_t count = 0;
	size_t taken = 0;
	store_lost(whole->log->store, list_lost, &lost);
	for (size_t i = 0; i < lost.count; i++) {
		const struct temp_record *record = record_of(whole, lost.seqs[i]);
		if (!record)
			continue; /* of the removed ones nothing is there to give */
		snprintf(texts[count], 64, "%s", record->record);
		if (is_wrong)
			texts[count][0] ^= 1;
		healed[count].seq = record->seq;
		healed[count].subject = text_span(record->subject);
		healed[count].record = text_span(texts[count]);
		count++;
	}
	assert_int_equal(store_heal(whole->log->store, healed, count, NULL), LYC_OK);
	for (size_t i = 0; i < count; i++)
		taken += healed[i].ret_status == LYC_OK;
	return taken;
}

static bool is_segment(const char *name)
{
	return strstr(name, ".log") != NULL;
}

static void assert_last_seqs(const struct whole *whole)
{
	char subject[16];
	for (int i = 0; i < SUBJECTS; i++) {
		uint64_t last = 0;
		snprintf(subject, sizeof(subject), "t.s%d", i);
		for (size_t k = 0; k < whole->records->count; k++) {
			if (strcmp(whole->records->items[k].subject, subject) == 0)
				last = whole->records->items[k].seq;
		}
		assert_int_equal(temp_log_last_of(whole->log, subject), last);
	}
}

static void test_damage_of_one_bit_anywhere_is_named_and_healed(void **state)
{
	(void)state;
	struct whole whole;
	whole_init(&whole);
	size_t named_count = 0;
	for (size_t file = 0; file < whole.count; file++) {
		for (size_t at = 0; at < whole.contents[file].len; at++) {
			open_damaged(&whole, file, at, 1, (uint8_t)(1u << (at % 8)));
			size_t named = temp_log_check(whole.log, whole.records);
			/* Headers, checkpoints, digest and state can be made again. */
			assert_true(named <= (is_segment(whole.names[file]) && at >= 64));
			named_count += named;
			size_t wrong = heal(&whole, true);
			if (wrong != 0)
				fail_msg("%s at %zu: a wrong record is taken", whole.names[file],
					 at);
			assert_int_equal(temp_log_check(whole.log, whole.records), named);
			assert_int_equal(heal(&whole, false), named);
			assert_int_equal(temp_log_check(whole.log, whole.records), 0);
			assert_last_seqs(&whole);
			temp_log_reopen(whole.log);
			assert_int_equal(temp_log_check(whole.log, whole.records), 0);
			assert_last_seqs(&whole);
			temp_log_close(whole.log);
		}
	}
	assert_true(named_count > 1000);
	whole_fini(&whole);
}

static void test_damage_stays_named_after_another_start(void **state)
{
	(void)state;
	struct whole whole;
	whole_init(&whole);
	for (size_t file = 0; file < whole.count; file++) {
		if (!is_segment(whole.names[file]))
			continue;
		for (size_t at = 64; at + 60 < whole.contents[file].len; at += 11) {
			open_damaged(&whole, file, at, 40, 0xff);
			size_t named = temp_log_check(whole.log, whole.records);
			assert_true(named <= 3);
			if (named > 0)
				assert_last_seqs(&whole);
			uint64_t seq = temp_log_append(whole.log, "t.after", "r");
			assert_int_equal(seq, RECORDS + 1);
			temp_log_reopen(whole.log);
			struct store_stats stats;
			store_stats(whole.log->store, &stats);
			assert_true(stats.lost_count >= named);
			assert_true(named == 0 || stats.aside_count > 0);
			assert_int_equal(temp_log_last_of(whole.log, "t.after"), RECORDS + 1);
			temp_log_close(whole.log);
		}
	}
	whole_fini(&whole);
}

static void test_damage_kept_aside_goes_with_what_is_erased(void **state)
{
	(void)state;
	struct whole whole;
	size_t file = 0;
	whole_init(&whole);
	while (strcmp(whole.names[file], "00000000000000000001.log") != 0)
		file++;
	open_damaged(&whole, file, 64 + 30, 1, 1);
	assert_int_equal(temp_log_check(whole.log, whole.records), 1);
	assert_true(temp_log_contains(whole.log, "r2"));
	struct store_stats stats;
	store_stats(whole.log->store, &stats);
	assert_int_equal(stats.aside_count, 1);
	/* The lost one itself, and one that is whole but lies in the damaged file, too. */
	uint64_t gone[] = {1, 2};
	assert_int_equal(store_remove(whole.log->store, gone, 2, NULL), LYC_OK);
	store_stats(whole.log->store, &stats);
	assert_int_equal(stats.aside_count, 0);
	assert_int_equal(stats.lost_count, 0);
	struct buf record = {0};
	assert_int_equal(store_read_one(whole.log->store, 1, &record, NULL), LYC_NOT_FOUND);
	assert_int_equal(store_read_one(whole.log->store, 3, &record, NULL), LYC_OK);
	buf_fini(&record);
	whole_fini(&whole);
}

static size_t count_aside(struct temp_log *log)
{
	struct store_stats stats;
	store_stats(log->store, &stats);
	return stats.aside_count;
}

/* A file that goes as a whole takes with it what lies aside of it. */
static void test_damage_kept_aside_goes_with_its_whole_file(void **state)
{
	(void)state;
	struct whole whole;
	size_t file = 0;
	uint64_t seqs[RECORDS];
	whole_init(&whole);
	while (strcmp(whole.names[file], "00000000000000000001.log") != 0)
		file++;
	open_damaged(&whole, file, 64 + 30, 1, 1);
	assert_int_equal(count_aside(whole.log), 1);
	assert_true(temp_log_contains(whole.log, "r2"));
	for (uint64_t i = 0; i < RECORDS; i++)
		seqs[i] = i + 1;
	assert_int_equal(store_remove(whole.log->store, seqs, RECORDS - 1, NULL), LYC_OK);
	assert_false(temp_log_has(whole.log, "00000000000000000001.log"));
	assert_int_equal(count_aside(whole.log), 0);
	assert_false(temp_log_contains(whole.log, "r2"));
	whole_fini(&whole);
}

/* Of a lost record nobody knows what it was: only the file aside has its bytes. */
static void test_damage_kept_aside_goes_whatever_it_was(void **state)
{
	(void)state;
	struct whole whole;
	size_t file = 0;
	struct buf bytes = {0};
	bool was_damaged;
	whole_init(&whole);
	while (strcmp(whole.names[file], "00000000000000000001.log") != 0)
		file++;
	restore(&whole);
	buf_add(&bytes, whole.contents[file].data, whole.contents[file].len);
	memcpy(bytes.data + 64 + 30, "a secret", 8);
	temp_log_save(whole.log, whole.names[file], span_of(bytes.data, bytes.len));
	buf_fini(&bytes);
	temp_log_open(whole.log);
	assert_int_equal(store_mend(whole.log->store, 1, UINT64_MAX, &was_damaged, NULL), LYC_OK);
	assert_true(was_damaged);
	assert_true(temp_log_contains(whole.log, "a secret"));
	assert_int_equal(store_forget_damaged(whole.log->store, NULL), LYC_OK);
	assert_int_equal(count_aside(whole.log), 0);
	assert_false(temp_log_contains(whole.log, "a secret"));
	whole_fini(&whole);
}

static void test_damage_is_found_by_a_scrub(void **state)
{
	(void)state;
	struct whole whole;
	size_t file = 0;
	whole_init(&whole);
	while (strcmp(whole.names[file], "00000000000000000001.log") != 0)
		file++;
	restore(&whole);
	temp_log_open(whole.log);
	uint64_t seq = 1;
	size_t steps = 0;
	do {
		assert_int_equal(store_scrub(whole.log->store, &seq, 200, NULL), LYC_OK);
		assert_true(++steps < 1000);
	} while (seq != 1);
	assert_true(steps > 5);
	/* Under its feet. */
	whole.contents[file].data[64 + 26] ^= 2;
	temp_log_save(whole.log, whole.names[file],
		      span_of(whole.contents[file].data, whole.contents[file].len));
	struct lyc_error error = {0};
	enum lyc_status status = LYC_OK;
	seq = 1;
	for (steps = 0; status == LYC_OK && steps < 1000; steps++)
		status = store_scrub(whole.log->store, &seq, 200, &error);
	assert_int_equal(status, LYC_DATA_LOSS);
	assert_non_null(strstr(error.text, "offset 64"));
	bool was_damaged = false;
	assert_int_equal(store_mend(whole.log->store, seq, seq, &was_damaged, NULL), LYC_OK);
	assert_true(was_damaged);
	assert_int_equal(temp_log_check(whole.log, whole.records), 1);
	whole_fini(&whole);
}

static void *mend_all(void *arg)
{
	const struct whole *whole = arg;
	bool was_damaged = false;
	assert_int_equal(store_mend(whole->log->store, 1, 8, &was_damaged, NULL), LYC_OK);
	assert_true(was_damaged);
	return NULL;
}

/* A sealed segment is copied without the writer's lock: here it is held all the time. */
static void test_damage_is_mended_while_appends_go_on(void **state)
{
	(void)state;
	struct whole whole;
	size_t file = 0;
	pthread_t thread;
	whole_init(&whole);
	while (strcmp(whole.names[file], "00000000000000000001.log") != 0)
		file++;
	restore(&whole);
	temp_log_open(whole.log);
	whole.contents[file].data[64 + 26] ^= 2;
	temp_log_save(whole.log, whole.names[file],
		      span_of(whole.contents[file].data, whole.contents[file].len));
	pthread_mutex_lock(&whole.log->store->writing);
	assert_int_equal(pthread_create(&thread, NULL, mend_all, &whole), 0);
	bool is_copied = false;
	for (int i = 0; i < 1000 && !is_copied; i++) {
		is_copied = temp_log_has(whole.log, "00000000000000000001.log.new");
		usleep(10000);
	}
	pthread_mutex_unlock(&whole.log->store->writing);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(is_copied);
	assert_int_equal(temp_log_check(whole.log, whole.records), 1);
	assert_int_equal(temp_log_append(whole.log, "t.after", "r"), RECORDS + 1);
	whole_fini(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage_of_one_bit_anywhere_is_named_and_healed),
		cmocka_unit_test(test_damage_stays_named_after_another_start),
		cmocka_unit_test(test_damage_kept_aside_goes_with_what_is_erased),
		cmocka_unit_test(test_damage_kept_aside_goes_with_its_whole_file),
		cmocka_unit_test(test_damage_kept_aside_goes_whatever_it_was),
		cmocka_unit_test(test_damage_is_found_by_a_scrub),
		cmocka_unit_test(test_damage_is_mended_while_appends_go_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
