/* Written by the store itself, as a daemon writes it. */
#include "start/tape.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "store/store.h"
#include "stream/record.h"

#define BATCH 4096
#define BODY_LEN 160
#define ORIGINS 10
#define SUBJECT_SHARE 100

struct filling {
	const char *name;
	uint64_t subjects;
	uint64_t origin_seqs[ORIGINS];
	struct buf names[BATCH];
	struct buf records[BATCH];
	struct store_item items[BATCH];
};

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
		       home ? origin : filling->name, subject);
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

static enum lyc_status fill(struct filling *filling, struct store *store, uint64_t records,
			    struct lyc_error *error)
{
	enum lyc_status status =
		store_put_meta(store, "name", span_of(filling->name, strlen(filling->name)), error);
	for (uint64_t done = 0; status == LYC_OK && done < records;) {
		size_t count = records - done < BATCH ? (size_t)(records - done) : BATCH;
		for (size_t i = 0; i < count; i++)
			make_record(filling, done + i, i);
		status = store_append(store, filling->items, count, error);
		done += count;
	}
	return status;
}

enum lyc_status start_tape_write(const char *name, const char *folder, uint64_t records,
				 struct lyc_error *error)
{
	struct store_options options = {.folder = folder, .without_sync = true};
	struct store *store;
	enum lyc_status status = store_open(&options, &store, error);
	if (status != LYC_OK)
		return status;
	struct filling *filling = mem_new(struct filling);
	filling->name = name;
	filling->subjects = records / SUBJECT_SHARE + 1;
	status = fill(filling, store, records, error);
	store_close(store);
	for (size_t i = 0; i < BATCH; i++) {
		buf_fini(&filling->names[i]);
		buf_fini(&filling->records[i]);
	}
	free(filling);
	return status;
}

void start_tape_forget(const char *folder)
{
	DIR *dir = opendir(folder);
	sync();
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
	if (dir)
		closedir(dir);
	/* Names and inodes as well, for whom the system lets. */
	FILE *file = fopen("/proc/sys/vm/drop_caches", "we");
	if (file) {
		fputs("3", file);
		fclose(file);
	}
}
