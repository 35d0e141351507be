/* The rules of one value. */
#include "schema/check_value.h"

#include <inttypes.h>
#include <string.h>

#include "base/pb.h"

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static const char *is_or_are(uint64_t count)
{
	return count == 1 ? "is" : "are";
}

/* False when the value is beyond what int64 holds. */
static bool integer_of(enum schema_type type, uint64_t value, int64_t *ret_integer)
{
	switch (type) {
	case SCHEMA_INT32:
	case SCHEMA_ENUM:
	case SCHEMA_SFIXED32:
		*ret_integer = (int32_t)(uint32_t)value;
		return true;
	case SCHEMA_UINT32:
	case SCHEMA_FIXED32:
		*ret_integer = (int64_t)(uint32_t)value;
		return true;
	case SCHEMA_SINT32:
		*ret_integer = pb_zigzag_decode((uint32_t)value);
		return true;
	case SCHEMA_SINT64:
		*ret_integer = pb_zigzag_decode(value);
		return true;
	case SCHEMA_UINT64:
	case SCHEMA_FIXED64:
		if (value > INT64_MAX)
			return false;
		*ret_integer = (int64_t)value;
		return true;
	default:
		*ret_integer = (int64_t)value;
		return true;
	}
}

static double float_of(enum schema_type type, uint64_t bits)
{
	if (type == SCHEMA_FLOAT) {
		uint32_t low = (uint32_t)bits;
		float value;
		memcpy(&value, &low, sizeof(value));
		return (double)value;
	}
	double value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

bool check_number(const struct check_field *entry, uint64_t value, const struct fault_frame *frame,
		  struct lyc_error *error)
{
	const struct schema_rules *rules = entry->rules;
	enum schema_type type = entry->field->type;
	if (value == 0 && entry->is_implicit) {
		if (rules->is_required)
			return fault_at(frame, FAULT_FIELD, error, "is required");
		return true;
	}
	int64_t integer;
	if (rules->has_int_range) {
		if (!integer_of(type, value, &integer))
			return fault_at(frame, FAULT_ELEMENT, error,
					"is %" PRIu64 ", only %" PRId64 " to %" PRId64
					" is allowed",
					value, rules->int_min, rules->int_max);
		if (integer < rules->int_min || integer > rules->int_max)
			return fault_at(frame, FAULT_ELEMENT, error,
					"is %" PRId64 ", only %" PRId64 " to %" PRId64
					" is allowed",
					integer, rules->int_min, rules->int_max);
	}
	if (rules->has_float_range) {
		double number = float_of(type, value);
		/* Written so that NaN fails, too. */
		if (!(number >= rules->float_min && number <= rules->float_max))
			return fault_at(frame, FAULT_ELEMENT, error,
					"is %g, only %g to %g is allowed", number, rules->float_min,
					rules->float_max);
	}
	return true;
}

bool check_length(const struct check_field *entry, struct span value, size_t char_count,
		  const struct fault_frame *frame, struct lyc_error *error)
{
	const struct schema_rules *rules = entry->rules;
	if (value.len == 0 && entry->is_implicit) {
		if (rules->is_required)
			return fault_at(frame, FAULT_FIELD, error, "is required");
		return true;
	}
	bool is_text = entry->kind == CHECK_STRING;
	size_t len = is_text ? char_count : value.len;
	const char *unit = is_text ? "character" : "byte";
	if (len < rules->min_len)
		return fault_at(frame, FAULT_ELEMENT, error,
				"has %zu %s%s, at least %" PRIu32 " %s needed", len, unit,
				plural(len), rules->min_len, is_or_are(rules->min_len));
	if (rules->max_len > 0 && len > rules->max_len)
		return fault_at(frame, FAULT_ELEMENT, error,
				"has %zu %s%s, at most %" PRIu32 " %s allowed", len, unit,
				plural(len), rules->max_len, is_or_are(rules->max_len));
	if (rules->pattern && value.len > 0 &&
	    !pattern_matches(rules->pattern, value.data, value.len))
		return fault_at(frame, FAULT_ELEMENT, error, "does not match the pattern %.100s",
				rules->pattern_text);
	return true;
}

bool check_items(const struct check_field *entry, size_t count, const struct fault_frame *frame,
		 struct lyc_error *error)
{
	const struct schema_rules *rules = entry->rules;
	if (count < rules->min_items)
		return fault_of(frame, entry->field, error,
				"has %zu element%s, at least %" PRIu32 " %s needed", count,
				plural(count), rules->min_items, is_or_are(rules->min_items));
	if (rules->max_items > 0 && count > rules->max_items)
		return fault_of(frame, entry->field, error,
				"has %zu element%s, at most %" PRIu32 " %s allowed", count,
				plural(count), rules->max_items, is_or_are(rules->max_items));
	return true;
}

bool check_closed_enum(const struct schema_enum *enumeration, uint64_t value)
{
	int32_t number = (int32_t)(uint32_t)value;
	size_t low = 0;
	size_t high = enumeration->value_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (enumeration->numbers[middle] == number)
			return true;
		if (enumeration->numbers[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
