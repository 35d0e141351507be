/* Entries gather in memory and are written a megabyte at a time; one sync at the end. */
#include "store/segment_copy.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define CHUNK_LEN (1u << 20)

static enum lyc_status no_memory(const struct segment_copy *copy, struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory to copy to %s.",
			 copy->segment->name);
}

enum lyc_status segment_copy_begin(struct segment_copy *copy, const struct segment_folder *folder,
				   const struct segment *old, uint64_t room_len,
				   struct lyc_error *error)
{
	enum lyc_status status =
		segment_create(folder, old->first_seq, room_len, &copy->segment, error);
	if (status != LYC_OK)
		return status;
	copy->segment->generation = old->generation + 1;
	copy->segment->epoch = old->epoch;
	copy->segment->salt = old->salt;
	copy->out_offset = SEGMENT_HEADER_LEN;
	return LYC_OK;
}

static enum lyc_status flush(struct segment_copy *copy, struct lyc_error *error)
{
	struct segment *segment = copy->segment;
	if (copy->out.has_failed)
		return no_memory(copy, error);
	enum lyc_status status =
		segment_folder_write(segment->folder, segment->fd, segment->name, copy->out.data,
				     copy->out.len, copy->out_offset, error);
	copy->out_offset += copy->out.len;
	buf_clear(&copy->out);
	return status;
}

/* The entry that was just put behind `before`. */
static enum lyc_status note(struct segment_copy *copy, enum segment_kind kind, uint64_t first_seq,
			    uint64_t last_seq, struct span subject, size_t before,
			    struct lyc_error *error)
{
	if (copy->out.has_failed || !segment_reserve_marks(copy->segment, 1) ||
	    (subject.len > 0 && !subject_index_add(&copy->subjects, subject, first_seq, 1)))
		return no_memory(copy, error);
	segment_note(copy->segment, kind, first_seq, last_seq, copy->out_offset + before,
		     copy->out.len - before);
	return copy->out.len >= CHUNK_LEN ? flush(copy, error) : LYC_OK;
}

enum lyc_status segment_copy_add_record(struct segment_copy *copy, uint64_t seq, uint64_t batch_seq,
					struct span subject, struct span record,
					struct lyc_error *error)
{
	size_t before = copy->out.len;
	segment_encode(copy->segment, &copy->out, seq, batch_seq, subject, record);
	return note(copy, SEGMENT_RECORD, seq, seq, subject, before, error);
}

enum lyc_status segment_copy_add_hole(struct segment_copy *copy, uint64_t first_seq,
				      uint64_t last_seq, struct lyc_error *error)
{
	size_t before = copy->out.len;
	segment_encode_hole(copy->segment, &copy->out, first_seq, last_seq);
	return note(copy, SEGMENT_HOLE, first_seq, last_seq, span_of(NULL, 0), before, error);
}

enum lyc_status segment_copy_add_lost(struct segment_copy *copy, uint64_t first_seq,
				      uint64_t last_seq, struct span subject, struct span details,
				      struct lyc_error *error)
{
	size_t before = copy->out.len;
	segment_encode_lost(copy->segment, &copy->out, first_seq, last_seq, subject, details);
	if (!segment_add_lost(copy->segment, first_seq, last_seq, subject, details))
		return no_memory(copy, error);
	return note(copy, SEGMENT_LOST, first_seq, last_seq, subject, before, error);
}

enum lyc_status segment_copy_add_entry(struct segment_copy *copy,
				       const struct segment_record *entry, struct lyc_error *error)
{
	size_t before = copy->out.len;
	if (entry->kind == SEGMENT_LOST &&
	    !segment_add_lost(copy->segment, entry->seq, entry->last_seq, entry->subject,
			      entry->record))
		return no_memory(copy, error);
	buf_add(&copy->out, entry->subject.data - SEGMENT_RECORD_HEADER_LEN, (size_t)entry->len);
	return note(copy, entry->kind, entry->seq, entry->last_seq, entry->subject, before, error);
}

enum lyc_status segment_copy_end(struct segment_copy *copy, struct lyc_error *error)
{
	struct segment *segment = copy->segment;
	enum lyc_status status = flush(copy, error);
	segment->synced_len = segment->len;
	segment->synced_seq = segment->last_seq;
	segment->header_lost_count = (uint32_t)segment->lost_count;
	if (status == LYC_OK)
		status = segment_write_header(segment, error);
	if (status == LYC_OK)
		status = segment_folder_sync_file(segment->folder, segment->fd, segment->name,
						  error);
	return status;
}

void segment_copy_discard(struct segment_copy *copy)
{
	if (copy->segment)
		unlinkat(copy->segment->folder->fd, copy->segment->name, 0);
	segment_copy_fini(copy);
}

void segment_copy_fini(struct segment_copy *copy)
{
	segment_unref(copy->segment);
	subject_index_fini(&copy->subjects);
	buf_fini(&copy->out);
	*copy = (struct segment_copy){0};
}
