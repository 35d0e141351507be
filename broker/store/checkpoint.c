/* Checkpoints of sealed segments: fixed numbers, marks, subjects, CRC-32C. Little endian. */
#include "store/checkpoint.h"

#include <string.h>
#include <sys/stat.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "store/figures.h"

#define MAGIC "LYCCKP1\n"
#define HEAD_LEN (8 + 9 * 8)

enum lyc_status checkpoint_write(const struct segment_folder *folder, const struct segment *segment,
				 const struct subject_index *subjects, struct lyc_error *error)
{
	struct buf out = {0};
	buf_add(&out, MAGIC, 8);
	figures_add(&out, segment->first_seq, 8);
	figures_add(&out, segment->salt, 8);
	figures_add(&out, segment->generation, 8);
	figures_add(&out, segment->len, 8);
	figures_add(&out, segment->last_seq, 8);
	figures_add(&out, segment->first_kept_seq, 8);
	figures_add(&out, segment->record_count, 8);
	figures_add(&out, segment->mark_count, 8);
	figures_add(&out, subjects->count, 8);
	for (size_t i = 0; i < segment->mark_count; i++) {
		figures_add(&out, segment->marks[i].seq, 4);
		figures_add(&out, segment->marks[i].offset, 4);
	}
	for (size_t i = 0; i < subjects->cap; i++) {
		const struct subject_entry *entry = &subjects->entries[i];
		if (!entry->name)
			continue;
		struct span name = subject_entry_name(entry);
		figures_add(&out, entry->last_seq, 8);
		figures_add(&out, entry->count, 4);
		figures_add(&out, name.len, 2);
		buf_add(&out, name.data, name.len);
	}
	figures_add(&out, crc32c(0, out.data, out.len), 4);
	enum lyc_status status;
	char name[32];
	segment_name(segment->first_seq, ".ckpt", name);
	if (out.has_failed)
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for %s.", name);
	else
		status = segment_folder_replace(folder, folder->fd, name,
						span_of(out.data, out.len), error);
	buf_fini(&out);
	return status;
}

static bool take_subject(struct figures *figures, struct subject_index *subjects)
{
	uint64_t seq = figures_next(figures, 8);
	uint32_t count = (uint32_t)figures_next(figures, 4);
	size_t name_len = (size_t)figures_next(figures, 2);
	struct span name = span_of(figures->at, name_len);
	figures->at += name_len;
	return subject_index_add(subjects, name, seq, count);
}

/* The CRC has been checked, so lengths inside are as they were written. */
static bool take(struct buf *content, struct segment *segment, uint64_t last_seq,
		 struct subject_index *subjects)
{
	struct figures figures = {.at = content->data + 8};
	struct stat stat;
	if (figures_next(&figures, 8) != segment->first_seq ||
	    figures_next(&figures, 8) != segment->salt ||
	    figures_next(&figures, 8) != segment->generation)
		return false;
	uint64_t len = figures_next(&figures, 8);
	if (fstat(segment->fd, &stat) != 0 || (uint64_t)stat.st_size < len ||
	    figures_next(&figures, 8) != last_seq)
		return false;
	uint64_t first_kept_seq = figures_next(&figures, 8);
	uint64_t record_count = figures_next(&figures, 8);
	uint64_t mark_count = figures_next(&figures, 8);
	uint64_t subject_count = figures_next(&figures, 8);
	if (!segment_reserve_marks(segment, mark_count) ||
	    !subject_index_reserve(subjects, subject_count, content->len))
		return false;
	segment->len = len;
	segment->last_seq = last_seq;
	segment->first_kept_seq = first_kept_seq;
	segment->record_count = record_count;
	for (size_t i = 0; i < mark_count; i++) {
		segment->marks[i].seq = (uint32_t)figures_next(&figures, 4);
		segment->marks[i].offset = (uint32_t)figures_next(&figures, 4);
	}
	segment->mark_count = mark_count;
	for (uint64_t i = 0; i < subject_count; i++)
		(void)take_subject(&figures, subjects);
	return true;
}

/* The whole file, if its CRC fits. */
static bool load(const struct segment_folder *folder, uint64_t first_seq, struct buf *ret_content)
{
	char name[32];
	segment_name(first_seq, ".ckpt", name);
	if (segment_folder_load(folder, folder->fd, name, ret_content, NULL) != LYC_OK ||
	    ret_content->len < HEAD_LEN + 4 || memcmp(ret_content->data, MAGIC, 8) != 0)
		return false;
	size_t len = ret_content->len - 4;
	return figures_get(ret_content->data + len, 4) == crc32c(0, ret_content->data, len);
}

bool checkpoint_peek(const struct segment_folder *folder, uint64_t first_seq, uint64_t last_seq,
		     uint64_t *ret_salt, uint32_t *ret_generation, struct subject_index *subjects)
{
	struct buf content = {0};
	bool is_taken = load(folder, first_seq, &content);
	if (is_taken) {
		struct figures figures = {.at = content.data + 8};
		is_taken = figures_next(&figures, 8) == first_seq;
		*ret_salt = figures_next(&figures, 8);
		*ret_generation = (uint32_t)figures_next(&figures, 8);
		figures.at += 8;
		is_taken = is_taken && figures_next(&figures, 8) == last_seq;
		figures.at += 16;
		uint64_t mark_count = figures_next(&figures, 8);
		uint64_t subject_count = figures_next(&figures, 8);
		figures.at += 8 * mark_count;
		for (uint64_t i = 0; i < subject_count && is_taken; i++)
			is_taken = take_subject(&figures, subjects);
	}
	buf_fini(&content);
	return is_taken;
}

bool checkpoint_load(const struct segment_folder *folder, struct segment *segment,
		     uint64_t last_seq, struct subject_index *subjects)
{
	struct buf content = {0};
	bool is_taken = load(folder, segment->first_seq, &content) &&
			take(&content, segment, last_seq, subjects);
	buf_fini(&content);
	return is_taken;
}
