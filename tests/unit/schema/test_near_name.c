/* A name that is one or two edits away is offered, the nearest first. */
#include "text_case.h"

#include "schema/near_name.h"

static const char *near(const char *type, const char *name)
{
	return near_field_name(type_of(type), name, strlen(name));
}

static void test_near_name_offers_the_nearest(void **state)
{
	(void)state;
	assert_string_equal(near("Person", "orcd"), "orcid");
	assert_string_equal(near("Person", "Orcid"), "orcid");
	assert_string_equal(near("Person", "lable"), "label");
	assert_string_equal(near("Scalars", "a_strng"), "a_string");
	assert_string_equal(near("Scalars", "anint64"), "anInt64");
}

static void test_near_name_offers_nothing_far(void **state)
{
	(void)state;
	assert_null(near("Person", "surname"));
	assert_null(near("Person", "xx"));
	assert_null(near("Person", ""));
	char huge[200];
	memset(huge, 'a', sizeof(huge));
	assert_null(near_field_name(type_of("Person"), huge, sizeof(huge)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near_name_offers_the_nearest),
		cmocka_unit_test(test_near_name_offers_nothing_far),
	};
	return cmocka_run_group_tests(tests, setup_schema, teardown_schema);
}
