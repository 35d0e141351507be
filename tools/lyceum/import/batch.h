/*
 * Items on their way: collected into requests of at most 256 items and 900 KiB, sent, and answered
 * one by one. A request that is refused as a whole is sent again in halves, so that one bad item
 * does not keep the others out.
 */
#ifndef LYC_IMPORT_BATCH_H
#define LYC_IMPORT_BATCH_H

#include <lyceum/status.h>

#include "base/buf.h"
#include "import/import.h"
#include "schema/schema.h"

#define BATCH_MAX_ITEMS 256
#define BATCH_MAX_BODY ((size_t)900 * 1024)

/* What became of an item. Valid until the callback returns. */
struct batch_result {
	enum lyc_status status;
	struct span text;
	struct span field;
	/* The name of the change, "ADDED"; NULL when none was said. */
	const struct schema_enum *changes;
	const char *change;
};

typedef enum lyc_status (*batch_result_fn)(void *arg, size_t tag, const struct batch_result *result,
					   struct lyc_error *error);

struct batch {
	const struct import_sink *sink;
	const struct schema_field *items;
	/* The reply's `results` and what they hold. */
	const struct schema_field *results;
	batch_result_fn on_result;
	void *arg;
	/* What every request carries besides the items. */
	struct buf prefix;

	struct buf bytes;
	size_t starts[BATCH_MAX_ITEMS + 1];
	size_t tags[BATCH_MAX_ITEMS];
	size_t count;
	size_t sent_count;
};

/* INVALID_ARGUMENT when the method is not made for an import. Borrows sink. */
LYC_MUST_USE enum lyc_status batch_init(struct batch *batch, const struct import_sink *sink,
					const struct schema_method *method,
					batch_result_fn on_result, void *arg,
					struct lyc_error *error);
/* Add an item; sends when there is no more room. INVALID_ARGUMENT: the item is too large for any
 * request and was not taken. Any other failure ends the import. */
LYC_MUST_USE enum lyc_status batch_add(struct batch *batch, struct span item, size_t tag,
				       struct lyc_error *error);
LYC_MUST_USE enum lyc_status batch_flush(struct batch *batch, struct lyc_error *error);
void batch_fini(struct batch *batch);

#endif
