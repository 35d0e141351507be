/* Short names of enum values. */
#include "choice.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "KIND_" of "lyceum.experts.v1.Expert.Kind": what the style guides put before every value. */
static size_t prefix_len(const struct schema_enum *enumeration, const char *value)
{
	const char *dot = strrchr(enumeration->full_name, '.');
	const char *at = dot ? dot + 1 : enumeration->full_name;
	size_t len = 0;
	for (bool is_first = true; *at; at++, is_first = false) {
		if (!is_first && isupper((unsigned char)*at) && value[len++] != '_')
			return 0;
		if (value[len++] != toupper((unsigned char)*at))
			return 0;
	}
	return value[len] == '_' && value[len + 1] ? len + 1 : 0;
}

void choice_write_value(const struct schema_enum *enumeration,
			const struct schema_enum_value *value, struct buf *to)
{
	for (const char *at = value->name + prefix_len(enumeration, value->name); *at; at++)
		buf_add_byte(to, *at == '_' ? '-' : (uint8_t)tolower((unsigned char)*at));
}

bool choice_is_unspecified(const struct schema_enum_value *value)
{
	size_t len = strlen(value->name);
	static const char ending[] = "UNSPECIFIED";
	return value->number == 0 && len >= sizeof(ending) - 1 &&
	       strcmp(value->name + len - (sizeof(ending) - 1), ending) == 0;
}

void choice_write(const struct schema_enum *enumeration, int32_t number, struct buf *to)
{
	for (size_t i = 0; i < enumeration->value_count; i++) {
		const struct schema_enum_value *value = &enumeration->values[i];
		if (value->number != number)
			continue;
		if (!choice_is_unspecified(value))
			choice_write_value(enumeration, value, to);
		return;
	}
	buf_add_format(to, "%d", number);
}

void choice_write_all(const struct schema_enum *enumeration, struct buf *to)
{
	bool is_first = true;
	for (size_t i = 0; i < enumeration->value_count; i++) {
		if (choice_is_unspecified(&enumeration->values[i]))
			continue;
		if (!is_first)
			buf_add_text(to, ", ");
		is_first = false;
		choice_write_value(enumeration, &enumeration->values[i], to);
	}
}

/* Equal but for case, with '-', ' ' and '_' the same. */
static bool is_same(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		int x = *a == '-' || *a == ' ' ? '_' : toupper((unsigned char)*a);
		int y = *b == '-' || *b == ' ' ? '_' : toupper((unsigned char)*b);
		if (x != y)
			return false;
	}
	return *a == *b;
}

const struct schema_enum_value *choice_find(const struct schema_enum *enumeration, const char *text)
{
	char *end = NULL;
	long number = strtol(text, &end, 10);
	bool is_number = *text && !*end;
	for (size_t i = 0; i < enumeration->value_count; i++) {
		const struct schema_enum_value *value = &enumeration->values[i];
		if (is_same(value->name, text) ||
		    is_same(value->name + prefix_len(enumeration, value->name), text) ||
		    (is_number && value->number == number))
			return value;
	}
	return NULL;
}
