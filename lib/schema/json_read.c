/* JSON into wire bytes: jansson parses, json_encoder.c does the rest. */
#include <string.h>

#include "base/error.h"
#include "schema/json_encoder.h"

static enum lyc_status refuse_broken(const json_error_t *broken, struct lyc_error *error)
{
	if (json_error_code(broken) == json_error_numeric_overflow)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "line %d, column %d: the number is too large for JSON here; write "
				 "it as a string, like \"18446744073709551615\"",
				 broken->line, broken->column);
	if (json_error_code(broken) == json_error_out_of_memory)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "there is no memory to read the JSON");
	return error_set(error, LYC_INVALID_ARGUMENT, "line %d, column %d: %s", broken->line,
			 broken->column, broken->text);
}

enum lyc_status json_read(const struct schema_message *message, const char *json, size_t len,
			  struct buf *to, struct lyc_error *error)
{
	json_error_t broken;
	json_t *root =
		json_loadb(json ? json : "", len,
			   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &broken);
	if (!root)
		return refuse_broken(&broken, error);
	struct json_encoder encoder = {.error = error};
	enum lyc_status status = json_encode(&encoder, message, root, to);
	json_decref(root);
	return status;
}
