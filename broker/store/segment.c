/*
 * One segment file: header, records, and a cursor that reads them in chunks. All numbers are little
 * endian. Which bytes of a file count is recovery's and the writer's business.
 */
#include "store/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/mem.h"
#include "store/figures.h"

#define MAGIC "LYCSEG\r\n"
/* At the front of what a hole or a lost entry has in the place of a record. */
#define LAST_SEQ_LEN 8

void segment_name(uint64_t first_seq, const char *suffix, char ret_name[32])
{
	snprintf(ret_name, 32, "%020" PRIu64 "%s", first_seq, suffix);
}

enum lyc_status segment_write_header(struct segment *segment, struct lyc_error *error)
{
	uint8_t header[SEGMENT_HEADER_LEN] = MAGIC;
	figures_put(header + 8, SEGMENT_FORMAT, 4);
	figures_put(header + 12, segment->generation, 4);
	figures_put(header + 16, segment->first_seq, 8);
	figures_put(header + 24, segment->epoch, 8);
	figures_put(header + 32, segment->salt, 8);
	figures_put(header + 40, segment->synced_len, 8);
	figures_put(header + 48, segment->synced_seq, 8);
	figures_put(header + 56, segment->header_lost_count, 4);
	figures_put(header + 60, crc32c(0, header, 60), 4);
	return segment_folder_write(segment->folder, segment->fd, segment->name, header,
				    sizeof(header), 0, error);
}

/* Only the low half is used; the other is its copy, so that one damaged bit is not fatal. */
static uint64_t both_halves(uint64_t salt)
{
	return (salt & UINT32_MAX) | salt << 32;
}

enum lyc_status segment_check_header(const struct segment *segment, struct lyc_error *error)
{
	uint8_t header[SEGMENT_HEADER_LEN];
	ssize_t got = pread(segment->fd, header, sizeof(header), 0);
	if (got < 0)
		return segment_folder_failed(segment->folder, error, "read", segment->name);
	if (got == sizeof(header) && memcmp(header, MAGIC, 8) == 0 &&
	    figures_get(header + 60, 4) == crc32c(0, header, 60) &&
	    figures_get(header + 16, 8) == segment->first_seq &&
	    figures_get(header + 32, 8) == segment->salt)
		return LYC_OK;
	return error_set(error, LYC_DATA_LOSS, "The header of %s/%s (offset 0) is damaged.",
			 segment->folder->path, segment->name);
}

enum lyc_status segment_create(const struct segment_folder *folder, uint64_t first_seq,
			       uint64_t room_len, struct segment **ret_segment,
			       struct lyc_error *error)
{
	struct segment *segment = mem_new(struct segment);
	segment_name(first_seq, ".log.new", segment->name);
	segment->folder = folder;
	segment->ref_count = 1;
	segment->first_seq = first_seq;
	segment->last_seq = first_seq - 1;
	segment->epoch = folder->state.epoch;
	segment->len = segment->synced_len = SEGMENT_HEADER_LEN;
	segment->synced_seq = segment->last_seq;
	segment->format = SEGMENT_FORMAT;
	enum lyc_status status;
	if (getrandom(&segment->salt, sizeof(segment->salt), 0) < 0)
		segment->salt = first_seq ^ segment->epoch;
	segment->salt = both_halves(segment->salt);
	segment->fd =
		openat(folder->fd, segment->name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (segment->fd < 0) {
		status = segment_folder_failed(folder, error, "create", segment->name);
		goto out;
	}
	status = segment_folder_take_room(folder, segment->fd, segment->name, room_len, error);
	segment->room_len = room_len;
	if (status == LYC_OK)
		status = segment_write_header(segment, error);
	if (status == LYC_OK)
		status = segment_folder_sync_file(folder, segment->fd, segment->name, error);
out:
	if (status != LYC_OK) {
		if (segment->fd >= 0)
			unlinkat(folder->fd, segment->name, 0);
		segment_unref(segment);
		return status;
	}
	*ret_segment = segment;
	return LYC_OK;
}

enum lyc_status segment_open(const struct segment_folder *folder, uint64_t first_seq,
			     struct segment **ret_segment, struct lyc_error *error)
{
	struct segment *segment = mem_new(struct segment);
	segment_name(first_seq, ".log", segment->name);
	segment->folder = folder;
	segment->ref_count = 1;
	enum lyc_status status = LYC_OK;
	uint8_t header[SEGMENT_HEADER_LEN];
	segment->fd = openat(folder->fd, segment->name, O_RDWR | O_CLOEXEC);
	if (segment->fd < 0) {
		status = segment_folder_failed(folder, error, "open", segment->name);
		goto out;
	}
	ssize_t got = pread(segment->fd, header, sizeof(header), 0);
	if (got < 0) {
		status = segment_folder_failed(folder, error, "read", segment->name);
		goto out;
	}
	if (got == sizeof(header) && memcmp(header, MAGIC, 8) == 0 &&
	    figures_get(header + 8, 4) > SEGMENT_FORMAT &&
	    figures_get(header + 60, 4) == crc32c(0, header, 60)) {
		status = error_set(error, LYC_FAILED_PRECONDITION,
				   "The segment %s/%s has format %" PRIu64
				   "; this program reads up to %d.",
				   folder->path, segment->name, figures_get(header + 8, 4),
				   (int)SEGMENT_FORMAT);
		goto out;
	}
	segment->format = (uint32_t)figures_get(header + 8, 4);
	segment->generation = (uint32_t)figures_get(header + 12, 4);
	segment->first_seq = figures_get(header + 16, 8);
	segment->epoch = figures_get(header + 24, 8);
	segment->salt = figures_get(header + 32, 8);
	segment->synced_len = figures_get(header + 40, 8);
	segment->synced_seq = figures_get(header + 48, 8);
	segment->header_lost_count = (uint32_t)figures_get(header + 56, 4);
	segment->len = SEGMENT_HEADER_LEN;
	segment->last_seq = first_seq - 1;
	bool is_whole = got == sizeof(header) && memcmp(header, MAGIC, 8) == 0 &&
			figures_get(header + 60, 4) == crc32c(0, header, 60);
	if (is_whole && (segment->first_seq != first_seq || segment->epoch > folder->state.epoch))
		status = error_set(error, LYC_DATA_LOSS,
				   "The segment %s/%s is of another log, or has another's name.",
				   folder->path, segment->name);
	if (is_whole || status != LYC_OK)
		goto out;
	/* What the file's name and the folder say is not lost with it. */
	segment->is_header_damaged = true;
	segment->first_seq = first_seq;
	segment->epoch = folder->state.epoch;
	segment->synced_len = SEGMENT_HEADER_LEN;
	segment->synced_seq = 0;
	segment->header_lost_count = 0;
out:
	if (status != LYC_OK) {
		segment_unref(segment);
		return status;
	}
	*ret_segment = segment;
	return LYC_OK;
}

uint64_t segment_read_epoch(const struct segment_folder *folder, uint64_t first_seq)
{
	char name[32];
	uint8_t header[SEGMENT_HEADER_LEN];
	segment_name(first_seq, ".log", name);
	int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC);
	bool is_whole = fd >= 0 && pread(fd, header, sizeof(header), 0) == sizeof(header) &&
			memcmp(header, MAGIC, 8) == 0 &&
			figures_get(header + 60, 4) == crc32c(0, header, 60);
	if (fd >= 0)
		close(fd);
	return is_whole ? figures_get(header + 24, 8) : 0;
}

void segment_unref(struct segment *segment)
{
	if (!segment || --segment->ref_count > 0)
		return;
	if (segment->fd >= 0)
		close(segment->fd);
	for (size_t i = 0; i < segment->lost_count; i++) {
		free(segment->lost[i].subject);
		buf_fini(&segment->lost[i].details);
	}
	free(segment->lost);
	free(segment->marks);
	free(segment);
}

static void encode(const struct segment *segment, struct buf *to, enum segment_kind kind,
		   uint64_t seq, uint64_t batch_seq, struct span subject, struct span record)
{
	size_t start = to->len;
	uint8_t head[SEGMENT_RECORD_HEADER_LEN] = {0};
	figures_put(head + 4, subject.len + record.len, 4);
	figures_put(head + 8, seq, 8);
	figures_put(head + 16, seq - batch_seq, 4);
	figures_put(head + 20, subject.len, 2);
	head[22] = (uint8_t)kind;
	buf_add(to, head, sizeof(head));
	buf_add(to, subject.data, subject.len);
	buf_add(to, record.data, record.len);
	if (to->has_failed)
		return;
	figures_put(to->data + start,
		    crc32c((uint32_t)segment->salt, to->data + start + 4, to->len - start - 4), 4);
}

void segment_encode(const struct segment *segment, struct buf *to, uint64_t seq, uint64_t batch_seq,
		    struct span subject, struct span record)
{
	encode(segment, to, SEGMENT_RECORD, seq, batch_seq, subject, record);
}

void segment_encode_hole(const struct segment *segment, struct buf *to, uint64_t first_seq,
			 uint64_t last_seq)
{
	uint8_t last[8];
	figures_put(last, last_seq, 8);
	encode(segment, to, SEGMENT_HOLE, first_seq, first_seq, span_of(NULL, 0), span_of(last, 8));
}

void segment_encode_lost(const struct segment *segment, struct buf *to, uint64_t first_seq,
			 uint64_t last_seq, struct span subject, struct span details)
{
	struct buf body = {0};
	uint8_t last[LAST_SEQ_LEN];
	figures_put(last, last_seq, LAST_SEQ_LEN);
	buf_add(&body, last, sizeof(last));
	buf_add(&body, details.data, details.len);
	to->has_failed = to->has_failed || body.has_failed;
	encode(segment, to, SEGMENT_LOST, first_seq, first_seq, subject,
	       span_of(body.data, body.len));
	buf_fini(&body);
}

bool segment_add_lost(struct segment *segment, uint64_t first_seq, uint64_t last_seq,
		      struct span subject, struct span details)
{
	struct segment_lost *lost =
		realloc(segment->lost, (segment->lost_count + 1) * sizeof(*lost));
	if (!lost)
		return false;
	segment->lost = lost;
	lost += segment->lost_count++;
	*lost = (struct segment_lost){.first_seq = first_seq, .last_seq = last_seq};
	if (subject.len > 0)
		lost->subject = mem_dup_try((const char *)subject.data, subject.len);
	buf_add(&lost->details, details.data, details.len);
	return !lost->details.has_failed && (subject.len == 0 || lost->subject);
}

bool segment_try_salt(struct segment *segment, uint64_t salt, struct span bytes)
{
	uint64_t before = segment->salt;
	struct segment_record record;
	segment->salt = both_halves(salt);
	if (segment_decode(segment, bytes, &record))
		return true;
	segment->salt = before;
	return false;
}

/* What the head says; false when it cannot be one. The length is then that of the whole record. */
static bool decode_head(const uint8_t *head, struct segment_record *ret_record, size_t *ret_subject)
{
	uint64_t rest = figures_get(head + 4, 4);
	uint64_t back = figures_get(head + 16, 4);
	size_t subject_len = (size_t)figures_get(head + 20, 2);
	ret_record->kind = (enum segment_kind)head[22];
	ret_record->seq = figures_get(head + 8, 8);
	ret_record->batch_seq = ret_record->seq - back;
	ret_record->len = SEGMENT_RECORD_HEADER_LEN + rest;
	*ret_subject = subject_len;
	if (head[23] != 0 || ret_record->seq == 0 || back >= ret_record->seq || subject_len > rest)
		return false;
	if (ret_record->kind == SEGMENT_HOLE)
		return rest == LAST_SEQ_LEN && subject_len == 0;
	if (ret_record->kind == SEGMENT_LOST)
		return rest - subject_len >= LAST_SEQ_LEN &&
		       rest - subject_len <= SEGMENT_MAX_RECORD_LEN &&
		       subject_len <= SEGMENT_MAX_SUBJECT_LEN;
	return ret_record->kind == SEGMENT_RECORD && subject_len <= SEGMENT_MAX_SUBJECT_LEN &&
	       rest - subject_len <= SEGMENT_MAX_RECORD_LEN;
}

bool segment_peek(struct span bytes, struct segment_record *ret_record)
{
	struct segment_record record;
	size_t subject_len;
	if (bytes.len < SEGMENT_RECORD_HEADER_LEN ||
	    !decode_head(bytes.data, &record, &subject_len) || record.kind != SEGMENT_RECORD ||
	    record.len > bytes.len)
		return false;
	const uint8_t *body = bytes.data + SEGMENT_RECORD_HEADER_LEN;
	record.subject = span_of(body, subject_len);
	record.record = span_of(body + subject_len,
				(size_t)record.len - SEGMENT_RECORD_HEADER_LEN - subject_len);
	*ret_record = record;
	return true;
}

bool segment_decode(const struct segment *segment, struct span bytes,
		    struct segment_record *ret_record)
{
	struct segment_record record;
	size_t subject_len;
	if (bytes.len < SEGMENT_RECORD_HEADER_LEN ||
	    !decode_head(bytes.data, &record, &subject_len) || record.len > bytes.len)
		return false;
	if (figures_get(bytes.data, 4) !=
	    crc32c((uint32_t)segment->salt, bytes.data + 4, (size_t)record.len - 4))
		return false;
	const uint8_t *body = bytes.data + SEGMENT_RECORD_HEADER_LEN;
	record.subject = span_of(body, subject_len);
	record.record = span_of(body + subject_len,
				(size_t)record.len - SEGMENT_RECORD_HEADER_LEN - subject_len);
	record.last_seq = record.seq;
	if (record.kind != SEGMENT_RECORD) {
		record.last_seq = figures_get(record.record.data, LAST_SEQ_LEN);
		record.record.data += LAST_SEQ_LEN;
		record.record.len -= LAST_SEQ_LEN;
	}
	record.offset = 0;
	if (record.last_seq < record.seq)
		return false;
	*ret_record = record;
	return true;
}

bool segment_reserve_marks(struct segment *segment, size_t count)
{
	if (segment->mark_cap - segment->mark_count >= count)
		return true;
	size_t cap = (segment->mark_count + count) * 2;
	struct segment_mark *marks = realloc(segment->marks, cap * sizeof(*marks));
	if (!marks)
		return false;
	segment->marks = marks;
	segment->mark_cap = cap;
	return true;
}

void segment_note(struct segment *segment, enum segment_kind kind, uint64_t seq, uint64_t last_seq,
		  uint64_t offset, uint64_t len)
{
	uint64_t marked = SEGMENT_HEADER_LEN;
	if (segment->mark_count > 0)
		marked = segment->marks[segment->mark_count - 1].offset;
	if (offset - marked >= SEGMENT_MARK_DISTANCE)
		segment->marks[segment->mark_count++] = (struct segment_mark){
			.seq = (uint32_t)(seq - segment->first_seq), .offset = (uint32_t)offset};
	segment->len = offset + len;
	segment->last_seq = last_seq;
	if (kind != SEGMENT_RECORD)
		return;
	if (segment->first_kept_seq == 0)
		segment->first_kept_seq = seq;
	segment->record_count++;
}

uint64_t segment_find(const struct segment *segment, uint64_t seq)
{
	size_t low = 0;
	size_t high = segment->mark_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (segment->first_seq + segment->marks[middle].seq <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? SEGMENT_HEADER_LEN : segment->marks[low - 1].offset;
}

void segment_cursor_init(struct segment_cursor *cursor, const struct segment *segment,
			 uint64_t offset, uint64_t end, size_t chunk_len)
{
	*cursor = (struct segment_cursor){.segment = segment,
					  .offset = offset,
					  .end = end,
					  .window_offset = offset,
					  .chunk_len = chunk_len};
}

void segment_cursor_fini(struct segment_cursor *cursor)
{
	buf_fini(&cursor->window);
}

/* At least `need` bytes from the cursor's offset on in the window; the caller knows that the
 * segment has them. */
static enum lyc_status fill(struct segment_cursor *cursor, size_t need, struct lyc_error *error)
{
	struct buf *window = &cursor->window;
	size_t used = (size_t)(cursor->offset - cursor->window_offset);
	if (window->len - used >= need)
		return LYC_OK;
	if (used > 0)
		memmove(window->data, window->data + used, window->len - used);
	window->len -= used;
	cursor->window_offset = cursor->offset;
	uint64_t left = cursor->end - cursor->offset - window->len;
	size_t want =
		need - window->len > cursor->chunk_len ? need - window->len : cursor->chunk_len;
	if (want > left)
		want = (size_t)left;
	if (!buf_reserve(window, want))
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory to read %s.",
				 cursor->segment->name);
	while (window->len < need) {
		ssize_t got = pread(cursor->segment->fd, window->data + window->len, want,
				    (off_t)(cursor->window_offset + window->len));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return segment_folder_failed(cursor->segment->folder, error, "read",
						     cursor->segment->name);
		if (got == 0)
			return error_set(error, LYC_DATA_LOSS,
					 "The file %s/%s is cut off at offset %" PRIu64 ".",
					 cursor->segment->folder->path, cursor->segment->name,
					 cursor->window_offset + window->len);
		window->len += (size_t)got;
		want -= (size_t)got;
	}
	return LYC_OK;
}

static enum lyc_status damaged(const struct segment_cursor *cursor, struct lyc_error *error)
{
	return error_set(error, LYC_DATA_LOSS,
			 "The file %s/%s is damaged at offset %" PRIu64
			 ": no valid record lies there.",
			 cursor->segment->folder->path, cursor->segment->name, cursor->offset);
}

enum lyc_status segment_cursor_next(struct segment_cursor *cursor,
				    struct segment_record *ret_record, struct lyc_error *error)
{
	uint64_t left = cursor->end - cursor->offset;
	if (left == 0)
		return LYC_OUT_OF_RANGE;
	if (left < SEGMENT_RECORD_HEADER_LEN)
		return damaged(cursor, error);
	enum lyc_status status = fill(cursor, SEGMENT_RECORD_HEADER_LEN, error);
	if (status != LYC_OK)
		return status;
	struct segment_record record;
	size_t subject_len;
	const uint8_t *head = cursor->window.data + (cursor->offset - cursor->window_offset);
	if (!decode_head(head, &record, &subject_len) || record.len > left)
		return damaged(cursor, error);
	status = fill(cursor, (size_t)record.len, error);
	if (status != LYC_OK)
		return status;
	head = cursor->window.data + (cursor->offset - cursor->window_offset);
	if (!segment_decode(cursor->segment, span_of(head, (size_t)record.len), &record))
		return damaged(cursor, error);
	record.offset = cursor->offset;
	cursor->offset += record.len;
	*ret_record = record;
	return LYC_OK;
}
