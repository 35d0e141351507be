/*
 * What the wire check reads in its inner loop: one small entry per field, found by its number, and
 * per message the bits that must be set at its end. Made by check_table.c, used by check.c.
 */
#ifndef LYC_SCHEMA_CHECK_H
#define LYC_SCHEMA_CHECK_H

#include "schema/arena.h"
#include "schema/rules.h"
#include "schema/schema.h"

#define CHECK_NONE 0xffffu
/* Tags that are never met: the first where the number is small, the other where it is not 0. */
#define CHECK_NO_TAG UINT32_MAX
#define CHECK_NO_TAG_BUT_ZERO 0
/* Fields with min_items or max_items in one message. */
#define CHECK_MAX_COUNTED 64
#define CHECK_MAX_WORDS 128

enum check_kind {
	CHECK_UNKNOWN = 0, /* no such field */
	CHECK_VARINT,
	CHECK_CLOSED_ENUM,
	CHECK_FIXED64,
	CHECK_FIXED32,
	CHECK_STRING,
	CHECK_BYTES,
	CHECK_MESSAGE,
	CHECK_GROUP, /* refused */
};

/* 64 bytes: a cache line. */
struct check_field {
	/* How one value begins: number and wire type. CHECK_NO_TAG where nothing is expected: a
	 * number that is not used, a group. */
	uint32_t tag;
	uint8_t kind;
	bool is_repeated;
	/* No presence of its own: a zero value counts as absent. */
	bool is_implicit;
	/* There are rules beyond min_len and max_len: a pattern, a range, a number that is
	 * required. */
	bool has_more_rules;

	/* Of the message's first 64 bits: those that must not be set yet, those that the field
	 * sets. Both 0 where is_wide. */
	uint64_t once;
	uint64_t set;
	/* Its bit, its oneof's bit and its counter; CHECK_NONE where there is none. */
	uint16_t slot;
	uint16_t oneof_slot;
	uint16_t counter;
	/* One of its bits is beyond the first 64. */
	bool is_wide;
	/* It is repeated or wide: there is more to do than to set a bit. */
	bool has_more;

	/* Of the rules; max_len is UINT32_MAX when there is no bound. */
	uint32_t min_len;
	uint32_t max_len;
	const struct schema_rules *rules;
	const struct schema_field *field;
	/* MESSAGE: the submessage, whose table is made later. */
	const struct schema_message *message;
};

struct check_table {
	/* By number, below dense_count. */
	const struct check_field *dense;
	uint32_t dense_count;
	/* The rest, ascending. */
	const struct check_field *sparse;
	size_t sparse_count;

	/* Bits: one per field, then one per oneof. */
	size_t word_count;
	/* Those that have to be set at the end: by proto2, and by proto2 or a rule. NULL: none. */
	const uint64_t *required;
	const uint64_t *required_by_rule;
	/* The fields whose elements are counted. */
	const struct check_field *const *counted;
	size_t counted_count;
};

/* Make message->check. INVALID_ARGUMENT when too many fields have bounds on their items. */
LYC_MUST_USE enum lyc_status check_table_new(struct schema_message *message, struct arena *arena,
					     struct lyc_error *error);

/* The entry of a number that is not below dense_count; NULL when unknown. */
const struct check_field *check_find_sparse(const struct check_table *table, uint32_t number);

#endif
