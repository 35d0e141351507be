/*
 * From the symbols of a set to the tables of schema.h. compile.c makes the messages,
 * compile_service.c the enums and services, compile_field.c one field; shape.c knows what
 * well-known types must look like and where labels are; check_table.c lays out what check.c needs.
 */
#ifndef LYC_SCHEMA_COMPILE_H
#define LYC_SCHEMA_COMPILE_H

#include <stdatomic.h>

#include "schema/options.h"
#include "schema/schema.h"
#include "schema/set_read.h"

#define SCHEMA_MAX_FIELDS 4096
#define SCHEMA_MAX_KEYS 16
#define SCHEMA_MAX_ARENA ((size_t)64 * 1024 * 1024)

struct schema {
	atomic_uint refs;
	uint64_t id;
	struct span bytes;

	/* Each sorted by full name. */
	struct schema_message *messages;
	size_t message_count;
	struct schema_enum *enums;
	size_t enum_count;
	struct schema_service *services;
	size_t service_count;

	/* Holds all of the above. */
	struct arena arena;
};

struct compiling {
	struct schema *schema;
	struct arena *arena;
	struct arena *scratch;
	struct set set;
	uint64_t pattern_work;
	struct lyc_error *error;
};

/* Fill schema's tables from its bytes. */
LYC_MUST_USE enum lyc_status schema_compile(struct schema *schema, struct lyc_error *error);

/* INVALID_ARGUMENT: "file: scope: sentence". */
enum lyc_status compile_fault(const struct compiling *compiling, const struct set_symbol *symbol,
			      const char *format, ...) LYC_PRINTF(3, 4);

/* One FieldDescriptorProto. `oneofs` are the message's oneof names, `index` its place among the
 * fields as declared. */
struct field_source {
	const struct set_symbol *symbol;
	struct span proto;
	uint32_t index;
	const char *const *oneofs;
	size_t oneof_count;
};
LYC_MUST_USE enum lyc_status compile_field(struct compiling *compiling,
					   const struct field_source *source,
					   struct schema_field *field);

/* An EnumDescriptorProto, a ServiceDescriptorProto: compile_service.c. */
LYC_MUST_USE enum lyc_status compile_enum(struct compiling *compiling,
					  const struct set_symbol *symbol);
LYC_MUST_USE enum lyc_status compile_service(struct compiling *compiling,
					     const struct set_symbol *symbol);

/* Well-known types and map entries have the fields that they must have; sets `known`. */
LYC_MUST_USE enum lyc_status shape_check(struct compiling *compiling);
/* Sets `label` and `has_label_below`. */
LYC_MUST_USE enum lyc_status shape_find_labels(struct compiling *compiling);

#endif
