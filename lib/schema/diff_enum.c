/* Two versions of an enum: values that went or are called otherwise. */
#include <string.h>

#include "schema/differ.h"

static bool has_value(const struct schema_enum *enumeration, int32_t number, const char *name)
{
	for (size_t i = 0; i < enumeration->value_count; i++) {
		if (enumeration->values[i].number == number &&
		    (!name || strcmp(enumeration->values[i].name, name) == 0))
			return true;
	}
	return false;
}

/* The first value of that number, where an enum has aliases. */
static size_t first_of(const struct schema_enum *enumeration, int32_t number)
{
	size_t i = 0;
	while (i < enumeration->value_count && enumeration->values[i].number != number)
		i++;
	return i;
}

static void value_is_gone(struct differ *differ, const struct diff_pair *pair,
			  const struct reserved *reserved, const struct schema_enum_value *value,
			  bool is_first)
{
	if (!reserved_has_name(reserved, value->name))
		differ_report(differ, ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED, pair->newer->file,
			      &pair->newer->path,
			      "%s lost the value %s = %d and does not reserve the name",
			      pair->newer->full_name, value->name, value->number);
	if (is_first && !reserved_has_number(reserved, value->number))
		differ_report(differ, ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED,
			      pair->newer->file, &pair->newer->path,
			      "%s lost the value %s = %d and does not reserve the number",
			      pair->newer->full_name, value->name, value->number);
}

void diff_enums(struct differ *differ, const struct diff_pair *pair)
{
	const struct schema_enum *older = schema_find_enum(differ->older, pair->older->full_name);
	const struct schema_enum *newer = schema_find_enum(differ->newer, pair->newer->full_name);
	if (!older || !newer)
		return;
	struct reserved reserved = reserved_of(pair->newer);
	if (!pair->older->file->is_proto2 && pair->newer->file->is_proto2)
		differ_report(differ, ENUM_SAME_JSON_FORMAT, pair->newer->file, &pair->newer->path,
			      "%s went from proto3 to proto2, whose JSON is not canonical",
			      newer->full_name);
	for (size_t i = 0; i < older->value_count; i++) {
		const struct schema_enum_value *value = &older->values[i];
		if (!has_value(newer, value->number, NULL)) {
			value_is_gone(differ, pair, &reserved, value,
				      first_of(older, value->number) == i);
		} else if (!has_value(newer, value->number, value->name)) {
			size_t at = first_of(newer, value->number);
			struct set_path path = set_path_down(&pair->newer->path, 2, (uint32_t)at);
			differ_report(differ, ENUM_VALUE_SAME_NAME, pair->newer->file, &path,
				      "the value %d of %s was called %s and is %s", value->number,
				      newer->full_name, value->name, newer->values[at].name);
		}
	}
	diff_reserved(differ, pair);
}
