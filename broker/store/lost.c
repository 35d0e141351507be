/* lyceum.v1.Record.lost by hand. The record as such is opaque to the store; only of a damaged one
 * it looks for the identity at its front, so that somebody can be asked for it. */
#include "store/lost.h"

#include "base/pb.h"

#define RECORD_SUBJECT 4
#define RECORD_LOST 15
enum {
	FIRST_SEQ = 1,
	LAST_SEQ,
	SUBJECT,
	FILE_NAME,
	OFFSET,
	LEN,
	FOUND_MS,
	HAS_HEAD,
	CRC,
	BACK,
	ORIGIN,
	EPOCH,
	ORIGIN_SEQ
};

void lost_write(struct buf *to, const struct lost *lost)
{
	size_t mark = pb_begin(to, RECORD_LOST);
	pb_write_uint(to, FIRST_SEQ, lost->first_seq);
	pb_write_uint(to, LAST_SEQ, lost->last_seq);
	pb_write_bytes(to, SUBJECT, lost->subject.data, lost->subject.len);
	pb_write_bytes(to, FILE_NAME, lost->file.data, lost->file.len);
	pb_write_uint(to, OFFSET, lost->offset);
	pb_write_uint(to, LEN, lost->len);
	pb_write_uint(to, FOUND_MS, lost->found_ms);
	pb_write_uint(to, HAS_HEAD, lost->has_head);
	pb_write_fixed32(to, CRC, lost->crc);
	pb_write_uint(to, BACK, lost->back);
	pb_write_bytes(to, ORIGIN, lost->origin.data, lost->origin.len);
	pb_write_uint(to, EPOCH, lost->epoch);
	pb_write_uint(to, ORIGIN_SEQ, lost->origin_seq);
	pb_end(to, mark);
}

static void read_fields(struct span bytes, struct lost *lost)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	uint64_t numbers[ORIGIN_SEQ + 1] = {0};
	while (pb_read_field(&reader, &field)) {
		if (field.wire == PB_LEN && field.number == FILE_NAME)
			lost->file = field.bytes;
		else if (field.wire == PB_LEN && field.number == SUBJECT)
			lost->subject = field.bytes;
		else if (field.wire == PB_LEN && field.number == ORIGIN)
			lost->origin = field.bytes;
		else if (field.wire != PB_LEN && field.number <= ORIGIN_SEQ)
			numbers[field.number] = field.value;
	}
	lost->offset = numbers[OFFSET];
	lost->len = numbers[LEN];
	lost->found_ms = numbers[FOUND_MS];
	lost->has_head = numbers[HAS_HEAD] != 0;
	lost->crc = (uint32_t)numbers[CRC];
	lost->back = (uint32_t)numbers[BACK];
	lost->epoch = numbers[EPOCH];
	lost->origin_seq = numbers[ORIGIN_SEQ];
}

void lost_read(uint64_t first_seq, uint64_t last_seq, struct span subject, struct span details,
	       struct lost *ret_lost)
{
	struct pb_reader reader = pb_reader_of(details);
	struct pb_field field;
	*ret_lost = (struct lost){.first_seq = first_seq, .last_seq = last_seq, .subject = subject};
	while (pb_read_field(&reader, &field)) {
		if (field.number == RECORD_LOST && field.wire == PB_LEN)
			read_fields(field.bytes, ret_lost);
	}
}

struct span lost_subject_of(struct span record)
{
	struct pb_reader reader = pb_reader_of(record);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == RECORD_SUBJECT && field.wire == PB_LEN)
			return field.bytes;
	}
	return span_of(NULL, 0);
}
