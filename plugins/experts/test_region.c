/* Regions by their many names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "region.h"

static void test_region_has_one_name(void **state)
{
	static const char *const pairs[][2] = {
		{"Cymru", "Wales"},
		{"gb-wls", "Wales"},
		{"TLL12", "Wales"},
		{"UKI", "London"},
		{"E12000007", "London"},
		{"yorkshire & the humber", "Yorkshire and The Humber"},
		{"Yorkshire and Humberside", "Yorkshire and The Humber"},
		{"East Anglia", "East of England"},
		{"GB-SCT", "Scotland"},
		{"N Ireland", "Northern Ireland"},
		{"  north  WEST ", "North West"},
		{"Outside UK", "Outside UK"},
		{"Unknown", ""},
		{"n/a", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_string_equal(region_name(pairs[i][0]), pairs[i][1]);
	assert_null(region_name("Bavaria"));
	assert_null(region_name("TLX"));
}

static void test_region_lies_within_its_country(void **state)
{
	(void)state;
	assert_true(region_is_within("North West", "England"));
	assert_true(region_is_within("Wales", "UK"));
	assert_false(region_is_within("Wales", "England"));
	assert_false(region_is_within("England", "North West"));
	assert_false(region_is_within("Outside UK", "United Kingdom"));
	assert_true(region_is_within("Bavaria", "BAVARIA"));
	assert_false(region_is_within("", "wales"));
	assert_false(region_is_within("Wales", "Bavaria"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_region_has_one_name),
		cmocka_unit_test(test_region_lies_within_its_country),
	};
	return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
