/* Second links to the files; what lies aside is what has such a name. */
#include "store/aside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MARK ".damaged-"

void aside_name(const struct segment *segment, char ret_name[ASIDE_NAME_LEN])
{
	snprintf(ret_name, ASIDE_NAME_LEN, "%s" MARK "%" PRIu32, segment->name,
		 segment->generation);
}

enum lyc_status aside_keep(const struct segment *segment, const char *name, struct lyc_error *error)
{
	const struct segment_folder *folder = segment->folder;
	if (linkat(folder->fd, segment->name, folder->fd, name, 0) != 0 && errno != EEXIST)
		return segment_folder_failed(folder, error, "keep aside", segment->name);
	return segment_folder_sync_names(folder, error);
}

/* Of one segment, 0: of any. Deletes them, too. */
static size_t go_through(const struct segment_folder *folder, uint64_t first_seq, bool is_deleting)
{
	char prefix[32] = "";
	size_t count = 0;
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir && fd >= 0)
		close(fd);
	if (first_seq > 0)
		segment_name(first_seq, ".log", prefix);
	for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
		if (!strstr(entry->d_name, ".log" MARK) ||
		    strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		count++;
		if (is_deleting)
			unlinkat(folder->fd, entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
	return count;
}

size_t aside_count(const struct segment_folder *folder)
{
	return go_through(folder, 0, false);
}

void aside_forget(const struct segment_folder *folder, uint64_t first_seq)
{
	(void)go_through(folder, first_seq, true);
}
