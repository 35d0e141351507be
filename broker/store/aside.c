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

/* Of one segment, 0: of any. With is_deleting those that are still there are counted; -1 when the
 * folder cannot be read. */
static long go_through(const struct segment_folder *folder, uint64_t first_seq, bool is_deleting,
		       char left[ASIDE_NAME_LEN])
{
	char prefix[32] = "";
	long count = 0;
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (first_seq > 0)
		segment_name(first_seq, ".log", prefix);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (!strstr(entry->d_name, ".log" MARK) ||
		    strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		if (is_deleting && unlinkat(folder->fd, entry->d_name, 0) == 0)
			continue;
		snprintf(left, ASIDE_NAME_LEN, "%.*s", ASIDE_NAME_LEN - 1, entry->d_name);
		count++;
	}
	closedir(dir);
	return count;
}

size_t aside_count(const struct segment_folder *folder)
{
	char name[ASIDE_NAME_LEN];
	long count = go_through(folder, 0, false, name);
	return count > 0 ? (size_t)count : 0;
}

enum lyc_status aside_forget(const struct segment_folder *folder, uint64_t first_seq,
			     struct lyc_error *error)
{
	char name[ASIDE_NAME_LEN] = ".";
	long before = go_through(folder, first_seq, false, name);
	if (before == 0)
		return LYC_OK;
	if (before < 0 || go_through(folder, first_seq, true, name) != 0)
		return segment_folder_failed(folder, error, "delete", name);
	return segment_folder_sync_names(folder, error);
}
