/* The values of an enum as people write them: IP_LAWYER, or KIND_IP_LAWYER of an enum Kind, is
 * "ip-lawyer". */
#ifndef LYC_TOOLS_CHOICE_H
#define LYC_TOOLS_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "schema/schema.h"

/* Append one value's short name. */
void choice_write_value(const struct schema_enum *enumeration,
			const struct schema_enum_value *value, struct buf *to);
/* Append the short name of a number, or the number; nothing for an unspecified zero. */
void choice_write(const struct schema_enum *enumeration, int32_t number, struct buf *to);
/* Append "academic, clinician, ip-lawyer": all but an unspecified zero. */
void choice_write_all(const struct schema_enum *enumeration, struct buf *to);
/* Is it the zero that means "not said"? */
bool choice_is_unspecified(const struct schema_enum_value *value);
/* By short or full name, case and '-' or '_' apart, or by number. NULL when it is none. */
const struct schema_enum_value *choice_find(const struct schema_enum *enumeration,
					    const char *text);

#endif
