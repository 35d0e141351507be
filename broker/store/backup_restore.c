/*
 * The way back: the log's files are copied beside the place where they are to be, opened there as a
 * log, which checks them once more, and given a new epoch; then the folder gets its name. What a
 * crash leaves has another name, and is no log.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "store/backup_files.h"
#include "store/embedded.h"

#define MAX_PATH 600

static enum lyc_status too_long(struct lyc_error *error)
{
	return error_set(error, LYC_INVALID_ARGUMENT, "The folder's name is too long.");
}

static enum lyc_status copy_file(const char *from, const char *to, const char *name,
				 uint64_t max_len, struct lyc_error *error)
{
	char source[MAX_PATH];
	char target[MAX_PATH];
	struct stat info;
	if (!backup_path(source, sizeof(source), from, name) ||
	    !backup_path(target, sizeof(target), to, name))
		return too_long(error);
	int fd = open(source, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) != 0) {
		if (fd >= 0)
			close(fd);
		return backup_failed(error, "open", source);
	}
	uint64_t len = (uint64_t)info.st_size;
	enum lyc_status status = backup_copy(fd, len < max_len ? len : max_len, target, error);
	close(fd);
	return status;
}

/* As the list says: a linked segment may have been longer when it was sealed. */
static enum lyc_status copy_listed(const struct backup_list *list, const char *from, const char *to,
				   struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; i < list->count && status == LYC_OK; i++) {
		const struct backup_file *file = &list->files[i];
		if (strncmp(file->name, "log/", 4) == 0)
			status = copy_file(from, to, file->name + 4, file->len, error);
	}
	return status;
}

/* All files of a folder, but not those that stand for a process or are half made. */
static enum lyc_status copy_folder(const char *from, const char *to, struct lyc_error *error)
{
	DIR *dir = opendir(from);
	if (!dir)
		return backup_failed(error, "list", from);
	enum lyc_status status = LYC_OK;
	const struct dirent *entry;
	while (status == LYC_OK && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct stat info;
		if (fstatat(dirfd(dir), name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(info.st_mode) || name[strlen(name) - 1] == '~' ||
		    strcmp(name, "lock") == 0 || strcmp(name, "reserve") == 0)
			continue;
		status = copy_file(from, to, name, UINT64_MAX, error);
	}
	closedir(dir);
	return status;
}

static enum lyc_status copy_raw(const char *from, const char *to, struct lyc_error *error)
{
	char from_values[MAX_PATH];
	char to_values[MAX_PATH];
	if (!backup_path(from_values, sizeof(from_values), from, "meta") ||
	    !backup_path(to_values, sizeof(to_values), to, "meta"))
		return too_long(error);
	enum lyc_status status = copy_folder(from, to, error);
	return status == LYC_OK ? copy_folder(from_values, to_values, error) : status;
}

static enum lyc_status make_folders(const char *part, struct lyc_error *error)
{
	char values[MAX_PATH];
	if (!backup_path(values, sizeof(values), part, "meta"))
		return too_long(error);
	backup_remove_folder(part);
	if (mkdir(part, 0700) != 0)
		return backup_failed(error, "make", part);
	return mkdir(values, 0700) == 0 ? LYC_OK : backup_failed(error, "make", values);
}

static enum lyc_status check_name(const char *name, const char *expected, struct lyc_error *error)
{
	if (strcmp(name, expected) == 0)
		return LYC_OK;
	return error_set(error, LYC_FAILED_PRECONDITION,
			 "The backup is one of '%.64s', and the configuration's name is '%.64s'.",
			 name, expected);
}

/* What a copied folder holds. */
static enum lyc_status summarise(struct store *store, struct backup_summary *summary,
				 struct lyc_error *error)
{
	struct store_stats stats;
	struct buf name = {0};
	store_stats(store, &stats);
	summary->epoch = stats.epoch;
	summary->last_seq = stats.last_seq;
	summary->bytes = stats.bytes;
	for (size_t i = 0; i < store->segment_count; i++)
		summary->record_count += store->segments[i]->record_count;
	enum lyc_status status = store_get_meta(store, "name", &name);
	if (status == LYC_OK)
		snprintf(summary->daemon, sizeof(summary->daemon), "%.*s", (int)name.len,
			 (const char *)name.data);
	else
		status = error_set(error, LYC_DATA_LOSS, "The copy does not say whose log it is.");
	buf_fini(&name);
	return status;
}

static enum lyc_status note(struct store *store, const struct restore_options *options,
			    const struct backup_summary *summary, struct lyc_error *error)
{
	struct buf value = {0};
	pb_write_uint(&value, 1, options->now_ms);
	pb_write_uint(&value, 2, summary->time_ms);
	pb_write_uint(&value, 3, summary->last_seq);
	pb_write_uint(&value, 4, summary->record_count);
	enum lyc_status status =
		store_put_meta(store, BACKUP_RESTORED_KEY, span_of(value.data, value.len), error);
	if (status == LYC_OK && options->waits_for_hub)
		status = store_put_meta(store, BACKUP_WAITS_KEY, span_of("1", 1), error);
	else if (status == LYC_OK)
		status = store_remove_meta(store, BACKUP_WAITS_KEY, error);
	buf_fini(&value);
	return status;
}

/* By a clock that is behind, each restore of this copy would begin the same epoch, and give the
 * same sequences in it. An epoch that the opening itself began tells nothing. */
static enum lyc_status check_clock(const struct store *store, uint64_t now_ms,
				   struct lyc_error *error)
{
	if (now_ms > store->folder.state.epoch || store->folder.is_state_damaged)
		return LYC_OK;
	return error_set(error, LYC_FAILED_PRECONDITION,
			 "This machine's clock says that the copied log is not begun yet: set the "
			 "clock right, and restore again.");
}

static enum lyc_status begin_anew(const char *part, const struct restore_options *options,
				  bool is_raw, struct backup_summary *summary,
				  struct lyc_error *error)
{
	const struct store_options store_options = {.folder = part};
	struct store *store;
	enum lyc_status status = store_open(&store_options, &store, error);
	if (status != LYC_OK)
		return status;
	if (is_raw)
		status = summarise(store, summary, error);
	if (status == LYC_OK)
		status = check_name(summary->daemon, options->daemon, error);
	if (status == LYC_OK)
		status = check_clock(store, options->now_ms, error);
	if (status == LYC_OK)
		status = store_begin_epoch(store, options->now_ms, error);
	if (status == LYC_OK)
		status = note(store, options, summary, error);
	store_close(store);
	return status;
}

static enum lyc_status give_name(const char *part, const char *to, struct lyc_error *error)
{
	if (rename(part, to) != 0)
		return backup_failed(error, "rename", part);
	char *parent = mem_dup(to);
	char *slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	enum lyc_status status = backup_sync_folder(slash ? parent : ".", error);
	free(parent);
	return status;
}

enum lyc_status backup_restore(const struct restore_options *options,
			       struct backup_summary *ret_summary, struct lyc_error *error)
{
	char from[MAX_PATH];
	char part[MAX_PATH];
	char state[MAX_PATH];
	struct backup_list list = {0};
	struct backup_summary summary = {0};
	if (!backup_path(from, sizeof(from), options->folder, "log") ||
	    !backup_path(state, sizeof(state), from, "log") ||
	    snprintf(part, sizeof(part), "%s.part", options->to) >= (int)sizeof(part))
		return too_long(error);
	/* An empty folder may be in its place. */
	if (access(options->to, F_OK) == 0 && rmdir(options->to) != 0)
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "There is a log in %s already: nothing is restored over it. Move "
				 "it away first.",
				 options->to);
	enum lyc_status status = backup_check(options->folder, &summary, error);
	bool is_raw = status == LYC_NOT_FOUND && access(state, F_OK) == 0;
	if (status == LYC_OK)
		status = check_name(summary.daemon, options->daemon, error);
	else if (is_raw)
		status = LYC_OK;
	if (status == LYC_OK && !is_raw)
		status = backup_list_read(options->folder, &list, error);
	if (status == LYC_OK)
		status = make_folders(part, error);
	if (status == LYC_OK)
		status = is_raw ? copy_raw(from, part, error)
				: copy_listed(&list, from, part, error);
	if (status == LYC_OK)
		status = begin_anew(part, options, is_raw, &summary, error);
	if (status == LYC_OK)
		status = give_name(part, options->to, error);
	if (status == LYC_OK)
		*ret_summary = summary;
	backup_list_fini(&list);
	return status;
}
