/* The calls on a disk in memory: each changes what is there now, and notes what a power cut may
 * take back. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "memory_files.h"

static int failed(int code)
{
	errno = code;
	return -1;
}

static struct memory_disk *disk_of(const char *path)
{
	for (size_t i = 0; i < MAX_DISKS; i++) {
		size_t len = memory_disks[i] ? strlen(memory_disks[i]->root) : 0;
		if (len > 0 && strncmp(path, memory_disks[i]->root, len) == 0 &&
		    (path[len] == '\0' || path[len] == '/'))
			return memory_disks[i];
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
	return place >= 0 && place < MAX_FDS && memory_open_files[place].disk
		       ? &memory_open_files[place]
		       : NULL;
}

static void note_renaming(struct memory_disk *disk, const struct name *from, const struct name *to,
			  int file)
{
	disk->renamings =
		memory_grown(disk->renamings, disk->renaming_count, sizeof(*disk->renamings));
	disk->renamings[disk->renaming_count++] = (struct renaming){
		.from = from ? (size_t)(from - disk->names) : SIZE_MAX,
		.to = to ? (size_t)(to - disk->names) : SIZE_MAX,
		.file = file,
	};
}

static void note_change(struct file *file, uint64_t offset, const void *bytes, size_t len)
{
	file->changes = memory_grown(file->changes, file->change_count, sizeof(*file->changes));
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
	struct name *name = memory_find_name(disk, path);
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
		file = memory_add_file(disk, false);
		name = memory_name_of(disk, path);
		name->file = file;
		note_renaming(disk, NULL, name, file);
	}
	if ((flags & O_DIRECTORY) && !disk->files[file].is_folder)
		return failed(ENOTDIR);
	int place = 0;
	while (place < MAX_FDS && memory_open_files[place].disk)
		place++;
	ensure(place < MAX_FDS);
	memory_open_files[place] =
		(struct open_file){.disk = disk, .file = file, .path = mem_dup(path)};
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
	memory_put(&file->now, at, from, len);
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
			memory_put(&file->synced, change->offset, change->data, change->len);
		else
			memory_set_len(&file->synced, (size_t)change->offset);
	}
	memory_drop_changes(file);
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
	memory_set_len(&file->now, (size_t)len);
	note_change(file, len, NULL, 0);
	return 0;
}

int memory_disk_kind(const char *path, uint64_t *ret_len)
{
	const struct memory_disk *disk = disk_of(path);
	const struct name *name = memory_find_name(disk, path);
	if (!name || name->file == NONE)
		return 0;
	*ret_len = disk->files[name->file].now.len;
	return disk->files[name->file].is_folder ? 2 : 1;
}

int memory_disk_kind_of(int fd, uint64_t *ret_len)
{
	const struct open_file *open_file = opened(fd);
	if (!open_file) {
		errno = EBADF;
		return 0;
	}
	const struct file *file = &open_file->disk->files[open_file->file];
	*ret_len = file->now.len;
	return file->is_folder ? 2 : 1;
}

/* One name gets the file, the other loses it. */
static void move(struct memory_disk *disk, const char *from, const char *to, bool is_link)
{
	int file = memory_find_name(disk, from)->file;
	struct name *target = memory_name_of(disk, to); /* may move the names */
	struct name *old = memory_find_name(disk, from);
	target->file = file;
	if (!is_link)
		old->file = NONE;
	note_renaming(disk, is_link ? NULL : old, target, file);
}

int memory_disk_rename(const char *from, const char *to, bool is_link)
{
	struct memory_disk *disk = disk_of(from);
	const struct name *source = memory_find_name(disk, from);
	const struct name *target = memory_find_name(disk, to);
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
		struct name *moved = memory_name_of(disk, buf_text(&path));
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
	struct name *name = memory_find_name(disk, path);
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
	const struct name *known = memory_find_name(disk, path);
	if (known && known->file != NONE)
		return failed(EEXIST);
	if (!changes(disk))
		return failed(EIO);
	int file = memory_add_file(disk, true);
	struct name *name = memory_name_of(disk, path);
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
