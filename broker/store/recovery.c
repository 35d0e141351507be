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
#include "store/quarantine.h"
#include "store/salvage.h"

#define SCAN_CHUNK (1u << 20)
#define NAME_DIGITS 20
/* No machine's pages are larger. */
#define PIECE_LEN (64u * 1024)

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
		bool has_subject = record.kind != SEGMENT_HOLE && record.subject.len > 0;
		if (!segment_reserve_marks(segment, 1) ||
		    (record.kind == SEGMENT_LOST &&
		     !segment_add_lost(segment, record.seq, record.last_seq, record.subject,
				       record.record)) ||
		    (has_subject && !subject_index_add(subjects, record.subject, record.seq, 1))) {
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

static enum lyc_status add_all(struct store *store, const struct subject_index *from,
			       const struct segment *segment, struct lyc_error *error)
{
	for (size_t i = 0; i < from->cap; i++) {
		const struct subject_entry *entry = &from->entries[i];
		if (entry->name && !subject_index_add(&store->subjects, subject_entry_name(entry),
						      entry->last_seq, entry->count))
			return error_set(error, LYC_RESOURCE_EXHAUSTED,
					 "No memory for the subjects of %s.", segment->name);
	}
	return LYC_OK;
}

/* A segment that has a successor: whole, or mended. One of an older format is copied to this one in
 * the same way. */
static enum lyc_status recover_sealed(struct store *store, size_t at, uint64_t last_seq,
				      struct lyc_error *error)
{
	struct segment *segment = store->segments[at];
	uint64_t len = 0;
	enum lyc_status status = file_len(segment, &len, error);
	if (status != LYC_OK)
		return status;
	bool is_current = segment->format == SEGMENT_FORMAT && !segment->is_header_damaged;
	if (is_current && checkpoint_load(&store->folder, segment, last_seq, &store->subjects)) {
		if (len != segment->len)
			status = cut(segment, error);
		return status;
	}
	struct subject_index own = {0};
	if (is_current)
		status = scan(segment, len, &own, error);
	if (status == LYC_OK && (!is_current || segment->last_seq != last_seq)) {
		subject_index_fini(&own);
		return quarantine_mend(store, at, last_seq, true, &store->subjects, error);
	}
	if (status == LYC_OK && len != segment->len)
		status = cut(segment, error);
	if (status == LYC_OK)
		status = add_all(store, &own, segment, error);
	/* A full disk must not keep the log from opening: the next opening scans again. */
	if (status == LYC_OK && checkpoint_write(&store->folder, segment, &own, NULL) != LYC_OK)
		status = LYC_OK;
	subject_index_fini(&own);
	return status;
}

static bool is_blank_by_pieces(const struct segment *segment, uint64_t at, uint64_t end)
{
	uint8_t bytes[PIECE_LEN];
	while (at < end) {
		off_t data = lseek(segment->fd, (off_t)at, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			return true;
		/* Not every file system tells. */
		if (data > (off_t)at)
			at = (uint64_t)data;
		/* Up to the end of a page: what is cached beyond it would count as data. */
		size_t len = PIECE_LEN - (size_t)(at % PIECE_LEN);
		ssize_t got = pread(segment->fd, bytes, len, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		if (bytes[0] != 0 || memcmp(bytes, bytes + 1, (size_t)got - 1) != 0)
			return false;
		at += (uint64_t)got;
	}
	return true;
}

/* Nothing but zeros from there to the end: room that was never used. Most of it was never written
 * either, and is not even read. But what lies in the page cache counts as data, too: so what the
 * scan has read ahead is dropped, and nothing is read ahead here, or each piece brings the next. */
static bool is_blank(const struct segment *segment, uint64_t at, uint64_t end)
{
	(void)posix_fadvise(segment->fd, (off_t)at, (off_t)(end - at), POSIX_FADV_DONTNEED);
	(void)posix_fadvise(segment->fd, 0, 0, POSIX_FADV_RANDOM);
	bool is_so = is_blank_by_pieces(segment, at, end);
	(void)posix_fadvise(segment->fd, 0, 0, POSIX_FADV_NORMAL);
	return is_so;
}

/* Bytes behind the records: a torn batch, or damage? */
static enum lyc_status look_behind(const struct segment *segment, uint64_t len, uint64_t must_seq,
				   bool *ret_is_damaged, uint64_t *ret_torn_len,
				   struct lyc_error *error)
{
	struct salvage salvage;
	struct segment_record record;
	struct salvage_gap gap;
	enum salvage_step step;
	enum lyc_status status;
	/* As nearly always: then the file need not be loaded. */
	if (segment->last_seq >= must_seq && is_blank(segment, segment->len, len))
		return LYC_OK;
	status = salvage_begin(&salvage, (struct segment *)(uintptr_t)segment, must_seq, false, 0,
			       error);
	if (status != LYC_OK)
		return status;
	salvage.at = segment->len;
	salvage.next_seq = segment->last_seq + 1;
	step = salvage_next(&salvage, &record, &gap);
	*ret_is_damaged = step != SALVAGE_END;
	*ret_torn_len = salvage.used > segment->len ? salvage.used - segment->len : 0;
	salvage_end(&salvage);
	return LYC_OK;
}

static bool has_checkpoint(const struct store *store, const struct segment *segment)
{
	char name[32];
	segment_name(segment->first_seq, ".ckpt", name);
	return faccessat(store->folder.fd, name, F_OK, 0) == 0;
}

/* The last segment: its newest batch may be torn. */
static enum lyc_status recover_active(struct store *store, size_t at, struct lyc_error *error)
{
	struct segment *segment = store->segments[at];
	uint64_t len = 0;
	uint64_t must_seq = store->folder.state.synced_seq;
	bool is_damaged = segment->is_header_damaged || segment->format != SEGMENT_FORMAT;
	uint64_t torn_len = 0;
	enum lyc_status status = file_len(segment, &len, error);
	if (must_seq < segment->synced_seq)
		must_seq = segment->synced_seq;
	if (status == LYC_OK && !is_damaged)
		status = scan(segment, len, &store->active_subjects, error);
	if (status == LYC_OK && !is_damaged)
		status = look_behind(segment, len, must_seq, &is_damaged, &torn_len, error);
	if (status == LYC_OK && has_checkpoint(store, segment))
		status = damaged(segment, segment->len,
				 "it had been sealed, but the segment after it is missing", error);
	if (status != LYC_OK)
		return status;
	store->truncated_bytes = is_damaged ? 0 : torn_len;
	if (is_damaged) {
		subject_index_fini(&store->active_subjects);
		status =
			quarantine_mend(store, at, must_seq, false, &store->active_subjects, error);
		segment = store->segments[at];
	}
	/* What was read may never have been synced: no reader may see it before it is. */
	if (status == LYC_OK)
		status = cut(segment, error);
	if (status == LYC_OK)
		status = add_all(store, &store->active_subjects, segment, error);
	/* Room is a courtesy here: an append asks for what it needs. */
	segment->room_len = segment->len;
	if (status == LYC_OK && segment_folder_take_room(&store->folder, segment->fd, segment->name,
							 store->folder.segment_len, NULL) == LYC_OK)
		segment->room_len = store->folder.segment_len;
	else if (status == LYC_OK)
		status = cut(segment, error);
	return status;
}

/* What is lost of a segment that was not read. Damage in it since is found when it is. */
static enum lyc_status list_lost(struct store *store, size_t at, struct lyc_error *error)
{
	enum lyc_status status = quarantine_list(store->segments[at], error);
	if (status == LYC_DATA_LOSS)
		status = quarantine_mend(store, at, store->segments[at]->last_seq, true, NULL,
					 error);
	return status;
}

/* What the damaged state file said, as far as the segments know it. */
static enum lyc_status restore_state(struct store *store, const struct first_seqs *found,
				     struct lyc_error *error)
{
	struct folder_state state = {0};
	/* The newest: a restored log has several. */
	for (size_t i = 0; i < found->count; i++) {
		uint64_t epoch = segment_read_epoch(&store->folder, found->seqs[i]);
		state.epoch = epoch > state.epoch ? epoch : state.epoch;
	}
	if (state.epoch == 0)
		return error_set(
			error, LYC_DATA_LOSS,
			"The file %s/log is damaged, and so is what could tell its content.",
			store->folder.path);
	state.first_seq = found->seqs[0];
	store->damage_count++;
	return segment_folder_put_state(&store->folder, &state, error);
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
	if (found.count > 0 && store->folder.is_state_new)
		store->folder.is_state_damaged = true;
	if (status == LYC_OK && store->folder.is_state_damaged)
		status = restore_state(store, &found, error);
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
		status = recover_sealed(store, i, found.seqs[i + 1] - 1, error);
	for (size_t i = 0; i + 1 < found.count && status == LYC_OK; i++)
		status = list_lost(store, i, error);
	if (status == LYC_OK)
		status = recover_active(store, found.count - 1, error);
	if (status == LYC_OK)
		status = segment_folder_sync_names(&store->folder, error);
out:
	free(found.seqs);
	if (status == LYC_OK)
		store->last_seq = store_active(store)->last_seq;
	return status;
}
