/* Bodies of the core schema: the first byte chooses the message, the rest is the body. What passes
 * the check must be a body that keys, labels and the cut understand. */
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "schema/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct schema *schema;
	if (!schema && core_schema_get(&schema) != LYC_OK)
		abort();
	if (size == 0)
		return 0;
	const struct schema_message *message =
		schema_message_at(schema, data[0] % schema_message_count(schema));
	struct span body = span_of(data + 1, size - 1);
	static const struct readers readers = {.node = "nhsa", .person = ""};
	struct lyc_error error = {0};
	struct buf to = {0};
	size_t cut_count = 0;
	bool is_good = schema_check(message, body, true, &error) == LYC_OK;
	ensure(is_good || error.text[0] != '\0');
	ensure(!is_good || schema_check(message, body, false, NULL) == LYC_OK);
	enum lyc_status status = schema_key(message, body, &to, &error);
	ensure(status == LYC_OK || to.len == 0);
	buf_clear(&to);
	status = label_cut(message, NULL, body, "hub", &readers, &to, &cut_count);
	if (status == LYC_OK && cut_count == 0)
		ensure(span_equal(body, span_of(to.data, to.len)));
	if (status == LYC_OK && is_good)
		ensure(schema_check(message, span_of(to.data, to.len), false, &error) == LYC_OK);
	buf_fini(&to);
	return 0;
}
