/*
 * Opening: which files belong to the log, what of them counts, and when that is damage. The rule is
 * in docs/decisions/0001-segment-files.md. In short: all before the last segment had been synced,
 * and so had everything in the last one before its newest batch; what is broken there is DATA_LOSS.
 * What is broken in the newest batch was never acknowledged, and is cut off.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/checkpoint.h"
#include "store/digest.h"
#include "store/embedded.h"

#define SCAN_CHUNK (1u << 20)
#define NAME_DIGITS 20

struct first_seqs {
	uint64_t *seqs;
	size_t count;
	size_t cap;
};

static int by_value(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;
	return *left < *right ? -1 : *left > *right;
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t len = strlen(name);
	size_t suffix_len = strlen(suffix);
	return len >= suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

/* The segments by name, in order; what a crash left half made is deleted. */
static enum lyc_status list(struct store *store, struct first_seqs *ret_found,
			    struct lyc_error *error)
{
	int fd = openat(store->folder.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return segment_folder_failed(&store->folder, error, "list", "the folder");
	}
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		const char *name = entry->d_name;
		if (ends_with(name, ".new") || ends_with(name, "~")) {
			unlinkat(store->folder.fd, name, 0);
			continue;
		}
		if (strspn(name, "0123456789") != NAME_DIGITS || strcmp(name + NAME_DIGITS, ".log"))
			continue;
		if (ret_found->count == ret_found->cap) {
			ret_found->cap = ret_found->cap ? ret_found->cap * 2 : 64;
			uint64_t *seqs =
				realloc(ret_found->seqs, ret_found->cap * sizeof(uint64_t));
			if (!seqs) {
				closedir(dir);
				return error_set(error, LYC_RESOURCE_EXHAUSTED,
						 "No memory for the list of segments.");
			}
			ret_found->seqs = seqs;
		}
		ret_found->seqs[ret_found->count++] = strtoull(name, NULL, 10);
	}
	closedir(dir);
	if (ret_found->count > 0)
		qsort(ret_found->seqs, ret_found->count, sizeof(uint64_t), by_value);
	return LYC_OK;
}

static enum lyc_status damaged(const struct segment *segment, uint64_t offset, const char *why,
			       struct lyc_error *error)
{
	return error_set(error, LYC_DATA_LOSS,
			 "The file %s/%s is damaged at offset %" PRIu64 ": %s.",
			 segment->folder->path, segment->name, offset, why);
}

/* Read records until the end or the first that is not valid and next in order. */
static enum lyc_status scan(struct segment *segment, uint64_t end, struct subject_index *subjects,
			    struct lyc_error *error)
{
	struct segment_cursor cursor;
	struct segment_record record;
	enum lyc_status status;
	segment_cursor_init(&cursor, segment, SEGMENT_HEADER_LEN, end, SCAN_CHUNK);
	for (;;) {
		status = segment_cursor_next(&cursor, &record, error);
		if (status == LYC_OUT_OF_RANGE || status == LYC_DATA_LOSS ||
		    (status == LYC_OK && record.seq != segment->last_seq + 1)) {
			status = LYC_OK;
			break;
		}
		if (status != LYC_OK)
			break;
		bool is_record = record.kind == SEGMENT_RECORD;
		if (!segment_reserve_marks(segment, 1) ||
		    (is_record && !subject_index_add(subjects, record.subject, record.seq, 1))) {
			status = error_set(error, LYC_RESOURCE_EXHAUSTED,
					   "No memory for the subjects of %s.", segment->name);
			break;
		}
		segment_note(segment, record.kind, record.seq, record.last_seq, record.offset,
			     record.len);
	}
	segment_cursor_fini(&cursor);
	return status;
}

/* All bytes of the file from `from` on, appended. */
static enum lyc_status load_rest(const struct segment *segment, uint64_t from, uint64_t end,
				 struct buf *ret_rest, struct lyc_error *error)
{
	if (!buf_reserve(ret_rest, (size_t)(end - from) + 1))
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for the tail of %s.",
				 segment->name);
	while (from + ret_rest->len < end) {
		ssize_t got =
			pread(segment->fd, ret_rest->data + ret_rest->len,
			      (size_t)(end - from) - ret_rest->len, (off_t)(from + ret_rest->len));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return segment_folder_failed(segment->folder, error, "read", segment->name);
		if (got == 0)
			break;
		ret_rest->len += (size_t)got;
	}
	/* Zeros at the end are room that was never used. */
	while (ret_rest->len > 0 && ret_rest->data[ret_rest->len - 1] == 0)
		ret_rest->len--;
	return LYC_OK;
}

/* A record of a later batch behind the first broken one proves that this one had been synced. */
static bool has_later_batch(const struct segment *segment, const struct buf *rest)
{
	for (size_t at = 0; at + SEGMENT_RECORD_HEADER_LEN <= rest->len; at++) {
		struct segment_record record;
		/* The kind stands at a fixed place, and is rarely there by chance. */
		if (rest->data[at + 22] != SEGMENT_RECORD && rest->data[at + 22] != SEGMENT_HOLE)
			continue;
		if (segment_decode(segment, span_of(rest->data + at, rest->len - at), &record) &&
		    record.batch_seq > segment->last_seq + 1)
			return true;
	}
	return false;
}

static enum lyc_status file_len(const struct segment *segment, uint64_t *ret_len,
				struct lyc_error *error)
{
	struct stat stat;
	if (fstat(segment->fd, &stat) != 0)
		return segment_folder_failed(segment->folder, error, "look at", segment->name);
	*ret_len = (uint64_t)stat.st_size;
	return LYC_OK;
}

/* Make the file end with its records, synced. */
static enum lyc_status cut(const struct segment *segment, struct lyc_error *error)
{
	if (ftruncate(segment->fd, (off_t)segment->len) != 0)
		return segment_folder_failed(segment->folder, error, "cut", segment->name);
	return segment_folder_sync_file(segment->folder, segment->fd, segment->name, error);
}

/* A segment that has a successor: whole, or damaged. */
static enum lyc_status recover_sealed(struct store *store, struct segment *segment,
				      uint64_t last_seq, struct lyc_error *error)
{
	uint64_t len = 0;
	enum lyc_status status = file_len(segment, &len, error);
	if (status != LYC_OK)
		return status;
	if (checkpoint_load(&store->folder, segment, last_seq, &store->subjects)) {
		if (len != segment->len)
			status = cut(segment, error);
		return status;
	}
	struct subject_index own = {0};
	status = scan(segment, len, &own, error);
	if (status == LYC_OK && segment->last_seq != last_seq)
		status = damaged(segment, segment->len, "a record that had been synced is broken",
				 error);
	if (status == LYC_OK && len != segment->len)
		status = cut(segment, error);
	for (size_t i = 0; i < own.cap && status == LYC_OK; i++) {
		const struct subject_entry *entry = &own.entries[i];
		if (entry->name && !subject_index_add(&store->subjects, subject_entry_name(entry),
						      entry->last_seq, entry->count))
			status = error_set(error, LYC_RESOURCE_EXHAUSTED,
					   "No memory for the subjects of %s.", segment->name);
	}
	/* A full disk must not keep the log from opening: the next opening scans again. */
	if (status == LYC_OK && checkpoint_write(&store->folder, segment, &own, NULL) != LYC_OK)
		status = LYC_OK;
	subject_index_fini(&own);
	return status;
}

/* The last segment: its newest batch may be torn. */
static enum lyc_status recover_active(struct store *store, struct segment *segment,
				      struct lyc_error *error)
{
	uint64_t len = 0;
	struct buf rest = {0};
	char name[32];
	enum lyc_status status = file_len(segment, &len, error);
	if (status == LYC_OK)
		status = scan(segment, len, &store->active_subjects, error);
	if (status == LYC_OK)
		status = load_rest(segment, segment->len, len, &rest, error);
	if (status != LYC_OK)
		goto out;
	segment_name(segment->first_seq, ".ckpt", name);
	if (segment->len < segment->synced_len || has_later_batch(segment, &rest))
		status = damaged(segment, segment->len, "a record that had been synced is broken",
				 error);
	else if (segment->last_seq < store->folder.state.synced_seq)
		status = damaged(segment, segment->len, "records that had been synced are missing",
				 error);
	else if (faccessat(store->folder.fd, name, F_OK, 0) == 0)
		status = damaged(segment, segment->len,
				 "it had been sealed, but the segment after it is missing", error);
	if (status != LYC_OK)
		goto out;
	store->truncated_bytes = rest.len;
	/* What was read may never have been synced: no reader may see it before it is. */
	status = cut(segment, error);
	for (size_t i = 0; i < store->active_subjects.cap && status == LYC_OK; i++) {
		const struct subject_entry *entry = &store->active_subjects.entries[i];
		if (entry->name && !subject_index_add(&store->subjects, subject_entry_name(entry),
						      entry->last_seq, entry->count))
			status = error_set(error, LYC_RESOURCE_EXHAUSTED,
					   "No memory for the subjects of %s.", segment->name);
	}
	/* Room is a courtesy here: an append asks for what it needs. */
	segment->room_len = segment->len;
	if (status == LYC_OK && segment_folder_take_room(&store->folder, segment->fd, segment->name,
							 store->folder.segment_len, NULL) == LYC_OK)
		segment->room_len = store->folder.segment_len;
	else if (status == LYC_OK)
		status = cut(segment, error);
out:
	buf_fini(&rest);
	return status;
}

/* Segments whose removal a crash interrupted: all of it lies before the first sequence. */
static void finish_removal(struct store *store, struct first_seqs *found)
{
	size_t gone = 0;
	while (gone + 1 < found->count && found->seqs[gone + 1] <= store->folder.state.first_seq) {
		char name[32];
		segment_name(found->seqs[gone], ".log", name);
		unlinkat(store->folder.fd, name, 0);
		segment_name(found->seqs[gone], ".ckpt", name);
		unlinkat(store->folder.fd, name, 0);
		gone++;
	}
	found->count -= gone;
	memmove(found->seqs, found->seqs + gone, found->count * sizeof(uint64_t));
}

static enum lyc_status begin(struct store *store, struct lyc_error *error)
{
	struct segment *segment;
	char name[32];
	if (store->folder.state.synced_seq > 0 || store->folder.state.first_seq > 1)
		return error_set(error, LYC_DATA_LOSS,
				 "The log folder %s had records, but holds no segment file.",
				 store->folder.path);
	segment_name(1, ".log", name);
	enum lyc_status status =
		segment_create(&store->folder, 1, store->folder.segment_len, &segment, error);
	if (status != LYC_OK)
		return status;
	status = segment_folder_rename(&store->folder, segment->name, name, error);
	if (status != LYC_OK) {
		segment_unref(segment);
		return status;
	}
	memcpy(segment->name, name, sizeof(name));
	if (!store_add_segment(store, segment))
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for a segment.");
	return LYC_OK;
}

enum lyc_status recovery_run(struct store *store, struct lyc_error *error)
{
	struct first_seqs found = {0};
	enum lyc_status status = list(store, &found, error);
	if (status == LYC_OK && found.count == 0) {
		status = begin(store, error);
		goto out;
	}
	if (status != LYC_OK)
		goto out;
	finish_removal(store, &found);
	if (found.seqs[0] != store->folder.state.first_seq) {
		status = error_set(error, LYC_DATA_LOSS,
				   "The log folder %s begins with sequence %" PRIu64
				   ", but the segment file from there on is missing.",
				   store->folder.path, store->folder.state.first_seq);
		goto out;
	}
	for (size_t i = 0; i < found.count && status == LYC_OK; i++) {
		struct segment *segment;
		status = segment_open(&store->folder, found.seqs[i], &segment, error);
		if (status == LYC_OK && !store_add_segment(store, segment))
			status = error_set(error, LYC_RESOURCE_EXHAUSTED,
					   "No memory for a segment.");
	}
	if (status != LYC_OK)
		goto out;
	for (size_t i = digest_load(store); i + 1 < found.count && status == LYC_OK; i++)
		status = recover_sealed(store, store->segments[i], found.seqs[i + 1] - 1, error);
	if (status == LYC_OK)
		status = recover_active(store, store_active(store), error);
	if (status == LYC_OK)
		status = segment_folder_sync_names(&store->folder, error);
out:
	free(found.seqs);
	if (status == LYC_OK)
		store->last_seq = store_active(store)->last_seq;
	return status;
}
