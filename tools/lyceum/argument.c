/* The value of one word of the command line, by the type of the field that it is for. */
#include "argument.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "age.h"
#include "base/error.h"
#include "choice.h"
#include "input.h"

void argument_write_kind(const struct schema_field *field, struct buf *to)
{
	switch (field->type) {
	case SCHEMA_BOOL:
		return;
	case SCHEMA_STRING:
		buf_add_text(to, "TEXT");
		return;
	case SCHEMA_BYTES:
		buf_add_text(to, "@FILE");
		return;
	case SCHEMA_ENUM:
		buf_add_text(to, "CHOICE");
		return;
	case SCHEMA_MESSAGE:
	case SCHEMA_GROUP:
		break;
	default:
		buf_add_text(to, "NUMBER");
		return;
	}
	if (field->message->known == SCHEMA_TIMESTAMP)
		buf_add_text(to, "TIME");
	else if (field->message->known == SCHEMA_DURATION)
		buf_add_text(to, "DURATION");
	else if (field->message->known == SCHEMA_WRAPPER)
		argument_write_kind(schema_field_by_number(field->message, 1), to);
	else if (field->message->known == SCHEMA_FIELD_MASK)
		buf_add_text(to, "FIELDS");
	else
		buf_add_text(to, field->is_map ? "KEY=VALUE" : "JSON");
}

static json_t *bad(struct lyc_error *error, const char *flag, const char *wants, const char *text)
{
	error_set(error, LYC_INVALID_ARGUMENT, "%s takes %s, not \"%.60s\"", flag, wants, text);
	return NULL;
}

static json_t *json_of_bool(const char *flag, const char *text, struct lyc_error *error)
{
	if (strcmp(text, "true") == 0 || strcmp(text, "yes") == 0)
		return json_true();
	if (strcmp(text, "false") == 0 || strcmp(text, "no") == 0)
		return json_false();
	return bad(error, flag, "true or false", text);
}

static json_t *json_of_integer(const char *flag, const char *text, bool is_signed,
			       struct lyc_error *error)
{
	char *end = NULL;
	errno = 0;
	if (*text == '-' && !is_signed)
		return bad(error, flag, "a whole number from 0", text);
	long long number = strtoll(text, &end, 10);
	if (end == text || *end)
		return bad(error, flag, "a whole number", text);
	if (errno == 0)
		return json_integer(number);
	/* Above 2^63: JSON carries it as a string. */
	errno = 0;
	unsigned long long large = strtoull(text, &end, 10);
	char digits[32];
	if (errno != 0 || is_signed)
		return bad(error, flag, "a smaller number", text);
	snprintf(digits, sizeof(digits), "%llu", large);
	return json_string(digits);
}

static json_t *json_of_real(const char *flag, const char *text, struct lyc_error *error)
{
	char *end = NULL;
	double number = strtod(text, &end);
	if (end == text || *end || !isfinite(number))
		return bad(error, flag, "a number", text);
	return json_real(number);
}

static json_t *json_of_choice(const struct schema_enum *enumeration, const char *flag,
			      const char *text, struct lyc_error *error)
{
	const struct schema_enum_value *value = choice_find(enumeration, text);
	if (value)
		return json_string(value->name);
	struct buf all = {0};
	choice_write_all(enumeration, &all);
	error_set(error, LYC_INVALID_ARGUMENT, "%s takes one of %s, not \"%.40s\"", flag,
		  buf_text(&all), text);
	buf_fini(&all);
	return NULL;
}

static json_t *json_of_bytes(const struct buf *bytes)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf text = {0};
	for (size_t i = 0; i < bytes->len; i += 3) {
		size_t left = bytes->len - i;
		uint32_t group = (uint32_t)bytes->data[i] << 16;
		group |= left > 1 ? (uint32_t)bytes->data[i + 1] << 8 : 0;
		group |= left > 2 ? bytes->data[i + 2] : 0;
		buf_add_byte(&text, (uint8_t)digits[group >> 18]);
		buf_add_byte(&text, (uint8_t)digits[group >> 12 & 63]);
		buf_add_byte(&text, left > 1 ? (uint8_t)digits[group >> 6 & 63] : '=');
		buf_add_byte(&text, left > 2 ? (uint8_t)digits[group & 63] : '=');
	}
	json_t *value = json_stringn((const char *)text.data, text.len);
	buf_fini(&text);
	return value;
}

static json_t *json_of_word(const struct schema_field *field, const char *flag, const char *text,
			    struct lyc_error *error)
{
	struct buf word = {0};
	json_t *value = NULL;
	if (input_word(text, &word, error) != LYC_OK)
		goto out;
	if (field->type == SCHEMA_BYTES) {
		value = json_of_bytes(&word);
		goto out;
	}
	/* The line end that closes a file is not part of the text. */
	if (*text == '@' && word.len > 0 && word.data[word.len - 1] == '\n')
		word.len--;
	value = json_stringn(word.data ? (const char *)word.data : "", word.len);
	if (!value)
		error_set(error, LYC_INVALID_ARGUMENT, "%s: the text is not UTF-8", flag);
out:
	buf_fini(&word);
	return value;
}

static json_t *json_of_duration(const char *flag, const char *text, struct lyc_error *error)
{
	uint64_t ms;
	char seconds[40];
	if (!age_read(text, &ms))
		return bad(error, flag, "a duration such as 90s, 5min or 2d", text);
	snprintf(seconds, sizeof(seconds), "%llu.%03us", (unsigned long long)(ms / 1000),
		 (unsigned)(ms % 1000));
	return json_string(seconds);
}

/* "2026-03-01", "2026-03-01 14:00" and RFC 3339; UTC where no zone is given. */
static json_t *json_of_time(const char *flag, const char *text, struct lyc_error *error)
{
	unsigned year, month, day, hour = 0, minute = 0;
	double second = 0;
	int len = 0, tail = 0;
	char moment[64];
	if (sscanf(text, "%4u-%2u-%2u%n", &year, &month, &day, &len) != 3)
		return bad(error, flag,
			   "a date such as 2026-03-01 or a time such as 2026-03-01T14:00Z", text);
	const char *rest = text + len;
	if (*rest == 'T' || *rest == 't' || *rest == ' ') {
		if (sscanf(rest + 1, "%2u:%2u%n", &hour, &minute, &tail) != 2)
			return bad(error, flag, "a time such as 2026-03-01T14:00Z", text);
		rest += 1 + tail;
		if (*rest == ':' && sscanf(rest, ":%lf%n", &second, &tail) == 1)
			rest += tail;
	}
	snprintf(moment, sizeof(moment), "%04u-%02u-%02uT%02u:%02u:%0*.*f%.10s", year, month, day,
		 hour, minute, second == floor(second) ? 2 : 6, second == floor(second) ? 0 : 3,
		 second, *rest ? rest : "Z");
	return json_string(moment);
}

static json_t *json_of_text(const char *flag, const char *text, struct lyc_error *error)
{
	struct buf word = {0};
	json_error_t fault;
	json_t *value = NULL;
	if (input_word(text, &word, error) == LYC_OK) {
		value = json_loadb((const char *)word.data, word.len,
				   JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &fault);
		if (!value)
			error_set(error, LYC_INVALID_ARGUMENT, "%s takes JSON: %s at column %d",
				  flag, fault.text, fault.column);
	}
	buf_fini(&word);
	return value;
}

json_t *argument_json(const struct schema_field *field, const char *flag, const char *text,
		      struct lyc_error *error)
{
	switch (field->type) {
	case SCHEMA_BOOL:
		return json_of_bool(flag, text, error);
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		return json_of_word(field, flag, text, error);
	case SCHEMA_ENUM:
		return json_of_choice(field->enumeration, flag, text, error);
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
		return json_of_real(flag, text, error);
	case SCHEMA_UINT32:
	case SCHEMA_UINT64:
	case SCHEMA_FIXED32:
	case SCHEMA_FIXED64:
		return json_of_integer(flag, text, false, error);
	case SCHEMA_MESSAGE:
	case SCHEMA_GROUP:
		break;
	default:
		return json_of_integer(flag, text, true, error);
	}
	switch (field->message->known) {
	case SCHEMA_TIMESTAMP:
		return json_of_time(flag, text, error);
	case SCHEMA_DURATION:
		return json_of_duration(flag, text, error);
	case SCHEMA_FIELD_MASK:
		return json_string(text);
	case SCHEMA_WRAPPER:
		return argument_json(schema_field_by_number(field->message, 1), flag, text, error);
	default:
		return json_of_text(flag, text, error);
	}
}
