/* dlopen, with what its message leaves to be guessed looked up before or taken apart afterwards. */
#include "client/plugin_file.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static enum lyc_status check_file(const char *path, int fd, struct lyc_error *error)
{
	struct stat stat;
	char head[SELFMAG] = "";
	if (fd < 0 && errno == ENOENT)
		return error_set(error, LYC_FAILED_PRECONDITION, "There is no plugin file %s.",
				 path);
	if (fd < 0)
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "The plugin file %s cannot be opened: %s.", path, strerror(errno));
	if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "%s is no plugin file but a folder or a device.", path);
	if (pread(fd, head, sizeof(head), 0) != sizeof(head) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return error_set(
			error, LYC_FAILED_PRECONDITION,
			"%s is not a shared object: it does not begin as an ELF file does.", path);
	return LYC_OK;
}

/* The inode that is mapped under this path; 0: none. The kernel says "(deleted)" behind the name of
 * a file whose place another one has taken. */
static ino_t mapped_inode(const char *path)
{
	char *line = NULL;
	size_t size = 0;
	unsigned long long inode = 0;
	unsigned long long found = 0;
	size_t len = strlen(path);
	FILE *maps = fopen("/proc/self/maps", "re");
	while (maps && !found && getline(&line, &size, maps) > 0) {
		const char *name = strchr(line, '/');
		if (name && strncmp(name, path, len) == 0 &&
		    (name[len] == '\n' || strcmp(name + len, " (deleted)\n") == 0) &&
		    sscanf(line, "%*s %*s %*s %*s %llu", &inode) == 1)
			found = inode;
	}
	if (maps)
		fclose(maps);
	free(line);
	return (ino_t)found;
}

/* dlopen goes by the name and would hand out the code that was there before. */
static bool has_been_replaced(const char *path, int fd)
{
	struct stat stat;
	char *real = realpath(path, NULL);
	void *loaded = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
	ino_t inode = loaded && real ? mapped_inode(real) : 0;
	free(real);
	return inode != 0 && fstat(fd, &stat) == 0 && stat.st_ino != inode;
}

/* "liba.so.1: cannot open shared object file: No such file or directory" */
static bool is_missing_library(const char *text, const char *path, size_t *ret_len)
{
	const char *colon = strstr(text, ": cannot open shared object file");
	*ret_len = colon ? (size_t)(colon - text) : 0;
	return colon && (strlen(path) != *ret_len || strncmp(text, path, *ret_len) != 0);
}

static enum lyc_status explain(const char *path, const char *text, struct lyc_error *error)
{
	static const char undefined[] = "undefined symbol: ";
	size_t len;
	if (is_missing_library(text, path, &len))
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "%s needs the library %.*s, which is not installed.", path,
				 (int)len, text);
	const char *symbol = strstr(text, undefined);
	if (symbol) {
		symbol += sizeof(undefined) - 1;
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "%s needs the function %.*s, which nothing here has: was it built "
				 "for another version?",
				 path, (int)strcspn(symbol, ", ("), symbol);
	}
	return error_set(error, LYC_FAILED_PRECONDITION, "The plugin cannot be loaded: %s.", text);
}

enum lyc_status plugin_file_open(const char *path, void **ret_handle, struct lyc_error *error)
{
	char by_number[40];
	/* Without a slash dlopen would search the system's folders. */
	if (!strchr(path, '/'))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The plugin file \"%s\" has to be given with its folder.", path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum lyc_status status = check_file(path, fd, error);
	if (status != LYC_OK)
		goto out;
	const char *name = path;
	bool is_new = has_been_replaced(path, fd);
	if (is_new) {
		snprintf(by_number, sizeof(by_number), "/proc/self/fd/%d", fd);
		name = by_number;
	}
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (handle)
		*ret_handle = handle;
	else
		status = explain(path, dlerror(), error);
	/* The number stays taken: dlopen would know the next file under it by its name. */
	if (is_new && handle)
		fd = -1;
out:
	if (fd >= 0)
		close(fd);
	return status;
}
