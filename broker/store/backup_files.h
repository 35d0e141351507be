/*
 * The files of a backup: copying, linking and reading them, and the list of them, the file
 * `backup`. For broker/store/backup*.c only.
 */
#ifndef LYC_STORE_BACKUP_FILES_H
#define LYC_STORE_BACKUP_FILES_H

#include "base/buf.h"
#include "store/backup.h"

#define BACKUP_LIST_NAME "backup"

/* One line of the list. */
struct backup_file {
	char name[300]; /* below the backup's folder */
	uint64_t len;
	bool has_crc; /* a segment has a checksum for each record instead */
	uint32_t crc;
};

struct backup_list {
	struct backup_summary summary;
	struct backup_file *files;
	size_t count;
};

void backup_list_fini(struct backup_list *list);
void backup_list_add(struct backup_list *list, const char *name, uint64_t len, const uint32_t *crc);
void backup_list_write(const struct backup_list *list, struct buf *to);
/* NOT_FOUND when the folder has no list; DATA_LOSS when it is damaged. */
LYC_MUST_USE enum lyc_status backup_list_read(const char *folder, struct backup_list *ret_list,
					      struct lyc_error *error);

/* The status and sentence for errno after `verb` failed on the file. */
enum lyc_status backup_failed(struct lyc_error *error, const char *verb, const char *path);
/* "FOLDER/NAME"; false when that is too long. */
bool backup_path(char *to, size_t size, const char *folder, const char *name);
/* A new file with these bytes, synced. */
LYC_MUST_USE enum lyc_status backup_write(const char *path, struct span content,
					  struct lyc_error *error);
/* The whole of a file, appended. */
LYC_MUST_USE enum lyc_status backup_load(const char *path, struct buf *ret_content,
					 struct lyc_error *error);
/* A new file with the first len bytes of `from`, synced; shared where the file system can. */
LYC_MUST_USE enum lyc_status backup_copy(int from, uint64_t len, const char *path,
					 struct lyc_error *error);
LYC_MUST_USE enum lyc_status backup_sync_folder(const char *path, struct lyc_error *error);
/* A folder with everything in it. Errors are left to who makes something of that name next. */
void backup_remove_folder(const char *path);

#endif
