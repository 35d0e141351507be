/*
 * The (lyceum.v1.*) options of fields and methods, read from the serialised options by the numbers
 * of proto/lyceum/v1/options.proto.
 */
#ifndef LYC_SCHEMA_OPTIONS_H
#define LYC_SCHEMA_OPTIONS_H

#include "schema/arena.h"
#include "schema/rules.h"
#include "schema/schema.h"

struct field_options {
	bool has_packed;
	bool is_packed;
	bool has_rules;
	struct schema_rules rules;
	uint32_t key;
	bool is_personal;
	uint32_t cli_positional;
	const char *cli_flag; /* NULL when not said */
	const char *const *headers;
	size_t header_count;
};

/* Read a serialised FieldOptions; the pattern is left as text. Texts come from `arena`. */
LYC_MUST_USE enum lyc_status field_options_read(struct span bytes, struct arena *arena,
						struct field_options *ret_options,
						struct lyc_error *error);
/* Read a serialised MethodOptions into the method's command, appends and web. */
LYC_MUST_USE enum lyc_status method_options_read(struct span bytes, struct arena *arena,
						 struct schema_method *method,
						 struct lyc_error *error);
/* Read a serialised ServiceOptions: ret_noun is NULL when not said. */
LYC_MUST_USE enum lyc_status service_options_read(struct span bytes, struct arena *arena,
						  const char **ret_noun, struct lyc_error *error);

#endif
