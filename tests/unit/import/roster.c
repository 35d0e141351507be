/* Loads the tests' schema from the descriptor set that the build made. */
#include "roster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

struct schema *roster_load(void)
{
	struct lyc_error error = {0};
	struct schema *schema = NULL;
	FILE *file = fopen(ROSTER_SET, "rb");
	assert_non_null(file);
	struct buf bytes = {0};
	char part[4096];
	size_t got = 0;
	while ((got = fread(part, 1, sizeof(part), file)) > 0)
		buf_add(&bytes, part, got);
	fclose(file);
	if (schema_new(bytes.data, bytes.len, &schema, &error))
		fail_msg("%s", error.text);
	buf_fini(&bytes);
	return schema;
}

const struct schema_field *roster_field(const struct schema *schema, const char *name)
{
	const struct schema_message *member = schema_find_message(schema, "roster.v1.Member");
	const struct schema_field *field = schema_field_by_name(member, name, strlen(name));
	assert_non_null(field);
	return field;
}
