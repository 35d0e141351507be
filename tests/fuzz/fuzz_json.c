/* Any bytes as JSON, and as a body to write as JSON. What is read passes the check, and what is
 * written and can be read back is written the same again. */
#include <stdlib.h>

#include "../unit/schema/text_types.h"

#include "base/ensure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct schema *schema;
	if (!schema)
		schema = text_types_schema(TEXT_TYPES_SET);
	const struct schema_message *message =
		schema_find_message(schema, "lyceum.texttest.v1.Everything");
	struct buf wire = {0};
	struct buf json = {0};
	struct buf again = {0};
	struct buf second = {0};
	struct lyc_error error;
	enum lyc_status status = json_read(message, (const char *)data, len, &wire, &error);
	if (status)
		buf_add(&wire, data, len);
	else
		ensure(!schema_check(message, span_of(wire.data, wire.len), false, &error));
	bool is_good = !schema_check(message, span_of(wire.data, wire.len), false, &error);
	status = json_write(message, span_of(wire.data, wire.len), NULL, &json, &error);
	if (is_good && !status)
		status = json_read(message, (const char *)json.data, json.len, &again, &error);
	if (is_good && !status) {
		ensure(!json_write(message, span_of(again.data, again.len), NULL, &second, &error));
		ensure(span_equal(span_of(json.data, json.len), span_of(second.data, second.len)));
	}
	buf_fini(&wire);
	buf_fini(&json);
	buf_fini(&again);
	buf_fini(&second);
	return 0;
}
