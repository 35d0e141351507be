/* Amounts, words and entries: what is taken, what is refused, and what others see of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "blind.h"
#include "conflict.h"
#include "entry.h"
#include "money.h"
#include "vocabulary.h"

static void test_money_reads_whole_and_broken_amounts(void **state)
{
	static const struct {
		const char *text;
		int64_t minor;
	} right[] = {{"0", 0}, {"250000", 25000000}, {"250000.5", 25000050}, {"0.07", 7}};
	static const char *const wrong[] = {"",   "12.345", "1,000",         "-5",
					    "1.", "x",      "99999999999999"};
	int64_t minor;

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		assert_true(money_read(right[i].text, &minor));
		assert_int_equal(minor, right[i].minor);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(money_read(wrong[i], &minor));
}

/* A coarse amount never hides one that is inside, and is one of few. */
static void test_money_steps_are_coarse_and_outward(void **state)
{
	(void)state;
	assert_int_equal(money_step_down(12345600), 10000000);
	assert_int_equal(money_step_up(12345600), 25000000);
	assert_int_equal(money_step_up(25000000), 25000000);
	assert_int_equal(money_step_down(0), 0);
	for (int64_t minor = 1; minor < MONEY_MAX; minor = minor * 7 / 5 + 1) {
		assert_true(money_step_down(minor) <= minor);
		assert_true(money_step_up(minor) >= minor);
	}
}

static void test_vocabulary_knows_other_names_and_cuts_finer_ones(void **state)
{
	struct pad pad = {0};

	(void)state;
	assert_string_equal(vocabulary_find(WORD_REGION, "cymru"), "GB-WLS");
	assert_string_equal(vocabulary_find(WORD_SECTOR, "MedTech"), "medical devices");
	assert_null(vocabulary_find(WORD_SECTOR, "collagen from jellyfish"));
	char *normal = vocabulary_normal(&pad, WORD_SECTOR, "Biotech / Batten disease");
	assert_string_equal(normal, "therapeutics/batten disease");
	assert_string_equal(vocabulary_coarse(&pad, normal), "therapeutics");
	assert_null(vocabulary_normal(&pad, WORD_SECTOR, "unheard of/therapeutics"));
	pad_fini(&pad);
}

static void test_entry_lays_a_row_over_what_is_held(void **state)
{
	const struct desk desk = {.node = "wales"};
	venture_entry_msg entry = LYCEUM__INVESTMENT__V1__VENTURE_ENTRY__INIT;
	char *sectors[] = {"diagnostics/sepsis"};
	struct lyc_error error = {0};
	struct pad pad = {0};
	venture_msg *first, *second;

	(void)state;
	entry.name = "Pen-y-Bryn  Bio, Ltd";
	entry.ask_min = "1000.50";
	entry.sector = sectors;
	entry.n_sector = 1;
	entry.region = "Wales";
	assert_int_equal(entry_venture(&desk, &pad, &entry, NULL, &first, &error), LYC_OK);
	assert_string_equal(first->id, "pen-y-bryn-bio-ltd");
	assert_int_equal(first->ask_min_minor, 100050);
	assert_string_equal(first->region, "GB-WLS");
	assert_string_equal(first->sector[0], "diagnostics/sepsis");
	assert_int_equal(first->label->visibility, SEEN_BY_HOME);

	venture_entry_msg more = LYCEUM__INVESTMENT__V1__VENTURE_ENTRY__INIT;
	more.name = entry.name;
	more.ask_max = "2000";
	assert_int_equal(entry_venture(&desk, &pad, &more, first, &second, &error), LYC_OK);
	assert_int_equal(second->ask_min_minor, 100050);
	assert_int_equal(second->ask_max_minor, 200000);
	assert_int_equal(second->n_sector, 1);
	/* Others see neither the finer word nor the amount. */
	blind_venture_msg *blind = blind_venture(&pad, second);
	assert_string_equal(blind->sector[0], "diagnostics");
	assert_int_equal(blind->ask_min_minor, 100000);
	assert_int_equal(blind->ask_max_minor, 250000);
	pad_fini(&pad);
}

static void test_entry_refuses_with_the_field(void **state)
{
	const struct desk desk = {.node = "wales"};
	venture_entry_msg entry = LYCEUM__INVESTMENT__V1__VENTURE_ENTRY__INIT;
	investor_entry_msg angel = LYCEUM__INVESTMENT__V1__INVESTOR_ENTRY__INIT;
	char *sectors[] = {"secret sauce"};
	struct lyc_error error = {0};
	struct pad pad = {0};
	venture_msg *venture;
	investor_msg *investor;

	(void)state;
	entry.name = "A Venture";
	entry.sector = sectors;
	entry.n_sector = 1;
	assert_int_equal(entry_venture(&desk, &pad, &entry, NULL, &venture, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "sector");
	entry.n_sector = 0;
	entry.ask_min = "20";
	entry.ask_max = "10";
	assert_int_equal(entry_venture(&desk, &pad, &entry, NULL, &venture, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "ask_min");
	/* A certificate without an end would never end. */
	angel.name = "An Angel";
	angel.certification = "high net worth";
	assert_int_equal(entry_investor(&desk, &pad, &angel, NULL, &investor, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "certified_until");
	pad_fini(&pad);
}

static void test_conflict_knows_a_name_in_another_spelling(void **state)
{
	(void)state;
	assert_true(conflict_is_same_name("Fenwick-Ashe Capital LLP", "fenwick ashe capital"));
	assert_true(conflict_is_same_name("The Quillmoor Bio, Ltd.", "Quillmoor Bio Limited"));
	assert_false(conflict_is_same_name("Quillmoor Bio", "Quillmoor Biotech"));
	assert_false(conflict_is_same_name("", ""));
	assert_false(conflict_is_same_name("Ltd", "Limited"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_money_reads_whole_and_broken_amounts),
		cmocka_unit_test(test_money_steps_are_coarse_and_outward),
		cmocka_unit_test(test_vocabulary_knows_other_names_and_cuts_finer_ones),
		cmocka_unit_test(test_entry_lays_a_row_over_what_is_held),
		cmocka_unit_test(test_entry_refuses_with_the_field),
		cmocka_unit_test(test_conflict_knows_a_name_in_another_spelling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
