/*
 * JSON as text, token by token: braces, commas and indentation, strings and numbers. Knows nothing
 * of messages. Appends to a buf; a lack of memory shows there.
 */
#ifndef LYC_SCHEMA_JSON_TEXT_H
#define LYC_SCHEMA_JSON_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json_text {
	struct buf *to;
	bool is_pretty;
	unsigned depth;
	/* Nothing stands yet between the last open bracket and here. */
	bool is_empty;
};

void json_text_open(struct json_text *text, char bracket);
void json_text_close(struct json_text *text, char bracket);
/* Before each element of an array. */
void json_text_item(struct json_text *text);
/* Before each value of an object. False when the name is not UTF-8. */
bool json_text_name(struct json_text *text, struct span name);
/* Quoted and escaped. False, with nothing appended, when the bytes are not UTF-8. */
bool json_text_string(struct json_text *text, struct span bytes);
/* The fewest digits that read back as the same number; NaN and infinities as strings. */
void json_text_double(struct json_text *text, double value);
void json_text_float(struct json_text *text, float value);

/* The same digits, without NaN and infinities, for other text forms. */
void json_text_digits(struct buf *to, double value, bool is_float);

#endif
