/* A log that the test throws away. */
#include "temp_log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/mem.h"

static void path_of(const struct temp_log *log, const char *name, char ret_path[160])
{
	snprintf(ret_path, 160, "%s/%s", log->folder, name);
}

static void delete_folder(const char *path)
{
	DIR *dir = opendir(path);
	ensure(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		char name[400];
		struct stat stat;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (lstat(name, &stat) == 0 && S_ISDIR(stat.st_mode))
			delete_folder(name);
		else
			unlink(name);
	}
	closedir(dir);
	rmdir(path);
}

static struct temp_log *new_below(const char *folder, uint64_t segment_len)
{
	struct temp_log *log = mem_new(struct temp_log);
	snprintf(log->folder, sizeof(log->folder), "%s/lyceum-log-XXXXXX", folder);
	ensure(mkdtemp(log->folder));
	log->segment_len = segment_len;
	return log;
}

struct temp_log *temp_log_new(uint64_t segment_len)
{
	return new_below(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", segment_len);
}

struct temp_log *temp_log_new_on_disk(uint64_t segment_len)
{
	return new_below(".", segment_len);
}

void temp_log_open(struct temp_log *log)
{
	struct store_options options = {.folder = log->folder, .segment_len = log->segment_len};
	struct lyc_error error = {0};
	enum lyc_status status = store_open(&options, &log->store, &error);
	if (status != LYC_OK)
		fprintf(stderr, "%s\n", error.text);
	ensure(status == LYC_OK);
}

void temp_log_close(struct temp_log *log)
{
	store_close(log->store);
	log->store = NULL;
}

void temp_log_reopen(struct temp_log *log)
{
	temp_log_close(log);
	temp_log_open(log);
}

void temp_log_free(struct temp_log *log)
{
	temp_log_close(log);
	delete_folder(log->folder);
	free(log);
}

void temp_log_in_child(struct temp_log *log, void (*work)(struct temp_log *log))
{
	fflush(NULL);
	pid_t pid = fork();
	ensure(pid >= 0);
	if (pid == 0) {
		temp_log_open(log);
		work(log);
		_exit(0);
	}
	int result;
	ensure(waitpid(pid, &result, 0) == pid && WIFEXITED(result) && WEXITSTATUS(result) == 0);
}

uint64_t temp_log_append(struct temp_log *log, const char *subject, const char *record)
{
	struct store_item item = {.subject = text_span(subject), .record = text_span(record)};
	ensure(store_append(log->store, &item, 1, NULL) == LYC_OK);
	ensure(item.ret_status == LYC_OK);
	return item.ret_seq;
}

void temp_log_fill(struct temp_log *log, size_t count, size_t subjects)
{
	struct store_stats stats;
	store_stats(log->store, &stats);
	struct store_item *items = mem_get(count * sizeof(*items));
	char(*texts)[2][32] = mem_get(count * sizeof(*texts));
	for (size_t i = 0; i < count; i++) {
		uint64_t seq = stats.last_seq + 1 + i;
		snprintf(texts[i][0], 32, "t.s%llu", (unsigned long long)(seq % subjects));
		snprintf(texts[i][1], 32, "r%llu", (unsigned long long)seq);
		items[i].subject = text_span(texts[i][0]);
		items[i].record = text_span(texts[i][1]);
	}
	ensure(store_append(log->store, items, count, NULL) == LYC_OK);
	free(texts);
	free(items);
}

static bool take_record(uint64_t seq, struct span subject, struct span record, void *arg)
{
	struct temp_records *records = arg;
	ensure(records->count < 4096);
	struct temp_record *item = &records->items[records->count++];
	item->seq = seq;
	snprintf(item->subject, sizeof(item->subject), "%.*s", (int)subject.len,
		 (const char *)subject.data);
	snprintf(item->record, sizeof(item->record), "%.*s", (int)record.len,
		 (const char *)record.data);
	return true;
}

struct temp_records *temp_log_read(struct temp_log *log, uint64_t from)
{
	struct temp_records *records = mem_new(struct temp_records);
	struct store_stats stats;
	uint64_t next;
	store_stats(log->store, &stats);
	ensure(store_read(log->store, from, SIZE_MAX, SIZE_MAX, take_record, records, &next,
			  NULL) == LYC_OK);
	ensure(next == stats.last_seq + 1);
	return records;
}

bool temp_records_equal(const struct temp_records *a, const struct temp_records *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (a->items[i].seq != b->items[i].seq ||
		    strcmp(a->items[i].subject, b->items[i].subject) != 0 ||
		    strcmp(a->items[i].record, b->items[i].record) != 0)
			return false;
	}
	return true;
}

struct naming {
	const struct temp_records *before;
	bool *is_named; /* by place in before */
	size_t count;
};

static void note_lost(uint64_t first_seq, uint64_t last_seq, struct span details, void *arg)
{
	struct naming *naming = arg;
	ensure(details.len > 0 && first_seq <= last_seq);
	for (size_t i = 0; i < naming->before->count; i++) {
		uint64_t seq = naming->before->items[i].seq;
		if (seq < first_seq || seq > last_seq)
			continue;
		ensure(!naming->is_named[i]);
		naming->is_named[i] = true;
		naming->count++;
	}
}

size_t temp_log_check(struct temp_log *log, const struct temp_records *before)
{
	struct temp_records *after = temp_log_read(log, 1);
	struct naming naming = {.before = before, .is_named = mem_get(before->count + 1)};
	size_t at = 0;
	store_lost(log->store, note_lost, &naming);
	for (size_t i = 0; i < before->count; i++) {
		if (naming.is_named[i])
			continue;
		ensure(at < after->count);
		ensure(after->items[at].seq == before->items[i].seq);
		ensure(strcmp(after->items[at].subject, before->items[i].subject) == 0);
		ensure(strcmp(after->items[at].record, before->items[i].record) == 0);
		at++;
	}
	ensure(at == after->count);
	struct store_stats stats;
	store_stats(log->store, &stats);
	ensure(stats.lost_count >= naming.count);
	free(naming.is_named);
	free(after);
	return naming.count;
}

size_t temp_log_clear_aside(const struct temp_log *log)
{
	DIR *dir = opendir(log->folder);
	size_t count = 0;
	ensure(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (!strstr(entry->d_name, ".damaged-"))
			continue;
		ensure(unlinkat(dirfd(dir), entry->d_name, 0) == 0);
		count++;
	}
	closedir(dir);
	return count;
}

uint64_t temp_log_last_of(struct temp_log *log, const char *subject)
{
	return store_last_of(log->store, text_span(subject));
}

void temp_log_load(const struct temp_log *log, const char *name, struct buf *ret_content)
{
	char path[160];
	path_of(log, name, path);
	FILE *file = fopen(path, "rb");
	ensure(file);
	uint8_t chunk[4096];
	for (size_t got = 1; got > 0;) {
		got = fread(chunk, 1, sizeof(chunk), file);
		buf_add(ret_content, chunk, got);
	}
	fclose(file);
}

void temp_log_save(const struct temp_log *log, const char *name, struct span content)
{
	char path[160];
	path_of(log, name, path);
	FILE *file = fopen(path, "wb");
	ensure(file);
	ensure(content.len == 0 || fwrite(content.data, 1, content.len, file) == content.len);
	ensure(fclose(file) == 0);
}

bool temp_log_has(const struct temp_log *log, const char *name)
{
	char path[160];
	path_of(log, name, path);
	return access(path, F_OK) == 0;
}

bool temp_log_contains(const struct temp_log *log, const char *text)
{
	DIR *dir = opendir(log->folder);
	bool is_there = false;
	ensure(dir);
	for (struct dirent *entry = readdir(dir); entry && !is_there; entry = readdir(dir)) {
		struct buf content = {0};
		if (entry->d_type != DT_REG)
			continue;
		temp_log_load(log, entry->d_name, &content);
		is_there = content.len > 0 &&
			   memmem(content.data, content.len, text, strlen(text)) != NULL;
		buf_fini(&content);
	}
	closedir(dir);
	return is_there;
}
