/* Any bytes as a FileDescriptorSet: what compiles can be described, and its empty messages written
 * as JSON. */
#include "base/ensure.h"
#include "schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct json_options all = {.with_defaults = true};
	struct schema *schema = NULL;
	struct buf out = {0};
	struct lyc_error error;
	if (schema_new(data, len, &schema, &error))
		return 0;
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		buf_clear(&out);
		ensure(!describe_write(schema, message->full_name, i % 2, &out));
		/* Not every type has JSON for nothing: a map's value may be of a type without. */
		buf_clear(&out);
		if (json_write(message, span_of("", 0), &all, &out, &error))
			ensure(out.len == 0);
	}
	for (size_t i = 0; i < schema_service_count(schema); i++) {
		buf_clear(&out);
		ensure(!describe_write(schema, schema_service_at(schema, i)->full_name, i % 2,
				       &out));
	}
	buf_fini(&out);
	schema_unref(schema);
	return 0;
}
