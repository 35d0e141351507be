/* Reading a whole backup: every file is there with its length, each small one has its checksum, and
 * each segment holds the records that it has to, one after the other, each with its checksum. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/mem.h"
#include "store/backup_files.h"
#include "store/segment.h"

#define CHUNK_LEN (1u << 20)
#define MAX_PATH 600

struct checking {
	const char *folder;
	struct segment_folder log; /* the backup's: only its path, descriptor and state */
	uint64_t next_seq;         /* 0: any */
	uint64_t record_count;
};

static enum lyc_status wrong(const char *path, const char *what, struct lyc_error *error)
{
	return error_set(error, LYC_DATA_LOSS, "The file %s of the backup is damaged: %s.", path,
			 what);
}

static enum lyc_status check_small(const char *path, const struct backup_file *file,
				   struct lyc_error *error)
{
	struct buf content = {0};
	enum lyc_status status = backup_load(path, &content, error);
	if (status == LYC_OK && content.len != file->len)
		status = wrong(path, "it has another length", error);
	else if (status == LYC_OK && crc32c(0, content.data, content.len) != file->crc)
		status = wrong(path, "its checksum is another", error);
	buf_fini(&content);
	return status;
}

static enum lyc_status check_records(struct checking *checking, const char *path,
				     struct segment *segment, uint64_t len, struct lyc_error *error)
{
	struct segment_cursor cursor;
	struct segment_record record;
	enum lyc_status status;
	uint64_t next = segment->first_seq;
	segment_cursor_init(&cursor, segment, SEGMENT_HEADER_LEN, len, CHUNK_LEN);
	while ((status = segment_cursor_next(&cursor, &record, error)) == LYC_OK) {
		if (record.seq != next) {
			status = wrong(path, "a record is missing", error);
			break;
		}
		next = record.last_seq + 1;
		checking->record_count += record.kind == SEGMENT_RECORD;
	}
	segment_cursor_fini(&cursor);
	checking->next_seq = next;
	return status == LYC_OUT_OF_RANGE ? LYC_OK : status;
}

static enum lyc_status check_segment(struct checking *checking, const char *path,
				     const struct backup_file *file, struct lyc_error *error)
{
	struct stat info;
	struct segment *segment;
	const char *name = strrchr(file->name, '/');
	uint64_t first_seq = strtoull(name ? name + 1 : file->name, NULL, 10);
	if (stat(path, &info) != 0 || (uint64_t)info.st_size < file->len)
		return wrong(path, "it is missing, or shorter than it was", error);
	if (checking->next_seq > 0 && first_seq != checking->next_seq)
		return wrong(path, "the segment before it is missing", error);
	enum lyc_status status = segment_open(&checking->log, first_seq, &segment, error);
	if (status == LYC_OK && segment->is_header_damaged) {
		status = segment_check_header(segment, error);
		segment_unref(segment);
	}
	if (status != LYC_OK)
		return status;
	status = check_records(checking, path, segment, file->len, error);
	segment_unref(segment);
	return status;
}

static enum lyc_status check_file(struct checking *checking, const struct backup_file *file,
				  struct lyc_error *error)
{
	char path[MAX_PATH];
	if (!backup_path(path, sizeof(path), checking->folder, file->name))
		return error_set(error, LYC_INVALID_ARGUMENT, "The folder's name is too long.");
	return file->has_crc ? check_small(path, file, error)
			     : check_segment(checking, path, file, error);
}

static enum lyc_status check_all(struct checking *checking, const struct backup_list *list,
				 struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; i < list->count && status == LYC_OK; i++)
		status = check_file(checking, &list->files[i], error);
	if (status == LYC_OK && (checking->record_count != list->summary.record_count ||
				 checking->next_seq != list->summary.last_seq + 1))
		status = error_set(error, LYC_DATA_LOSS,
				   "The backup in %s holds %" PRIu64 " records up to %" PRIu64
				   ", and should hold %" PRIu64 " up to %" PRIu64 ".",
				   checking->folder, checking->record_count, checking->next_seq - 1,
				   list->summary.record_count, list->summary.last_seq);
	return status;
}

enum lyc_status backup_check(const char *folder, struct backup_summary *ret_summary,
			     struct lyc_error *error)
{
	char path[MAX_PATH];
	struct backup_list list = {0};
	struct checking checking = {.folder = folder, .log = {.fd = -1}};
	enum lyc_status status = backup_list_read(folder, &list, error);
	if (status != LYC_OK)
		return status;
	if (!backup_path(path, sizeof(path), folder, "log"))
		status = error_set(error, LYC_INVALID_ARGUMENT, "The folder's name is too long.");
	checking.log.path = path;
	checking.log.state.epoch = list.summary.epoch;
	if (status == LYC_OK) {
		checking.log.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (checking.log.fd < 0)
			status = backup_failed(error, "open", path);
	}
	if (status == LYC_OK)
		status = check_all(&checking, &list, error);
	if (checking.log.fd >= 0)
		close(checking.log.fd);
	if (status == LYC_OK)
		*ret_summary = list.summary;
	backup_list_fini(&list);
	return status;
}
