/* What every plugin should stand, whatever it does. */
#include "kit/kit.h"

#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "client/plugin_load.h"
#include "schema/diff.h"

/* No message has a field of this number. */
#define UNKNOWN_FIELD 536870000

static enum lyc_status check_comments(const struct lyc_plugin *plugin, const struct schema *schema,
				      struct lyc_error *error)
{
	for (ProtobufCService *const *at = plugin->services; *at; at++) {
		const struct schema_service *service =
			schema_find_service(schema, (*at)->descriptor->name);
		for (size_t i = 0; i < service->method_count; i++) {
			if (!service->methods[i].comment[0])
				return error_set(error, LYC_FAILED_PRECONDITION,
						 "The method %s has no comment: it is its help.",
						 service->methods[i].full_name);
		}
	}
	return LYC_OK;
}

static enum lyc_status check_older(const struct schema *schema, const void *older_set, size_t len,
				   struct lyc_error *error)
{
	struct schema *older = NULL;
	struct diff diff = {0};
	struct buf text = {0};
	enum lyc_status status = schema_new(older_set, len, &older, error);
	if (status == LYC_OK)
		status = diff_new(older, schema, NULL, &diff, error);
	if (status == LYC_OK && diff.count > 0) {
		diff_write(&diff.breaks[0], &text);
		status = error_set(error, LYC_FAILED_PRECONDITION, "%s%s", buf_text(&text),
				   diff.count > 1 ? " and more" : "");
	}
	buf_fini(&text);
	diff_fini(&diff);
	schema_unref(older);
	return status;
}

/* Each method, with a request of which it knows nothing. */
static enum lyc_status check_unknown(struct lyc_test *test, struct lyc_error *error)
{
	struct fake_node *node = test->regions[0];
	struct buf body = {0};
	pb_write_text(&body, UNKNOWN_FIELD, "from a later version");
	enum lyc_status status = LYC_OK;
	for (ProtobufCService *const *at = test->plugin->services; *at; at++) {
		const ProtobufCServiceDescriptor *service = (*at)->descriptor;
		for (unsigned i = 0; i < service->n_methods && status == LYC_OK; i++) {
			struct buf method = {0};
			struct fake_client *client = kit_client(node, "operator");
			buf_add_format(&method, "%s/%s", service->name, service->methods[i].name);
			struct packet packet = {.kind = PACKET_CALL,
						.call = {.id = 1,
							 .method = fake_text(buf_text(&method)),
							 .timeout_ms = 2000,
							 .body = span_of(body.data, body.len)}};
			fake_send(client, &packet);
			const struct packet *reply = kit_next(test, client);
			while (reply && (reply->kind != PACKET_REPLY || reply->reply.more))
				reply = kit_next(test, client);
			const struct plugin *plugin =
				host_find(&node->daemon.host, test->plugin->name);
			if (!reply || reply->reply.status == LYC_INTERNAL || plugin->restarts > 0 ||
			    plugin->state != PLUGIN_RUNNING)
				status = error_set(
					error, LYC_INTERNAL,
					"%s does not outlive a request with an unknown field: %.*s",
					buf_text(&method), reply ? (int)reply->reply.text.len : 9,
					reply && reply->reply.text.len
						? (const char *)reply->reply.text.data
						: "no answer");
			fake_client_free(client);
			buf_fini(&method);
		}
	}
	buf_fini(&body);
	return status;
}

static enum lyc_status check_life(const struct lyc_plugin *plugin,
				  const struct lyc_test_options *options, struct lyc_error *error)
{
	struct lyc_test *test = lyc_test_new(plugin, options, error);
	if (!test)
		return error->status;
	enum lyc_status status = check_unknown(test, error);
	if (status == LYC_OK)
		lyc_test_restart(test, NULL);
	lyc_test_free(test);
	return status;
}

enum lyc_status lyc_test_check(const struct lyc_plugin *plugin,
			       const struct lyc_test_options *options, const void *older_schema,
			       size_t older_schema_len, struct lyc_error *error)
{
	struct plugin_image image = {0};
	struct lyc_error reason = {0};
	if (error)
		*error = (struct lyc_error){0};
	enum lyc_status status =
		plugin_take(plugin, plugin->name ? plugin->name : "", &image, &reason);
	if (status == LYC_OK)
		status = check_comments(plugin, image.schema, &reason);
	if (status == LYC_OK && older_schema)
		status = check_older(image.schema, older_schema, older_schema_len, &reason);
	if (status == LYC_OK)
		status = check_life(plugin, options, &reason);
	plugin_image_fini(&image);
	if (status != LYC_OK)
		kit_fail(NULL, error, status, reason.field, "%s", reason.text);
	return status;
}
