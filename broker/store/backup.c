/*
 * Making a backup. The small values come first, so that no position in them is beyond the records;
 * then, under the lock, the segments and how far the active one is synced. Sealed segments are
 * never written again: they are linked where that can be, and copied else.
 */
#include "store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/mem.h"
#include "store/backup_files.h"
#include "store/embedded.h"

/* In a folder that is not complete; by it one that a crash left behind is known. */
#define UNFINISHED_NAME "unfinished"
#define MAX_PATH 600

struct making {
	struct store *store;
	const struct backup_options *options;
	char part[MAX_PATH]; /* FOLDER.part */
	struct backup_list list;
};

/* A segment as it was at the moment of the backup. */
struct taken {
	struct segment *segment;
	uint64_t len;
	bool is_sealed;
};

static enum lyc_status path_of(const struct making *making, const char *name, char *to,
			       struct lyc_error *error)
{
	if (backup_path(to, MAX_PATH, making->part, name))
		return LYC_OK;
	return error_set(error, LYC_INVALID_ARGUMENT, "The folder's name is too long.");
}

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	bool is_so = dir != NULL;
	const struct dirent *entry;
	while (dir && (entry = readdir(dir)))
		is_so = is_so && entry->d_name[0] == '.' &&
			(!entry->d_name[1] || strcmp(entry->d_name, "..") == 0);
	if (dir)
		closedir(dir);
	return is_so;
}

static enum lyc_status make_folder(const char *path, struct lyc_error *error)
{
	return mkdir(path, 0700) == 0 ? LYC_OK : backup_failed(error, "make", path);
}

static enum lyc_status begin(struct making *making, struct lyc_error *error)
{
	const char *folder = making->options->folder;
	char path[MAX_PATH];
	size_t len = strlen(folder);
	while (len > 1 && folder[len - 1] == '/')
		len--;
	if (folder[0] != '/' || len >= MAX_PATH - 300)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The backup's folder has to be an absolute path: the daemon "
				 "writes it, from where it runs.");
	snprintf(making->part, sizeof(making->part), "%.*s.part", (int)len, folder);
	if (access(folder, F_OK) == 0 && !is_empty(folder))
		return error_set(error, LYC_ALREADY_EXISTS,
				 "There is something in %s already: name a folder that is new or "
				 "empty.",
				 folder);
	enum lyc_status status = path_of(making, UNFINISHED_NAME, path, error);
	if (status == LYC_OK && access(path, F_OK) == 0)
		backup_remove_folder(making->part);
	if (status == LYC_OK && access(making->part, F_OK) == 0 && !is_empty(making->part))
		status = error_set(error, LYC_ALREADY_EXISTS,
				   "%s is in the way and is no backup that was cut off: move it.",
				   making->part);
	if (status == LYC_OK && access(making->part, F_OK) != 0)
		status = make_folder(making->part, error);
	if (status == LYC_OK)
		status = backup_write(path, span_of(NULL, 0), error);
	static const char *const folders[] = {"log", "log/meta"};
	for (size_t i = 0; i < 2 && status == LYC_OK; i++) {
		status = path_of(making, folders[i], path, error);
		if (status == LYC_OK)
			status = make_folder(path, error);
	}
	return status;
}

/* A small file with its checksum in the list. */
static enum lyc_status add_content(struct making *making, const char *name, struct span content,
				   struct lyc_error *error)
{
	char path[MAX_PATH];
	uint32_t crc = crc32c(0, content.data, content.len);
	enum lyc_status status = path_of(making, name, path, error);
	if (status == LYC_OK)
		status = backup_write(path, content, error);
	if (status == LYC_OK)
		backup_list_add(&making->list, name, content.len, &crc);
	return status;
}

static enum lyc_status add_values(struct making *making, struct lyc_error *error)
{
	const struct segment_folder *folder = &making->store->folder;
	int fd = openat(folder->meta_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return segment_folder_failed(folder, error, "list", "meta");
	}
	enum lyc_status status = LYC_OK;
	const struct dirent *entry;
	while (status == LYC_OK && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);
		char name[300];
		struct buf content = {0};
		/* The summary is of this epoch, and what is restored begins another. */
		if (entry->d_name[0] == '.' || entry->d_name[len - 1] == '~' ||
		    strcmp(entry->d_name, STORE_SUMMARY_KEY) == 0)
			continue;
		status = segment_folder_load(folder, folder->meta_fd, entry->d_name, &content,
					     error);
		snprintf(name, sizeof(name), "log/meta/%.256s", entry->d_name);
		if (status == LYC_OK)
			status = add_content(making, name, span_of(content.data, content.len),
					     error);
		else if (status == LYC_NOT_FOUND)
			status = LYC_OK; /* forgotten since it was listed */
		buf_fini(&content);
	}
	closedir(dir);
	return status;
}

/* ---- segments ---- */

/* Hold all segments as they are now. */
static struct taken *take(struct store *store, struct backup_summary *summary,
			  struct folder_state *ret_state, size_t *ret_count)
{
	pthread_mutex_lock(&store->lock);
	size_t count = store->segment_count;
	struct taken *taken = mem_get(count * sizeof(*taken));
	for (size_t i = 0; i < count; i++) {
		struct segment *segment = store->segments[i];
		segment->ref_count++;
		taken[i] = (struct taken){
			.segment = segment, .len = segment->len, .is_sealed = i + 1 < count};
		summary->record_count += segment->record_count;
		summary->bytes += segment->len;
	}
	summary->last_seq = store->last_seq;
	summary->epoch = store->folder.state.epoch;
	*ret_state = (struct folder_state){.epoch = summary->epoch,
					   .first_seq = taken[0].segment->first_seq,
					   .synced_seq = store->last_seq};
	pthread_mutex_unlock(&store->lock);
	*ret_count = count;
	return taken;
}

static void release(struct store *store, struct taken *taken, size_t count)
{
	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < count; i++)
		segment_unref(taken[i].segment);
	pthread_mutex_unlock(&store->lock);
	free(taken);
}

/* By the descriptor: the name may be that of a rewritten one by now. */
static bool link_open_file(int fd, const char *path)
{
	char from[40];
	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

/* The header names first sequence, epoch, salt and how often the segment was rewritten. */
static bool link_earlier(const struct making *making, const struct taken *taken, const char *name,
			 const char *path)
{
	char earlier[MAX_PATH];
	uint8_t header[2][SEGMENT_HEADER_LEN];
	struct stat info;
	if (!making->options->earlier ||
	    !backup_path(earlier, sizeof(earlier), making->options->earlier, name))
		return false;
	int fd = open(earlier, O_RDONLY | O_CLOEXEC);
	bool is_same =
		fd >= 0 && fstat(fd, &info) == 0 && (uint64_t)info.st_size == taken->len &&
		pread(fd, header[0], sizeof(header[0]), 0) == sizeof(header[0]) &&
		pread(taken->segment->fd, header[1], sizeof(header[1]), 0) == sizeof(header[1]) &&
		memcmp(header[0], header[1], sizeof(header[0])) == 0;
	if (fd >= 0)
		close(fd);
	return is_same && link(earlier, path) == 0;
}

static enum lyc_status add_segment(struct making *making, const struct taken *taken,
				   struct lyc_error *error)
{
	char file[32];
	char name[40];
	char path[MAX_PATH];
	segment_name(taken->segment->first_seq, ".log", file);
	snprintf(name, sizeof(name), "log/%s", file);
	enum lyc_status status = path_of(making, name, path, error);
	if (status != LYC_OK)
		return status;
	if (taken->is_sealed &&
	    (link_open_file(taken->segment->fd, path) || link_earlier(making, taken, name, path)))
		making->list.summary.linked_bytes += taken->len;
	else
		status = backup_copy(taken->segment->fd, taken->len, path, error);
	if (status == LYC_OK)
		backup_list_add(&making->list, name, taken->len, NULL);
	return status;
}

static enum lyc_status add_segments(struct making *making, struct lyc_error *error)
{
	size_t count;
	struct folder_state state;
	struct taken *taken = take(making->store, &making->list.summary, &state, &count);
	struct buf text = {0};
	const atomic_bool *is_stopping = making->options->is_stopping;
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; i < count && status == LYC_OK; i++) {
		if (is_stopping && *is_stopping)
			status = error_set(error, LYC_UNAVAILABLE, "The daemon is stopping.");
		else
			status = add_segment(making, &taken[i], error);
	}
	release(making->store, taken, count);
	segment_folder_write_state(&state, &text);
	if (status == LYC_OK)
		status = add_content(making, "log/log", span_of(text.data, text.len), error);
	buf_fini(&text);
	return status;
}

static enum lyc_status add_extras(struct making *making, struct lyc_error *error)
{
	const struct backup_options *options = making->options;
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; i < options->extra_count && status == LYC_OK; i++) {
		struct buf content = {0};
		status = backup_load(options->extras[i].path, &content, error);
		if (status == LYC_OK)
			status = add_content(making, options->extras[i].name,
					     span_of(content.data, content.len), error);
		making->list.summary.has_keys |= options->extras[i].is_key;
		buf_fini(&content);
	}
	return status;
}

/* ---- the end ---- */

static enum lyc_status sync_parent(const char *path, struct lyc_error *error)
{
	char *parent = mem_dup(path);
	char *slash = strrchr(parent, '/');
	slash[slash == parent] = '\0';
	enum lyc_status status = backup_sync_folder(parent, error);
	free(parent);
	return status;
}

static enum lyc_status finish(struct making *making, struct lyc_error *error)
{
	static const char *const folders[] = {"log/meta", "log", "."};
	char path[MAX_PATH];
	struct buf text = {0};
	backup_list_write(&making->list, &text);
	enum lyc_status status = path_of(making, BACKUP_LIST_NAME, path, error);
	if (status == LYC_OK)
		status = backup_write(path, span_of(text.data, text.len), error);
	if (status == LYC_OK && path_of(making, UNFINISHED_NAME, path, error) == LYC_OK)
		unlink(path);
	for (size_t i = 0; i < 3 && status == LYC_OK; i++) {
		status = path_of(making, folders[i], path, error);
		if (status == LYC_OK)
			status = backup_sync_folder(path, error);
	}
	/* Over an empty folder, too. */
	if (status == LYC_OK && rename(making->part, making->options->folder) != 0)
		status = backup_failed(error, "rename", making->part);
	if (status == LYC_OK)
		status = sync_parent(making->part, error);
	buf_fini(&text);
	return status;
}

enum lyc_status backup_make(struct store *store, const struct backup_options *options,
			    struct backup_summary *ret_summary, struct lyc_error *error)
{
	struct making making = {.store = store, .options = options};
	making.list.summary.time_ms = options->time_ms;
	snprintf(making.list.summary.daemon, sizeof(making.list.summary.daemon), "%s",
		 options->daemon);
	enum lyc_status status = begin(&making, error);
	if (status != LYC_OK)
		return status;
	status = add_values(&making, error);
	if (status == LYC_OK)
		status = add_segments(&making, error);
	if (status == LYC_OK)
		status = add_extras(&making, error);
	if (status == LYC_OK)
		status = finish(&making, error);
	if (status == LYC_OK)
		*ret_summary = making.list.summary;
	else
		backup_remove_folder(making.part);
	backup_list_fini(&making.list);
	return status;
}
