/* What a cell's text means for a field: the value's bytes as protobuf carries them. */
#ifndef LYC_IMPORT_CELL_VALUE_H
#define LYC_IMPORT_CELL_VALUE_H

#include <stdbool.h>

#include <lyceum/status.h>

#include "base/buf.h"
#include "base/pb.h"
#include "schema/schema.h"

struct cell_value {
	enum pb_wire wire;
	/* Without tag and, for PB_LEN, without length. */
	struct buf payload;
	/* Zero, false, the first enum value, no text: proto3 leaves it out without presence. */
	bool is_default;
};

/* Read a trimmed cell that is not empty. Overwrites value, whose memory is kept for the next one.
 * INVALID_ARGUMENT with a sentence that quotes the cell: it is not such a value, or could be two.
 */
LYC_MUST_USE enum lyc_status cell_value_read(const struct schema_field *field, struct span cell,
					     struct cell_value *value, struct lyc_error *error);

/* ---- number_text.c ---- */

/* Rewrite a number to plain "-1234.5". Thousands separators and a decimal comma go where they can
 * mean nothing else. `ret_plain` has room for `size` bytes. INVALID_ARGUMENT as above. */
LYC_MUST_USE enum lyc_status number_text_read(struct span cell, char *ret_plain, size_t size,
					      struct lyc_error *error);

/* ---- date_text.c ---- */

/* Seconds since 1970 UTC and nanoseconds of "2020", "2020-12", "2020-12-31", "31/12/2020",
 * "31.12.2020" or an RFC 3339 time. INVALID_ARGUMENT as above. */
LYC_MUST_USE enum lyc_status date_text_read(struct span cell, int64_t *ret_seconds,
					    int32_t *ret_nanos, struct lyc_error *error);

#endif
