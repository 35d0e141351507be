/* What messages and enums have reserved, read from their descriptors as they lie. */
#include <string.h>

#include "base/pb.h"
#include "schema/differ.h"

/* Of DescriptorProto and EnumDescriptorProto. */
enum { MESSAGE_RANGE = 9, MESSAGE_NAME = 10, ENUM_RANGE = 4, ENUM_NAME = 5 };

struct range {
	int64_t first;
	int64_t last;
};

struct reserved reserved_of(const struct set_symbol *symbol)
{
	bool is_enum = symbol->kind == SET_ENUM;
	return (struct reserved){.proto = symbol->proto,
				 .range_number = is_enum ? ENUM_RANGE : MESSAGE_RANGE,
				 .name_number = is_enum ? ENUM_NAME : MESSAGE_NAME,
				 .is_open_ended = !is_enum};
}

static struct range range_of(const struct reserved *reserved, struct span bytes)
{
	struct range range = {0};
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			range.first = (int32_t)(uint32_t)field.value;
		else if (field.number == 2)
			range.last = (int32_t)(uint32_t)field.value;
	}
	if (reserved->is_open_ended)
		range.last--;
	return range;
}

/* The last number in a row from `number` on that one range holds; number - 1 when none does. */
static int64_t covered_to(const struct reserved *reserved, int64_t number)
{
	struct pb_reader reader = pb_reader_of(reserved->proto);
	struct pb_field field;
	int64_t last = number - 1;
	while (pb_read_field(&reader, &field)) {
		if (field.number != reserved->range_number || field.wire != PB_LEN)
			continue;
		struct range range = range_of(reserved, field.bytes);
		if (range.first <= number && range.last > last)
			last = range.last;
	}
	return last;
}

bool reserved_has_number(const struct reserved *reserved, int64_t number)
{
	return covered_to(reserved, number) >= number;
}

bool reserved_has_name(const struct reserved *reserved, const char *name)
{
	struct pb_reader reader = pb_reader_of(reserved->proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == reserved->name_number && field.wire == PB_LEN &&
		    span_is(field.bytes, name))
			return true;
	}
	return false;
}

static bool is_covered(const struct reserved *reserved, struct range range)
{
	for (int64_t at = range.first; at <= range.last;) {
		int64_t last = covered_to(reserved, at);
		if (last < at)
			return false;
		at = last + 1;
	}
	return true;
}

void diff_reserved(struct differ *differ, const struct diff_pair *pair)
{
	struct reserved older = reserved_of(pair->older);
	struct reserved newer = reserved_of(pair->newer);
	enum diff_rule_id rule = pair->older->kind == SET_ENUM ? RESERVED_ENUM_NO_DELETE
							       : RESERVED_MESSAGE_NO_DELETE;
	struct pb_reader reader = pb_reader_of(older.proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == older.range_number && field.wire == PB_LEN) {
			struct range range = range_of(&older, field.bytes);
			if (!is_covered(&newer, range))
				differ_report(differ, rule, pair->newer->file, &pair->newer->path,
					      "%s no longer reserves the numbers %lld to %lld",
					      pair->newer->full_name, (long long)range.first,
					      (long long)range.last);
		} else if (field.number == older.name_number && field.wire == PB_LEN) {
			char name[SET_MAX_NAME + 1] = {0};
			if (field.bytes.len == 0 || field.bytes.len >= sizeof(name))
				continue;
			memcpy(name, field.bytes.data, field.bytes.len);
			if (!reserved_has_name(&newer, name))
				differ_report(differ, rule, pair->newer->file, &pair->newer->path,
					      "%s no longer reserves the name \"%s\"",
					      pair->newer->full_name, name);
		}
	}
}
