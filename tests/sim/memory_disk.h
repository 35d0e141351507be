/*
 * A disk in memory under the real store: files, folders, and what of them has been synced. It can
 * stop at any call, as a machine does whose power is cut; what is left then is what was synced, and
 * of what came since any part that a seed chooses. disk_calls.c puts it under the program's calls.
 */
#ifndef LYC_TESTS_SIM_MEMORY_DISK_H
#define LYC_TESTS_SIM_MEMORY_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/rng.h"

struct memory_disk;

/* Every path at or below `root` is on it; root begins with MEMORY_DISK_ROOT. */
#define MEMORY_DISK_ROOT "/memory-disk/"
struct memory_disk *memory_disk_new(const char *root);
void memory_disk_free(struct memory_disk *disk);
/* Another disk with the same content, all of it synced. */
struct memory_disk *memory_disk_copy(const struct memory_disk *disk, const char *root);

/* After so many more calls that change something it is dead: each call then fails with EIO. */
void memory_disk_fail_after(struct memory_disk *disk, uint64_t calls);
bool memory_disk_is_dead(const struct memory_disk *disk);
/* The process has ended: its descriptors are closed, all that it wrote is there. The disk works. */
void memory_disk_kill(struct memory_disk *disk);
/* The power was cut: the same, and what was not synced is there or not. */
void memory_disk_cut_power(struct memory_disk *disk, struct rng *rng);
/* While set, a write that needs more room fails with ENOSPC. */
void memory_disk_set_full(struct memory_disk *disk, bool is_full);
/* A disk that says it has synced and has not: for a check that has to fail. */
void memory_disk_set_lying(struct memory_disk *disk, bool is_lying);
/* Everything at or below the path is gone for good. */
void memory_disk_forget(struct memory_disk *disk, const char *path);
/* One bit of one .log file below this folder is another one from now on, not of the last of them by
 * name, and of none twice: the file's path; NULL when luck found none. */
const char *memory_disk_flip(struct memory_disk *disk, const char *folder, struct rng *rng);
/* How many calls have changed something. */
uint64_t memory_disk_changes(const struct memory_disk *disk);
/* The first place of these bytes in any file that has a name: its path, or NULL. */
const char *memory_disk_find(const struct memory_disk *disk, struct span bytes);
void memory_disk_each(const struct memory_disk *disk,
		      void (*on_file)(const char *path, struct span content, void *arg), void *arg);

/* ---- memory_calls.c, for disk_calls.c: as the calls of the same names; -1 and errno ---- */

#define MEMORY_DISK_FIRST_FD (1 << 20)
bool memory_disk_has(const char *path);
int memory_disk_open(const char *path, int flags);
/* The path of an open folder; NULL: not one of ours. */
const char *memory_disk_path(int fd);
int memory_disk_close(int fd);
/* Offset UINT64_MAX: where the descriptor stands, which moves. */
ssize_t memory_disk_read(int fd, void *to, size_t len, uint64_t offset);
ssize_t memory_disk_write(int fd, const void *from, size_t len, uint64_t offset);
int memory_disk_sync(int fd);
int memory_disk_set_len(int fd, uint64_t len, bool may_shrink);
int64_t memory_disk_seek(int fd, int64_t offset, int whence);
/* Kind: 1 file, 2 folder, 0 nothing. */
int memory_disk_kind(const char *path, uint64_t *ret_len);
int memory_disk_kind_of(int fd, uint64_t *ret_len);
int memory_disk_rename(const char *from, const char *to, bool is_link);
int memory_disk_unlink(const char *path, bool is_folder);
int memory_disk_mkdir(const char *path);
/* The name of the next entry of the folder from *at on; NULL at the end. */
const char *memory_disk_list(const char *path, size_t *at);

#endif
