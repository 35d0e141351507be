/* The checksum that stood there decides, wherever it can still be read: beside a head that is as it
 * should be it can. Where it is gone, only whom the caller vouches for is believed. */
#include "store/fit.h"

#include <stdio.h>
#include <string.h>

#include "store/figures.h"
#include "store/lost.h"

#define CRC_LEN 4
#define SEQ_AT 8
#define SEQ_LEN 8
#define BACK_AT 16
#define BACK_LEN 4
/* Records of one batch, at most. */
#define MAX_BATCH 4096
/* What may be read to try them. */
#define MAX_TRIED_LEN (4u << 20)
/* So many bytes of a head are no flipped bits: the checksum in front of it is gone, too. */
#define MANY_HEAD_BYTES 5

static bool encode(const struct segment *segment, const struct store_healed *healed,
		   struct buf *bytes)
{
	buf_clear(bytes);
	segment_encode(segment, bytes, healed->seq, healed->seq - healed->back, healed->subject,
		       healed->record);
	return !bytes->has_failed;
}

/* The bytes that were found damaged; false when they are not kept any more. */
static bool load_damaged(const struct segment *segment, const struct lost *lost,
			 struct buf *content, struct span *ret_bytes)
{
	char name[64];
	snprintf(name, sizeof(name), "%.*s", (int)lost->file.len, (const char *)lost->file.data);
	if (segment_folder_load(segment->folder, segment->folder->fd, name, content, NULL) !=
		    LYC_OK ||
	    lost->offset > content->len || lost->len > content->len - lost->offset)
		return false;
	*ret_bytes = span_of(content->data + lost->offset, (size_t)lost->len);
	return true;
}

/* Does it have that checksum? Which batch it was of, that is covered by that, may have to be tried:
 * what the head says of it may be what was hit. */
static bool has_crc(const struct segment *segment, uint32_t crc, struct store_healed *healed,
		    struct buf *bytes)
{
	uint32_t said = healed->back;
	size_t len = healed->subject.len + healed->record.len + SEGMENT_RECORD_HEADER_LEN;
	uint64_t tries = MAX_TRIED_LEN / len + 2;
	for (uint64_t i = 0; i < tries && i <= MAX_BATCH && i <= healed->seq; i++) {
		healed->back = i == 0 ? said : (uint32_t)(i - 1);
		if (healed->back >= healed->seq)
			continue;
		if (!encode(segment, healed, bytes))
			return false;
		if (figures_get(bytes->data, CRC_LEN) == crc)
			return true;
	}
	healed->back = said < healed->seq ? said : 0;
	return false;
}

static size_t differing(const uint8_t *a, const uint8_t *b, size_t from, size_t to)
{
	size_t count = 0;
	for (size_t i = from; i < to; i++)
		count += a[i] != b[i];
	return count;
}

/* A single record without the checksum that stood in front of it: the checksum was hit and nothing
 * else, or so much that nothing there tells. */
static bool fits_damaged(const struct segment *segment, const struct lost *lost,
			 const struct store_healed *healed, struct buf *bytes)
{
	struct buf content = {0};
	struct span found;
	bool is_so = false;
	if (encode(segment, healed, bytes) && bytes->len == lost->len &&
	    load_damaged(segment, lost, &content, &found)) {
		uint32_t flipped = (uint32_t)figures_get(bytes->data, CRC_LEN) ^ lost->crc;
		size_t head_count =
			differing(found.data, bytes->data, CRC_LEN, SEGMENT_RECORD_HEADER_LEN);
		/* One bit of a record changes half of its checksum's. */
		if (differing(found.data, bytes->data, CRC_LEN, bytes->len) == 0)
			is_so = __builtin_popcount(flipped) <= 2;
		else
			is_so = healed->is_vouched && head_count >= MANY_HEAD_BYTES;
	}
	buf_fini(&content);
	return is_so;
}

/* One of several in a damaged stretch: where its sequence stands there, the checksum in front of it
 * decides. */
static bool fits_stretch(const struct segment *segment, const struct lost *lost,
			 struct store_healed *healed, struct buf *bytes)
{
	struct buf content = {0};
	struct span found = {0};
	uint8_t seq[SEQ_LEN];
	bool is_so = false;
	bool has_head = false;
	healed->back = 0;
	if (!encode(segment, healed, bytes) || bytes->len > lost->len)
		return false;
	if (!load_damaged(segment, lost, &content, &found))
		found = span_of(NULL, 0);
	for (int i = 0; i < SEQ_LEN; i++)
		seq[i] = (uint8_t)(healed->seq >> (8 * i));
	for (size_t at = 0; at < found.len && !is_so; at++) {
		const uint8_t *hit = memmem(found.data + at, found.len - at, seq, SEQ_LEN);
		if (!hit)
			break;
		at = (size_t)(hit - found.data);
		const uint8_t *head = hit - SEQ_AT;
		struct segment_record record;
		if (at < SEQ_AT || !segment_peek(span_of(head, found.len - at + SEQ_AT), &record) ||
		    figures_get(head + BACK_AT, BACK_LEN) > MAX_BATCH)
			continue;
		has_head = true;
		healed->back = (uint32_t)figures_get(head + BACK_AT, BACK_LEN);
		is_so = encode(segment, healed, bytes) &&
			figures_get(bytes->data, CRC_LEN) == figures_get(head, CRC_LEN);
	}
	if (!is_so) {
		healed->back = 0;
		is_so = !has_head && healed->is_vouched;
	}
	buf_fini(&content);
	return is_so;
}

static bool fits(const struct segment *segment, const struct lost *lost,
		 struct store_healed *healed)
{
	struct buf bytes = {0};
	bool is_so;
	if (lost->subject.len > 0 && !span_equal(lost->subject, healed->subject))
		return false;
	/* A single one without a checksum is what is left of a stretch. */
	if (lost->first_seq == lost->last_seq && lost->crc != 0) {
		healed->back = lost->back;
		is_so = has_crc(segment, lost->crc, healed, &bytes) ||
			fits_damaged(segment, lost, healed, &bytes);
	} else {
		is_so = fits_stretch(segment, lost, healed, &bytes);
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
