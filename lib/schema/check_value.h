/* The rules of one value, for check.c: each function is false after it has described the fault. */
#ifndef LYC_SCHEMA_CHECK_VALUE_H
#define LYC_SCHEMA_CHECK_VALUE_H

#include "schema/check.h"
#include "schema/fault.h"

/* `value` as it was on the wire: the varint, or the bits of a fixed size. */
bool check_number(const struct check_field *entry, uint64_t value, const struct fault_frame *frame,
		  struct lyc_error *error);
/* Of a string (char_count characters) or bytes. */
bool check_length(const struct check_field *entry, struct span value, size_t char_count,
		  const struct fault_frame *frame, struct lyc_error *error);
bool check_items(const struct check_field *entry, size_t count, const struct fault_frame *frame,
		 struct lyc_error *error);
/* Is it a value of a closed enum? */
bool check_closed_enum(const struct schema_enum *enumeration, uint64_t value);

#endif
