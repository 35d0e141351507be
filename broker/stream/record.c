/* lyceum.v1.Record by hand. */
#include "stream/record.h"

#include "base/pb.h"

/* Never with anything else. */
#define LOST 15

enum {
	ORIGIN = 1,
	EPOCH = 2,
	ORIGIN_SEQ = 3,
	SUBJECT = 4,
	TIME_MS = 5,
	PRINCIPAL = 6,
	BODY = 7,
	BODY_CRC = 8,
	SCHEMA = 9,
	LABEL = 10,
	REMOVED = 11,
	FORMER = 12,
	TRACE = 13,
	ERASE = 14,
	WAS = 16,
	SEAL = 17,
	MARK = 18,
};

static bool read_was(struct span bytes, struct record *record)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.wire != PB_VARINT)
			continue;
		if (field.number == 1)
			record->was.epoch = field.value;
		else if (field.number == 2)
			record->was.seq = field.value;
		else if (field.number == 3)
			record->was.time_ms = field.value;
		else if (field.number == 4 && field.value <= RECORD_WHOLE_AGAIN)
			record->was.form = (enum record_form)field.value;
	}
	return !reader.has_failed;
}

enum lyc_status record_read(struct span bytes, struct record *ret_record)
{
	struct record record = {0};
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	struct span *const spans[] = {
		[ORIGIN] = &record.origin,       [SUBJECT] = &record.subject,
		[PRINCIPAL] = &record.principal, [BODY] = &record.body,
		[LABEL] = &record.label,         [FORMER] = &record.former,
		[TRACE] = &record.trace,
	};
	uint64_t *const numbers[] = {
		[EPOCH] = &record.epoch,
		[ORIGIN_SEQ] = &record.origin_seq,
		[TIME_MS] = &record.time_ms,
		[SCHEMA] = &record.schema,
	};
	while (pb_read_field(&reader, &field)) {
		bool is_span = field.wire == PB_LEN;
		if (field.number == SEAL && field.wire == PB_FIXED64)
			record.seal = field.value;
		if (field.number == MARK && field.wire == PB_FIXED64)
			record.mark = field.value;
		if (field.number == WAS && is_span && !read_was(field.bytes, &record))
			return LYC_INVALID_ARGUMENT;
		if (field.number == ERASE && field.wire == PB_VARINT)
			record.erase = field.value != 0;
		if (field.number > TRACE)
			continue;
		if (is_span && spans[field.number])
			*spans[field.number] = field.bytes;
		else if (!is_span && field.number == BODY_CRC)
			record.body_crc = (uint32_t)field.value;
		else if (!is_span && field.number == REMOVED)
			record.removed = field.value != 0;
		else if (!is_span && field.number <= SCHEMA && numbers[field.number])
			*numbers[field.number] = field.value;
		else
			return LYC_INVALID_ARGUMENT;
	}
	if (reader.has_failed || record.subject.len == 0)
		return LYC_INVALID_ARGUMENT;
	*ret_record = record;
	return LYC_OK;
}

bool record_is_hidden(const struct record *record)
{
	return record->removed && record->principal.len == 0;
}

static void write_span(struct buf *to, uint32_t number, struct span bytes)
{
	pb_write_bytes(to, number, bytes.data, bytes.len);
}

void record_write(struct buf *to, const struct record *record)
{
	write_span(to, ORIGIN, record->origin);
	pb_write_uint(to, EPOCH, record->epoch);
	pb_write_uint(to, ORIGIN_SEQ, record->origin_seq);
	write_span(to, SUBJECT, record->subject);
	pb_write_uint(to, TIME_MS, record->time_ms);
	write_span(to, PRINCIPAL, record->principal);
	write_span(to, BODY, record->body);
	pb_write_fixed32(to, BODY_CRC, record->body_crc);
	pb_write_fixed64(to, SCHEMA, record->schema);
	write_span(to, LABEL, record->label);
	pb_write_uint(to, REMOVED, record->removed);
	write_span(to, FORMER, record->former);
	write_span(to, TRACE, record->trace);
	if (record->was.epoch > 0) {
		size_t mark = pb_begin(to, WAS);
		pb_write_uint(to, 1, record->was.epoch);
		pb_write_uint(to, 2, record->was.seq);
		pb_write_uint(to, 3, record->was.time_ms);
		pb_write_uint(to, 4, record->was.form);
		pb_end(to, mark);
	}
	pb_write_fixed64(to, SEAL, record->seal);
	pb_write_fixed64(to, MARK, record->mark);
	pb_write_uint(to, ERASE, record->erase);
}

uint64_t record_lost(struct span bytes, struct span *ret_subject)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	struct span subject = {0};
	uint64_t first_seq = 0;
	uint64_t last_seq = 0;
	if (!pb_read_field(&reader, &field) || field.number != LOST || field.wire != PB_LEN)
		return 0;
	reader = pb_reader_of(field.bytes);
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1 && field.wire != PB_LEN)
			first_seq = field.value;
		else if (field.number == 2 && field.wire != PB_LEN)
			last_seq = field.value;
		else if (field.number == 3 && field.wire == PB_LEN)
			subject = field.bytes;
	}
	if (last_seq < first_seq || first_seq == 0)
		return 0;
	if (ret_subject)
		*ret_subject = subject;
	return last_seq - first_seq + 1;
}
