/* The files of a backup: every one is synced before the list names it. */
#include "store/backup_files.h"

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
#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"

#define CHUNK_LEN (1u << 20)
#define MAX_LIST_LEN (64u << 20)

/* ---- the list ---- */

void backup_list_fini(struct backup_list *list)
{
	free(list->files);
	*list = (struct backup_list){0};
}

void backup_list_add(struct backup_list *list, const char *name, uint64_t len, const uint32_t *crc)
{
	struct backup_file *files = realloc(list->files, (list->count + 1) * sizeof(*files));
	ensure(files != NULL);
	list->files = files;
	struct backup_file *file = &files[list->count++];
	*file = (struct backup_file){.len = len, .has_crc = crc != NULL, .crc = crc ? *crc : 0};
	snprintf(file->name, sizeof(file->name), "%s", name);
}

void backup_list_write(const struct backup_list *list, struct buf *to)
{
	const struct backup_summary *summary = &list->summary;
	buf_add_format(to,
		       "lyceum-backup 1\ndaemon %s\nepoch %" PRIu64 "\nlast %" PRIu64
		       "\nrecords %" PRIu64 "\nbytes %" PRIu64 "\ntime %" PRIu64 "\nkeys %d\n",
		       summary->daemon, summary->epoch, summary->last_seq, summary->record_count,
		       summary->bytes, summary->time_ms, summary->has_keys);
	for (size_t i = 0; i < list->count; i++) {
		const struct backup_file *file = &list->files[i];
		if (file->has_crc)
			buf_add_format(to, "file %" PRIu64 " %08" PRIx32 " %s\n", file->len,
				       file->crc, file->name);
		else
			buf_add_format(to, "file %" PRIu64 " - %s\n", file->len, file->name);
	}
	buf_add_format(to, "crc32c %08" PRIx32 "\n", crc32c(0, to->data, to->len));
}

/* Names come from a file that somebody may have changed: none may lead out of the folder. */
static bool is_inside(const char *name)
{
	return name[0] != '/' && name[0] != '\0' && !strstr(name, "..");
}

static bool read_file_line(const char *line, struct backup_list *list)
{
	uint64_t len;
	char crc_text[16];
	char name[300];
	if (sscanf(line, "file %" SCNu64 " %15s %299[^\n]", &len, crc_text, name) != 3 ||
	    !is_inside(name))
		return false;
	char *end = NULL;
	uint32_t crc = (uint32_t)strtoul(crc_text, &end, 16);
	bool has_crc = strcmp(crc_text, "-") != 0;
	if (has_crc && (*end || end == crc_text))
		return false;
	backup_list_add(list, name, len, has_crc ? &crc : NULL);
	return true;
}

static bool parse(char *text, struct backup_list *list)
{
	struct backup_summary *summary = &list->summary;
	char *crc_line = strstr(text, "\ncrc32c ");
	uint32_t crc = 0;
	int keys = 0;
	int head_len = 0;
	if (!crc_line || strlen(crc_line + 1) != strlen("crc32c 01234567\n") ||
	    sscanf(crc_line + 1, "crc32c %" SCNx32, &crc) != 1 ||
	    crc != crc32c(0, text, (size_t)(crc_line + 1 - text)))
		return false;
	crc_line[1] = '\0';
	if (sscanf(text,
		   "lyceum-backup 1\ndaemon %63s\nepoch %" SCNu64 "\nlast %" SCNu64
		   "\nrecords %" SCNu64 "\nbytes %" SCNu64 "\ntime %" SCNu64 "\nkeys %d\n%n",
		   summary->daemon, &summary->epoch, &summary->last_seq, &summary->record_count,
		   &summary->bytes, &summary->time_ms, &keys, &head_len) != 7)
		return false;
	summary->has_keys = keys != 0;
	for (char *line = text + head_len; *line; line = strchr(line, '\n') + 1) {
		if (!strchr(line, '\n') || !read_file_line(line, list))
			return false;
	}
	return true;
}

enum lyc_status backup_list_read(const char *folder, struct backup_list *ret_list,
				 struct lyc_error *error)
{
	char path[600];
	struct buf content = {0};
	int format = 0;
	if (!backup_path(path, sizeof(path), folder, BACKUP_LIST_NAME))
		return error_set(error, LYC_INVALID_ARGUMENT, "The folder's name is too long.");
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return error_set(error, LYC_NOT_FOUND,
				 "There is no backup in %s: it has no file `backup`.", folder);
	enum lyc_status status = backup_load(path, &content, error);
	char *text = status == LYC_OK ? buf_text(&content) : NULL;
	struct backup_list list = {0};
	if (status == LYC_OK && text && sscanf(text, "lyceum-backup %d", &format) == 1 &&
	    format > 1)
		status = error_set(error, LYC_FAILED_PRECONDITION,
				   "The backup in %s has format %d; this program reads 1, so use a "
				   "newer one.",
				   folder, format);
	else if (status == LYC_OK && (!text || !parse(text, &list)))
		status = error_set(error, LYC_DATA_LOSS, "The file %s is damaged.", path);
	buf_fini(&content);
	if (status == LYC_OK)
		*ret_list = list;
	else
		backup_list_fini(&list);
	return status;
}

/* ---- files ---- */

enum lyc_status backup_failed(struct lyc_error *error, const char *verb, const char *path)
{
	int code = errno;
	bool is_full = code == ENOSPC || code == EDQUOT || code == EFBIG;
	return error_set(error, is_full ? LYC_RESOURCE_EXHAUSTED : LYC_UNAVAILABLE,
			 "Cannot %s %s: %s.", verb, path, strerror(code));
}

bool backup_path(char *to, size_t size, const char *folder, const char *name)
{
	int len = snprintf(to, size, "%s/%s", folder, name);
	return len > 0 && (size_t)len < size;
}

static enum lyc_status write_all(int fd, const char *path, const uint8_t *at, size_t len,
				 struct lyc_error *error)
{
	while (len > 0) {
		ssize_t done = write(fd, at, len);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return backup_failed(error, "write", path);
		at += done;
		len -= (size_t)done;
	}
	return LYC_OK;
}

static int create(const char *path)
{
	return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static enum lyc_status sync_and_close(int fd, const char *path, enum lyc_status status,
				      struct lyc_error *error)
{
	if (status == LYC_OK && fsync(fd) != 0)
		status = backup_failed(error, "sync", path);
	close(fd);
	return status;
}

enum lyc_status backup_write(const char *path, struct span content, struct lyc_error *error)
{
	int fd = create(path);
	if (fd < 0)
		return backup_failed(error, "create", path);
	enum lyc_status status = write_all(fd, path, content.data, content.len, error);
	return sync_and_close(fd, path, status, error);
}

enum lyc_status backup_load(const char *path, struct buf *ret_content, struct lyc_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return backup_failed(error, "open", path);
	enum lyc_status status = LYC_OK;
	for (;;) {
		if (ret_content->len > MAX_LIST_LEN || !buf_reserve(ret_content, 65536)) {
			status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory to read %s.",
					   path);
			break;
		}
		ssize_t got = read(fd, ret_content->data + ret_content->len, 65536);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			status = backup_failed(error, "read", path);
		if (got <= 0)
			break;
		ret_content->len += (size_t)got;
	}
	close(fd);
	return status;
}

/* Let the file system do it, which may share the blocks; how much it did. */
static uint64_t copy_inside(int from, int to, uint64_t len)
{
	off_t in = 0;
	off_t out = 0;
	while ((uint64_t)in < len) {
		ssize_t done =
			copy_file_range(from, &in, to, &out, (size_t)(len - (uint64_t)in), 0);
		if (done <= 0)
			break;
	}
	return (uint64_t)out;
}

enum lyc_status backup_copy(int from, uint64_t len, const char *path, struct lyc_error *error)
{
	int fd = create(path);
	if (fd < 0)
		return backup_failed(error, "create", path);
	enum lyc_status status = LYC_OK;
	uint64_t offset = copy_inside(from, fd, len);
	uint8_t *chunk = mem_get(CHUNK_LEN);
	if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
		status = backup_failed(error, "write", path);
	while (status == LYC_OK && offset < len) {
		size_t want = len - offset < CHUNK_LEN ? (size_t)(len - offset) : CHUNK_LEN;
		ssize_t got = pread(from, chunk, want, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			status = backup_failed(error, "read what becomes", path);
		else if (got == 0)
			status = error_set(error, LYC_DATA_LOSS,
					   "What is copied to %s ends at offset %" PRIu64
					   ", before its records do.",
					   path, offset);
		else
			status = write_all(fd, path, chunk, (size_t)got, error);
		offset += got > 0 ? (uint64_t)got : 0;
	}
	free(chunk);
	return sync_and_close(fd, path, status, error);
}

enum lyc_status backup_sync_folder(const char *path, struct lyc_error *error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return backup_failed(error, "open", path);
	return sync_and_close(fd, path, LYC_OK, error);
}

static void remove_below(int parent, const char *name, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) != 0 && depth > 0)
			remove_below(fd, entry->d_name, depth - 1);
	}
	if (dir)
		closedir(dir);
	unlinkat(parent, name, AT_REMOVEDIR);
}

void backup_remove_folder(const char *path)
{
	remove_below(AT_FDCWD, path, 4);
}
