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

/* Of one message that are told apart; what only later ones have counts as unknown. */
#define TYPE_VERSIONS_MAX 32
#define TYPE_HASH_BITS 16384

struct type_entry {
	char *name;
	const struct schema_message *message;
	/* Every version that was taken in, the newest last; those of one package version once. */
	const struct schema_message **versions;
	size_t version_count;
	/* A plugin of this daemon brought it: what others say of the name gives way to that. */
	bool is_own;
	/* A record of it is or was in the log. */
	bool has_records;
	uint64_t first_seq; /* of the first that was noted */
	UT_hash_handle by_name;
};

struct service_entry; /* route/service.h */

struct method_entry {
	char *name; /* "package.Service/Method" */
	const struct schema_method *method;
	const struct schema_service *service;
	/* The service is this daemon's own. */
	bool is_builtin;
	bool is_own;
	/* Who offers it, as services_of_method last found it. */
	struct service_entry *found;
	uint64_t found_at_change;
	UT_hash_handle by_name;
};

/* What the last subject was found to be. */
struct types_recent {
	struct type_entry *entry; /* NULL: nothing */
	/* No other name begins with this one and a dot: it is the type of every subject that does.
	 */
	bool is_longest;
	size_t name_len;
	size_t subject_len;
	uint8_t subject[200];
};

struct types {
	struct schema **schemas; /* in the order in which they came */
	size_t schema_count;
	/* Those of them that are held for their records only. */
	uint64_t *aside;
	size_t aside_count;
	/* Some type with labels has several versions. */
	bool has_labelled_versions;
	/* Of the record that is being taken. */
	uint64_t seq;
	/* Of the messages' table, which types.c alone looks into: its seed, and a bit for what its
	 * names' hashes end with. */
	uint64_t hash_seed;
	uint64_t hash_bits[TYPE_HASH_BITS / 64];
	/* The same, for the fronts of the names. */
	uint64_t front_bits[TYPE_HASH_BITS / 64];
	struct types_recent *recent;
	struct type_entry *messages;
	struct method_entry *methods;
};

void types_init(struct types *types);
void types_fini(struct types *types);

/* Take a reference on the schema unless the same set is held already. Its types become the ones of
 * their names, package by package: where records of a package are held, only by a version that
 * breaks nothing (schema/diff.h); an earlier version leaves the package as it is. What a plugin of
 * this daemon brings, is_own, stands before what others say. FAILED_PRECONDITION says what breaks:
 * an own set is then not taken, another's is held by its number only, for the records that were
 * written with it. RESOURCE_EXHAUSTED beyond 4,096 schemas. */
enum lyc_status types_add(struct types *types, struct schema *schema, bool is_own,
			  struct lyc_error *error);
/* Of the packages whose services somebody wants to run here, a version that breaks records is
 * refused even where it may be an earlier one: FAILED_PRECONDITION. */
enum lyc_status types_check_services(const struct types *types, const struct schema *schema,
				     const struct span *services, size_t count,
				     struct lyc_error *error);
/* A record of this subject is in the log: from now on its package is kept from breaking. False when
 * its type is not known. */
bool types_note_record(struct types *types, struct span subject);
const struct schema *types_schema(const struct types *types, uint64_t id);
/* The type of a record, as the schema that it was written with has it. NULL when that one is not
 * held: nobody can say then which of its parts are labelled. With 0, and of the daemons' own types,
 * it is the one that is known now. */
const struct schema_message *types_of_record(const struct types *types, struct span subject,
					     uint64_t schema, size_t *ret_name_len);
/* The same, and where that one is not held what is known now: for cutting and searching only, where
 * less than all is known, and never for showing. */
const struct schema_message *types_nearest(const struct types *types, struct span subject,
					   uint64_t schema, size_t *ret_name_len);
bool types_holds_schema(const struct types *types, struct span subject, uint64_t schema);
/* Every version of a message that was taken in, in the order in which they came; of struct types,
 * for label_cut. None where they cannot differ in a label. */
const struct schema_message *const *
types_versions_of(const void *types, const struct schema_message *message, size_t *ret_count);
/* NULL when unknown. */
const struct schema_message *types_message(const struct types *types, struct span full_name);
struct method_entry *types_method(const struct types *types, struct span full_name);
/* The type at the front of a subject: the longest full name of a known message that its first
 * tokens make. ret_name_len is its length. */
const struct schema_message *types_of_subject(const struct types *types, struct span subject,
					      size_t *ret_name_len);
/* Of type_versions.c: how many versions of a package are known; with one or more, ret_source is the
 * file that defines it without its folders, or the package's name where there are several files. */
size_t types_versions(const struct types *types, const char *package, const char **ret_source);
/* The schema that defines a message, enum, service or method; NULL. */
const struct schema *types_defining(const struct types *types, const char *full_name);

#endif
