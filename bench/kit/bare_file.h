/* A file that only grows, used at its best: its room is taken ahead, as a log does it, so that a
 * sync need not write the file's length each time. */
#ifndef LYC_BENCH_BARE_FILE_H
#define LYC_BENCH_BARE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bare_file {
	int fd;
	uint64_t len;
	uint64_t room;
};

bool bare_file_open(struct bare_file *file, const char *path);
void bare_file_close(struct bare_file *file);
/* Behind what is there; not synced. */
bool bare_file_append(struct bare_file *file, const void *bytes, size_t len);
bool bare_file_sync(struct bare_file *file);

#endif
