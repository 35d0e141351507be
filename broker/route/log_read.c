/* Each is 8 bytes of sequence, 4 of length, both in host order, and the record. */
#include "route/log_read.h"

#include <string.h>

#include "route/env.h"

#define HEAD_LEN 12

void log_read_add(struct buf *records, uint64_t seq, struct span record)
{
	uint32_t len = (uint32_t)record.len;
	buf_add(records, &seq, sizeof(seq));
	buf_add(records, &len, sizeof(len));
	buf_add(records, record.data, record.len);
}

bool log_read_next(struct span *at, uint64_t *ret_seq, struct span *ret_record)
{
	uint64_t seq;
	uint32_t len;
	if (at->len < HEAD_LEN)
		return false;
	memcpy(&seq, at->data, sizeof(seq));
	memcpy(&len, at->data + sizeof(seq), sizeof(len));
	if (len > at->len - HEAD_LEN)
		return false;
	*ret_seq = seq;
	*ret_record = span_of(at->data + HEAD_LEN, len);
	*at = span_of(at->data + HEAD_LEN + len, at->len - HEAD_LEN - len);
	return true;
}

void log_read_clip(struct log_read *read, uint64_t last_seq)
{
	struct span at = log_read_begin(&read->records);
	struct span record;
	uint64_t seq;
	size_t known = 0;
	while (log_read_next(&at, &seq, &record) && seq <= last_seq)
		known = read->records.len - at.len;
	read->records.len = known;
	if (read->next_seq > last_seq + 1)
		read->next_seq = last_seq + 1;
}
