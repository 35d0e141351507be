/*
 * Where the wire check stands, and what it says when something is wrong. The check only keeps
 * pointers; paths and indexes are worked out here, once a fault is found.
 */
#ifndef LYC_SCHEMA_FAULT_H
#define LYC_SCHEMA_FAULT_H

#include "schema/schema.h"

/* Keeps what is never called for a good body out of its way. */
#define FAULT_COLD __attribute__((cold, noinline))

/* One message on the way down; lives on the stack of its check. */
struct fault_frame {
	const struct fault_frame *parent;
	const struct schema_message *message;
	struct span body;
	/* The field at hand, which the schema knows: its tag, and in a packed run the elements
	 * before. */
	const uint8_t *at;
	size_t packed_before;
	int depth;
};

/* What the fault is about. */
enum fault_scope {
	FAULT_MESSAGE, /* the message itself */
	FAULT_FIELD,   /* the field as a whole: no index */
	FAULT_ELEMENT, /* one element of it, where it is repeated */
};

/* Fill error (may be NULL): the path in error->field, "path: sentence" in error->text. Always
 * false, so that a check ends with it. */
bool fault_at(const struct fault_frame *frame, enum fault_scope scope, struct lyc_error *error,
	      const char *format, ...) LYC_PRINTF(4, 5) FAULT_COLD;
/* For a field that is not the one at hand: one that is missing. */
bool fault_of(const struct fault_frame *frame, const struct schema_field *field,
	      struct lyc_error *error, const char *format, ...) LYC_PRINTF(4, 5) FAULT_COLD;

#endif
