/*
 * Small values beside the log, one file each in `meta/`: a CRC-32C, then the value. Replaced as a
 * whole, so after a power cut the old or the new one is there. One that is damaged is gone, and an
 * empty file `.damaged-KEY` says so until somebody deletes it: what it had may have been erased.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "store/embedded.h"
#include "store/figures.h"

#define MAX_KEY_LEN 200
#define CRC_LEN 4
#define MARK ".damaged-"
#define MARK_LEN (sizeof(MARK) - 1)

static bool is_key(const char *key)
{
	size_t len = strlen(key);
	return len > 0 && len <= MAX_KEY_LEN && key[0] != '.' &&
	       strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static enum lyc_status refuse_key(const char *key, struct lyc_error *error)
{
	return error_set(error, LYC_INVALID_ARGUMENT,
			 "\"%s\" is no key: use 1 to %d of a-z, 0-9, '.', '_', '-', "
			 "not beginning with '.'.",
			 key, MAX_KEY_LEN);
}

enum lyc_status store_put_meta(struct store *store, const char *key, struct span value,
			       struct lyc_error *error)
{
	if (!is_key(key))
		return refuse_key(key, error);
	struct buf content = {0};
	enum lyc_status status;
	figures_add(&content, crc32c(0, value.data, value.len), CRC_LEN);
	buf_add(&content, value.data, value.len);
	if (content.has_failed)
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for \"%s\".", key);
	else
		status = segment_folder_replace(&store->folder, store->folder.meta_fd, key,
						span_of(content.data, content.len), error);
	buf_fini(&content);
	return status;
}

enum lyc_status store_put_vital_meta(struct store *store, const char *key, struct span value,
				     struct lyc_error *error)
{
	enum lyc_status status = store_put_meta(store, key, value, error);
	if (status != LYC_RESOURCE_EXHAUSTED)
		return status;
	pthread_mutex_lock(&store->writing);
	bool has_reserve = store->folder.has_reserve;
	if (has_reserve)
		segment_folder_use_reserve(&store->folder);
	pthread_mutex_unlock(&store->writing);
	return has_reserve ? store_put_meta(store, key, value, error) : status;
}

static void mark_name(const char *key, char to[MARK_LEN + MAX_KEY_LEN + 1])
{
	memcpy(to, MARK, MARK_LEN);
	memcpy(to + MARK_LEN, key, strlen(key) + 1);
}

void store_mark_damaged(struct store *store, const char *key)
{
	char name[MARK_LEN + MAX_KEY_LEN + 1];
	int meta_fd = store->folder.meta_fd;
	mark_name(key, name);
	/* A name needs no room where the file has one already. */
	if (renameat(meta_fd, key, meta_fd, name) != 0 && errno != ENOENT)
		return;
	int fd = openat(meta_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	/* Whether the mark outlives a power cut or not, the value is found damaged or gone. */
	if (segment_folder_sync_file(&store->folder, meta_fd, "the names", NULL) != LYC_OK)
		return;
}

/* The summary is a shortcut: without it everything is replayed. */
static void put_aside(struct store *store, const char *key)
{
	if (strcmp(key, STORE_SUMMARY_KEY) == 0)
		unlinkat(store->folder.meta_fd, key, 0);
	else
		store_mark_damaged(store, key);
}

enum lyc_status store_get_meta(struct store *store, const char *key, struct buf *ret_value)
{
	if (!is_key(key))
		return LYC_INVALID_ARGUMENT;
	struct buf content = {0};
	enum lyc_status status =
		segment_folder_load(&store->folder, store->folder.meta_fd, key, &content, NULL);
	if (status == LYC_OK && content.len < CRC_LEN)
		status = LYC_DATA_LOSS;
	if (status == LYC_OK && figures_get(content.data, CRC_LEN) !=
					crc32c(0, content.data + CRC_LEN, content.len - CRC_LEN))
		status = LYC_DATA_LOSS;
	if (status == LYC_OK) {
		buf_add(ret_value, content.data + CRC_LEN, content.len - CRC_LEN);
		if (ret_value->has_failed)
			status = LYC_RESOURCE_EXHAUSTED;
	}
	buf_fini(&content);
	if (status == LYC_DATA_LOSS)
		put_aside(store, key);
	return status;
}

bool store_meta_was_damaged(struct store *store, const char *key)
{
	char name[MARK_LEN + MAX_KEY_LEN + 1];
	if (!is_key(key))
		return false;
	mark_name(key, name);
	return faccessat(store->folder.meta_fd, name, F_OK, 0) == 0 && !store_has_meta(store, key);
}

bool store_has_meta(const struct store *store, const char *key)
{
	return is_key(key) && faccessat(store->folder.meta_fd, key, F_OK, 0) == 0;
}

static DIR *open_names(const struct store *store)
{
	int fd = openat(store->folder.meta_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder && fd >= 0)
		close(fd);
	return folder;
}

void store_damaged_meta(struct store *store, store_key_fn on_key, void *arg)
{
	DIR *folder = open_names(store);
	const struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		if (strncmp(entry->d_name, MARK, MARK_LEN) == 0)
			on_key(entry->d_name + MARK_LEN, arg);
	}
	if (folder)
		closedir(folder);
}

void store_check_meta(struct store *store)
{
	DIR *folder = open_names(store);
	const struct dirent *entry;
	struct buf value = {0};
	while (folder && (entry = readdir(folder))) {
		/* The summary is read at each start anyway, and is long. */
		if (!is_key(entry->d_name) || strcmp(entry->d_name, STORE_SUMMARY_KEY) == 0)
			continue;
		buf_clear(&value);
		if (store_get_meta(store, entry->d_name, &value) == LYC_RESOURCE_EXHAUSTED)
			break;
	}
	if (folder)
		closedir(folder);
	buf_fini(&value);
}

enum lyc_status store_remove_meta(struct store *store, const char *key, struct lyc_error *error)
{
	char mark[MARK_LEN + MAX_KEY_LEN + 1];
	if (!is_key(key))
		return refuse_key(key, error);
	mark_name(key, mark);
	unlinkat(store->folder.meta_fd, mark, 0);
	if (unlinkat(store->folder.meta_fd, key, 0) == 0)
		return segment_folder_sync_file(&store->folder, store->folder.meta_fd, "the names",
						error);
	return errno == ENOENT ? LYC_OK
			       : segment_folder_failed(&store->folder, error, "remove", key);
}

size_t store_count_meta(struct store *store, const char *prefix)
{
	DIR *folder = open_names(store);
	size_t count = 0;
	const struct dirent *entry;
	while (folder && (entry = readdir(folder)))
		count += is_key(entry->d_name) &&
			 strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	if (folder)
		closedir(folder);
	return count;
}
