/* Which paths and keys are about a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "schema/schema.h"

static struct schema *schema;

static int load(void **state)
{
	(void)state;
	struct buf set = {0};
	struct lyc_error error;
	char chunk[4096];
	size_t len;
	FILE *file = fopen(SAMPLE_SET, "rb");
	assert_non_null(file);
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&set, chunk, len);
	fclose(file);
	assert_int_equal(schema_new(set.data, set.len, &schema, &error), LYC_OK);
	buf_fini(&set);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	schema_unref(schema);
	return 0;
}

/* The first message with a personal field of its own, and that field. */
static const struct schema_message *find(const struct schema_field **ret_field)
{
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		for (size_t j = 0; j < message->field_count; j++) {
			if (!message->fields[j].is_personal)
				continue;
			*ret_field = &message->fields[j];
			return message;
		}
	}
	fail_msg("the sample has no personal field");
	return NULL;
}

static void test_personal_is_told_by_the_path(void **state)
{
	(void)state;
	const struct schema_field *field = NULL;
	const struct schema_message *message = find(&field);
	char path[200];
	assert_true(schema_path_is_personal(message, field->name));
	snprintf(path, sizeof(path), "%s[3].anything", field->name);
	assert_true(schema_path_is_personal(message, path));
	assert_false(schema_path_is_personal(message, ""));
	assert_false(schema_path_is_personal(message, "no_such_field"));
	for (size_t i = 0; i < message->field_count; i++) {
		if (!message->fields[i].is_personal)
			assert_false(schema_path_is_personal(message, message->fields[i].name));
	}
}

static void test_personal_is_found_below_another_field(void **state)
{
	(void)state;
	const struct schema_field *field = NULL;
	const struct schema_message *inner = find(&field);
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *outer = schema_message_at(schema, i);
		for (size_t j = 0; j < outer->field_count; j++) {
			if (outer->fields[j].message != inner || outer->fields[j].is_personal)
				continue;
			char path[300];
			snprintf(path, sizeof(path), "%s[2].%s", outer->fields[j].name,
				 field->name);
			assert_true(schema_path_is_personal(outer, path));
		}
	}
}

static void test_personal_key_is_one_of_the_keys(void **state)
{
	(void)state;
	size_t count = 0;
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		bool is_personal = false;
		for (size_t j = 0; j < message->key_count; j++)
			is_personal = is_personal || message->keys[j]->is_personal;
		assert_int_equal(schema_key_is_personal(message), is_personal);
		count += message->key_count > 0;
	}
	assert_true(count > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_personal_is_told_by_the_path),
		cmocka_unit_test(test_personal_is_found_below_another_field),
		cmocka_unit_test(test_personal_key_is_one_of_the_keys),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
