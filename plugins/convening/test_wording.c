/* Whether a text names somebody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wording.h"

static void test_text_names_a_person_by_the_family_name_alone(void **state)
{
	(void)state;
	assert_true(wording_names_person("As Ada Okafor put it", "Ada Okafor"));
	assert_true(wording_names_person("as OKAFOR's team put it", "Ada Okafor"));
	assert_true(wording_names_person("Okafor would pay", "Okafor, Ada"));
	assert_true(wording_names_person("Okafor would pay", "Prof Ada Okafor OBE"));
	assert_true(wording_names_person("Okafor would pay", "Ada Okafor, PhD"));
	assert_true(wording_names_person("Lloyd-Jones would pay", "Sian Lloyd-Jones"));
	assert_true(wording_names_person("Madonna would pay", "Madonna"));
	assert_false(wording_names_person("Okaforia would pay", "Ada Okafor"));
	assert_false(wording_names_person("Trusts would pay", "Ada Okafor"));
	assert_false(wording_names_person("It is so", "Bo It"));
	assert_false(wording_names_person("anything", ""));
}

static void test_text_names_a_person_by_id(void **state)
{
	(void)state;
	assert_true(wording_names_id("ann@wales said no", "ann@wales"));
	assert_true(wording_names_id("Ann said no", "ann@wales"));
	assert_true(wording_names_id("P1 said no", "P1"));
	assert_false(wording_names_id("P12 said no", "P1"));
	assert_false(wording_names_id("he said no", "he@wales"));
	assert_false(wording_names_id("anything", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_names_a_person_by_the_family_name_alone),
		cmocka_unit_test(test_text_names_a_person_by_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
