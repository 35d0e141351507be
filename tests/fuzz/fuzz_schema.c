/* Descriptor sets from strangers: they compile or are refused with a sentence. */
#include "base/ensure.h"
#include "schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct schema *schema = NULL;
	struct lyc_error error = {0};
	enum lyc_status status = schema_new(data, size, &schema, &error);
	ensure(status == LYC_OK ? schema != NULL : !schema && error.text[0] != '\0');
	for (size_t i = 0; schema && i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		ensure(schema_find_message(schema, message->full_name) == message);
		status = schema_check(message, span_of(data, size), true, &error);
		ensure(status == LYC_OK || error.text[0] != '\0');
	}
	schema_unref(schema);
	return 0;
}
