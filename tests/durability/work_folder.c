/* Folders for one run. */
#include "work_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ensure.h"

static const char *place;

void work_folder_put_in(const char *path)
{
	place = path;
}

void work_folder_make(char ret_path[64])
{
	if (!place)
		place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	int len = snprintf(ret_path, 64, "%s/lyceum-durability-XXXXXX", place);
	ensure(len < 64 && mkdtemp(ret_path));
}

void work_folder_clear(const char *path, bool with_self)
{
	DIR *dir = opendir(path);
	ensure(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		char name[900];
		struct stat stat;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (lstat(name, &stat) == 0 && S_ISDIR(stat.st_mode))
			work_folder_clear(name, true);
		else
			unlink(name);
	}
	closedir(dir);
	if (with_self)
		rmdir(path);
}

void work_folder_of_program(char *ret_path, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", ret_path, size - 1);
	ensure(len > 0);
	ret_path[len] = '\0';
	*strrchr(ret_path, '/') = '\0';
}
