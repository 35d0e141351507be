/* JSON into wire bytes: jansson parses, json_encoder.c does the rest. */
#include <string.h>

#include "base/error.h"
#include "schema/json_big.h"

static enum lyc_status refuse_broken(const json_error_t *broken, struct lyc_error *error)
{
	if (json_error_code(broken) == json_error_numeric_overflow)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "line %d, column %d: the number is too large", broken->line,
				 broken->column);
	if (json_error_code(broken) == json_error_out_of_memory)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "there is no memory to read the JSON");
	return error_set(error, LYC_INVALID_ARGUMENT, "line %d, column %d: %s", broken->line,
			 broken->column, broken->text);
}

static json_t *parse(const char *json, size_t len, json_error_t *broken)
{
	return json_loadb(json ? json : "", len,
			  JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, broken);
}

enum lyc_status json_read(const struct schema_message *message, const char *json, size_t len,
			  struct buf *to, struct lyc_error *error)
{
	json_error_t broken;
	struct json_big big = {0};
	enum lyc_status status = LYC_OK;
	json_t *root = parse(json, len, &broken);
	if (!root && json_error_code(&broken) == json_error_numeric_overflow &&
	    json_big_quote(&big, json, len)) {
		root = parse((const char *)big.text.data, big.text.len, &broken);
		if (root)
			status = json_big_mark(&big, root, error);
	}
	if (!root)
		status = refuse_broken(&broken, error);
	struct json_encoder encoder = {
		.error = error,
		.marks = (const struct json_mark *)(const void *)big.marks.data,
		.mark_count = big.marks.len / sizeof(struct json_mark)};
	if (status == LYC_OK)
		status = json_encode(&encoder, message, root, to);
	json_decref(root);
	json_big_fini(&big);
	return status;
}
