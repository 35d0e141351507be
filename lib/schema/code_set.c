/* A set of Unicode characters as ranges. */
#include "schema/code_set.h"

#include <stdlib.h>

bool code_set_add(struct code_set *set, uint32_t low, uint32_t high)
{
	if (set->count == CODE_SET_MAX)
		return false;
	set->ranges[set->count++] = (struct code_range){low, high};
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct code_range *one = a;
	const struct code_range *two = b;
	return (one->low > two->low) - (one->low < two->low);
}

static void join(struct code_set *set)
{
	size_t count = 0;
	if (set->count > 0)
		qsort(set->ranges, set->count, sizeof(set->ranges[0]), compare);
	for (size_t i = 0; i < set->count; i++) {
		struct code_range range = set->ranges[i];
		if (count > 0 && range.low <= set->ranges[count - 1].high + 1) {
			if (range.high > set->ranges[count - 1].high)
				set->ranges[count - 1].high = range.high;
		} else {
			set->ranges[count++] = range;
		}
	}
	set->count = count;
}

void code_set_tidy(struct code_set *set)
{
	join(set);
	struct code_set whole = *set;
	set->count = 0;
	for (size_t i = 0; i < whole.count; i++) {
		struct code_range range = whole.ranges[i];
		if (range.low < 0xd800)
			set->ranges[set->count++] = (struct code_range){
				range.low, range.high < 0xd800 ? range.high : 0xd7ff};
		if (range.high > 0xdfff)
			set->ranges[set->count++] = (struct code_range){
				range.low > 0xdfff ? range.low : 0xe000, range.high};
	}
}

bool code_set_negate(struct code_set *set)
{
	struct code_set whole = *set;
	uint32_t from = 0;
	bool has_room = true;
	set->count = 0;
	for (size_t i = 0; i < whole.count; i++) {
		if (whole.ranges[i].low > from)
			has_room = has_room && code_set_add(set, from, whole.ranges[i].low - 1);
		from = whole.ranges[i].high + 1;
	}
	if (from <= CODE_MAX)
		has_room = has_room && code_set_add(set, from, CODE_MAX);
	if (has_room)
		code_set_tidy(set);
	return has_room;
}

static bool add_all(struct code_set *set, const struct code_range *ranges, size_t count)
{
	bool has_room = true;
	for (size_t i = 0; i < count; i++)
		has_room = has_room && code_set_add(set, ranges[i].low, ranges[i].high);
	return has_room;
}

bool code_set_add_class(struct code_set *set, char escape)
{
	static const struct code_range digits[] = {{'0', '9'}};
	static const struct code_range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
	static const struct code_range spaces[] = {{'\t', '\r'}, {' ', ' '}};
	struct code_set class = {.count = 0};
	bool is_negated = escape < 'a';
	switch (is_negated ? escape - 'A' + 'a' : escape) {
	case 'd':
		add_all(&class, digits, 1);
		break;
	case 'w':
		add_all(&class, words, 4);
		break;
	case 's':
		add_all(&class, spaces, 2);
		break;
	default:
		return false;
	}
	if (is_negated)
		code_set_negate(&class);
	return add_all(set, class.ranges, class.count);
}
