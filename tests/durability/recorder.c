/*
 * Preloaded into a program, writes down in order what that program does to the files of one folder:
 * opens, writes with their data, syncs, renames, and the notes that the program gives. Every call
 * goes to the kernel and, when it succeeded, into the trace, under one lock.
 */
#undef _FILE_OFFSET_BITS
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_FDS 4096
#define MAX_PATH 512

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace_fd = -1;
static char folder[MAX_PATH];
/* What each descriptor is, relative to the folder; NULL: not in it. */
static char *names[MAX_FDS];

__attribute__((constructor)) static void start(void)
{
	const char *trace = getenv("LYCEUM_TRACE");
	const char *path = getenv("LYCEUM_TRACE_FOLDER");
	if (!trace || !path)
		return;
	snprintf(folder, sizeof(folder), "%s", path);
	trace_fd = (int)syscall(SYS_openat, AT_FDCWD, trace,
				O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void write_all(const void *bytes, size_t len)
{
	const char *at = bytes;
	while (len > 0) {
		long done = syscall(SYS_write, trace_fd, at, len);
		if (done < 0 && errno != EINTR)
			abort();
		if (done > 0) {
			at += done;
			len -= (size_t)done;
		}
	}
}

static void record(enum trace_kind kind, int fd, uint64_t offset, const char *path,
		   const char *other_path, const void *data, size_t data_len)
{
	struct trace_event event = {.kind = kind,
				    .fd = fd,
				    .offset = offset,
				    .path_len = path ? (uint32_t)strlen(path) : 0,
				    .other_path_len = other_path ? (uint32_t)strlen(other_path) : 0,
				    .data_len = (uint32_t)data_len};
	write_all(&event, sizeof(event));
	write_all(path, event.path_len);
	write_all(other_path, event.other_path_len);
	write_all(data, data_len);
}

/* The path within the folder, "" for itself; false when it is elsewhere. */
static bool resolve(int dir_fd, const char *path, char ret_path[MAX_PATH])
{
	size_t len = strlen(folder);
	if (trace_fd < 0)
		return false;
	if (path[0] == '/') {
		if (strncmp(path, folder, len) != 0 || (path[len] != '/' && path[len] != '\0'))
			return false;
		snprintf(ret_path, MAX_PATH, "%s", path[len] == '/' ? path + len + 1 : "");
		return true;
	}
	if (dir_fd < 0 || dir_fd >= MAX_FDS || !names[dir_fd])
		return false;
	if (strcmp(path, ".") == 0)
		snprintf(ret_path, MAX_PATH, "%s", names[dir_fd]);
	else
		snprintf(ret_path, MAX_PATH, "%s%s%s", names[dir_fd], names[dir_fd][0] ? "/" : "",
			 path);
	return true;
}

static bool is_ours(int fd)
{
	return trace_fd >= 0 && fd >= 0 && fd < MAX_FDS && names[fd];
}

static int do_open(int dir_fd, const char *path, int flags, mode_t mode)
{
	char name[MAX_PATH];
	pthread_mutex_lock(&lock);
	int fd = (int)syscall(SYS_openat, dir_fd, path, flags, mode);
	int code = errno;
	if (fd >= 0 && fd < MAX_FDS) {
		free(names[fd]);
		names[fd] = NULL;
		if (resolve(dir_fd, path, name)) {
			names[fd] = strdup(name);
			record(TRACE_OPEN, fd, (uint64_t)flags, name, NULL, NULL, 0);
		}
	}
	pthread_mutex_unlock(&lock);
	errno = code;
	return fd;
}

#define DEFINE_OPEN(name)                                                                          \
	EXPORT int name(const char *path, int flags, ...)                                          \
	{                                                                                          \
		va_list args;                                                                      \
		va_start(args, flags);                                                             \
		mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;            \
		va_end(args);                                                                      \
		return do_open(AT_FDCWD, path, flags, mode);                                       \
	}
#define DEFINE_OPENAT(name)                                                                        \
	EXPORT int name(int dir_fd, const char *path, int flags, ...)                              \
	{                                                                                          \
		va_list args;                                                                      \
		va_start(args, flags);                                                             \
		mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;            \
		va_end(args);                                                                      \
		return do_open(dir_fd, path, flags, mode);                                         \
	}
DEFINE_OPEN(open)
DEFINE_OPEN(open64)
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

EXPORT int close(int fd)
{
	pthread_mutex_lock(&lock);
	if (is_ours(fd)) {
		record(TRACE_CLOSE, fd, 0, NULL, NULL, NULL, 0);
		free(names[fd]);
		names[fd] = NULL;
	}
	int result = (int)syscall(SYS_close, fd);
	pthread_mutex_unlock(&lock);
	return result;
}

static ssize_t do_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	pthread_mutex_lock(&lock);
	ssize_t done = syscall(SYS_pwrite64, fd, bytes, len, offset);
	int code = errno;
	if (done > 0 && is_ours(fd))
		record(TRACE_WRITE, fd, (uint64_t)offset, NULL, NULL, bytes, (size_t)done);
	pthread_mutex_unlock(&lock);
	errno = code;
	return done;
}

EXPORT ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	return do_pwrite(fd, bytes, len, offset);
}

EXPORT ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
	return do_pwrite(fd, bytes, len, offset);
}

EXPORT ssize_t write(int fd, const void *bytes, size_t len)
{
	pthread_mutex_lock(&lock);
	bool with_trace = is_ours(fd);
	long offset = with_trace ? syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
	ssize_t done = syscall(SYS_write, fd, bytes, len);
	int code = errno;
	if (done > 0 && with_trace)
		record(TRACE_WRITE, fd, (uint64_t)offset, NULL, NULL, bytes, (size_t)done);
	pthread_mutex_unlock(&lock);
	errno = code;
	return done;
}

/* Part by part: a short one ends it, as the kernel may end it anywhere. */
EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
	ssize_t total = 0;
	for (int i = 0; i < count; i++) {
		ssize_t done = write(fd, parts[i].iov_base, parts[i].iov_len);
		if (done < 0)
			return total > 0 ? total : done;
		total += done;
		if ((size_t)done < parts[i].iov_len)
			break;
	}
	return total;
}

EXPORT ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	ssize_t total = 0;
	for (int i = 0; i < count; i++) {
		ssize_t done = do_pwrite(fd, parts[i].iov_base, parts[i].iov_len, offset + total);
		if (done < 0)
			return total > 0 ? total : done;
		total += done;
		if ((size_t)done < parts[i].iov_len)
			break;
	}
	return total;
}

EXPORT ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
	return pwritev(fd, parts, count, offset);
}

static int note_fd(int result, enum trace_kind kind, int fd, uint64_t offset)
{
	int code = errno;
	if (result == 0 && is_ours(fd))
		record(kind, fd, offset, NULL, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
	errno = code;
	return result;
}

EXPORT int fsync(int fd)
{
	pthread_mutex_lock(&lock);
	return note_fd((int)syscall(SYS_fsync, fd), TRACE_SYNC, fd, 0);
}

EXPORT int fdatasync(int fd)
{
	pthread_mutex_lock(&lock);
	return note_fd((int)syscall(SYS_fdatasync, fd), TRACE_SYNC, fd, 0);
}

EXPORT int ftruncate(int fd, off_t len)
{
	pthread_mutex_lock(&lock);
	return note_fd((int)syscall(SYS_ftruncate, fd, len), TRACE_TRUNCATE, fd, (uint64_t)len);
}

EXPORT int ftruncate64(int fd, off64_t len)
{
	return ftruncate(fd, len);
}

EXPORT int fallocate(int fd, int mode, off_t offset, off_t len)
{
	/* Other modes change content; nobody here may use them unseen. */
	if (is_ours(fd) && mode != 0)
		abort();
	pthread_mutex_lock(&lock);
	return note_fd((int)syscall(SYS_fallocate, fd, mode, offset, len), TRACE_EXTEND, fd,
		       (uint64_t)(offset + len));
}

EXPORT int fallocate64(int fd, int mode, off64_t offset, off64_t len)
{
	return fallocate(fd, mode, offset, len);
}

EXPORT int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	char from_name[MAX_PATH];
	char to_name[MAX_PATH];
	pthread_mutex_lock(&lock);
	int result = (int)syscall(SYS_renameat, from_fd, from, to_fd, to);
	int code = errno;
	if (result == 0 && resolve(from_fd, from, from_name) && resolve(to_fd, to, to_name))
		record(TRACE_RENAME, -1, 0, from_name, to_name, NULL, 0);
	pthread_mutex_unlock(&lock);
	errno = code;
	return result;
}

EXPORT int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

EXPORT int unlinkat(int dir_fd, const char *path, int flags)
{
	char name[MAX_PATH];
	pthread_mutex_lock(&lock);
	int result = (int)syscall(SYS_unlinkat, dir_fd, path, flags);
	int code = errno;
	if (result == 0 && resolve(dir_fd, path, name))
		record(TRACE_UNLINK, -1, 0, name, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
	errno = code;
	return result;
}

EXPORT int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

EXPORT int mkdirat(int dir_fd, const char *path, mode_t mode)
{
	char name[MAX_PATH];
	pthread_mutex_lock(&lock);
	int result = (int)syscall(SYS_mkdirat, dir_fd, path, mode);
	int code = errno;
	if (result == 0 && resolve(dir_fd, path, name))
		record(TRACE_MKDIR, -1, 0, name, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
	errno = code;
	return result;
}

EXPORT int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

EXPORT void recorder_note(const char *text)
{
	pthread_mutex_lock(&lock);
	if (trace_fd >= 0)
		record(TRACE_NOTE, -1, 0, NULL, NULL, text, strlen(text));
	pthread_mutex_unlock(&lock);
}
