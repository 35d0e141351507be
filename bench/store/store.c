/*
 * The log's engine alone, beside a bare file that gets the same bytes by one write and one
 * fdatasync a batch: what indexes, checksums and segments cost. Then reading it all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "kit/bare_file.h"
#include "kit/contest.h"
#include "kit/process.h"
#include "store/store.h"

#define MAX_BATCH 1024
#define SUBJECTS 10000
#define READ_RECORDS 1000000
#define READ_LEN (1024 * 1024)

/* Each round has a folder of its own. */
static void make_folder(char *to, size_t size, const struct setting *setting)
{
	static unsigned number;
	snprintf(to, size, "%s/store-%d-%u", setting->folder, (int)getpid(), number++);
	(void)mkdir(to, 0700);
}

static bool is_reading(const struct workload *work)
{
	return work->outstanding == 0;
}

/* ---- ours ---- */

struct records {
	char subjects[SUBJECTS][40];
	uint8_t record[4096];
	size_t len;
	struct store_item items[MAX_BATCH];
	uint64_t appended;
};

static struct records *make_records(size_t len)
{
	static struct records records;
	records.len = len;
	memset(records.record, 'r', len);
	for (int i = 0; i < SUBJECTS; i++)
		snprintf(records.subjects[i], sizeof(records.subjects[i]), "bench.v1.Thing.%d", i);
	return &records;
}

static bool append(struct store *store, struct records *records, size_t count,
		   struct measure *measure)
{
	struct lyc_error error = {0};
	for (size_t i = 0; i < count; i++) {
		const char *subject = records->subjects[records->appended++ % SUBJECTS];
		records->items[i] =
			(struct store_item){.subject = span_of(subject, strlen(subject)),
					    .record = span_of(records->record, records->len)};
	}
	if (store_append(store, records->items, count, &error) == LYC_OK)
		return true;
	contest_fail(measure, "%s", error.text);
	return false;
}

static bool count_record(uint64_t seq, struct span subject, struct span record, void *arg)
{
	uint64_t *count = arg;
	(void)seq;
	(void)subject;
	*count += record.len > 0;
	return true;
}

static void read_log(struct store *store, struct records *records, struct measure *ret_measure)
{
	uint64_t count = 0;
	uint64_t next;
	while (records->appended < READ_RECORDS) {
		if (!append(store, records, MAX_BATCH, ret_measure))
			return;
	}
	uint64_t from_ns = now_ns();
	if (store_read(store, 1, SIZE_MAX, SIZE_MAX, count_record, &count, &next, NULL) != LYC_OK)
		contest_fail(ret_measure, "the log could not be read");
	ret_measure->value = (double)count * 1e9 / (double)(now_ns() - from_ns);
	ret_measure->lost = records->appended - count;
}

static void log_round(const struct contestant *self, const struct setting *setting,
		      const struct workload *work, struct measure *ret_measure)
{
	char folder[300];
	struct records *records = make_records(work->size);
	struct lyc_error error = {0};
	struct store *store;
	(void)self;
	make_folder(folder, sizeof(folder), setting);
	struct store_options options = {.folder = folder, .without_sync = is_reading(work)};
	if (store_open(&options, &store, &error) != LYC_OK) {
		contest_fail(ret_measure, "%s", error.text);
		return;
	}
	if (is_reading(work)) {
		read_log(store, records, ret_measure);
	} else {
		uint64_t from_ns = now_ns();
		uint64_t until_ns = from_ns + setting->round_ms * 1000000;
		while (now_ns() < until_ns &&
		       append(store, records, work->outstanding, ret_measure))
			;
		ret_measure->value = (double)records->appended * 1e9 / (double)(now_ns() - from_ns);
	}
	store_close(store);
}

/* ---- a bare file ---- */

static bool write_all(struct bare_file *file, const void *bytes, size_t len,
		      struct measure *measure)
{
	if (bare_file_append(file, bytes, len))
		return true;
	contest_fail(measure, "the file could not be written");
	return false;
}

/* In order, with a checksum of each. */
static void read_file(struct bare_file *file, size_t len, struct measure *ret_measure)
{
	static uint8_t bytes[READ_LEN];
	size_t at_once = READ_LEN / len * len;
	uint32_t sum = 0;
	uint64_t count = 0;
	ssize_t got;
	memset(bytes, 'r', sizeof(bytes));
	for (uint64_t done = 0; done < READ_RECORDS; done += at_once / len) {
		if (!write_all(file, bytes, at_once, ret_measure))
			return;
	}
	uint64_t from_ns = now_ns();
	for (uint64_t at = 0; at < file->len; at += (uint64_t)got) {
		got = pread(file->fd, bytes, at_once, (off_t)at);
		if (got <= 0)
			break;
		for (size_t i = 0; i + len <= (size_t)got; i += len, count++)
			sum ^= crc32c(0, bytes + i, len);
	}
	ret_measure->value = (double)count * 1e9 / (double)(now_ns() - from_ns);
	if (count < READ_RECORDS || sum == 1)
		contest_fail(ret_measure, "the file is not what was written");
}

static void file_round(const struct contestant *self, const struct setting *setting,
		       const struct workload *work, struct measure *ret_measure)
{
	char folder[300];
	char path[320];
	uint8_t *batch = malloc(MAX_BATCH * work->size);
	uint64_t count = 0;
	(void)self;
	make_folder(folder, sizeof(folder), setting);
	snprintf(path, sizeof(path), "%s/bare", folder);
	struct bare_file file;
	if (!bare_file_open(&file, path) || !batch) {
		contest_fail(ret_measure, "%s cannot be made", path);
		return;
	}
	if (is_reading(work)) {
		read_file(&file, work->size, ret_measure);
	} else {
		memset(batch, 'r', MAX_BATCH * work->size);
		uint64_t from_ns = now_ns();
		uint64_t until_ns = from_ns + setting->round_ms * 1000000;
		while (now_ns() < until_ns &&
		       write_all(&file, batch, work->outstanding * work->size, ret_measure)) {
			if (!bare_file_sync(&file))
				contest_fail(ret_measure, "the file could not be synced");
			count += work->outstanding;
		}
		ret_measure->value = (double)count * 1e9 / (double)(now_ns() - from_ns);
	}
	bare_file_close(&file);
	free(batch);
}

/* What one has written and not synced must not slow down the next. */
static void clear(struct contestant *self, const struct setting *setting,
		  const struct workload *work)
{
	char command[300];
	(void)self;
	(void)work;
	snprintf(command, sizeof(command), "rm -rf '%s'/store-*", setting->folder);
	if (system(command) != 0)
		fprintf(stderr, "%s failed\n", command);
	sync();
}

static struct contestant contestants[] = {
	{.who = "a bare file",
	 .meaning = "the limit: room taken ahead, one write and one fdatasync a batch; read with a "
		    "checksum of each "
		    "record",
	 .after = clear,
	 .round = file_round},
	{.who = "Lyceum's log",
	 .meaning = "the store alone: checksums, subjects and segments; synced as often",
	 .after = clear,
	 .round = log_round},
};

#define APPEND(text, batch)                                                                        \
	{                                                                                          \
		.name = "store", .title = text, .unit = "records/s", .size = 256,                  \
		.outstanding = (batch)                                                             \
	}

static const struct workload workloads[] = {
	APPEND("one record a sync, 256 bytes", 1),
	APPEND("256 records a sync, 256 bytes", 256),
	APPEND("1,024 records a sync, 256 bytes", 1024),
	APPEND("reading a million of them from the page cache", 0),
};

static const struct contest contest = {
	.name = "store",
	.title = "The log's engine alone",
	.contestants = contestants,
	.contestant_count = sizeof(contestants) / sizeof(contestants[0]),
	.workloads = workloads,
	.workload_count = sizeof(workloads) / sizeof(workloads[0]),
	.round_ms = 600,
};

int main(int argc, char **argv)
{
	return contest_main(&contest, argc, argv);
}
