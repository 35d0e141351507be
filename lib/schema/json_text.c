/* JSON as text. Numbers try ever more digits until they read back the same. */
#include "schema/json_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static void new_line(struct json_text *text)
{
	if (!text->is_pretty)
		return;
	buf_add_byte(text->to, '\n');
	for (unsigned i = 0; i < text->depth; i++)
		buf_add(text->to, "  ", 2);
}

void json_text_open(struct json_text *text, char bracket)
{
	buf_add_byte(text->to, (uint8_t)bracket);
	text->depth++;
	text->is_empty = true;
}

void json_text_close(struct json_text *text, char bracket)
{
	text->depth--;
	if (!text->is_empty)
		new_line(text);
	buf_add_byte(text->to, (uint8_t)bracket);
	text->is_empty = false;
}

void json_text_item(struct json_text *text)
{
	if (!text->is_empty)
		buf_add_byte(text->to, ',');
	new_line(text);
	text->is_empty = false;
}

bool json_text_name(struct json_text *text, struct span name)
{
	json_text_item(text);
	if (!json_text_string(text, name))
		return false;
	buf_add_text(text->to, text->is_pretty ? ": " : ":");
	return true;
}

static void add_escaped(struct buf *to, uint8_t c)
{
	static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
		if (c == (uint8_t)letters[i]) {
			buf_add_byte(to, '\\');
			buf_add_byte(to, (uint8_t)letters[i + 1]);
			return;
		}
	}
	buf_add_format(to, "\\u%04x", c);
}

bool json_text_string(struct json_text *text, struct span bytes)
{
	if (!utf8_check(bytes.data, bytes.len, NULL))
		return false;
	buf_add_byte(text->to, '"');
	size_t from = 0;
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t c = bytes.data[i];
		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		buf_add(text->to, bytes.data + from, i - from);
		add_escaped(text->to, c);
		from = i + 1;
	}
	if (from < bytes.len)
		buf_add(text->to, bytes.data + from, bytes.len - from);
	buf_add_byte(text->to, '"');
	return true;
}

void json_text_digits(struct buf *to, double value, bool is_float)
{
	char digits[40];
	int most = is_float ? 9 : 17;
	for (int count = is_float ? 6 : 15; count <= most; count++) {
		snprintf(digits, sizeof(digits), "%.*g", count, value);
		if (is_float ? strtof(digits, NULL) == (float)value : strtod(digits, NULL) == value)
			break;
	}
	/* As a whole number it would lose its sign in a reader that has integers. */
	if (value == 0 && signbit(value))
		snprintf(digits, sizeof(digits), "-0.0");
	/* Some locales write a comma. */
	char *comma = strchr(digits, ',');
	if (comma)
		*comma = '.';
	buf_add_text(to, digits);
}

static void add_number(struct json_text *text, double value, bool is_float)
{
	if (isnan(value))
		buf_add_text(text->to, "\"NaN\"");
	else if (isinf(value))
		buf_add_text(text->to, value < 0 ? "\"-Infinity\"" : "\"Infinity\"");
	else
		json_text_digits(text->to, value, is_float);
}

void json_text_double(struct json_text *text, double value)
{
	add_number(text, value, false);
}

void json_text_float(struct json_text *text, float value)
{
	add_number(text, value, true);
}
