/*
 * A comparison under way: the two versions as sets and as tables, and what was found. diff.c walks
 * files and symbols and reports; the other diff_*.c compare a pair each. Nobody else includes this.
 */
#ifndef LYC_SCHEMA_DIFFER_H
#define LYC_SCHEMA_DIFFER_H

#include "schema/diff.h"
#include "schema/set_read.h"

/* In the order of diff_rules. */
enum diff_rule_id {
	ENUM_SAME_JSON_FORMAT,
	ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED,
	ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED,
	ENUM_VALUE_SAME_NAME,
	FIELD_NO_DELETE_UNLESS_NAME_RESERVED,
	FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED,
	FIELD_SAME_DEFAULT,
	FIELD_SAME_JSON_NAME,
	FIELD_SAME_NAME,
	FIELD_SAME_ONEOF,
	FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY,
	FIELD_WIRE_JSON_COMPATIBLE_TYPE,
	FILE_SAME_PACKAGE,
	MESSAGE_SAME_JSON_FORMAT,
	MESSAGE_SAME_REQUIRED_FIELDS,
	RESERVED_ENUM_NO_DELETE,
	RESERVED_MESSAGE_NO_DELETE,
	RPC_SAME_CLIENT_STREAMING,
	RPC_SAME_IDEMPOTENCY_LEVEL,
	RPC_SAME_REQUEST_TYPE,
	RPC_SAME_RESPONSE_TYPE,
	RPC_SAME_SERVER_STREAMING,
	LYCEUM_ITEMS_NOT_NARROWED,
	LYCEUM_KEY_SAME,
	LYCEUM_LABEL_SAME,
	LYCEUM_LENGTH_NOT_NARROWED,
	LYCEUM_PATTERN_SAME,
	LYCEUM_PERSONAL_NOT_REMOVED,
	LYCEUM_RANGE_NOT_NARROWED,
	LYCEUM_REQUIRED_NOT_ADDED,
	LYCEUM_RPC_APPENDS_NOT_ADDED,
	DIFF_RULE_COUNT,
};

struct differ {
	const struct schema *older;
	const struct schema *newer;
	struct set older_set;
	struct set newer_set;
	struct arena scratch;
	struct diff *diff;
	bool has_failed; /* no memory */
};

/* The same message, enum or service in both versions. */
struct diff_pair {
	const struct set_symbol *older;
	const struct set_symbol *newer;
};

/* Something breaks at `path` of a file; a sentence without a full stop. */
void differ_report(struct differ *differ, enum diff_rule_id rule, const struct set_file *file,
		   const struct set_path *path, const char *format, ...) LYC_PRINTF(5, 6);

void diff_messages(struct differ *differ, const struct diff_pair *pair);
void diff_enums(struct differ *differ, const struct diff_pair *pair);
void diff_services(struct differ *differ, const struct diff_pair *pair);

/* One field that both versions have by number, at `path` of the newer. */
struct diff_field_pair {
	const struct schema_message *message; /* the newer */
	const struct schema_field *older;
	const struct schema_field *newer;
	const struct set_file *file;
	struct set_path path;
};
void diff_fields(struct differ *differ, const struct diff_field_pair *pair);
/* Their (lyceum.v1.*) options. older may be NULL for a field that is new. */
void diff_field_rules(struct differ *differ, const struct diff_field_pair *pair);

/* What a message or enum has reserved: ranges with both ends included, and names. */
struct reserved {
	struct span proto;
	/* The field numbers of ranges and names, and whether a range's end is excluded. */
	uint32_t range_number;
	uint32_t name_number;
	bool is_open_ended;
};
struct reserved reserved_of(const struct set_symbol *symbol);
bool reserved_has_number(const struct reserved *reserved, int64_t number);
bool reserved_has_name(const struct reserved *reserved, const char *name);
/* What the newer version has reserved no longer. */
void diff_reserved(struct differ *differ, const struct diff_pair *pair);

#endif
