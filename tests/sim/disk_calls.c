/*
 * The program's calls on files, the clock and random bytes, taken over by the linker (--wrap): what
 * concerns a memory disk goes there, everything else to the system. So the store under test is the
 * one that ships, byte for byte.
 */
#include "disk_calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "memory_disk.h"

#define PATH_LEN 600

static const struct disk_calls *calls;

void disk_calls_set(const struct disk_calls *to)
{
	calls = to;
}

/* An open folder that is being listed; told from the system's by its place here. */
struct listing {
	int fd;
	char path[PATH_LEN];
	size_t at;
	struct dirent64 entry;
	struct listing *next;
};

static struct listing *listings;

static struct listing *listing_of(const void *dir)
{
	struct listing *listing = listings;
	while (listing && listing != dir)
		listing = listing->next;
	return listing;
}

static bool is_ours(int fd)
{
	return fd >= MEMORY_DISK_FIRST_FD;
}

/* The whole path when it is on a memory disk. */
static bool resolve(int at, const char *path, char to[PATH_LEN])
{
	if (path[0] != '/' && is_ours(at)) {
		const char *folder = memory_disk_path(at);
		if (!folder)
			return false;
		if (strcmp(path, ".") == 0)
			snprintf(to, PATH_LEN, "%s", folder);
		else
			snprintf(to, PATH_LEN, "%s/%s", folder, path);
		return true;
	}
	snprintf(to, PATH_LEN, "%s", path);
	size_t len = strlen(to);
	while (len > 1 && (to[len - 1] == '/' || (to[len - 1] == '.' && to[len - 2] == '/')))
		to[--len] = '\0';
	return memory_disk_has(to);
}

/* Folders above the disks are there and stay as they are. */
static bool is_above(const char *path)
{
	size_t len = strlen(path);
	return len > 1 && len < strlen(MEMORY_DISK_ROOT) &&
	       strncmp(path, MEMORY_DISK_ROOT, len) == 0;
}

#define WRAP(result, name, ...)                                                                    \
	result __real_##name(__VA_ARGS__);                                                         \
	result __wrap_##name(__VA_ARGS__);                                                         \
	result __wrap_##name(__VA_ARGS__)

WRAP(int, open64, const char *path, int flags, ...)
{
	char whole[PATH_LEN];
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (is_above(path))
		return __real_open64("/", flags, mode);
	return resolve(AT_FDCWD, path, whole) ? memory_disk_open(whole, flags)
					      : __real_open64(path, flags, mode);
}

WRAP(int, openat64, int at, const char *path, int flags, ...)
{
	char whole[PATH_LEN];
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return resolve(at, path, whole) ? memory_disk_open(whole, flags)
					: __real_openat64(at, path, flags, mode);
}

WRAP(int, close, int fd)
{
	return is_ours(fd) ? memory_disk_close(fd) : __real_close(fd);
}

WRAP(ssize_t, read, int fd, void *to, size_t len)
{
	return is_ours(fd) ? memory_disk_read(fd, to, len, UINT64_MAX) : __real_read(fd, to, len);
}

WRAP(ssize_t, pread64, int fd, void *to, size_t len, off_t offset)
{
	return is_ours(fd) ? memory_disk_read(fd, to, len, (uint64_t)offset)
			   : __real_pread64(fd, to, len, offset);
}

WRAP(ssize_t, write, int fd, const void *from, size_t len)
{
	return is_ours(fd) ? memory_disk_write(fd, from, len, UINT64_MAX)
			   : __real_write(fd, from, len);
}

WRAP(ssize_t, pwrite64, int fd, const void *from, size_t len, off_t offset)
{
	return is_ours(fd) ? memory_disk_write(fd, from, len, (uint64_t)offset)
			   : __real_pwrite64(fd, from, len, offset);
}

WRAP(off_t, lseek64, int fd, off_t offset, int whence)
{
	return is_ours(fd) ? memory_disk_seek(fd, offset, whence)
			   : __real_lseek64(fd, offset, whence);
}

WRAP(int, fsync, int fd)
{
	return is_ours(fd) ? memory_disk_sync(fd) : __real_fsync(fd);
}

WRAP(int, fdatasync, int fd)
{
	return is_ours(fd) ? memory_disk_sync(fd) : __real_fdatasync(fd);
}

WRAP(int, ftruncate64, int fd, off_t len)
{
	return is_ours(fd) ? memory_disk_set_len(fd, (uint64_t)len, true)
			   : __real_ftruncate64(fd, len);
}

WRAP(int, fallocate64, int fd, int mode, off_t offset, off_t len)
{
	return is_ours(fd) ? memory_disk_set_len(fd, (uint64_t)(offset + len), false)
			   : __real_fallocate64(fd, mode, offset, len);
}

WRAP(int, flock, int fd, int operation)
{
	return is_ours(fd) ? 0 : __real_flock(fd, operation);
}

WRAP(int, renameat, int from_at, const char *from, int to_at, const char *to)
{
	char whole_from[PATH_LEN];
	char whole_to[PATH_LEN];
	if (resolve(from_at, from, whole_from) && resolve(to_at, to, whole_to))
		return memory_disk_rename(whole_from, whole_to, false);
	return __real_renameat(from_at, from, to_at, to);
}

WRAP(int, rename, const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

WRAP(int, linkat, int from_at, const char *from, int to_at, const char *to, int flags)
{
	char whole_from[PATH_LEN];
	char whole_to[PATH_LEN];
	if (resolve(from_at, from, whole_from) && resolve(to_at, to, whole_to))
		return memory_disk_rename(whole_from, whole_to, true);
	return __real_linkat(from_at, from, to_at, to, flags);
}

WRAP(int, link, const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* As a file system that cannot: the bytes are then read and written. */
WRAP(ssize_t, copy_file_range, int from, off64_t *from_at, int to, off64_t *to_at, size_t len,
     unsigned flags)
{
	if (!is_ours(from) && !is_ours(to))
		return __real_copy_file_range(from, from_at, to, to_at, len, flags);
	errno = EXDEV;
	return -1;
}

WRAP(int, unlinkat, int at, const char *path, int flags)
{
	char whole[PATH_LEN];
	return resolve(at, path, whole) ? memory_disk_unlink(whole, (flags & AT_REMOVEDIR) != 0)
					: __real_unlinkat(at, path, flags);
}

WRAP(int, unlink, const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

WRAP(int, mkdirat, int at, const char *path, mode_t mode)
{
	char whole[PATH_LEN];
	if (is_above(path)) {
		errno = EEXIST;
		return -1;
	}
	return resolve(at, path, whole) ? memory_disk_mkdir(whole) : __real_mkdirat(at, path, mode);
}

WRAP(int, mkdir, const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

static int fill_stat(int kind, uint64_t len, struct stat64 *to)
{
	*to = (struct stat64){.st_mode = kind == 2 ? S_IFDIR | 0700 : S_IFREG | 0600,
			      .st_size = (off_t)len,
			      .st_blocks = (blkcnt_t)(len / 512 + 1),
			      .st_nlink = 1};
	return 0;
}

static int stat_path(const char *path, struct stat64 *to)
{
	uint64_t len = 0;
	int kind = memory_disk_kind(path, &len);
	if (kind > 0)
		return fill_stat(kind, len, to);
	errno = ENOENT;
	return -1;
}

WRAP(int, fstat64, int fd, struct stat64 *to)
{
	if (!is_ours(fd))
		return __real_fstat64(fd, to);
	uint64_t len = 0;
	int kind = memory_disk_kind_of(fd, &len);
	return kind ? fill_stat(kind, len, to) : -1;
}

WRAP(int, stat64, const char *path, struct stat64 *to)
{
	char whole[PATH_LEN];
	return resolve(AT_FDCWD, path, whole) ? stat_path(whole, to) : __real_stat64(path, to);
}

WRAP(int, fstatat64, int at, const char *path, struct stat64 *to, int flags)
{
	char whole[PATH_LEN];
	return resolve(at, path, whole) ? stat_path(whole, to)
					: __real_fstatat64(at, path, to, flags);
}

WRAP(int, faccessat, int at, const char *path, int mode, int flags)
{
	char whole[PATH_LEN];
	struct stat64 info;
	return resolve(at, path, whole) ? stat_path(whole, &info)
					: __real_faccessat(at, path, mode, flags);
}

WRAP(int, access, const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, 0);
}

WRAP(int, rmdir, const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

WRAP(int, fstatvfs64, int fd, struct statvfs64 *to)
{
	if (!is_ours(fd))
		return __real_fstatvfs64(fd, to);
	*to = (struct statvfs64){
		.f_bsize = 4096, .f_frsize = 4096, .f_blocks = 1u << 20, .f_bavail = 1u << 18};
	return 0;
}

WRAP(DIR *, fdopendir, int fd)
{
	if (!is_ours(fd))
		return __real_fdopendir(fd);
	struct listing *listing = mem_new(struct listing);
	listing->fd = fd;
	snprintf(listing->path, sizeof(listing->path), "%s", memory_disk_path(fd));
	listing->next = listings;
	listings = listing;
	return (DIR *)(void *)listing;
}

WRAP(DIR *, opendir, const char *path)
{
	char whole[PATH_LEN];
	if (!resolve(AT_FDCWD, path, whole))
		return __real_opendir(path);
	int fd = memory_disk_open(whole, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? NULL : fdopendir(fd);
}

WRAP(struct dirent64 *, readdir64, DIR *dir)
{
	struct listing *listing = listing_of(dir);
	if (!listing)
		return __real_readdir64(dir);
	const char *name = memory_disk_list(listing->path, &listing->at);
	if (!name)
		return NULL;
	char whole[PATH_LEN * 2];
	uint64_t len;
	snprintf(whole, sizeof(whole), "%s/%s", listing->path, name);
	listing->entry = (struct dirent64){.d_ino = 1};
	listing->entry.d_type = memory_disk_kind(whole, &len) == 2 ? DT_DIR : DT_REG;
	snprintf(listing->entry.d_name, sizeof(listing->entry.d_name), "%.200s", name);
	return &listing->entry;
}

WRAP(int, dirfd, DIR *dir)
{
	const struct listing *listing = listing_of(dir);
	return listing ? listing->fd : __real_dirfd(dir);
}

WRAP(int, closedir, DIR *dir)
{
	struct listing *listing = listing_of(dir);
	if (!listing)
		return __real_closedir(dir);
	struct listing **at = &listings;
	while (*at != listing)
		at = &(*at)->next;
	*at = listing->next;
	memory_disk_close(listing->fd);
	free(listing);
	return 0;
}

WRAP(int, clock_gettime, clockid_t clock, struct timespec *to)
{
	if (!calls)
		return __real_clock_gettime(clock, to);
	uint64_t ms = calls->wall_ms(calls->arg);
	to->tv_sec = (time_t)(ms / 1000);
	to->tv_nsec = (long)(ms % 1000) * 1000000;
	return 0;
}

WRAP(ssize_t, getrandom, void *to, size_t len, unsigned flags)
{
	if (!calls)
		return __real_getrandom(to, len, flags);
	uint8_t *at = to;
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)calls->random(calls->arg);
	return (ssize_t)len;
}
