/* Records of types that are not known: counted, and explained by what is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "schema_file.h"
#include "stream/held.h"

static void add(struct held *held, const char *subject, uint64_t schema)
{
	held_add(held, span_of(subject, strlen(subject)), schema);
}

static void expect(const struct held *held, size_t index, const struct types *types,
		   const char *wanted)
{
	struct buf text = {0};
	held_explain(held, index, types, &text);
	assert_string_equal(buf_text(&text), wanted);
	buf_fini(&text);
}

static void test_held_counts_by_type_and_schema(void **state)
{
	(void)state;
	struct held held = {0};
	add(&held, "lyceum.maps.v1.Map.wales.7", 5);
	add(&held, "lyceum.maps.v1.Map.wales.8", 5);
	add(&held, "lyceum.maps.v1.Map.Part.8", 6);
	add(&held, "lyceum.maps.v1.Sea", 5);
	assert_int_equal(held.count, 3);
	assert_string_equal(held.types[0].name, "lyceum.maps.v1.Map");
	assert_int_equal(held.types[0].count, 2);
	assert_int_equal(held.types[1].schema, 6);
	assert_string_equal(held.types[2].name, "lyceum.maps.v1.Sea");
	for (uint64_t i = 0; i < 100; i++)
		add(&held, "lyceum.maps.v1.Map", 100 + i);
	assert_int_equal(held.count, HELD_TYPES_MAX);
	held_fini(&held);
}

static void test_held_says_which_version_is_missing(void **state)
{
	(void)state;
	struct held held = {0};
	struct types types;
	types_init(&types);
	struct schema *first = schema_file_compile(NOTICE_SET, NULL);
	/* The same package in another set: no version of its own. */
	struct schema *again = schema_file_compile(NOTICE_SET, "\xf8\x3e\x01");
	for (int i = 0; i < 12; i++)
		add(&held, "lyceum.notice.v1.Poster.wales.7", 99);
	add(&held, "lyceum.notice.v1.Banner.wales.7", 98);
	add(&held, "lyceum.notice.v1.Banner.wales.7", 99);
	add(&held, "lyceum.maps.v1.Map.1", 7);
	expect(&held, 0, &types, "needs a schema of lyceum.notice.v1, and none is known, 12 held");
	assert_int_equal(types_add(&types, first, false, NULL), LYC_OK);
	assert_int_equal(types_add(&types, again, false, NULL), LYC_OK);
	expect(&held, 0, &types, "needs version 2 of notice.proto, 12 held");
	expect(&held, 1, &types, "needs version 3 of notice.proto, 1 held");
	expect(&held, 2, &types, "needs version 2 of notice.proto, 1 held");
	expect(&held, 3, &types, "needs a schema of lyceum.maps.v1, and none is known, 1 held");
	held_fini(&held);
	types_fini(&types);
	schema_unref(first);
	schema_unref(again);
}

static void test_held_forgets_what_becomes_known(void **state)
{
	(void)state;
	struct held held = {0};
	struct types types;
	types_init(&types);
	struct schema *schema = schema_file_compile(NOTICE_SET, NULL);
	add(&held, "lyceum.notice.v1.Notice.wales.7", schema_id(schema));
	add(&held, "lyceum.notice.v1.Notice.wales.8", 99);
	add(&held, "lyceum.maps.v1.Map.1", 7);
	held_settle(&held, &types);
	assert_int_equal(held.count, 3);
	assert_int_equal(types_add(&types, schema, false, NULL), LYC_OK);
	held_settle(&held, &types);
	/* What was written with another version is not understood yet. */
	assert_int_equal(held.count, 2);
	expect(&held, 0, &types, "needs version 2 of notice.proto, 1 held");
	assert_string_equal(held.types[1].name, "lyceum.maps.v1.Map");
	/* Its records are kept from breaking, though they came before it was known. */
	const struct type_entry *entry = types.messages;
	while (entry && strcmp(entry->name, "lyceum.notice.v1.Notice") != 0)
		entry = entry->by_name.next;
	assert_true(entry && entry->has_records);
	held_fini(&held);
	types_fini(&types);
	schema_unref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_counts_by_type_and_schema),
		cmocka_unit_test(test_held_says_which_version_is_missing),
		cmocka_unit_test(test_held_forgets_what_becomes_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
