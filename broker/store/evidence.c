/* The checkpoint's subjects less those that are found again; the damaged head, with a second look.
 */
#include "store/evidence.h"

#include <time.h>

#include "base/pb.h"
#include "store/checkpoint.h"
#include "store/figures.h"

void evidence_init(struct evidence *evidence, struct segment *segment, uint64_t last_seq,
		   uint64_t *ret_salt)
{
	uint32_t generation = 0;
	*evidence = (struct evidence){0};
	evidence->has_known = checkpoint_peek(segment->folder, segment->first_seq, last_seq,
					      ret_salt, &generation, &evidence->known);
	if (evidence->has_known && segment->is_header_damaged)
		segment->generation = generation;
	else if (evidence->has_known &&
		 (segment->generation != generation || segment->salt != *ret_salt))
		evidence->has_known = false;
}

void evidence_fini(struct evidence *evidence)
{
	subject_index_fini(&evidence->known);
	subject_index_fini(&evidence->missing);
	*evidence = (struct evidence){0};
}

bool evidence_look(struct evidence *evidence, const struct salvage *from)
{
	struct salvage salvage = *from;
	struct segment_record record;
	struct salvage_gap gap;
	enum salvage_step step;
	for (size_t i = 0; i < evidence->known.cap; i++) {
		const struct subject_entry *entry = &evidence->known.entries[i];
		if (entry->name && !subject_index_add(&evidence->missing, subject_entry_name(entry),
						      entry->last_seq, entry->count))
			return false;
		evidence->missing_count += entry->name ? entry->count : 0;
	}
	while ((step = salvage_next(&salvage, &record, &gap)) != SALVAGE_END) {
		bool is_subject = step == SALVAGE_ENTRY && record.kind != SEGMENT_HOLE &&
				  record.subject.len > 0;
		if (!is_subject || !subject_index_find(&evidence->missing, record.subject))
			continue;
		subject_index_remove(&evidence->missing, record.subject);
		evidence->missing_count--;
	}
	return true;
}

/* The subject of the one record that lay in these bytes: only one that is known by other means. */
static struct span subject_of(const struct evidence *evidence, struct span bytes)
{
	struct segment_record record;
	if (evidence->has_known && evidence->missing.count == 1 && evidence->missing_count == 1) {
		for (size_t i = 0; i < evidence->missing.cap; i++) {
			if (evidence->missing.entries[i].name)
				return subject_entry_name(&evidence->missing.entries[i]);
		}
	}
	if (!segment_peek(bytes, &record) || record.subject.len == 0)
		return span_of(NULL, 0);
	/* It stands in the record a second time: a flipped bit hits one of the two. */
	struct span again = lost_subject_of(record.record);
	bool is_known = evidence->has_known
				? subject_index_find(&evidence->missing, record.subject) != NULL
				: span_equal(again, record.subject);
	return is_known ? record.subject : span_of(NULL, 0);
}

/* What the damaged bytes of a single record say of themselves. */
static void peek(struct span bytes, struct lost *lost)
{
	struct segment_record record;
	if (bytes.len < SEGMENT_RECORD_HEADER_LEN)
		return;
	lost->crc = (uint32_t)figures_get(bytes.data, 4);
	if (!segment_peek(bytes, &record) || record.seq != lost->first_seq ||
	    record.len != bytes.len)
		return;
	lost->has_head = true;
	lost->back = (uint32_t)(record.seq - record.batch_seq);
	struct pb_reader reader = pb_reader_of(record.record);
	struct pb_field field;
	/* In this order at the front, as record_write has them. */
	while (pb_read_field(&reader, &field) && field.number <= 3) {
		if (field.number == 1 && field.wire == PB_LEN)
			lost->origin = field.bytes;
		else if (field.number == 2 && field.wire != PB_LEN)
			lost->epoch = field.value;
		else if (field.number == 3 && field.wire != PB_LEN)
			lost->origin_seq = field.value;
	}
}

void evidence_describe(const struct evidence *evidence, const struct salvage *salvage,
		       const struct salvage_gap *gap, struct span file, struct lost *ret_lost)
{
	struct timespec now;
	struct span bytes = span_of(salvage->bytes.data + gap->offset, (size_t)gap->len);
	clock_gettime(CLOCK_REALTIME, &now);
	*ret_lost = (struct lost){.first_seq = gap->first_seq,
				  .last_seq = gap->last_seq,
				  .file = file,
				  .offset = gap->offset,
				  .len = gap->len,
				  .found_ms = (uint64_t)now.tv_sec * 1000 +
					      (uint64_t)now.tv_nsec / 1000000};
	if (gap->first_seq != gap->last_seq)
		return;
	ret_lost->subject = subject_of(evidence, bytes);
	peek(bytes, ret_lost);
}

bool evidence_merge(struct evidence *evidence, const struct subject_index *found)
{
	bool has_memory = true;
	for (size_t i = 0; i < found->cap && has_memory; i++) {
		const struct subject_entry *entry = &found->entries[i];
		if (!entry->name)
			continue;
		struct span subject = subject_entry_name(entry);
		struct subject_entry *known = subject_index_find(&evidence->known, subject);
		if (!known)
			has_memory = subject_index_add(&evidence->known, subject, entry->last_seq,
						       entry->count);
		else if (known->last_seq < entry->last_seq)
			known->last_seq = entry->last_seq;
		if (known && known->count < entry->count)
			known->count = entry->count;
	}
	return has_memory;
}
