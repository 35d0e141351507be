/*
 * The (lyceum.v1.*) options of a field in two versions. Rules may be loosened: what was let in
 * before has to be let in still, since records are checked only when they first enter.
 */
#include <string.h>

#include "schema/differ.h"
#include "schema/rules.h"

static const struct schema_rules no_rules;

static const struct schema_rules *rules_of(const struct schema_field *field)
{
	return field && field->rules ? field->rules : &no_rules;
}

/* 0 is no bound. */
static bool is_smaller_most(uint32_t was, uint32_t is)
{
	return is > 0 && (was == 0 || is < was);
}

static void diff_bounds(struct differ *differ, const struct diff_field_pair *pair,
			const struct schema_rules *was, const struct schema_rules *is)
{
	const char *message = pair->message->full_name;
	const char *name = pair->newer->name;
	if (pair->older &&
	    (is->min_len > was->min_len || is_smaller_most(was->max_len, is->max_len)))
		differ_report(differ, LYCEUM_LENGTH_NOT_NARROWED, pair->file, &pair->path,
			      "the length of %s.%s was %u to %u and is %u to %u (0: no bound)",
			      message, name, was->min_len, was->max_len, is->min_len, is->max_len);
	if (is->min_items > was->min_items ||
	    (pair->older && is_smaller_most(was->max_items, is->max_items)))
		differ_report(differ, LYCEUM_ITEMS_NOT_NARROWED, pair->file, &pair->path,
			      "%s.%s had %u to %u items and has %u to %u (0: no bound)", message,
			      name, was->min_items, was->max_items, is->min_items, is->max_items);
}

/* All that a field of the type can hold, as far as a range can say it. */
static void type_range(enum schema_type type, int64_t *ret_min, int64_t *ret_max)
{
	bool is_unsigned = type == SCHEMA_UINT32 || type == SCHEMA_FIXED32;
	bool is_signed = type == SCHEMA_INT32 || type == SCHEMA_SINT32 || type == SCHEMA_SFIXED32;
	*ret_min = INT64_MIN;
	*ret_max = INT64_MAX;
	if (is_unsigned || type == SCHEMA_UINT64 || type == SCHEMA_FIXED64)
		*ret_min = 0;
	if (is_unsigned)
		*ret_max = UINT32_MAX;
	if (is_signed) {
		*ret_min = INT32_MIN;
		*ret_max = INT32_MAX;
	}
}

/* Without a range before, one that holds all of the type is none either. */
static bool is_int_narrowed(const struct schema_field *field, const struct schema_rules *was,
			    const struct schema_rules *is)
{
	int64_t min = was->int_min;
	int64_t max = was->int_max;
	if (!is->has_int_range)
		return false;
	if (!was->has_int_range) {
		/* The upper half of 64 bits without a sign is above every range. */
		if (field->type == SCHEMA_UINT64 || field->type == SCHEMA_FIXED64)
			return true;
		type_range(field->type, &min, &max);
	}
	return is->int_min > min || is->int_max < max;
}

static bool is_float_narrowed(const struct schema_rules *was, const struct schema_rules *is)
{
	if (!is->has_float_range)
		return false;
	/* Without a range NaN was let in, too. */
	return !was->has_float_range || is->float_min > was->float_min ||
	       is->float_max < was->float_max;
}

static void diff_ranges(struct differ *differ, const struct diff_field_pair *pair,
			const struct schema_rules *was, const struct schema_rules *is)
{
	const char *message = pair->message->full_name;
	const char *name = pair->newer->name;
	if (is_int_narrowed(pair->older, was, is))
		differ_report(differ, LYCEUM_RANGE_NOT_NARROWED, pair->file, &pair->path,
			      "%s.%s is now bound to %lld to %lld, narrower than before", message,
			      name, (long long)is->int_min, (long long)is->int_max);
	if (is_float_narrowed(was, is))
		differ_report(differ, LYCEUM_RANGE_NOT_NARROWED, pair->file, &pair->path,
			      "%s.%s is now bound to %g to %g, narrower than before", message, name,
			      is->float_min, is->float_max);
}

void diff_field_rules(struct differ *differ, const struct diff_field_pair *pair)
{
	const struct schema_rules *was = rules_of(pair->older);
	const struct schema_rules *is = rules_of(pair->newer);
	const char *message = pair->message->full_name;
	const char *name = pair->newer->name;
	if (is->is_required && !was->is_required)
		differ_report(differ, LYCEUM_REQUIRED_NOT_ADDED, pair->file, &pair->path,
			      pair->older ? "%s.%s was not required and is now"
					  : "%s gained %s, which is required",
			      message, name);
	diff_bounds(differ, pair, was, is);
	/* Bounds of values bind nobody who does not know the field. */
	if (!pair->older)
		return;
	diff_ranges(differ, pair, was, is);
	if (is->pattern_text &&
	    (!was->pattern_text || strcmp(was->pattern_text, is->pattern_text) != 0))
		differ_report(differ, LYCEUM_PATTERN_SAME, pair->file, &pair->path,
			      "the pattern of %s.%s was %s and is %s", message, name,
			      was->pattern_text ? was->pattern_text : "none", is->pattern_text);
	if (pair->older->is_personal && !pair->newer->is_personal)
		differ_report(differ, LYCEUM_PERSONAL_NOT_REMOVED, pair->file, &pair->path,
			      "%s.%s was personal and would now be logged", message, name);
}
