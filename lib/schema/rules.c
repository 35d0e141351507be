/* Do the rules of a field fit the field? */
#include "schema/rules.h"

static bool is_integer(enum schema_type type)
{
	switch (type) {
	case SCHEMA_INT32:
	case SCHEMA_INT64:
	case SCHEMA_UINT32:
	case SCHEMA_UINT64:
	case SCHEMA_SINT32:
	case SCHEMA_SINT64:
	case SCHEMA_FIXED32:
	case SCHEMA_FIXED64:
	case SCHEMA_SFIXED32:
	case SCHEMA_SFIXED64:
	case SCHEMA_ENUM:
		return true;
	default:
		return false;
	}
}

const char *rules_fault(const struct schema_rules *rules, const struct schema_field *field)
{
	bool is_text = field->type == SCHEMA_STRING;
	bool is_float = field->type == SCHEMA_DOUBLE || field->type == SCHEMA_FLOAT;
	if ((rules->min_len > 0 || rules->max_len > 0) && !is_text && field->type != SCHEMA_BYTES)
		return "min_len and max_len are for strings and bytes";
	if (rules->max_len > 0 && rules->min_len > rules->max_len)
		return "min_len is above max_len";
	if ((rules->min_items > 0 || rules->max_items > 0) && !field->is_repeated)
		return "min_items and max_items are for repeated fields";
	if (rules->max_items > 0 && rules->min_items > rules->max_items)
		return "min_items is above max_items";
	if (rules->has_int_range && !is_integer(field->type))
		return "int_range is for integers and enums";
	if (rules->has_int_range && rules->int_min > rules->int_max)
		return "int_range has its min above its max";
	if (rules->has_float_range && !is_float)
		return "float_range is for float and double";
	if (rules->has_float_range && !(rules->float_min <= rules->float_max))
		return "float_range has its min above its max";
	if (rules->pattern_text && !is_text)
		return "a pattern is for strings";
	return NULL;
}
