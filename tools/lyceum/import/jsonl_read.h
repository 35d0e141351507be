/* JSON Lines: each line an item of the method, in the item message's JSON. */
#ifndef LYC_IMPORT_JSONL_READ_H
#define LYC_IMPORT_JSONL_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"
#include "schema/schema.h"

struct jsonl {
	struct span text;
	size_t offset;
	uint64_t line;
};

/* Does the text begin with an object? */
bool jsonl_is(struct span text);
/* The next line with an item on it; false at the end. A line that only says why the next one was
 * refused is passed over. */
bool jsonl_next(struct jsonl *jsonl, size_t *ret_offset, uint64_t *ret_line, struct span *ret_item);
/* The line that begins there. */
struct span jsonl_line_at(struct span text, size_t offset);
/* Append the item's bytes. What a refused file has added is left out. INVALID_ARGUMENT:
 * error->field has the path, where it is not the JSON itself that is broken. */
LYC_MUST_USE enum lyc_status jsonl_item(const struct schema_message *message, struct span line,
					struct buf *to, struct lyc_error *error);

#endif
