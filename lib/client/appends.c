/*
 * A plugin's records: packed, given their subject by the plugin's own schema, appended and
 * withdrawn. And what a plugin has said it publishes and reads, held against what it does; the
 * daemon holds it against the appends once more.
 */
#include <string.h>

#include "base/error.h"
#include "client/context.h"
#include "wire/subject.h"

static enum lyc_status pack(const ProtobufCMessage *message, struct buf *to)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	if (len > WIRE_MAX_BODY)
		return LYC_OUT_OF_RANGE;
	if (!buf_reserve(to, len + 1))
		return LYC_RESOURCE_EXHAUSTED;
	to->len = protobuf_c_message_pack(message, to->data);
	return LYC_OK;
}

/* "lyceum.guestbook.v1.Signature.wales.ann": the type and the key tokens of its body. */
static enum lyc_status write_subject(const struct lyc_plugin_context *context, const char *type,
				     struct span body, struct buf *to, struct lyc_error *error)
{
	const struct schema_message *message = schema_find_message(context->image.schema, type);
	if (!message)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the plugin's schema does not define the type %s", type);
	buf_add_text(to, type);
	if (message->key_count == 0)
		return LYC_OK;
	buf_add_byte(to, '.');
	return schema_key(message, body, to, error);
}

static bool is_listed(const char *const *patterns, struct span inner)
{
	for (; patterns && *patterns; patterns++) {
		if (subject_pattern_covers(span_of(*patterns, strlen(*patterns)), inner))
			return true;
	}
	return false;
}

static enum lyc_status refuse(struct lyc_plugin_context *context, const char *list,
			      struct span what, struct lyc_error *error)
{
	struct lyc_error reason;
	enum lyc_status status = error_set(
		&reason, LYC_PERMISSION_DENIED,
		"the plugin's descriptor has nothing in `%s` that covers %.*s: add it there", list,
		(int)(what.len < 150 ? what.len : 150), (const char *)what.data);
	lyc_log(context, 1, "%s", reason.text);
	return error_set(error, status, "%s", reason.text);
}

enum lyc_status context_check_publish(struct lyc_client *client,
				      const struct packet_publish *publish, void *arg,
				      struct lyc_error *error)
{
	(void)client;
	struct lyc_plugin_context *context = arg;
	struct buf type = {0};
	struct buf whole = {0};
	enum lyc_status status = LYC_OK;
	struct span subject = publish->subject;
	buf_add(&type, subject.data, subject.len);
	const char *name = buf_text(&type);
	/* The type alone: the daemon adds the key tokens, so they count. */
	if (name && !publish->remove && schema_find_message(context->image.schema, name)) {
		status = write_subject(context, name, publish->body, &whole, error);
		subject = span_of(whole.data, whole.len);
	}
	if (!name || whole.has_failed)
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory for a subject");
	if (status == LYC_OK && !is_listed(context->image.plugin->publishes, subject))
		status = refuse(context, "publishes", subject, error);
	buf_fini(&type);
	buf_fini(&whole);
	return status;
}

enum lyc_status context_check_subscribe(struct lyc_client *client, struct span pattern, void *arg,
					struct lyc_error *error)
{
	(void)client;
	struct lyc_plugin_context *context = arg;
	return is_listed(context->image.plugin->reads, pattern)
		       ? LYC_OK
		       : refuse(context, "reads", pattern, error);
}

enum lyc_status lyc_append(struct lyc_plugin_context *context, const ProtobufCMessage *message,
			   const struct lyc_publish_options *options, lyc_ack_fn on_done, void *arg)
{
	struct lyc_publish_options durable = options ? *options : (struct lyc_publish_options){0};
	struct buf body = {0};
	durable.durable = true;
	enum lyc_status status = pack(message, &body);
	if (status == LYC_OK)
		status = lyc_client_publish_start(context->client, message->descriptor->name,
						  body.data, body.len, &durable, on_done, arg);
	buf_fini(&body);
	return status;
}

enum lyc_status context_subject(const struct lyc_plugin_context *context,
				const ProtobufCMessage *with_keys, struct buf *to,
				struct lyc_error *error)
{
	struct buf body = {0};
	enum lyc_status status = pack(with_keys, &body);
	if (status == LYC_OK)
		status = write_subject(context, with_keys->descriptor->name,
				       span_of(body.data, body.len), to, error);
	buf_fini(&body);
	return status;
}

enum lyc_status lyc_withdraw(struct lyc_plugin_context *context, const ProtobufCMessage *with_keys,
			     const struct lyc_publish_options *options, lyc_ack_fn on_done,
			     void *arg)
{
	struct lyc_publish_options removing = options ? *options : (struct lyc_publish_options){0};
	struct lyc_error error = {0};
	struct buf subject = {0};
	removing.durable = true;
	removing.remove = true;
	enum lyc_status status = context_subject(context, with_keys, &subject, &error);
	if (status != LYC_OK)
		lyc_log(context, 1, "a %s cannot be withdrawn: %s", with_keys->descriptor->name,
			error.text);
	const char *text = status == LYC_OK ? buf_text(&subject) : NULL;
	if (status == LYC_OK && !text)
		status = LYC_RESOURCE_EXHAUSTED;
	if (status == LYC_OK)
		status = lyc_client_publish_start(context->client, text, NULL, 0, &removing,
						  on_done, arg);
	buf_fini(&subject);
	return status;
}
