/* The lost entry's checksum is tried first; where that was hit itself, the damaged bytes decide. */
#include "store/fit.h"

#include <stdio.h>
#include <string.h>

#include "store/lost.h"

#define CRC_LEN 4
/* Records of one batch, at most; and so many damaged bytes are no flipped bits. */
#define MAX_BATCH 4096
#define MANY_BYTES 16

/* How many bytes behind the checksum differ from those that were found damaged; SIZE_MAX when they
 * are not there to be compared. */
static size_t differing(const struct segment *segment, const struct lost *lost, struct span bytes)
{
	char name[64];
	struct buf damaged = {0};
	size_t count = SIZE_MAX;
	snprintf(name, sizeof(name), "%.*s", (int)lost->file.len, (const char *)lost->file.data);
	if (segment_folder_load(segment->folder, segment->folder->fd, name, &damaged, NULL) ==
		    LYC_OK &&
	    damaged.len >= lost->offset + lost->len && lost->len == bytes.len) {
		count = 0;
		for (size_t i = CRC_LEN; i < bytes.len; i++)
			count += damaged.data[lost->offset + i] != bytes.data[i];
	}
	buf_fini(&damaged);
	return count;
}

static uint32_t crc_of(const struct buf *bytes)
{
	uint32_t crc = 0;
	for (int i = CRC_LEN - 1; i >= 0; i--)
		crc = crc << 8 | bytes->data[i];
	return crc;
}

/* Is it the record that was here? Its checksum says so; which batch it was of, that is covered by
 * that, may have to be tried. */
static bool has_crc(const struct segment *segment, const struct lost *lost,
		    struct store_healed *healed, struct buf *bytes)
{
	for (uint64_t i = 0; i <= MAX_BATCH && i <= healed->seq; i++) {
		healed->back = i == 0 ? lost->back : (uint32_t)(i - 1);
		buf_clear(bytes);
		segment_encode(segment, bytes, healed->seq, healed->seq - healed->back,
			       healed->subject, healed->record);
		if (bytes->has_failed)
			return false;
		if (crc_of(bytes) == lost->crc)
			return true;
	}
	/* As it was found. */
	healed->back = lost->back;
	buf_clear(bytes);
	segment_encode(segment, bytes, healed->seq, healed->seq - healed->back, healed->subject,
		       healed->record);
	return false;
}

/* The same, also where the checksum itself was hit: then the rest is as it was found, or so much of
 * it is gone that only length, subject and place are left to tell. */
static bool fits(const struct segment *segment, const struct lost *lost,
		 struct store_healed *healed)
{
	struct buf bytes = {0};
	if (lost->subject.len > 0 && !span_equal(lost->subject, healed->subject))
		return false;
	bool is_single = lost->first_seq == lost->last_seq;
	bool is_so = is_single && has_crc(segment, lost, healed, &bytes);
	if (!is_so && !bytes.has_failed && !is_single) {
		segment_encode(segment, &bytes, healed->seq, healed->seq, healed->subject,
			       healed->record);
		is_so = !bytes.has_failed && bytes.len < lost->len;
		healed->back = 0;
	} else if (!is_so && !bytes.has_failed) {
		size_t count = differing(segment, lost, span_of(bytes.data, bytes.len));
		/* One bit of a record changes half of its checksum's. */
		bool is_crc = count == 0 && __builtin_popcount(crc_of(&bytes) ^ lost->crc) <= 2;
		is_so = bytes.len == lost->len &&
			(is_crc || (count >= MANY_BYTES && count != SIZE_MAX));
	}
	buf_fini(&bytes);
	return is_so;
}

void fit_judge(const struct segment *segment, struct store_healed *healed)
{
	healed->ret_status = LYC_NOT_FOUND;
	for (size_t i = 0; i < segment->lost_count; i++) {
		const struct segment_lost *entry = &segment->lost[i];
		struct lost lost;
		if (healed->seq < entry->first_seq || healed->seq > entry->last_seq)
			continue;
		struct span subject = entry->subject
					      ? span_of(entry->subject, strlen(entry->subject))
					      : span_of(NULL, 0);
		lost_read(entry->first_seq, entry->last_seq, subject,
			  span_of(entry->details.data, entry->details.len), &lost);
		healed->ret_status =
			fits(segment, &lost, healed) ? LYC_OK : LYC_FAILED_PRECONDITION;
		/* Where the subject was known it has been counted all the time. */
		healed->was_counted = lost.subject.len > 0;
	}
}
