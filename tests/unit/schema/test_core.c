/* The embedded core schema is whole and shared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema/core.h"

static void test_core_holds_the_contract(void **state)
{
	(void)state;
	struct schema *core = NULL;
	assert_int_equal(core_schema_get(&core), LYC_OK);
	const struct schema_message *config = schema_find_message(core, "lyceum.v1.Config");
	assert_non_null(config);
	assert_string_not_equal(schema_field_by_name(config, "listen", 6)->comment, "");
	const struct schema_method *method = schema_find_method(core, "lyceum.v1.Node/Status");
	assert_non_null(method);
	assert_string_equal(method->input->full_name, "lyceum.v1.StatusRequest");
	assert_ptr_equal(schema_find_message(core, "lyceum.v1.Record")->label->message,
			 schema_find_message(core, "lyceum.v1.Label"));
	schema_unref(core);
}

static void test_core_is_made_once(void **state)
{
	(void)state;
	struct schema *one = NULL;
	struct schema *two = NULL;
	assert_int_equal(core_schema_get(&one), LYC_OK);
	assert_int_equal(core_schema_get(&two), LYC_OK);
	assert_ptr_equal(one, two);
	schema_unref(one);
	schema_unref(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_core_holds_the_contract),
		cmocka_unit_test(test_core_is_made_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
