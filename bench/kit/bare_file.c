/* Room by fallocate, 64 MiB at a time. */
#include "kit/bare_file.h"

#include <fcntl.h>
#include <unistd.h>

#define ROOM_LEN (64u * 1024 * 1024)

bool bare_file_open(struct bare_file *file, const char *path)
{
	*file = (struct bare_file){.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
	return file->fd >= 0;
}

void bare_file_close(struct bare_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

bool bare_file_append(struct bare_file *file, const void *bytes, size_t len)
{
	/* A file system that knows no fallocate takes it as it comes. */
	if (file->len + len > file->room) {
		(void)!fallocate(file->fd, 0, (off_t)file->room, ROOM_LEN);
		file->room += ROOM_LEN;
	}
	if (pwrite(file->fd, bytes, len, (off_t)file->len) != (ssize_t)len)
		return false;
	file->len += len;
	return true;
}

bool bare_file_sync(struct bare_file *file)
{
	return fdatasync(file->fd) == 0;
}
