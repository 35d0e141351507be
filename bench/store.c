/*
 * Durable appends per second through the embedded engine, beside a bare file that gets the same
 * bytes by write and fdatasync, in turns within one run: disks change their speed from second to
 * second. Then reading back. `bench_store [FOLDER]`: the folder is on the disk to measure.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "store/store.h"

#define RECORD_LEN 256
#define MAX_BATCH 1024
#define TURN_BATCHES 10
#define SUBJECTS 10000

struct bench {
	struct store *store;
	int bare_fd;
	uint8_t record[RECORD_LEN];
	uint8_t *bare_batch;
	char (*subjects)[40];
	struct store_item items[MAX_BATCH];
	uint64_t appended;
};

static double now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double append_turn(struct bench *bench, size_t count)
{
	double start = now();
	for (int turn = 0; turn < TURN_BATCHES; turn++) {
		for (size_t i = 0; i < count; i++) {
			const char *subject = bench->subjects[bench->appended++ % SUBJECTS];
			bench->items[i] =
				(struct store_item){.subject = span_of(subject, strlen(subject)),
						    .record = span_of(bench->record, RECORD_LEN)};
		}
		struct lyc_error error = {0};
		if (store_append(bench->store, bench->items, count, &error) != LYC_OK) {
			fprintf(stderr, "%s\n", error.text);
			exit(1);
		}
	}
	return now() - start;
}

static double bare_turn(struct bench *bench, size_t count)
{
	double start = now();
	for (int turn = 0; turn < TURN_BATCHES; turn++) {
		ssize_t len = (ssize_t)(count * RECORD_LEN);
		ensure(write(bench->bare_fd, bench->bare_batch, (size_t)len) == len);
		ensure(fdatasync(bench->bare_fd) == 0);
	}
	return now() - start;
}

static void run(struct bench *bench, size_t count, double seconds)
{
	double ours = 0;
	double bare = 0;
	uint64_t turns = 0;
	while (ours + bare < seconds) {
		/* Who begins changes, too. */
		if (turns++ % 2 == 0) {
			ours += append_turn(bench, count);
			bare += bare_turn(bench, count);
		} else {
			bare += bare_turn(bench, count);
			ours += append_turn(bench, count);
		}
	}
	double records = (double)(turns * TURN_BATCHES * count);
	printf("%6zu %14.0f %14.0f %8.2f\n", count, records / ours, records / bare, bare / ours);
	fflush(stdout);
}

static bool count_record(uint64_t seq, struct span subject, struct span record, void *arg)
{
	uint64_t *count = arg;
	(void)seq;
	(void)subject;
	*count += record.len == RECORD_LEN;
	return true;
}

static void run_read(struct bench *bench)
{
	uint64_t count = 0;
	uint64_t next;
	double start = now();
	ensure(store_read(bench->store, 1, SIZE_MAX, SIZE_MAX, count_record, &count, &next, NULL) ==
	       LYC_OK);
	double took = now() - start;
	ensure(count == bench->appended);
	printf("read   %14.0f records a second (%" PRIu64 " from the page cache, each checked)\n",
	       (double)count / took, count);
}

int main(int argc, char **argv)
{
	char base[200];
	char log[220];
	char bare[220];
	char command[260];
	struct lyc_error error = {0};
	struct bench *bench = mem_new(struct bench);
	snprintf(base, sizeof(base), "%s/lyceum-bench-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (!mkdtemp(base)) {
		fprintf(stderr, "Cannot make a folder in %s.\n", argc > 1 ? argv[1] : "/tmp");
		return 1;
	}
	snprintf(log, sizeof(log), "%s/log", base);
	snprintf(bare, sizeof(bare), "%s/bare", base);
	bench->bare_fd = open(bare, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	bench->bare_batch = mem_get(MAX_BATCH * RECORD_LEN);
	bench->subjects = mem_get(SUBJECTS * sizeof(*bench->subjects));
	memset(bench->record, 'r', sizeof(bench->record));
	memset(bench->bare_batch, 'r', MAX_BATCH * RECORD_LEN);
	for (int i = 0; i < SUBJECTS; i++)
		snprintf(bench->subjects[i], sizeof(*bench->subjects), "bench.v1.Thing.%d", i);
	struct store_options options = {.folder = log};
	if (bench->bare_fd < 0 || store_open(&options, &bench->store, &error) != LYC_OK) {
		fprintf(stderr, "Cannot begin in %s: %s\n", base, error.text);
		return 1;
	}
	printf("%6s %14s %14s %8s\n", "batch", "log, rec/s", "bare, rec/s", "ratio");
	run(bench, 1, 2);
	run(bench, 256, 3);
	run(bench, 1024, 4);
	run_read(bench);
	store_close(bench->store);
	double start = now();
	ensure(store_open(&options, &bench->store, &error) == LYC_OK);
	printf("open   %14.1f ms\n", (now() - start) * 1e3);
	store_close(bench->store);
	close(bench->bare_fd);
	snprintf(command, sizeof(command), "rm -rf '%s'", base);
	int result = system(command);
	free(bench->bare_batch);
	free(bench->subjects);
	free(bench);
	return result != 0;
}
