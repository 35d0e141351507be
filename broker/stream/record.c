/* lyceum.v1.Record by hand. */
#include "stream/record.h"

#include <string.h>

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

static bool take_span(struct record *record, const struct pb_field *field)
{
	switch (field->number) {
	case ORIGIN:
		record->origin = field->bytes;
		return true;
	case SUBJECT:
		record->subject = field->bytes;
		return true;
	case PRINCIPAL:
		record->principal = field->bytes;
		return true;
	case BODY:
		record->body = field->bytes;
		return true;
	case LABEL:
		record->label = field->bytes;
		return true;
	case FORMER:
		record->former = field->bytes;
		return true;
	case TRACE:
		record->trace = field->bytes;
		return true;
	case WAS:
		return read_was(field->bytes, record);
	default:
		return field->number > TRACE;
	}
}

static bool take_number(struct record *record, const struct pb_field *field)
{
	switch (field->number) {
	case EPOCH:
		record->epoch = field->value;
		return true;
	case ORIGIN_SEQ:
		record->origin_seq = field->value;
		return true;
	case TIME_MS:
		record->time_ms = field->value;
		return true;
	case BODY_CRC:
		record->body_crc = (uint32_t)field->value;
		return true;
	case SCHEMA:
		record->schema = field->value;
		return true;
	case REMOVED:
		record->removed = field->value != 0;
		return true;
	case ERASE:
		record->erase = field->wire == PB_VARINT ? field->value != 0 : record->erase;
		return true;
	case SEAL:
		record->seal = field->wire == PB_FIXED64 ? field->value : record->seal;
		return true;
	case MARK:
		record->mark = field->wire == PB_FIXED64 ? field->value : record->mark;
		return true;
	default:
		return field->number > TRACE;
	}
}

enum lyc_status record_read(struct span bytes, struct record *ret_record)
{
	struct record record = {0};
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		bool is_taken = field.wire == PB_LEN ? take_span(&record, &field)
						     : take_number(&record, &field);
		if (!is_taken)
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

/* What all but the spans take at most, and the spans' tags and lengths. */
#define FIELDS_MAX_LEN 256

static uint8_t *put_tag(uint8_t *to, uint32_t number, enum pb_wire wire)
{
	return pb_put_varint(to, (uint64_t)number << 3 | (uint64_t)wire);
}

static uint8_t *put_span(uint8_t *to, uint32_t number, struct span bytes)
{
	if (bytes.len == 0)
		return to;
	to = pb_put_varint(put_tag(to, number, PB_LEN), bytes.len);
	memcpy(to, bytes.data, bytes.len);
	return to + bytes.len;
}

/* The span is then that of the written bytes. */
static uint8_t *move_span(uint8_t *to, uint32_t number, struct span *bytes)
{
	uint8_t *end = put_span(to, number, *bytes);
	*bytes = bytes->len > 0 ? span_of(end - bytes->len, bytes->len) : (struct span){0};
	return end;
}

static uint8_t *put_uint(uint8_t *to, uint32_t number, uint64_t value)
{
	return value == 0 ? to : pb_put_varint(put_tag(to, number, PB_VARINT), value);
}

static uint8_t *put_fixed(uint8_t *to, uint32_t number, enum pb_wire wire, uint64_t value)
{
	if (value == 0)
		return to;
	to = put_tag(to, number, wire);
	for (size_t i = 0; i < (wire == PB_FIXED32 ? 4 : 8); i++)
		*to++ = (uint8_t)(value >> (8 * i));
	return to;
}

static uint8_t *put_was(uint8_t *to, const struct record *record)
{
	uint8_t was[40];
	if (record->was.epoch == 0)
		return to;
	uint8_t *end = put_uint(was, 1, record->was.epoch);
	end = put_uint(end, 2, record->was.seq);
	end = put_uint(end, 3, record->was.time_ms);
	end = put_uint(end, 4, record->was.form);
	return put_span(to, WAS, span_of(was, (size_t)(end - was)));
}

static size_t spans_len(const struct record *record)
{
	return record->origin.len + record->subject.len + record->principal.len + record->body.len +
	       record->label.len + record->former.len + record->trace.len;
}

bool record_move(struct buf *to, struct record *record)
{
	if (!buf_reserve(to, spans_len(record) + FIELDS_MAX_LEN))
		return false;
	uint8_t *at = to->data + to->len;
	at = move_span(at, ORIGIN, &record->origin);
	at = put_uint(at, EPOCH, record->epoch);
	at = put_uint(at, ORIGIN_SEQ, record->origin_seq);
	at = move_span(at, SUBJECT, &record->subject);
	at = put_uint(at, TIME_MS, record->time_ms);
	at = move_span(at, PRINCIPAL, &record->principal);
	at = move_span(at, BODY, &record->body);
	at = put_fixed(at, BODY_CRC, PB_FIXED32, record->body_crc);
	at = put_fixed(at, SCHEMA, PB_FIXED64, record->schema);
	at = move_span(at, LABEL, &record->label);
	at = put_uint(at, REMOVED, record->removed);
	at = move_span(at, FORMER, &record->former);
	at = move_span(at, TRACE, &record->trace);
	at = put_was(at, record);
	if (record->was.epoch == 0)
		memset(&record->was, 0, sizeof(record->was));
	at = put_fixed(at, SEAL, PB_FIXED64, record->seal);
	at = put_fixed(at, MARK, PB_FIXED64, record->mark);
	at = put_uint(at, ERASE, record->erase);
	to->len = (size_t)(at - to->data);
	return true;
}

void record_write(struct buf *to, const struct record *record)
{
	struct record copy = *record;
	(void)!record_move(to, &copy);
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
