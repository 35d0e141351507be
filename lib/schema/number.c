/* Whole numbers: digits, point and exponent are joined on the decimal digits, so nothing is
 * rounded. */
#include "schema/number.h"

#include <math.h>

#define MAX_DIGITS 400

static bool is_digit(const uint8_t *at, const uint8_t *end)
{
	return at < end && *at >= '0' && *at <= '9';
}

struct decimal {
	uint8_t digits[MAX_DIGITS];
	int count;
	int point; /* digits before the point */
};

static bool add_digits(struct decimal *decimal, const uint8_t **at, const uint8_t *end)
{
	if (!is_digit(*at, end))
		return false;
	for (; is_digit(*at, end); (*at)++) {
		if (decimal->count == MAX_DIGITS)
			return false;
		decimal->digits[decimal->count++] = (uint8_t)(**at - '0');
	}
	return true;
}

static bool read_exponent(struct decimal *decimal, const uint8_t **at, const uint8_t *end)
{
	if (*at == end || (**at != 'e' && **at != 'E'))
		return true;
	(*at)++;
	bool is_negative = *at < end && **at == '-';
	if (*at < end && (**at == '-' || **at == '+'))
		(*at)++;
	if (!is_digit(*at, end))
		return false;
	int exponent = 0;
	for (; is_digit(*at, end); (*at)++)
		exponent = exponent < 100000 ? exponent * 10 + (**at - '0') : exponent;
	decimal->point += is_negative ? -exponent : exponent;
	return true;
}

static enum number_result join(const struct decimal *decimal, uint64_t *ret_magnitude)
{
	uint64_t magnitude = 0;
	for (int i = 0; i < decimal->count; i++) {
		unsigned digit = decimal->digits[i];
		if (i >= decimal->point) {
			if (digit != 0)
				return NUMBER_FRACTION;
			continue;
		}
		if (__builtin_mul_overflow(magnitude, 10, &magnitude) ||
		    __builtin_add_overflow(magnitude, digit, &magnitude))
			return NUMBER_TOO_LARGE;
	}
	for (int i = decimal->count; i < decimal->point && magnitude != 0; i++) {
		if (__builtin_mul_overflow(magnitude, 10, &magnitude))
			return NUMBER_TOO_LARGE;
	}
	*ret_magnitude = magnitude;
	return NUMBER_OK;
}

enum number_result number_read(struct span text, struct number *ret_number)
{
	const uint8_t *at = text.data;
	const uint8_t *end = span_end(text);
	struct decimal decimal;
	decimal.count = 0;
	bool is_negative = at < end && *at == '-';
	if (is_negative)
		at++;
	const uint8_t *first = at;
	if (!add_digits(&decimal, &at, end) || (*first == '0' && decimal.count > 1))
		return NUMBER_NONE;
	decimal.point = decimal.count;
	if (at < end && *at == '.') {
		at++;
		if (!add_digits(&decimal, &at, end))
			return NUMBER_NONE;
	}
	if (!read_exponent(&decimal, &at, end) || at != end)
		return NUMBER_NONE;
	uint64_t magnitude = 0;
	enum number_result result = join(&decimal, &magnitude);
	if (result == NUMBER_OK)
		*ret_number = (struct number){.is_negative = is_negative && magnitude != 0,
					      .magnitude = magnitude};
	return result;
}

enum number_result number_of_double(double value, struct number *ret_number)
{
	if (isnan(value) || isinf(value))
		return NUMBER_NONE;
	if (value != trunc(value))
		return NUMBER_FRACTION;
	if (fabs(value) >= 18446744073709551616.0)
		return NUMBER_TOO_LARGE;
	*ret_number = (struct number){.is_negative = value < 0, .magnitude = (uint64_t)fabs(value)};
	return NUMBER_OK;
}

struct number number_of_int(int64_t value)
{
	return (struct number){.is_negative = value < 0,
			       .magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value};
}

static const struct range {
	uint64_t below; /* the largest magnitude of a negative number */
	uint64_t above;
	const char *text;
} int32_range = {(uint64_t)1 << 31, INT32_MAX, "-2147483648 to 2147483647"},
  uint32_range = {0, UINT32_MAX, "0 to 4294967295"},
  int64_range = {(uint64_t)1 << 63, INT64_MAX, "-9223372036854775808 to 9223372036854775807"},
  uint64_range = {0, UINT64_MAX, "0 to 18446744073709551615"};

static const struct range *range_of(enum schema_type type)
{
	switch ((int)type) {
	case SCHEMA_UINT32:
	case SCHEMA_FIXED32:
		return &uint32_range;
	case SCHEMA_UINT64:
	case SCHEMA_FIXED64:
		return &uint64_range;
	case SCHEMA_INT64:
	case SCHEMA_SINT64:
	case SCHEMA_SFIXED64:
		return &int64_range;
	default:
		return &int32_range;
	}
}

bool number_fits(struct number number, enum schema_type type, uint64_t *ret_bits)
{
	const struct range *range = range_of(type);
	if (number.magnitude > (number.is_negative ? range->below : range->above))
		return false;
	*ret_bits = number.is_negative ? 0 - number.magnitude : number.magnitude;
	return true;
}

const char *number_range(enum schema_type type)
{
	return range_of(type)->text;
}
