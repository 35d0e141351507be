/* Methods that were called lately: the one of that very name, whatever shares its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "route/recent_methods.h"
#include "schema_file.h"

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

static void test_recent_methods_finds_what_the_types_have(void **state)
{
	static const char *const names[] = {
		"lyceum.notice.v1.Board/Read",
		"lyceum.notice.v1.Board/Post",
		"lyceum.notice.v1.Board/Watch",
		"lyceum.other.v1.Board/Read", /* the same last bytes */
		"lyceum.notice.v1.Boar/Read",
		"/Read",
		"Board/Read",
		"",
	};
	struct types types;
	struct recent_methods recent = {0};
	struct lyc_error error;
	(void)state;
	types_init(&types);
	/* Nothing is known yet: that is not remembered. */
	assert_null(recent_methods_find(&recent, &types, text(names[0])));
	struct schema *schema = schema_file_compile(NOTICE_SET, NULL);
	assert_int_equal(types_add(&types, schema, true, &error), LYC_OK);
	schema_unref(schema);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			struct method_entry *method = types_method(&types, text(names[i]));
			assert_true((method != NULL) == (i < 3));
			assert_ptr_equal(recent_methods_find(&recent, &types, text(names[i])),
					 method);
		}
	}
	types_fini(&types);
}

/* Two names that differ before their last bytes only take one place from each other. */
static void test_recent_methods_that_share_a_place_are_told_apart(void **state)
{
	struct types types;
	struct recent_methods recent = {0};
	struct method_entry methods[2] = {{.name = (char *)(uintptr_t) "a.Board/ReadAll"},
					  {.name = (char *)(uintptr_t) "b.Board/ReadAll"}};
	(void)state;
	types_init(&types);
	for (int i = 0; i < 2; i++) {
		struct method_entry *method = &methods[i];
		HASH_ADD_KEYPTR(by_name, types.methods, method->name, strlen(method->name), method);
	}
	for (int round = 0; round < 4; round++) {
		struct method_entry *method = &methods[round % 2];
		assert_ptr_equal(recent_methods_find(&recent, &types, text(method->name)), method);
		assert_ptr_equal(recent_methods_find(&recent, &types, text(method->name)), method);
	}
	HASH_CLEAR(by_name, types.methods);
	types_fini(&types);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recent_methods_finds_what_the_types_have),
		cmocka_unit_test(test_recent_methods_that_share_a_place_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
