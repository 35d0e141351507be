/* Files with synced content and pending changes; names with synced targets and pending changes. */
#include "disk_model.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/mem.h"

#define MAX_FDS 4096
#define SECTOR 512
#define NONE (-1)

struct change {
	enum trace_kind kind;
	uint64_t offset;
	uint8_t *data;
	size_t len;
};

struct file {
	bool is_folder;
	struct buf synced;
	struct change *changes;
	size_t change_count;
	size_t change_cap;
};

struct name {
	char *path;
	int now;
	int synced;
};

/* One change of names, kept or lost as a whole. */
struct renaming {
	size_t from; /* loses its file when is_move */
	size_t to;
	int file;
	bool is_move;
};

struct disk_model {
	struct file *files;
	size_t file_count;
	struct name *names;
	size_t name_count;
	struct renaming *renamings;
	size_t renaming_count;
	int fds[MAX_FDS];
};

/* Grown by one; abort is the answer to no memory in a test. */
static void *grown(void *array, size_t count, size_t size)
{
	void *more = realloc(array, (count + 1) * size);
	ensure(more);
	return more;
}

static int add_file(struct disk_model *model, bool is_folder)
{
	model->files = grown(model->files, model->file_count, sizeof(struct file));
	model->files[model->file_count] = (struct file){.is_folder = is_folder};
	return (int)model->file_count++;
}

static size_t name_of(struct disk_model *model, const char *path)
{
	for (size_t i = 0; i < model->name_count; i++) {
		if (strcmp(model->names[i].path, path) == 0)
			return i;
	}
	model->names = grown(model->names, model->name_count, sizeof(struct name));
	model->names[model->name_count] =
		(struct name){.path = mem_dup(path), .now = NONE, .synced = NONE};
	return model->name_count++;
}

struct disk_model *disk_model_new(void)
{
	struct disk_model *model = mem_new(struct disk_model);
	for (size_t i = 0; i < MAX_FDS; i++)
		model->fds[i] = NONE;
	/* The folder itself is there from the start. */
	size_t root = name_of(model, "");
	model->names[root].now = model->names[root].synced = add_file(model, true);
	return model;
}

static void drop_changes(struct file *file)
{
	for (size_t i = 0; i < file->change_count; i++)
		free(file->changes[i].data);
	file->change_count = 0;
}

void disk_model_free(struct disk_model *model)
{
	for (size_t i = 0; i < model->file_count; i++) {
		drop_changes(&model->files[i]);
		free(model->files[i].changes);
		buf_fini(&model->files[i].synced);
	}
	for (size_t i = 0; i < model->name_count; i++)
		free(model->names[i].path);
	free(model->files);
	free(model->names);
	free(model->renamings);
	free(model);
}

static void set_len(struct buf *content, size_t len)
{
	if (len > content->len) {
		ensure(buf_reserve(content, len - content->len));
		memset(content->data + content->len, 0, len - content->len);
	}
	content->len = len;
}

static void write_part(struct buf *content, const struct change *change, size_t from, size_t to)
{
	if (content->len < change->offset + to)
		set_len(content, (size_t)change->offset + to);
	memcpy(content->data + change->offset + from, change->data + from, to - from);
}

/* rng NULL: all of it. Otherwise nothing, all, or some sectors. */
static void apply_change(struct buf *content, const struct change *change, struct rng *rng)
{
	uint64_t luck = rng ? rng_below(rng, 3) : 1;
	if (luck == 0)
		return;
	if (change->kind == TRACE_TRUNCATE) {
		set_len(content, (size_t)change->offset);
	} else if (change->kind == TRACE_EXTEND) {
		if (content->len < change->offset)
			set_len(content, (size_t)change->offset);
	} else if (luck == 1) {
		write_part(content, change, 0, change->len);
	} else {
		size_t from = 0;
		while (from < change->len) {
			size_t to = from + SECTOR - (size_t)((change->offset + from) % SECTOR);
			if (to > change->len)
				to = change->len;
			if (rng_below(rng, 2))
				write_part(content, change, from, to);
			from = to;
		}
	}
}

static void add_change(struct file *file, enum trace_kind kind, uint64_t offset, struct span data)
{
	if (file->change_count == file->change_cap) {
		file->change_cap = file->change_cap ? file->change_cap * 2 : 8;
		file->changes = realloc(file->changes, file->change_cap * sizeof(struct change));
		ensure(file->changes);
	}
	struct change change = {.kind = kind, .offset = offset, .len = data.len};
	if (data.len > 0) {
		change.data = mem_get(data.len);
		memcpy(change.data, data.data, data.len);
	}
	file->changes[file->change_count++] = change;
}

static void add_renaming(struct disk_model *model, struct renaming renaming)
{
	model->renamings = grown(model->renamings, model->renaming_count, sizeof(struct renaming));
	model->renamings[model->renaming_count++] = renaming;
	model->names[renaming.to].now = renaming.file;
	if (renaming.is_move)
		model->names[renaming.from].now = NONE;
}

static bool is_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	if (path[0] == '\0')
		return false;
	if (len == 0)
		return strchr(path, '/') == NULL;
	return strncmp(path, folder, len) == 0 && path[len] == '/' && !strchr(path + len + 1, '/');
}

static void sync_folder(struct disk_model *model, int folder)
{
	size_t kept = 0;
	const char *path = NULL;
	for (size_t i = 0; i < model->name_count; i++) {
		if (model->names[i].now == folder)
			path = model->names[i].path;
	}
	ensure(path);
	for (size_t i = 0; i < model->renaming_count; i++) {
		const struct renaming *renaming = &model->renamings[i];
		if (!is_in(model->names[renaming->to].path, path)) {
			model->renamings[kept++] = *renaming;
			continue;
		}
		model->names[renaming->to].synced = renaming->file;
		if (renaming->is_move)
			model->names[renaming->from].synced = NONE;
	}
	model->renaming_count = kept;
}

static void open_file(struct disk_model *model, const struct trace_event *event, const char *path)
{
	int flags = (int)event->offset;
	size_t name = name_of(model, path);
	int file = model->names[name].now;
	if (file == NONE) {
		ensure(flags & O_CREAT);
		file = add_file(model, false);
		add_renaming(model, (struct renaming){.to = name, .file = file});
	} else if (flags & O_TRUNC) {
		add_change(&model->files[file], TRACE_TRUNCATE, 0, span_of(NULL, 0));
	}
	model->fds[event->fd] = file;
}

void disk_model_apply(struct disk_model *model, const struct trace_event *event, const char *path,
		      const char *other_path, struct span data)
{
	int id = event->fd >= 0 ? model->fds[event->fd] : NONE;
	switch ((enum trace_kind)event->kind) {
	case TRACE_OPEN:
		open_file(model, event, path);
		break;
	case TRACE_CLOSE:
		model->fds[event->fd] = NONE;
		break;
	case TRACE_WRITE:
	case TRACE_TRUNCATE:
	case TRACE_EXTEND:
		ensure(id != NONE);
		add_change(&model->files[id], (enum trace_kind)event->kind, event->offset, data);
		break;
	case TRACE_SYNC:
		ensure(id != NONE);
		if (model->files[id].is_folder) {
			sync_folder(model, id);
			break;
		}
		for (size_t i = 0; i < model->files[id].change_count; i++)
			apply_change(&model->files[id].synced, &model->files[id].changes[i], NULL);
		drop_changes(&model->files[id]);
		break;
	case TRACE_RENAME: {
		size_t from = name_of(model, path);
		size_t to = name_of(model, other_path);
		add_renaming(model, (struct renaming){.from = from,
						      .to = to,
						      .file = model->names[from].now,
						      .is_move = true});
		break;
	}
	case TRACE_UNLINK:
		add_renaming(model, (struct renaming){.to = name_of(model, path), .file = NONE});
		break;
	case TRACE_MKDIR:
		add_renaming(model, (struct renaming){.to = name_of(model, path),
						      .file = add_file(model, true)});
		break;
	case TRACE_NOTE:
		break;
	}
}

static void write_file(const struct file *file, const char *path, struct rng *rng)
{
	struct buf content = {0};
	buf_add(&content, file->synced.data, file->synced.len);
	for (size_t i = 0; rng && i < file->change_count; i++)
		apply_change(&content, &file->changes[i], rng);
	FILE *out = fopen(path, "wb");
	ensure(out);
	ensure(content.len == 0 || fwrite(content.data, 1, content.len, out) == content.len);
	ensure(fclose(out) == 0);
	buf_fini(&content);
}

void disk_model_write(const struct disk_model *model, const char *folder, struct rng *rng)
{
	int *files = mem_get(model->name_count * sizeof(int));
	for (size_t i = 0; i < model->name_count; i++)
		files[i] = model->names[i].synced;
	for (size_t i = 0; rng && i < model->renaming_count; i++) {
		const struct renaming *renaming = &model->renamings[i];
		if (rng_below(rng, 2) == 0)
			continue;
		files[renaming->to] = renaming->file;
		if (renaming->is_move)
			files[renaming->from] = NONE;
	}
	/* Folders got their names before what is in them. */
	for (size_t i = 0; i < model->name_count; i++) {
		char path[600];
		const char *name = model->names[i].path;
		if (files[i] == NONE || name[0] == '\0')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, name);
		const char *slash = strrchr(name, '/');
		if (slash) {
			char parent[600];
			snprintf(parent, sizeof(parent), "%s/%.*s", folder, (int)(slash - name),
				 name);
			if (access(parent, F_OK) != 0)
				continue;
		}
		if (model->files[files[i]].is_folder)
			ensure(mkdir(path, 0700) == 0);
		else
			write_file(&model->files[files[i]], path, rng);
	}
	free(files);
}
