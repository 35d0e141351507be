/* Counters, and a summary of them that names the rules by a checksum. */
#include "stream/shelf.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/pb.h"

/* A stream that has not grown by a third is compacted as often. */
#define COMPACT_MS 86400000u

void shelf_add(struct shelf *shelf, uint64_t seq, uint64_t time_ms, size_t len, bool is_kept)
{
	if (shelf->count++ == 0) {
		shelf->first_seq = seq;
		shelf->first_ms = time_ms;
	}
	shelf->bytes += len;
	if (is_kept)
		shelf->kept_bytes += len;
}

void shelf_remove(struct shelf *shelf, size_t len)
{
	shelf->bytes -= len < shelf->bytes ? len : shelf->bytes;
	shelf->count -= shelf->count > 0;
	if (shelf->kept_bytes > shelf->bytes)
		shelf->kept_bytes = shelf->bytes;
}

bool shelf_is_beyond(const struct shelf *shelf, const struct retention_rule *rule, uint64_t wall_ms)
{
	if (shelf->count == 0)
		return false;
	if (rule->max_bytes > 0 && shelf->bytes > rule->max_bytes + rule->max_bytes / 10)
		return true;
	/* What was committed first may not be the oldest, but it goes first. */
	if (rule->max_age_ms > 0)
		return shelf->first_ms + rule->max_age_ms + rule->max_age_ms / 100 <= wall_ms;
	return rule->max_bytes == 0 && rule->is_acknowledged && !rule->last_per_subject;
}

bool shelf_has_stale(const struct shelf *shelf, const struct retention_rule *rule, uint64_t now_ms)
{
	if (!rule->last_per_subject || shelf->bytes <= shelf->kept_bytes)
		return false;
	return shelf->bytes - shelf->kept_bytes > shelf->kept_bytes / 3 ||
	       now_ms - shelf->compacted_ms > COMPACT_MS;
}

/* Which records belong to which stream follows from these. */
static uint32_t rules_crc(const struct retention_rules *rules)
{
	uint32_t crc = 0;
	for (size_t i = 0; i < rules->count; i++) {
		const struct retention_rule *rule = &rules->items[i];
		crc = crc32c(crc, rule->name, strlen(rule->name) + 1);
		for (size_t k = 0; k < rule->subject_count; k++)
			crc = crc32c(crc, rule->subjects[k], strlen(rule->subjects[k]) + 1);
	}
	return crc;
}

void shelves_write(const struct shelf *shelves, const struct retention_rules *rules, struct buf *to)
{
	pb_write_uint(to, 1, rules_crc(rules));
	for (size_t i = 0; i < rules->count; i++) {
		const struct shelf *shelf = &shelves[i];
		size_t mark = pb_begin(to, 2);
		pb_write_uint(to, 1, shelf->bytes);
		pb_write_uint(to, 2, shelf->count);
		pb_write_uint(to, 3, shelf->kept_bytes);
		pb_write_uint(to, 4, shelf->first_seq);
		pb_write_uint(to, 5, shelf->first_ms);
		pb_end(to, mark);
	}
}

static void read_shelf(struct shelf *shelf, struct span bytes)
{
	uint64_t numbers[6] = {0};
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number < 6 && field.wire != PB_LEN)
			numbers[field.number] = field.value;
	}
	shelf->bytes = numbers[1];
	shelf->count = numbers[2];
	shelf->kept_bytes = numbers[3];
	shelf->first_seq = numbers[4];
	shelf->first_ms = numbers[5];
}

bool shelves_read(struct shelf *shelves, const struct retention_rules *rules, struct span bytes)
{
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	size_t count = 0;
	uint64_t crc = 0;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			crc = field.value;
		count += field.number == 2 && field.wire == PB_LEN;
	}
	if (reader.has_failed || count != rules->count || crc != rules_crc(rules))
		return false;
	reader = pb_reader_of(bytes);
	for (size_t i = 0; pb_read_field(&reader, &field);) {
		if (field.number == 2 && field.wire == PB_LEN)
			read_shelf(&shelves[i++], field.bytes);
	}
	return true;
}
