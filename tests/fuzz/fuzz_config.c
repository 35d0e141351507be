/* Any bytes as the YAML of a configuration. What is read passes the check; every refusal names its
 * line. */
#include <string.h>

#include "base/ensure.h"
#include "schema/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct schema *schema;
	if (!schema)
		ensure(!core_schema_get(&schema));
	const struct schema_message *message = schema_find_message(schema, "lyceum.v1.Config");
	struct buf wire = {0};
	struct lyc_error error = {0};
	enum lyc_status status = yaml_read(message, (const char *)data, len, &wire, &error);
	if (status)
		ensure(strncmp(error.text, "line ", 5) == 0);
	else
		ensure(!schema_check(message, span_of(wire.data, wire.len), false, &error));
	buf_fini(&wire);
	return 0;
}
