/* 64 bytes: the key of the tokens, then the one that opens seals; the public key follows from it.
 */
#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define SECRET_LEN 64

static enum lyc_status fail(struct lyc_error *error, enum lyc_status status, const char *path,
			    const char *what)
{
	error->status = status;
	snprintf(error->text, sizeof(error->text), "%.130s %.100s", path, what);
	return status;
}

static bool read_whole(int fd, uint8_t *bytes, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t got = read(fd, bytes + have, len - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return true;
}

static bool write_whole(int fd, const uint8_t *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t put = write(fd, bytes + done, len - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		done += (size_t)put;
	}
	return fsync(fd) == 0;
}

static enum lyc_status load(const char *path, int fd, uint8_t bytes[SECRET_LEN],
			    struct lyc_error *error)
{
	struct stat about;

	if (fstat(fd, &about) != 0)
		return fail(error, LYC_INTERNAL, path, strerror(errno));
	if (about.st_mode & (S_IRWXG | S_IRWXO))
		return fail(error, LYC_PERMISSION_DENIED, path,
			    "holds this node's keys and may be read by others: chmod 600 it");
	if (!S_ISREG(about.st_mode) || about.st_size != SECRET_LEN ||
	    !read_whole(fd, bytes, SECRET_LEN))
		return fail(error, LYC_DATA_LOSS, path,
			    "is not whole: put it back from the backup");
	return LYC_OK;
}

/* The name of a file holds only when its folder is on the disk. */
static bool sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return is_synced;
}

static enum lyc_status store(const char *folder, const char *path, const uint8_t bytes[SECRET_LEN],
			     struct lyc_error *error)
{
	char temporary[PATH_MAX];

	if (snprintf(temporary, sizeof(temporary), "%s/secret.new", folder) >=
	    (int)sizeof(temporary))
		return fail(error, LYC_INVALID_ARGUMENT, folder, "is too long a path");
	/* What a start that was cut short has left. */
	if (unlink(temporary) != 0 && errno != ENOENT)
		return fail(error, LYC_INTERNAL, temporary, strerror(errno));
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return fail(error, LYC_INTERNAL, temporary, strerror(errno));
	bool is_written = write_whole(fd, bytes, SECRET_LEN);
	is_written &= close(fd) == 0;
	if (is_written && rename(temporary, path) == 0 && sync_folder(folder))
		return LYC_OK;
	int reason = errno;
	unlink(temporary);
	return fail(error, LYC_INTERNAL, path, strerror(reason));
}

enum lyc_status secret_file_keep(const char *folder, struct secret *ret_secret,
				 struct lyc_error *error)
{
	char path[PATH_MAX];
	uint8_t bytes[SECRET_LEN];
	enum lyc_status status;

	if (snprintf(path, sizeof(path), "%s/secret", folder) >= (int)sizeof(path))
		return fail(error, LYC_INVALID_ARGUMENT, folder, "is too long a path");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		status = load(path, fd, bytes, error);
		close(fd);
	} else if (errno == ENOENT) {
		struct secret made;
		secret_make(&made);
		memcpy(bytes, made.token_key, 32);
		memcpy(bytes + 32, made.seal_key, 32);
		sodium_memzero(&made, sizeof(made));
		status = store(folder, path, bytes, error);
	} else {
		return fail(error, LYC_INTERNAL, path, strerror(errno));
	}
	if (status == LYC_OK && !secret_from(bytes, bytes + 32, ret_secret))
		status = fail(error, LYC_DATA_LOSS, path,
			      "is not whole: put it back from the backup");
	sodium_memzero(bytes, sizeof(bytes));
	return status;
}
