/* Files with content as it is and as it was synced; names with files as they are and as they were
 * synced; and the changes in between. */
#include "memory_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"

struct memory_disk *memory_disks[MAX_DISKS];
struct open_file memory_open_files[MAX_FDS];

/* Grown by one; abort is the answer to no memory in a test. */
void *memory_grown(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	void *more = realloc(array, (count ? count * 2 : 1) * size);
	ensure(more != NULL);
	return more;
}

/* ---- disks ---- */

int memory_add_file(struct memory_disk *disk, bool is_folder)
{
	disk->files = memory_grown(disk->files, disk->file_count, sizeof(*disk->files));
	disk->files[disk->file_count] = (struct file){.is_folder = is_folder};
	return (int)disk->file_count++;
}

struct name *memory_find_name(const struct memory_disk *disk, const char *path)
{
	for (size_t i = 0; i < disk->name_count; i++) {
		if (strcmp(disk->names[i].path, path) == 0)
			return &disk->names[i];
	}
	return NULL;
}

struct name *memory_name_of(struct memory_disk *disk, const char *path)
{
	struct name *name = memory_find_name(disk, path);
	if (name)
		return name;
	disk->names = memory_grown(disk->names, disk->name_count, sizeof(*disk->names));
	name = &disk->names[disk->name_count++];
	*name = (struct name){.path = mem_dup(path), .file = NONE, .synced = NONE};
	return name;
}

struct memory_disk *memory_disk_new(const char *root)
{
	struct memory_disk *disk = mem_new(struct memory_disk);
	size_t i = 0;
	while (i < MAX_DISKS && memory_disks[i])
		i++;
	ensure(i < MAX_DISKS && strncmp(root, MEMORY_DISK_ROOT, strlen(MEMORY_DISK_ROOT)) == 0);
	memory_disks[i] = disk;
	disk->root = mem_dup(root);
	struct name *name = memory_name_of(disk, root);
	name->file = name->synced = memory_add_file(disk, true);
	return disk;
}

void memory_drop_changes(struct file *file)
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
		if (memory_open_files[i].disk == disk)
			memory_disk_close(MEMORY_DISK_FIRST_FD + i);
	}
}

void memory_disk_free(struct memory_disk *disk)
{
	if (!disk)
		return;
	close_all(disk);
	for (size_t i = 0; i < MAX_DISKS; i++) {
		if (memory_disks[i] == disk)
			memory_disks[i] = NULL;
	}
	for (size_t i = 0; i < disk->file_count; i++) {
		memory_drop_changes(&disk->files[i]);
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
		struct name *to = memory_name_of(copy, buf_text(&path));
		if (to->file == NONE)
			to->file = to->synced = memory_add_file(copy, file->is_folder);
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

void memory_set_len(struct buf *content, size_t len)
{
	if (len > content->len) {
		ensure(buf_reserve(content, len - content->len));
		memset(content->data + content->len, 0, len - content->len);
	}
	content->len = len;
}

void memory_put(struct buf *content, uint64_t offset, const void *bytes, size_t len)
{
	if (content->len < offset + len)
		memory_set_len(content, (size_t)offset + len);
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
		memory_set_len(content, (size_t)change->offset);
		return;
	}
	for (size_t from = 0; from < change->len;) {
		size_t to = from + SECTOR - (size_t)((change->offset + from) % SECTOR);
		if (to > change->len)
			to = change->len;
		if (luck == 1 || rng_below(rng, 2) == 0)
			memory_put(content, change->offset + from, change->data + from, to - from);
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
		memory_drop_changes(file);
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

/* ---- damage ---- */

const char *memory_disk_flip(struct memory_disk *disk, const char *folder, struct rng *rng)
{
	struct name *found[64];
	size_t count = 0;
	size_t len = strlen(folder);
	const struct name *last = NULL;
	for (size_t i = 0; i < disk->name_count && count < 64; i++) {
		struct name *name = &disk->names[i];
		size_t path_len = strlen(name->path);
		if (name->file == NONE || name->file != name->synced || path_len < len + 4 ||
		    strncmp(name->path, folder, len) != 0 ||
		    strcmp(name->path + path_len - 4, ".log") != 0)
			continue;
		found[count++] = name;
		last = last && strcmp(last->path, name->path) > 0 ? last : name;
	}
	struct name *name = count > 1 ? found[rng_below(rng, count)] : NULL;
	struct file *file =
		name && name != last && !name->was_hit ? &disk->files[name->file] : NULL;
	if (!file || file->change_count > 0 || file->now.len == 0 ||
	    file->now.len != file->synced.len)
		return NULL;
	size_t at = (size_t)rng_below(rng, file->now.len);
	uint8_t bit = (uint8_t)(1u << rng_below(rng, 8));
	name->was_hit = true;
	file->now.data[at] ^= bit;
	file->synced.data[at] ^= bit;
	return name->path;
}
