/*
 * Numbers as spreadsheets in several countries print them. "1,234" may be one thousand or one and a
 * bit, so it is refused rather than guessed; "1,234,567", "1,234.56", "1 234" and "12,5" can be
 * read one way only.
 */
#include "import/cell_value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

struct marks {
	/* The comma or point that groups digits, and the one before the fraction; 0: none. */
	char group;
	char decimal;
};

static enum lyc_status refuse(struct span cell, const char *why, struct lyc_error *error)
{
	return error_set(error, LYC_INVALID_ARGUMENT, "\"%.*s\" %s",
			 (int)(cell.len < 60 ? cell.len : 60), (const char *)cell.data, why);
}

/* Spaces of several kinds and apostrophes only ever group digits. */
static size_t grouping_len(const uint8_t *at, const uint8_t *end)
{
	static const char *const signs[] = {
		" ", "'", "\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x99", "\xE2\x80\x89"};
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		size_t len = strlen(signs[i]);
		if ((size_t)(end - at) >= len && memcmp(at, signs[i], len) == 0)
			return len;
	}
	return 0;
}

static size_t count_of(const char *text, char sign)
{
	size_t count = 0;
	for (; *text; text++)
		count += *text == sign;
	return count;
}

/* Which of ',' and '.' groups, and which comes before the fraction. False: it could be both. */
static bool find_marks(const char *text, bool has_groups, struct marks *ret_marks)
{
	size_t comma_count = count_of(text, ',');
	size_t point_count = count_of(text, '.');
	*ret_marks = (struct marks){0};
	if (comma_count && point_count) {
		bool comma_last = strrchr(text, ',') > strrchr(text, '.');
		*ret_marks = (struct marks){.group = comma_last ? '.' : ',',
					    .decimal = comma_last ? ',' : '.'};
		return true;
	}
	if (comma_count > 1 || point_count > 1) {
		ret_marks->group = comma_count ? ',' : '.';
		return true;
	}
	if (point_count == 1) {
		ret_marks->decimal = '.';
		return true;
	}
	if (comma_count == 1) {
		const char *comma = strchr(text, ',');
		size_t before = strspn(text + (*text == '-'), "0123456789");
		bool is_group_like = strlen(comma + 1) == 3 && before >= 1 && before <= 3 &&
				     text[*text == '-'] != '0';
		ret_marks->decimal = ',';
		return !is_group_like || has_groups;
	}
	return true;
}

/* Every group but the first has three digits. */
static bool groups_are_right(const char *text, struct marks marks)
{
	if (!marks.group)
		return true;
	const char *at = text + (*text == '-');
	size_t first = strspn(at, "0123456789");
	at += first;
	if (first < 1 || first > 3)
		return false;
	while (*at == marks.group) {
		if (strspn(at + 1, "0123456789") != 3)
			return false;
		at += 4;
	}
	return *at == '\0' || *at == marks.decimal;
}

enum lyc_status number_text_read(struct span cell, char *ret_plain, size_t size,
				 struct lyc_error *error)
{
	static const char *const not_one = "is not a number";
	char text[64];
	size_t len = 0;
	size_t digits_since = 0;
	bool has_groups = false;
	const uint8_t *at = cell.data;
	const uint8_t *end = span_end(cell);
	for (; at < end; at++) {
		size_t sign_len = len > 0 ? grouping_len(at, end) : 0;
		if (sign_len) {
			if (has_groups ? digits_since != 3 : digits_since < 1 || digits_since > 3)
				return refuse(cell, not_one, error);
			has_groups = true;
			digits_since = 0;
			at += sign_len - 1;
			continue;
		}
		if (has_groups && (*at == ',' || *at == '.') && digits_since != 3)
			return refuse(cell, not_one, error);
		if (len + 1 >= sizeof(text))
			return refuse(cell, not_one, error);
		digits_since = isdigit(*at) ? digits_since + 1 : digits_since;
		if (*at != '+' || len > 0)
			text[len++] = (char)*at;
	}
	text[len] = '\0';
	if (has_groups && !strpbrk(text, ",.") && digits_since != 3)
		return refuse(cell, not_one, error);

	/* "1e6": as programs print it. */
	size_t mantissa_len = strcspn(text, "eE");
	char tail[64];
	snprintf(tail, sizeof(tail), "%s", text + mantissa_len);
	text[mantissa_len] = '\0';
	if (tail[0]) {
		const char *power = tail + 1 + (tail[1] == '-' || tail[1] == '+');
		if (!isdigit((unsigned char)*power) || power[strspn(power, "0123456789")])
			return refuse(cell, not_one, error);
	}
	struct marks marks;
	const char *body = text + (text[0] == '-');
	if (!strpbrk(body, "0123456789") || body[strspn(body, "0123456789,.")])
		return refuse(cell, not_one, error);
	if (!find_marks(text, has_groups, &marks))
		return refuse(cell, "may be a thousand or a fraction; write it without a comma",
			      error);
	if ((marks.decimal && count_of(text, marks.decimal) > 1) || !groups_are_right(text, marks))
		return refuse(cell, not_one, error);
	size_t out = 0;
	for (size_t i = 0; text[i] && out + 1 < size; i++) {
		if (text[i] == marks.group)
			continue;
		ret_plain[out++] = text[i];
		if (text[i] == marks.decimal)
			ret_plain[out - 1] = '.';
	}
	ret_plain[out] = '\0';
	if (out + strlen(tail) + 1 > size)
		return refuse(cell, not_one, error);
	strcpy(ret_plain + out, tail);
	return LYC_OK;
}
