/*
 * Whole numbers out of text, exactly. "1e3" and "5.0" are whole numbers, too; what
 * JSON would not take as a number ("007", "+5", " 5") is none here either.
 */
#ifndef LYC_SCHEMA_NUMBER_H
#define LYC_SCHEMA_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "schema/schema.h"

/* Sign and magnitude hold every int64 and every uint64. */
struct number {
	bool is_negative;
	uint64_t magnitude;
};

enum number_result {
	NUMBER_OK = 0,
	NUMBER_NONE,     /* not a number at all */
	NUMBER_FRACTION, /* a number, but not a whole one */
	NUMBER_TOO_LARGE /* beyond 64 bits */
};

enum number_result number_read(struct span text, struct number *ret_number);
enum number_result number_of_double(double value, struct number *ret_number);
struct number number_of_int(int64_t value);
/* The bits of the number in a field of this type, before zigzag; false when it is out of the type's
 * range. An enum takes an int32. */
bool number_fits(struct number number, enum schema_type type, uint64_t *ret_bits);
/* "0 to 4294967295". */
const char *number_range(enum schema_type type);

#endif
