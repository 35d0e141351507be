/*
 * How long a daemon takes from its start to "ready" with ten million records of a hundred thousand
 * subjects in its log, and what memory it has then: `bench_start [--records N] [--subjects N]
 * [FOLDER]`. The records are those of a hub: nine of ten came from nodes. FOLDER keeps the log, so
 * that a second run need not write it again.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "store/store.h"
#include "stream/record.h"

#define BATCH 4096
#define BODY_LEN 160
#define ORIGINS 10

static double now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

struct filling {
	struct store *store;
	uint64_t subjects;
	uint64_t origin_seqs[ORIGINS];
	struct buf names[BATCH];
	struct buf records[BATCH];
	struct store_item items[BATCH];
};

/* Spread so that every segment has records of nearly all subjects, which is the worst case. */
static void make_record(struct filling *filling, uint64_t number, size_t at)
{
	uint8_t body[BODY_LEN];
	char origin[16];
	uint64_t subject = number * 2654435761u % filling->subjects;
	size_t home = (size_t)(subject % ORIGINS);
	snprintf(origin, sizeof(origin), "node%zu", home);
	memset(body, 'b', sizeof(body));
	memcpy(body, &number, sizeof(number));
	buf_clear(&filling->names[at]);
	buf_clear(&filling->records[at]);
	buf_add_format(&filling->names[at], "lyceum.experts.v1.Expert.%s.%08" PRIu64,
		       home ? origin : "hub", subject);
	struct record record = {
		.subject = span_of(filling->names[at].data, filling->names[at].len),
		.time_ms = 1790000000000 + number,
		.principal = span_of("ann@wales", 9),
		.body = span_of(body, sizeof(body)),
		.body_crc = crc32c(0, body, sizeof(body)),
		.schema = 0x1234567890abcdef,
	};
	if (home > 0) {
		record.origin = span_of(origin, strlen(origin));
		record.epoch = 1790000000000;
		record.origin_seq = ++filling->origin_seqs[home];
	}
	record_write(&filling->records[at], &record);
	filling->items[at] = (struct store_item){
		.subject = record.subject,
		.record = span_of(filling->records[at].data, filling->records[at].len)};
}

static void fill(const char *folder, uint64_t records, uint64_t subjects)
{
	struct store_options options = {.folder = folder, .without_sync = true};
	struct lyc_error error = {0};
	struct store_stats stats;
	struct filling *filling = mem_new(struct filling);
	filling->subjects = subjects;
	if (store_open(&options, &filling->store, &error) != LYC_OK) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	store_stats(filling->store, &stats);
	ensure(store_put_meta(filling->store, "name", span_of("hub", 3), NULL) == LYC_OK);
	for (uint64_t done = stats.last_seq; done < records;) {
		size_t count = records - done < BATCH ? (size_t)(records - done) : BATCH;
		for (size_t i = 0; i < count; i++)
			make_record(filling, done + i, i);
		ensure(store_append(filling->store, filling->items, count, &error) == LYC_OK);
		done += count;
	}
	store_stats(filling->store, &stats);
	printf("%" PRIu64 " records of %" PRIu64 " subjects, %" PRIu64 " MiB in %u segments\n",
	       stats.last_seq, stats.subject_count, stats.bytes >> 20, stats.segment_count);
	store_close(filling->store);
	for (size_t i = 0; i < BATCH; i++) {
		buf_fini(&filling->names[i]);
		buf_fini(&filling->records[i]);
	}
	free(filling);
}

/* Out of the cache, so that the next start reads the disk. */
static void forget_files(const char *folder)
{
	DIR *dir = opendir(folder);
	ensure(dir);
	sync();
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
	closedir(dir);
	/* Names and inodes as well, for whom the system lets. */
	FILE *file = fopen("/proc/sys/vm/drop_caches", "we");
	if (file) {
		fputs("3", file);
		fclose(file);
	}
}

/* Processor time since its start: what counts on a machine that has other work, too. */
static double cpu_ms(pid_t pid)
{
	char path[64];
	unsigned long user = 0;
	unsigned long system = 0;
	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	FILE *file = fopen(path, "re");
	if (file && fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			   &user, &system) != 2)
		user = 0;
	if (file)
		fclose(file);
	return (double)(user + system) * 1e3 / (double)sysconf(_SC_CLK_TCK);
}

static uint64_t resident_kib(pid_t pid)
{
	char path[64];
	char line[200];
	uint64_t kib = 0;
	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		(void)!sscanf(line, "VmRSS: %" SCNu64, &kib);
	if (file)
		fclose(file);
	return kib;
}

/* Start, wait for "ready", end by SIGTERM. */
static void start(const char *program, const char *config, const char *what)
{
	int ends[2];
	char said[65536];
	size_t len = 0;
	ensure(pipe(ends) == 0);
	double begin = now();
	pid_t pid = fork();
	ensure(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		execl(program, "lyceumd", "--config", config, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	said[0] = '\0';
	while (!strstr(said, "ready") && len < sizeof(said) - 1) {
		ssize_t got = read(ends[0], said + len, sizeof(said) - 1 - len);
		if (got <= 0) {
			fprintf(stderr, "%s", said);
			exit(1);
		}
		len += (size_t)got;
		said[len] = '\0';
	}
	double ready = now() - begin;
	printf("%-28s %7.0f ms to ready, %6.0f ms of a processor, %" PRIu64 " MiB resident\n", what,
	       ready * 1e3, cpu_ms(pid), resident_kib(pid) >> 10);
	kill(pid, SIGTERM);
	while (read(ends[0], said, sizeof(said)) > 0)
		;
	close(ends[0]);
	int result;
	ensure(waitpid(pid, &result, 0) == pid);
}

/* The daemon beside this bench in the build folder. */
static void find_daemon(char *to, size_t size)
{
	char self[400];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	ensure(len > 0);
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(to, size, "%s/../broker/lyceumd", self);
}

static void write_config(const char *path, const char *folder)
{
	FILE *file = fopen(path, "we");
	ensure(file);
	fprintf(file, "name: hub\ndata: %s\nlog: {format: TEXT}\n", folder);
	ensure(fclose(file) == 0);
}

static void store_only(const char *folder, const char *what)
{
	struct store_options options = {.folder = folder};
	struct store *store;
	struct lyc_error error = {0};
	double begin = now();
	clock_t cpu = clock();
	if (store_open(&options, &store, &error) != LYC_OK) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	printf("%-28s %7.0f ms to open,  %6.0f ms of a processor\n", what, (now() - begin) * 1e3,
	       (double)(clock() - cpu) * 1e3 / CLOCKS_PER_SEC);
	store_close(store);
}

int main(int argc, char **argv)
{
	uint64_t records = 10000000;
	uint64_t subjects = 100000;
	char folder[200] = "";
	char log[220];
	char config[220];
	char daemon[500];
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--records") == 0 && i + 1 < argc)
			records = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--subjects") == 0 && i + 1 < argc)
			subjects = strtoull(argv[++i], NULL, 10);
		else
			snprintf(folder, sizeof(folder), "%s", argv[i]);
	}
	bool is_temporary = folder[0] == '\0';
	if (is_temporary) {
		snprintf(folder, sizeof(folder), "/tmp/lyceum-start-XXXXXX");
		ensure(mkdtemp(folder));
	} else {
		mkdir(folder, 0700);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(log, sizeof(log), "%s/log", folder);
	snprintf(config, sizeof(config), "%s/start.yaml", folder);
	find_daemon(daemon, sizeof(daemon));
	write_config(config, folder);
	fill(log, records, subjects);
	start(daemon, config, "the first start, warm");
	store_only(log, "the log alone, warm");
	start(daemon, config, "after a proper stop, warm");
	start(daemon, config, "again");
	forget_files(log);
	start(daemon, config, "after a proper stop, cold");
	forget_files(log);
	store_only(log, "the log alone, cold");
	if (is_temporary) {
		char command[300];
		snprintf(command, sizeof(command), "rm -rf '%s'", folder);
		return system(command) == 0 ? 0 : 1;
	}
	return 0;
}
