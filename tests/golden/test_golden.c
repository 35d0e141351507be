/* One message, kept in the tree as wire bytes, as JSON and as the .proto text of its type: a change
 * of any form shows here as a change of a file that others may have copied. */
#include "../unit/schema/text_case.h"

static struct buf golden(const char *name)
{
	char path[1024];
	snprintf(path, sizeof(path), "%s/%s", GOLDEN_FOLDER, name);
	return text_types_file(path);
}

static void assert_same(const struct buf *got, const struct buf *wanted)
{
	assert_int_equal(got->len, wanted->len);
	assert_memory_equal(got->data, wanted->data, wanted->len);
}

static void test_golden_json_is_written_as_ever(void **state)
{
	(void)state;
	struct buf bin = golden("person.bin");
	struct buf json = golden("person.json");
	struct buf out = {0};
	const struct json_options pretty = {.is_pretty = true};
	assert_int_equal(
		json_write(type_of("Person"), span_of(bin.data, bin.len), &pretty, &out, NULL),
		LYC_OK);
	buf_add_text(&out, "\n");
	assert_same(&out, &json);
	buf_fini(&bin);
	buf_fini(&json);
	buf_fini(&out);
}

static void test_golden_json_is_read_as_ever(void **state)
{
	(void)state;
	struct buf bin = golden("person.bin");
	struct buf json = golden("person.json");
	read_fn readers[] = {json_read, yaml_read};
	for (int i = 0; i < 2; i++) {
		struct buf out = {0};
		assert_int_equal(readers[i](type_of("Person"), (const char *)json.data, json.len,
					    &out, NULL),
				 LYC_OK);
		assert_same(&out, &bin);
		buf_fini(&out);
	}
	buf_fini(&bin);
	buf_fini(&json);
}

static void test_golden_type_is_described_as_ever(void **state)
{
	(void)state;
	struct buf text = golden("person.proto");
	struct buf out = {0};
	assert_int_equal(describe_write(schema, "lyceum.texttest.v1.Person", false, &out), LYC_OK);
	assert_same(&out, &text);
	buf_fini(&text);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_json_is_written_as_ever),
		cmocka_unit_test(test_golden_json_is_read_as_ever),
		cmocka_unit_test(test_golden_type_is_described_as_ever),
	};
	return cmocka_run_group_tests(tests, setup_schema, teardown_schema);
}
