/*
 * JSON to bodies and back by a type's name, and calls that take and give JSON. A call on its way
 * holds the schema of its reply, so that types may be loaded anew meanwhile.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "client/type_cache.h"
#include "schema/json_schema.h"
#include "schema/pairs.h"

static enum lyc_status no_memory(struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED, "there is no memory for a message");
}

/* Hand over a buffer as a C string. */
static enum lyc_status give_text(struct buf *text, char **ret_text, struct lyc_error *error)
{
	char *given = buf_text(text);
	if (!given || text->has_failed) {
		buf_fini(text);
		return no_memory(error);
	}
	*ret_text = given;
	return LYC_OK;
}

static enum lyc_status write_body(const struct schema_message *message, const char *json,
				  size_t len, struct buf *to, struct lyc_error *error)
{
	if (!json || len == 0)
		return LYC_OK;
	enum lyc_status status = json_read(message, json, len, to, error);
	return status == LYC_OK && to->has_failed ? no_memory(error) : status;
}

/* ---- Bodies ---- */

enum lyc_status lyc_json_to_body(struct lyc_types *types, const char *type, const char *json,
				 size_t json_len, uint8_t **ret_body, size_t *ret_body_len,
				 struct lyc_error *error)
{
	const struct schema_message *message;
	struct buf body = {0};
	enum lyc_status status = type_cache_message(types, type, &message, error);
	if (status == LYC_OK)
		status = write_body(message, json, json_len, &body, error);
	if (status == LYC_OK && !buf_reserve(&body, 1))
		status = no_memory(error);
	if (status != LYC_OK) {
		buf_fini(&body);
		return status;
	}
	*ret_body = body.data;
	*ret_body_len = body.len;
	return LYC_OK;
}

enum lyc_status lyc_body_to_json(struct lyc_types *types, const char *type, const void *body,
				 size_t body_len, char **ret_json, struct lyc_error *error)
{
	const struct schema_message *message;
	struct buf text = {0};
	struct span bytes = span_of(body, body_len);
	enum lyc_status status = type_cache_message(types, type, &message, error);
	/* Whoever hands it in may not have it from a daemon. */
	if (status == LYC_OK)
		status = schema_check(message, bytes, false, error);
	if (status == LYC_OK)
		status = json_write(message, bytes, NULL, &text, error);
	if (status == LYC_OK)
		return give_text(&text, ret_json, error);
	buf_fini(&text);
	return status;
}

enum lyc_status lyc_pairs_to_json(struct lyc_types *types, const char *type,
				  const struct lyc_pair *pairs, size_t pair_count, char **ret_json,
				  struct lyc_error *error)
{
	const struct schema_message *message;
	enum lyc_status status = type_cache_message(types, type, &message, error);
	return status == LYC_OK ? pairs_write_json(message, pairs, pair_count, ret_json, error)
				: status;
}

enum lyc_status lyc_body_text(struct lyc_types *types, const char *type, const void *body,
			      size_t body_len, const char *field, const uint8_t **ret_text,
			      size_t *ret_text_len, struct lyc_error *error)
{
	const struct schema_message *message;
	enum lyc_status status = type_cache_message(types, type, &message, error);
	if (status != LYC_OK)
		return status;
	const struct schema_field *wanted = schema_field_by_name(message, field, strlen(field));
	if (!wanted || wanted->is_repeated ||
	    (wanted->type != SCHEMA_STRING && wanted->type != SCHEMA_BYTES))
		return error_set_field(error, LYC_INVALID_ARGUMENT, field,
				       "%s has no text field '%s'", type, field);
	struct pb_reader reader = pb_reader_of(span_of(body, body_len));
	struct pb_field found;
	struct span text = {0};
	while (pb_read_field(&reader, &found)) {
		if (found.number == wanted->number && found.wire == PB_LEN)
			text = found.bytes;
	}
	if (reader.has_failed)
		return error_set(error, LYC_INVALID_ARGUMENT, "the body of %s is malformed", type);
	*ret_text = text.data;
	*ret_text_len = text.len;
	return LYC_OK;
}

/* ---- JSON Schemas ---- */

enum lyc_status lyc_types_json_schema(struct lyc_types *types, const char *const *names,
				      size_t name_count, const char *ref_prefix, char **ret_json,
				      struct lyc_error *error)
{
	const struct schema_message **messages = mem_try((name_count + 1) * sizeof(*messages));
	struct buf text = {0};
	enum lyc_status status = messages ? LYC_OK : no_memory(error);
	/* All are known before the first is kept: a fetch may move what was found before. */
	for (size_t i = 0; status == LYC_OK && i < name_count; i++)
		status = type_cache_message(types, names[i], &messages[i], error);
	for (size_t i = 0; status == LYC_OK && i < name_count; i++)
		status = type_cache_message(types, names[i], &messages[i], error);
	if (status == LYC_OK)
		status = json_schema_write(messages, name_count, ref_prefix, &text, error);
	free(messages);
	if (status == LYC_OK)
		return give_text(&text, ret_json, error);
	buf_fini(&text);
	return status;
}

/* ---- Calls ---- */

/* The daemon may have checked it by another schema than the one that is held here. */
static enum lyc_status write_reply(const struct schema_message *output, struct span body,
				   struct buf *to, struct lyc_error *error)
{
	if (schema_check(output, body, false, error) != LYC_OK) {
		char text[sizeof(error->text)];
		memcpy(text, error->text, sizeof(text));
		return error_set(error, LYC_INTERNAL, "the reply is not a %s: %.200s",
				 output->full_name, text);
	}
	return json_write(output, body, NULL, to, error);
}

enum lyc_status lyc_json_call(struct lyc_types *types, const char *method, const char *json,
			      const struct lyc_call_options *options, char **ret_json,
			      struct lyc_error *error)
{
	const struct schema_method *found;
	struct schema *schema = NULL;
	struct buf request = {0};
	struct buf text = {0};
	uint8_t *body = NULL;
	size_t len = 0;
	enum lyc_status status = type_cache_method(types, method, &found, error);
	if (status != LYC_OK)
		return status;
	/* While this waits, a load may end. */
	schema = schema_ref((struct schema *)(uintptr_t)found->output->schema);
	const struct schema_message *output = found->output;
	status = write_body(found->input, json, json ? strlen(json) : 0, &request, error);
	if (status == LYC_OK)
		status = lyc_client_call(types->client, method, request.data, request.len, options,
					 &body, &len, error);
	if (status == LYC_OK)
		status = write_reply(output, span_of(body, len), &text, error);
	if (status == LYC_OK)
		status = give_text(&text, ret_json, error);
	else
		buf_fini(&text);
	free(body);
	buf_fini(&request);
	schema_unref(schema);
	return status;
}

struct json_call {
	struct schema *schema;
	const struct schema_method *method;
	lyc_json_reply_fn on_reply;
	void *arg;
};

static void on_reply(const struct lyc_reply *reply, void *arg)
{
	struct json_call *call = arg;
	struct lyc_reply told = *reply;
	struct lyc_error error = {0};
	struct buf text = {0};
	char *json = NULL;
	bool is_end = call->method->is_server_streaming && !reply->more && reply->body_len == 0;
	if (reply->status == LYC_OK && !is_end) {
		enum lyc_status status = write_reply(
			call->method->output, span_of(reply->body, reply->body_len), &text, &error);
		json = status == LYC_OK ? buf_text(&text) : NULL;
		if (!json) {
			told.status = status == LYC_OK ? LYC_RESOURCE_EXHAUSTED : LYC_INTERNAL;
			told.text =
				status == LYC_OK ? "there is no memory for a reply" : error.text;
		}
	}
	bool is_last = !reply->more;
	call->on_reply(&told, json, call->arg);
	buf_fini(&text);
	if (is_last) {
		schema_unref(call->schema);
		free(call);
	}
}

enum lyc_status lyc_json_call_start(struct lyc_types *types, const char *method, const char *json,
				    size_t json_len, const struct lyc_call_options *options,
				    lyc_json_reply_fn on_json, void *arg, uint64_t *ret_id,
				    struct lyc_error *error)
{
	const struct schema_method *found;
	struct buf request = {0};
	enum lyc_status status = type_cache_method(types, method, &found, error);
	if (status != LYC_OK)
		return status;
	struct json_call *call = mem_try(sizeof(*call));
	if (!call)
		return no_memory(error);
	status = write_body(found->input, json, json_len, &request, error);
	if (status == LYC_OK) {
		*call = (struct json_call){
			.schema = schema_ref((struct schema *)(uintptr_t)found->output->schema),
			.method = found,
			.on_reply = on_json,
			.arg = arg,
		};
		status = lyc_client_call_start(types->client, method, request.data, request.len,
					       options, on_reply, call, ret_id);
		if (status != LYC_OK) {
			schema_unref(call->schema);
			error_set(error, status,
				  status == LYC_INVALID_ARGUMENT
					  ? "the request is larger than the daemon takes"
				  : status == LYC_UNAVAILABLE
					  ? "the daemon cannot be reached"
					  : "too many calls are on their way; try again later");
		}
	}
	buf_fini(&request);
	if (status != LYC_OK)
		free(call);
	return status;
}
