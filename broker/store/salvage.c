/* What is left of a segment, entry by entry and gap by gap. */
#include "store/salvage.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static enum lyc_status load(struct salvage *salvage, struct lyc_error *error)
{
	const struct segment *segment = salvage->segment;
	struct buf *bytes = &salvage->bytes;
	struct stat stat;
	if (fstat(segment->fd, &stat) != 0)
		return segment_folder_failed(segment->folder, error, "look at", segment->name);
	size_t len = (size_t)stat.st_size;
	if (!buf_reserve(bytes, len + 1))
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory to look through %s.",
				 segment->name);
	while (bytes->len < len) {
		ssize_t got = pread(segment->fd, bytes->data + bytes->len, len - bytes->len,
				    (off_t)bytes->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return segment_folder_failed(segment->folder, error, "read", segment->name);
		if (got == 0)
			break;
		bytes->len += (size_t)got;
	}
	/* Zeros at the end are room that was never used, or the end of the last record. */
	salvage->used = bytes->len;
	while (salvage->used > 0 && bytes->data[salvage->used - 1] == 0)
		salvage->used--;
	return LYC_OK;
}

static struct span rest_of(const struct salvage *salvage, uint64_t at)
{
	return span_of(salvage->bytes.data + at, salvage->bytes.len - (size_t)at);
}

/* Is a salt known with which any entry of the file is valid? The first one is the likeliest. */
static bool fits(struct salvage *salvage, uint64_t salt)
{
	for (uint64_t at = SEGMENT_HEADER_LEN; at + SEGMENT_RECORD_HEADER_LEN <= salvage->bytes.len;
	     at++) {
		uint8_t kind = salvage->bytes.data[at + 22];
		if (kind < SEGMENT_RECORD || kind > SEGMENT_LOST)
			continue;
		if (segment_try_salt(salvage->segment, salt, rest_of(salvage, at)))
			return true;
	}
	return false;
}

static void find_salt(struct salvage *salvage, uint64_t salt)
{
	uint64_t left = salvage->segment->salt;
	if (!fits(salvage, left) && !fits(salvage, left >> 32) && salt != 0)
		(void)fits(salvage, salt);
}

enum lyc_status salvage_begin(struct salvage *salvage, struct segment *segment, uint64_t must_seq,
			      bool is_bounded, uint64_t salt, struct lyc_error *error)
{
	*salvage = (struct salvage){.segment = segment,
				    .at = SEGMENT_HEADER_LEN,
				    .next_seq = segment->first_seq,
				    .must_seq = must_seq,
				    .is_bounded = is_bounded};
	enum lyc_status status = load(salvage, error);
	if (status == LYC_OK && segment->is_header_damaged)
		find_salt(salvage, salt);
	if (status != LYC_OK)
		salvage_end(salvage);
	return status;
}

void salvage_end(struct salvage *salvage)
{
	buf_fini(&salvage->bytes);
}

/* A valid entry that can come here: not before what is due, and not beyond the segment's end. */
static bool is_entry(const struct salvage *salvage, uint64_t at, struct segment_record *ret_record)
{
	if (at + SEGMENT_RECORD_HEADER_LEN > salvage->bytes.len ||
	    !segment_decode(salvage->segment, rest_of(salvage, at), ret_record))
		return false;
	ret_record->offset = at;
	return ret_record->seq >= salvage->next_seq &&
	       (!salvage->is_bounded || ret_record->last_seq <= salvage->must_seq);
}

/* The first one behind a damaged place; 0: none. In is_proof whether one of a later batch is among
 * all that are there: what is damaged had been synced then. */
static uint64_t find_next(const struct salvage *salvage, bool *ret_is_proof)
{
	uint64_t first = 0;
	*ret_is_proof = false;
	for (uint64_t at = salvage->at + 1;
	     at + SEGMENT_RECORD_HEADER_LEN <= salvage->bytes.len && !*ret_is_proof; at++) {
		struct segment_record record;
		uint8_t kind = salvage->bytes.data[at + 22];
		if (kind < SEGMENT_RECORD || kind > SEGMENT_LOST || !is_entry(salvage, at, &record))
			continue;
		if (first == 0)
			first = at;
		*ret_is_proof = record.batch_seq > salvage->next_seq;
	}
	return first;
}

static enum salvage_step gap_until(struct salvage *salvage, uint64_t at, uint64_t last_seq,
				   struct salvage_gap *ret_gap)
{
	*ret_gap = (struct salvage_gap){.first_seq = salvage->next_seq,
					.last_seq = last_seq,
					.offset = salvage->at,
					.len = at - salvage->at};
	salvage->at = at;
	salvage->next_seq = last_seq + 1;
	return SALVAGE_GAP;
}

enum salvage_step salvage_next(struct salvage *salvage, struct segment_record *ret_record,
			       struct salvage_gap *ret_gap)
{
	struct segment_record next;
	bool is_proof = false;
	if (is_entry(salvage, salvage->at, ret_record) && ret_record->seq == salvage->next_seq) {
		salvage->at += ret_record->len;
		salvage->next_seq = ret_record->last_seq + 1;
		return SALVAGE_ENTRY;
	}
	uint64_t found = salvage->at < salvage->used ? find_next(salvage, &is_proof) : 0;
	bool was_synced = is_proof || salvage->is_bounded ||
			  salvage->next_seq <= salvage->must_seq ||
			  salvage->at < salvage->segment->synced_len;
	if (found > 0 && was_synced && is_entry(salvage, found, &next)) {
		if (next.seq > salvage->next_seq)
			return gap_until(salvage, found, next.seq - 1, ret_gap);
		/* Nothing is missing but for some bytes in between. */
		salvage->at = found;
		return salvage_next(salvage, ret_record, ret_gap);
	}
	uint64_t end = salvage->used > salvage->at ? salvage->used : salvage->at;
	uint64_t last_seq = salvage->must_seq;
	/* How many there were is not known: not fewer than one, and not more than had room. */
	if (!salvage->is_bounded && salvage->at < salvage->segment->synced_len &&
	    salvage->at < salvage->used && last_seq < salvage->next_seq)
		last_seq = salvage->next_seq +
			   (salvage->segment->synced_len - salvage->at) / SEGMENT_RECORD_HEADER_LEN;
	if (salvage->next_seq <= last_seq)
		return gap_until(salvage, end, last_seq, ret_gap);
	return SALVAGE_END;
}
