/* Files with content as it is and as it was synced; names with files as they are and as they were
 * synced; and the changes in between. */
#include "memory_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/mem.h"

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

static struct memory_disk *disks[MAX_DISKS];
static struct open_file open_files[MAX_FDS];

/* Grown by one; abort is the answer to no memory in a test. */
static void *grown(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	void *more = realloc(array, (count ? count * 2 : 1) * size);
	ensure(more != NULL);
	return more;
}

/* ---- disks ---- */

static int add_file(struct memory_disk *disk, bool is_folder)
{
	disk->files = grown(disk->files, disk->file_count, sizeof(*disk->files));
	disk->files[disk->file_count] = (struct file){.is_folder = is_folder};
	return (int)disk->file_count++;
}

static struct name *find_name(const struct memory_disk *disk, const char *path)
{
	for (size_t i = 0; i < disk->name_count; i++) {
		if (strcmp(disk->names[i].path, path) == 0)
			return &disk->names[i];
	}
	return NULL;
}

static struct name *name_of(struct memory_disk *disk, const char *path)
{
	struct name *name = find_name(disk, path);
	if (name)
		return name;
	disk->names = grown(disk->names, disk->name_count, sizeof(*disk->names));
	name = &disk->names[disk->name_count++];
	*name = (struct name){.path = mem_dup(path), .file = NONE, .synced = NONE};
	return name;
}

struct memory_disk *memory_disk_new(const char *root)
{
	struct memory_disk *disk = mem_new(struct memory_disk);
	size_t i = 0;
	while (i < MAX_DISKS && disks[i])
		i++;
	ensure(i < MAX_DISKS && strncmp(root, MEMORY_DISK_ROOT, strlen(MEMORY_DISK_ROOT)) == 0);
	disks[i] = disk;
	disk->root = mem_dup(root);
	struct name *name = name_of(disk, root);
	name->file = name->synced = add_file(disk, true);
	return disk;
}

static void drop_changes(struct file *file)
{
	for (size_t i = 0; i < file->change_count; i++)
		free(file->changes[i].data);
	free(file->changes);
	file->changes = NULL;
	file->change_count = 0;
}

static void close_all(struct memory_disk *disk)
{
	for (int i = 0; i < MAX_FDS; i++) {
		if (open_files[i].disk == disk)
			memory_disk_close(MEMORY_DISK_FIRST_FD + i);
	}
}

void memory_disk_free(struct memory_disk *disk)
{
	if (!disk)
		return;
	close_all(disk);
	for (size_t i = 0; i < MAX_DISKS; i++) {
		if (disks[i] == disk)
			disks[i] = NULL;
	}
	for (size_t i = 0; i < disk->file_count; i++) {
		drop_changes(&disk->files[i]);
		buf_fini(&disk->files[i].now);
		buf_fini(&disk->files[i].synced);
	}
	for (size_t i = 0; i < disk->name_count; i++)
		free(disk->names[i].path);
	free(disk->files);
	free(disk->names);
	free(disk->renamings);
	free(disk->root);
	free(disk);
}

struct memory_disk *memory_disk_copy(const struct memory_disk *disk, const char *root)
{
	struct memory_disk *copy = memory_disk_new(root);
	for (size_t i = 0; i < disk->name_count; i++) {
		const struct name *name = &disk->names[i];
		struct buf path = {0};
		if (name->file == NONE)
			continue;
		const struct file *file = &disk->files[name->file];
		buf_add_format(&path, "%s%s", root, name->path + strlen(disk->root));
		struct name *to = name_of(copy, buf_text(&path));
		if (to->file == NONE)
			to->file = to->synced = add_file(copy, file->is_folder);
		struct file *into = &copy->files[to->file];
		buf_add(&into->now, file->now.data, file->now.len);
		buf_add(&into->synced, file->now.data, file->now.len);
		buf_fini(&path);
	}
	return copy;
}

void memory_disk_fail_after(struct memory_disk *disk, uint64_t calls)
{
	disk->fail_at = disk->changes + calls + 1;
}

bool memory_disk_is_dead(const struct memory_disk *disk)
{
	return disk->is_dead;
}

void memory_disk_set_full(struct memory_disk *disk, bool is_full)
{
	disk->is_full = is_full;
}

void memory_disk_set_lying(struct memory_disk *disk, bool is_lying)
{
	disk->is_lying = is_lying;
}

void memory_disk_forget(struct memory_disk *disk, const char *path)
{
	size_t len = strlen(path);
	size_t kept = 0;
	for (size_t i = 0; i < disk->name_count; i++) {
		struct name *name = &disk->names[i];
		if (strncmp(name->path, path, len) == 0 &&
		    (name->path[len] == '\0' || name->path[len] == '/'))
			name->file = name->synced = NONE;
	}
	for (size_t i = 0; i < disk->renaming_count; i++) {
		size_t to = disk->renamings[i].to;
		size_t from = disk->renamings[i].from;
		const char *any = disk->names[to != SIZE_MAX ? to : from].path;
		if (strncmp(any, path, len) != 0)
			disk->renamings[kept++] = disk->renamings[i];
	}
	disk->renaming_count = kept;
}

uint64_t memory_disk_changes(const struct memory_disk *disk)
{
	return disk->changes;
}

void memory_disk_each(const struct memory_disk *disk,
		      void (*on_file)(const char *path, struct span content, void *arg), void *arg)
{
	for (size_t i = 0; i < disk->name_count; i++) {
		const struct name *name = &disk->names[i];
		const struct file *file = name->file == NONE ? NULL : &disk->files[name->file];
		if (file && !file->is_folder)
			on_file(name->path, span_of(file->now.data, file->now.len), arg);
	}
}

const char *memory_disk_find(const struct memory_disk *disk, struct span bytes)
{
	for (size_t i = 0; i < disk->name_count; i++) {
		const struct name *name = &disk->names[i];
		const struct file *file = name->file == NONE ? NULL : &disk->files[name->file];
		if (file && file->now.len > 0 &&
		    memmem(file->now.data, file->now.len, bytes.data, bytes.len))
			return name->path;
	}
	return NULL;
}

/* ---- the end of a process, and of the power ---- */

static void set_len(struct buf *content, size_t len)
{
	if (len > content->len) {
		ensure(buf_reserve(content, len - content->len));
		memset(content->data + content->len, 0, len - content->len);
	}
	content->len = len;
}

static void put(struct buf *content, uint64_t offset, const void *bytes, size_t len)
{
	if (content->len < offset + len)
		set_len(content, (size_t)offset + len);
	if (len > 0)
		memcpy(content->data + offset, bytes, len);
}

static void restart(struct memory_disk *disk)
{
	close_all(disk);
	disk->is_dead = false;
	disk->fail_at = 0;
}

void memory_disk_kill(struct memory_disk *disk)
{
	restart(disk);
}

/* Nothing of it, all of it, or some sectors. */
static void apply_by_luck(struct buf *content, const struct change *change, struct rng *rng)
{
	uint64_t luck = rng_below(rng, 3);
	if (luck == 0)
		return;
	if (!change->data) {
		set_len(content, (size_t)change->offset);
		return;
	}
	for (size_t from = 0; from < change->len;) {
		size_t to = from + SECTOR - (size_t)((change->offset + from) % SECTOR);
		if (to > change->len)
			to = change->len;
		if (luck == 1 || rng_below(rng, 2) == 0)
			put(content, change->offset + from, change->data + from, to - from);
		from = to;
	}
}

void memory_disk_cut_power(struct memory_disk *disk, struct rng *rng)
{
	restart(disk);
	for (size_t i = 0; i < disk->file_count; i++) {
		struct file *file = &disk->files[i];
		if (file->change_count == 0)
			continue;
		/* Either all that was not synced is gone, or luck decides of each. */
		if (rng_below(rng, 3) > 0) {
			for (size_t k = 0; k < file->change_count; k++)
				apply_by_luck(&file->synced, &file->changes[k], rng);
		}
		drop_changes(file);
		buf_clear(&file->now);
		buf_add(&file->now, file->synced.data, file->synced.len);
	}
	bool is_all_lost = rng_below(rng, 3) == 0;
	for (size_t i = 0; i < disk->renaming_count; i++) {
		const struct renaming *renaming = &disk->renamings[i];
		if (is_all_lost || rng_below(rng, 2) == 0)
			continue;
		if (renaming->from != SIZE_MAX &&
		    disk->names[renaming->from].synced == renaming->file)
			disk->names[renaming->from].synced = NONE;
		if (renaming->to != SIZE_MAX)
			disk->names[renaming->to].synced = renaming->file;
	}
	disk->renaming_count = 0;
	for (size_t i = 0; i < disk->name_count; i++)
		disk->names[i].file = disk->names[i].synced;
}

/* ---- calls ---- */

static int failed(int code)
{
	errno = code;
	return -1;
}

static struct memory_disk *disk_of(const char *path)
{
	for (size_t i = 0; i < MAX_DISKS; i++) {
		size_t len = disks[i] ? strlen(disks[i]->root) : 0;
		if (len > 0 && strncmp(path, disks[i]->root, len) == 0 &&
		    (path[len] == '\0' || path[len] == '/'))
			return disks[i];
	}
	return NULL;
}

bool memory_disk_has(const char *path)
{
	return disk_of(path) != NULL;
}

/* A call that changes something; false when the disk has stopped. */
static bool changes(struct memory_disk *disk)
{
	if (!disk->is_dead)
		disk->changes++;
	if (disk->fail_at > 0 && disk->changes >= disk->fail_at)
		disk->is_dead = true;
	return !disk->is_dead;
}

static struct open_file *opened(int fd)
{
	int place = fd - MEMORY_DISK_FIRST_FD;
	return place >= 0 && place < MAX_FDS && open_files[place].disk ? &open_files[place] : NULL;
}

static void note_renaming(struct memory_disk *disk, const struct name *from, const struct name *to,
			  int file)
{
	disk->renamings = grown(disk->renamings, disk->renaming_count, sizeof(*disk->renamings));
	disk->renamings[disk->renaming_count++] = (struct renaming){
		.from = from ? (size_t)(from - disk->names) : SIZE_MAX,
		.to = to ? (size_t)(to - disk->names) : SIZE_MAX,
		.file = file,
	};
}

static void note_change(struct file *file, uint64_t offset, const void *bytes, size_t len)
{
	file->changes = grown(file->changes, file->change_count, sizeof(*file->changes));
	struct change *change = &file->changes[file->change_count++];
	*change = (struct change){.offset = offset, .len = len};
	if (bytes) {
		change->data = mem_get(len + 1);
		memcpy(change->data, bytes, len);
	}
}

int memory_disk_open(const char *path, int flags)
{
	struct memory_disk *disk = disk_of(path);
	struct name *name = find_name(disk, path);
	int file = name ? name->file : NONE;
	if (disk->is_dead)
		return failed(EIO);
	if (file != NONE && (flags & O_CREAT) && (flags & O_EXCL))
		return failed(EEXIST);
	if (file == NONE) {
		if (!(flags & O_CREAT))
			return failed(ENOENT);
		if (!changes(disk))
			return failed(EIO);
		file = add_file(disk, false);
		name = name_of(disk, path);
		name->file = file;
		note_renaming(disk, NULL, name, file);
	}
	if ((flags & O_DIRECTORY) && !disk->files[file].is_folder)
		return failed(ENOTDIR);
	int place = 0;
	while (place < MAX_FDS && open_files[place].disk)
		place++;
	ensure(place < MAX_FDS);
	open_files[place] = (struct open_file){.disk = disk, .file = file, .path = mem_dup(path)};
	int fd = MEMORY_DISK_FIRST_FD + place;
	if ((flags & O_TRUNC) && memory_disk_set_len(fd, 0, true) != 0) {
		memory_disk_close(fd);
		return failed(EIO);
	}
	return fd;
}

const char *memory_disk_path(int fd)
{
	const struct open_file *open_file = opened(fd);
	return open_file ? open_file->path : NULL;
}

int memory_disk_close(int fd)
{
	struct open_file *open_file = opened(fd);
	if (!open_file)
		return failed(EBADF);
	free(open_file->path);
	*open_file = (struct open_file){0};
	return 0;
}

ssize_t memory_disk_read(int fd, void *to, size_t len, uint64_t offset)
{
	struct open_file *open_file = opened(fd);
	if (!open_file || open_file->disk->is_dead)
		return failed(open_file ? EIO : EBADF);
	const struct buf *now = &open_file->disk->files[open_file->file].now;
	uint64_t at = offset == UINT64_MAX ? open_file->offset : offset;
	size_t got = at >= now->len ? 0 : now->len - (size_t)at;
	if (got > len)
		got = len;
	if (got > 0)
		memcpy(to, now->data + at, got);
	if (offset == UINT64_MAX)
		open_file->offset += got;
	return (ssize_t)got;
}

ssize_t memory_disk_write(int fd, const void *from, size_t len, uint64_t offset)
{
	struct open_file *open_file = opened(fd);
	if (!open_file || !changes(open_file->disk))
		return failed(open_file ? EIO : EBADF);
	struct file *file = &open_file->disk->files[open_file->file];
	uint64_t at = offset == UINT64_MAX ? open_file->offset : offset;
	if (open_file->disk->is_full && at + len > file->now.len)
		return failed(ENOSPC);
	put(&file->now, at, from, len);
	note_change(file, at, from, len);
	if (offset == UINT64_MAX)
		open_file->offset += len;
	return (ssize_t)len;
}

int64_t memory_disk_seek(int fd, int64_t offset, int whence)
{
	struct open_file *open_file = opened(fd);
	if (!open_file)
		return failed(EBADF);
	int64_t base = whence == SEEK_SET ? 0
		       : whence == SEEK_CUR
			       ? (int64_t)open_file->offset
			       : (int64_t)open_file->disk->files[open_file->file].now.len;
	open_file->offset = (uint64_t)(base + offset);
	return base + offset;
}

static void sync_content(struct file *file)
{
	for (size_t i = 0; i < file->change_count; i++) {
		const struct change *change = &file->changes[i];
		if (change->data)
			put(&file->synced, change->offset, change->data, change->len);
		else
			set_len(&file->synced, (size_t)change->offset);
	}
	drop_changes(file);
}

/* Is this name in the folder itself? */
static bool is_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	return strncmp(path, folder, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/');
}

static void sync_names(struct memory_disk *disk, const char *folder)
{
	size_t kept = 0;
	for (size_t i = 0; i < disk->renaming_count; i++) {
		const struct renaming renaming = disk->renamings[i];
		size_t any = renaming.to != SIZE_MAX ? renaming.to : renaming.from;
		if (!is_in(disk->names[any].path, folder))
			disk->renamings[kept++] = renaming;
	}
	disk->renaming_count = kept;
	for (size_t i = 0; i < disk->name_count; i++) {
		if (is_in(disk->names[i].path, folder))
			disk->names[i].synced = disk->names[i].file;
	}
}

int memory_disk_sync(int fd)
{
	struct open_file *open_file = opened(fd);
	if (!open_file || !changes(open_file->disk))
		return failed(open_file ? EIO : EBADF);
	struct file *file = &open_file->disk->files[open_file->file];
	if (open_file->disk->is_lying)
		return 0;
	if (file->is_folder)
		sync_names(open_file->disk, open_file->path);
	else
		sync_content(file);
	return 0;
}

int memory_disk_set_len(int fd, uint64_t len, bool may_shrink)
{
	struct open_file *open_file = opened(fd);
	if (!open_file || !changes(open_file->disk))
		return failed(open_file ? EIO : EBADF);
	struct file *file = &open_file->disk->files[open_file->file];
	if (len < file->now.len && !may_shrink)
		return 0;
	if (open_file->disk->is_full && len > file->now.len)
		return failed(ENOSPC);
	set_len(&file->now, (size_t)len);
	note_change(file, len, NULL, 0);
	return 0;
}

int memory_disk_kind(const char *path, uint64_t *ret_len)
{
	const struct memory_disk *disk = disk_of(path);
	const struct name *name = find_name(disk, path);
	if (!name || name->file == NONE)
		return 0;
	*ret_len = disk->files[name->file].now.len;
	return disk->files[name->file].is_folder ? 2 : 1;
}

/* One name gets the file, the other loses it. */
static void move(struct memory_disk *disk, const char *from, const char *to, bool is_link)
{
	int file = find_name(disk, from)->file;
	struct name *target = name_of(disk, to); /* may move the names */
	struct name *old = find_name(disk, from);
	target->file = file;
	if (!is_link)
		old->file = NONE;
	note_renaming(disk, is_link ? NULL : old, target, file);
}

int memory_disk_rename(const char *from, const char *to, bool is_link)
{
	struct memory_disk *disk = disk_of(from);
	const struct name *source = find_name(disk, from);
	const struct name *target = find_name(disk, to);
	if (!source || source->file == NONE)
		return failed(ENOENT);
	if (disk_of(to) != disk)
		return failed(EXDEV);
	if (is_link && target && target->file != NONE)
		return failed(EEXIST);
	if (!changes(disk))
		return failed(EIO);
	bool is_folder = disk->files[source->file].is_folder;
	move(disk, from, to, is_link);
	/* What is in a folder goes with it, on the disk, too. */
	size_t len = strlen(from);
	for (size_t i = 0; is_folder && i < disk->name_count; i++) {
		struct buf path = {0};
		if (disk->names[i].file == NONE || strncmp(disk->names[i].path, from, len) != 0 ||
		    disk->names[i].path[len] != '/')
			continue;
		int synced = disk->names[i].synced;
		buf_add_format(&path, "%s%s", to, disk->names[i].path + len);
		int file = disk->names[i].file;
		struct name *moved = name_of(disk, buf_text(&path));
		moved->file = file;
		moved->synced = synced;
		disk->names[i].file = disk->names[i].synced = NONE;
		buf_fini(&path);
	}
	return 0;
}

int memory_disk_unlink(const char *path, bool is_folder)
{
	struct memory_disk *disk = disk_of(path);
	struct name *name = find_name(disk, path);
	size_t at = 0;
	if (!name || name->file == NONE)
		return failed(ENOENT);
	if (disk->files[name->file].is_folder != is_folder)
		return failed(is_folder ? ENOTDIR : EISDIR);
	if (is_folder && memory_disk_list(path, &at))
		return failed(ENOTEMPTY);
	if (!changes(disk))
		return failed(EIO);
	note_renaming(disk, name, NULL, name->file);
	name->file = NONE;
	return 0;
}

int memory_disk_mkdir(const char *path)
{
	struct memory_disk *disk = disk_of(path);
	const struct name *known = find_name(disk, path);
	if (known && known->file != NONE)
		return failed(EEXIST);
	if (!changes(disk))
		return failed(EIO);
	int file = add_file(disk, true);
	struct name *name = name_of(disk, path);
	name->file = file;
	note_renaming(disk, NULL, name, file);
	return 0;
}

const char *memory_disk_list(const char *path, size_t *at)
{
	const struct memory_disk *disk = disk_of(path);
	for (; *at < disk->name_count; (*at)++) {
		const struct name *name = &disk->names[*at];
		if (name->file != NONE && is_in(name->path, path)) {
			(*at)++;
			return name->path + strlen(path) + 1;
		}
	}
	return NULL;
}
