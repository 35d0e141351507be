/*
 * The types that this daemon knows: every schema that it has accepted, and for each full name the
 * newest that defines it. Schemas are never dropped while the daemon runs.
 */
#ifndef LYC_ROUTE_TYPES_H
#define LYC_ROUTE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "schema/schema.h"

struct type_entry {
	char *name;
	const struct schema_message *message;
	/* A plugin of this daemon brought it: what others say of the name gives way to that. */
	bool is_own;
	UT_hash_handle by_name;
};

struct method_entry {
	char *name; /* "package.Service/Method" */
	const struct schema_method *method;
	const struct schema_service *service;
	/* The service is this daemon's own. */
	bool is_builtin;
	bool is_own;
	UT_hash_handle by_name;
};

struct types {
	struct schema **schemas; /* in the order in which they came */
	size_t schema_count;
	struct type_entry *messages;
	struct method_entry *methods;
};

void types_init(struct types *types);
void types_fini(struct types *types);

/* Take a reference on the schema unless the same set is held already. Its types become the ones of
 * their names only where they agree with those that are known: same label, same keys, same fields
 * where both have the number. FAILED_PRECONDITION names the first that does not; the set is then
 * held by its number only (what a plugin of this daemon brings, is_own, stands before what others
 * say), for the records that were written with it. RESOURCE_EXHAUSTED beyond 4,096 schemas. */
enum lyc_status types_add(struct types *types, struct schema *schema, bool is_own,
			  struct lyc_error *error);
const struct schema *types_schema(const struct types *types, uint64_t id);
/* The type of a record: as the schema that it was written with has it, else as it is known now. */
const struct schema_message *types_of_record(const struct types *types, struct span subject,
					     uint64_t schema, size_t *ret_name_len);
/* NULL when unknown. */
const struct schema_message *types_message(const struct types *types, struct span full_name);
struct method_entry *types_method(const struct types *types, struct span full_name);
/* The type at the front of a subject: the longest full name of a known message that its first
 * tokens make. ret_name_len is its length. */
const struct schema_message *types_of_subject(const struct types *types, struct span subject,
					      size_t *ret_name_len);
/* The schema that defines a message, enum, service or method; NULL. */
const struct schema *types_defining(const struct types *types, const char *full_name);

#endif
