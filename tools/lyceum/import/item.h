/*
 * One item while the rows of its group fill it: a tree of the fields that have values, written as
 * the item message's bytes at the end. The same rows give the same bytes.
 */
#ifndef LYC_IMPORT_ITEM_H
#define LYC_IMPORT_ITEM_H

#include <lyceum/status.h>

#include "base/buf.h"
#include "import/cell_value.h"
#include "import/mapping.h"
#include "import/sheet_read.h"
#include "schema/schema.h"

struct item_element;

/* A later row has another value for a field that takes one: the first stays. */
typedef void (*item_note_fn)(void *arg, size_t column, uint64_t line);

struct item {
	const struct schema_message *message;
	struct item_element *root;
	uint64_t row_count;
	item_note_fn on_note;
	void *note_arg;

	struct cell_value value;
	struct buf tagged;
};

/* Make it empty. Keeps memory from item to item. */
void item_begin(struct item *item, const struct schema_message *message);
/* Put a row's cells in. INVALID_ARGUMENT: ret_column is the one at fault; the item is then of no
 * further use. */
LYC_MUST_USE enum lyc_status item_add_row(struct item *item, const struct mapping *mapping,
					  const struct sheet_row *row, size_t *ret_column,
					  struct lyc_error *error);
/* Append the message's bytes. */
void item_write(struct item *item, struct buf *to);
void item_fini(struct item *item);

#endif
