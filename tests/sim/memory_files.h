/*
 * What a disk in memory consists of, for the two files that are it: memory_disk.c has its life, and
 * what is left when that ends; memory_calls.c the calls.
 */
#ifndef LYC_TESTS_SIM_MEMORY_FILES_H
#define LYC_TESTS_SIM_MEMORY_FILES_H

#include "memory_disk.h"

#define MAX_DISKS 64
#define MAX_FDS 1024
#define SECTOR 512
#define NONE (-1)

/* A write, or with data NULL a new length. */
struct change {
	uint64_t offset;
	uint8_t *data;
	size_t len;
};

struct file {
	bool is_folder;
	struct buf now;
	struct buf synced;
	struct change *changes;
	size_t change_count;
};

struct name {
	char *path;
	int file;
	int synced;
	bool was_hit; /* a bit of it has flipped */
};

/* One change of names, kept or lost as a whole. */
struct renaming {
	size_t from; /* loses its file; NONE */
	size_t to;   /* gets it; NONE */
	int file;
};

struct memory_disk {
	char *root;
	struct file *files;
	size_t file_count;
	struct name *names;
	size_t name_count;
	struct renaming *renamings;
	size_t renaming_count;

	uint64_t changes;
	uint64_t fail_at; /* 0: never */
	bool is_dead;
	bool is_full;
	bool is_lying;
};

struct open_file {
	struct memory_disk *disk;
	int file;
	uint64_t offset;
	char *path;
};

extern struct memory_disk *memory_disks[MAX_DISKS];
extern struct open_file memory_open_files[MAX_FDS];

/* Grown by one; abort is the answer to no memory in a test. */
void *memory_grown(void *array, size_t count, size_t size);
int memory_add_file(struct memory_disk *disk, bool is_folder);
/* NULL: none. The other makes it. */
struct name *memory_find_name(const struct memory_disk *disk, const char *path);
struct name *memory_name_of(struct memory_disk *disk, const char *path);
void memory_set_len(struct buf *content, size_t len);
void memory_put(struct buf *content, uint64_t offset, const void *bytes, size_t len);
void memory_drop_changes(struct file *file);

#endif
