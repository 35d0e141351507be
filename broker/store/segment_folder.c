/*
 * The folder of one log. A file gets its final name only after its content was synced, and the
 * folder is synced after each change of names. One process holds it, by flock on `lock`.
 */
#include "store/segment_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/mem.h"

#define FORMAT 2
#define STATE_NAME "log"
#define RESERVE_NAME "reserve"

enum lyc_status segment_folder_failed(const struct segment_folder *folder, struct lyc_error *error,
				      const char *verb, const char *name)
{
	int code = errno;
	bool is_full = code == ENOSPC || code == EDQUOT || code == EFBIG;
	if (is_full)
		return error_set(
			error, LYC_RESOURCE_EXHAUSTED,
			"The disk is full: cannot %s %s in the log folder %s (%s); make room, "
			"and the log goes on.",
			verb, name, folder->path, strerror(code));
	return error_set(error, LYC_UNAVAILABLE, "Cannot %s %s in the log folder %s: %s.", verb,
			 name, folder->path, strerror(code));
}

enum lyc_status segment_folder_sync_file(const struct segment_folder *folder, int fd,
					 const char *name, struct lyc_error *error)
{
	if (!folder->without_sync && fsync(fd) != 0)
		return segment_folder_failed(folder, error, "sync", name);
	return LYC_OK;
}

enum lyc_status segment_folder_sync_names(const struct segment_folder *folder,
					  struct lyc_error *error)
{
	return segment_folder_sync_file(folder, folder->fd, "the names", error);
}

enum lyc_status segment_folder_write(const struct segment_folder *folder, int fd, const char *name,
				     const void *bytes, size_t len, uint64_t offset,
				     struct lyc_error *error)
{
	const uint8_t *at = bytes;
	while (len > 0) {
		ssize_t done = pwrite(fd, at, len, (off_t)offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = ENOSPC;
		if (done <= 0)
			return segment_folder_failed(folder, error, "write", name);
		at += done;
		len -= (size_t)done;
		offset += (uint64_t)done;
	}
	return LYC_OK;
}

enum lyc_status segment_folder_take_room(const struct segment_folder *folder, int fd,
					 const char *name, uint64_t len, struct lyc_error *error)
{
	while (fallocate(fd, 0, 0, (off_t)len) != 0) {
		if (errno == EINTR)
			continue;
		if (errno == EOPNOTSUPP || errno == ENOSYS)
			return LYC_OK;
		return segment_folder_failed(folder, error, "take room for", name);
	}
	return LYC_OK;
}

enum lyc_status segment_folder_replace(const struct segment_folder *folder, int dir_fd,
				       const char *name, struct span content,
				       struct lyc_error *error)
{
	char temp[300];
	snprintf(temp, sizeof(temp), "%s~", name);
	int fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return segment_folder_failed(folder, error, "create", temp);
	enum lyc_status status =
		segment_folder_write(folder, fd, temp, content.data, content.len, 0, error);
	if (status == LYC_OK)
		status = segment_folder_sync_file(folder, fd, temp, error);
	close(fd);
	if (status == LYC_OK && renameat(dir_fd, temp, dir_fd, name) != 0)
		status = segment_folder_failed(folder, error, "rename", temp);
	if (status != LYC_OK) {
		unlinkat(dir_fd, temp, 0);
		return status;
	}
	return segment_folder_sync_file(folder, dir_fd, "the names", error);
}

enum lyc_status segment_folder_load(const struct segment_folder *folder, int dir_fd,
				    const char *name, struct buf *ret_content,
				    struct lyc_error *error)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return error_set(error, LYC_NOT_FOUND, "There is no %s in the log folder %s.", name,
				 folder->path);
	if (fd < 0)
		return segment_folder_failed(folder, error, "open", name);
	enum lyc_status status = LYC_OK;
	size_t before = ret_content->len;
	for (;;) {
		if (!buf_reserve(ret_content, 65536)) {
			status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory to read %s.",
					   name);
			break;
		}
		ssize_t got = read(fd, ret_content->data + ret_content->len,
				   ret_content->cap - ret_content->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			status = segment_folder_failed(folder, error, "read", name);
		if (got <= 0)
			break;
		ret_content->len += (size_t)got;
	}
	close(fd);
	if (status != LYC_OK)
		ret_content->len = before;
	return status;
}

enum lyc_status segment_folder_rename(const struct segment_folder *folder, const char *from,
				      const char *to, struct lyc_error *error)
{
	if (renameat(folder->fd, from, folder->fd, to) != 0)
		return segment_folder_failed(folder, error, "rename", from);
	return segment_folder_sync_names(folder, error);
}

/* Of a segment and its checkpoint, and of the state file. */
static uint64_t reserve_len(const struct segment_folder *folder)
{
	return folder->segment_len + folder->segment_len / 8 + 65536;
}

enum lyc_status segment_folder_keep_reserve(struct segment_folder *folder, struct lyc_error *error)
{
	if (folder->has_reserve)
		return LYC_OK;
	int fd = openat(folder->fd, RESERVE_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return segment_folder_failed(folder, error, "create", RESERVE_NAME);
	enum lyc_status status = segment_folder_take_room(folder, fd, "the " RESERVE_NAME,
							  reserve_len(folder), error);
	close(fd);
	if (status != LYC_OK)
		unlinkat(folder->fd, RESERVE_NAME, 0);
	folder->has_reserve = status == LYC_OK;
	return status;
}

void segment_folder_use_reserve(struct segment_folder *folder)
{
	unlinkat(folder->fd, RESERVE_NAME, 0);
	folder->has_reserve = false;
}

void segment_folder_write_state(const struct folder_state *state, struct buf *to)
{
	size_t start = to->len;
	buf_add_format(to,
		       "lyceum-log %d\nepoch %" PRIu64 "\nfirst %" PRIu64 "\nsynced %" PRIu64 "\n",
		       FORMAT, state->epoch, state->first_seq, state->synced_seq);
	buf_add_format(to, "crc32c %08" PRIx32 "\n", crc32c(0, to->data + start, to->len - start));
}

enum lyc_status segment_folder_put_state(struct segment_folder *folder,
					 const struct folder_state *state, struct lyc_error *error)
{
	struct buf text = {0};
	segment_folder_write_state(state, &text);
	enum lyc_status status = segment_folder_replace(folder, folder->fd, STATE_NAME,
							span_of(text.data, text.len), error);
	buf_fini(&text);
	if (status == LYC_OK)
		folder->state = *state;
	return status;
}

static enum lyc_status load_state(struct segment_folder *folder, struct lyc_error *error)
{
	struct buf content = {0};
	enum lyc_status status =
		segment_folder_load(folder, folder->fd, STATE_NAME, &content, error);
	if (status == LYC_NOT_FOUND) {
		struct folder_state state = {.first_seq = 1};
		/* The moment of its making: a log made later has the larger epoch, and others can
		 * tell. */
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		state.epoch = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
		folder->is_state_new = true;
		return segment_folder_put_state(folder, &state, error);
	}
	if (status != LYC_OK)
		return status;
	char *text = buf_text(&content);
	int format = 0;
	struct folder_state state = {0};
	uint32_t crc = 0;
	char *crc_line = text ? strstr(text, "crc32c ") : NULL;
	bool is_read =
		crc_line &&
		sscanf(text,
		       "lyceum-log %d\nepoch %" SCNu64 "\nfirst %" SCNu64 "\nsynced %" SCNu64
		       "\ncrc32c %" SCNx32,
		       &format, &state.epoch, &state.first_seq, &state.synced_seq, &crc) == 5 &&
		crc == crc32c(0, text, (size_t)(crc_line - text));
	folder->state = state;
	if (!is_read)
		folder->is_state_damaged = true; /* the segments know most of it */
	else if (format > FORMAT)
		status = error_set(error, LYC_FAILED_PRECONDITION,
				   "The log folder %s has format %d; this program reads up to %d, "
				   "so use a newer one.",
				   folder->path, format, FORMAT);
	else if (format < FORMAT)
		/* From now on an older program keeps its hands off. */
		status = segment_folder_put_state(folder, &state, error);
	buf_fini(&content);
	return status;
}

static enum lyc_status sync_parent(struct segment_folder *folder, const char *path,
				   struct lyc_error *error)
{
	char *parent = mem_dup(path);
	char *slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	int fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum lyc_status status;
	if (fd < 0)
		status = segment_folder_failed(folder, error, "open the parent of", path);
	else
		status = segment_folder_sync_file(folder, fd, "the parent folder", error);
	if (fd >= 0)
		close(fd);
	free(parent);
	return status;
}

/* The folder and whatever is missing above it. */
static enum lyc_status make_path(struct segment_folder *folder, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	char *path = mem_dup(folder->path);
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	for (size_t i = 1; i <= len && status == LYC_OK; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		char cut = path[i];
		path[i] = '\0';
		if (mkdir(path, 0700) == 0)
			status = sync_parent(folder, path, error);
		else if (errno != EEXIST)
			status = segment_folder_failed(folder, error, "make", path);
		path[i] = cut;
	}
	free(path);
	return status;
}

static enum lyc_status take_lock(struct segment_folder *folder, struct lyc_error *error)
{
	folder->lock_fd = openat(folder->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (folder->lock_fd < 0)
		return segment_folder_failed(folder, error, "open", "lock");
	char text[24] = "";
	if (flock(folder->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return segment_folder_failed(folder, error, "lock", "lock");
		ssize_t got = pread(folder->lock_fd, text, sizeof(text) - 1, 0);
		long pid = got > 0 ? strtol(text, NULL, 10) : 0;
		if (pid > 0)
			return error_set(error, LYC_FAILED_PRECONDITION,
					 "The log folder %s is held by process %ld; stop it first.",
					 folder->path, pid);
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "The log folder %s is held by another process; stop it first.",
				 folder->path);
	}
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(folder->lock_fd, 0) != 0 ||
	    pwrite(folder->lock_fd, text, (size_t)len, 0) != len)
		errno = 0; /* the number is only for the other's sentence */
	return LYC_OK;
}

enum lyc_status segment_folder_open(struct segment_folder *folder, const char *path,
				    struct lyc_error *error)
{
	folder->fd = folder->meta_fd = folder->lock_fd = -1;
	folder->path = mem_dup(path);
	enum lyc_status status = make_path(folder, error);
	if (status != LYC_OK)
		return status;
	folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd < 0)
		return segment_folder_failed(folder, error, "open", "the folder");
	status = take_lock(folder, error);
	if (status != LYC_OK)
		return status;
	if (mkdirat(folder->fd, "meta", 0700) != 0 && errno != EEXIST)
		return segment_folder_failed(folder, error, "make", "meta");
	folder->meta_fd = openat(folder->fd, "meta", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->meta_fd < 0)
		return segment_folder_failed(folder, error, "open", "meta");
	status = segment_folder_sync_names(folder, error);
	return status == LYC_OK ? load_state(folder, error) : status;
}

void segment_folder_fini(struct segment_folder *folder)
{
	if (!folder->path)
		return;
	if (folder->meta_fd >= 0)
		close(folder->meta_fd);
	if (folder->fd >= 0)
		close(folder->fd);
	if (folder->lock_fd >= 0)
		close(folder->lock_fd);
	free(folder->path);
	*folder = (struct segment_folder){0};
}
