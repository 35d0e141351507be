/* Headings go where they are meant, or nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "import/mapping.h"
#include "import/spelling.h"
#include "roster.h"

static struct schema *schema;
static struct leaf_list leaves;

static void guess(struct mapping *mapping, const char *header)
{
	struct sheet sheet;
	struct sheet_row row = {0};
	sheet_init(&sheet, span_of(header, strlen(header)));
	assert_true(sheet_next(&sheet, &row));
	mapping_guess(mapping, &leaves, &row);
	sheet_row_fini(&row);
}

/* Where the columns go, separated by spaces; "?" for none. */
static const char *targets(const struct mapping *mapping)
{
	static char seen[1000];
	size_t len = 0;
	seen[0] = '\0';
	for (size_t i = 0; i < mapping->count; i++) {
		int leaf = mapping->columns[i].leaf;
		len += (size_t)snprintf(seen + len, sizeof(seen) - len, "%s%s", i ? " " : "",
					leaf >= 0 ? leaves.leaves[leaf].name : "?");
	}
	return seen;
}

static const char *guessed(const char *header)
{
	struct mapping mapping;
	guess(&mapping, header);
	const char *seen = targets(&mapping);
	mapping_fini(&mapping);
	return seen;
}

static void test_leaf_list_leaves_out_what_no_cell_can_hold(void **state)
{
	(void)state;
	assert_true(leaf_find(&leaves, "work.doi") >= 0);
	assert_true(leaf_find(&leaves, "fullName") >= 0);
	assert_true(leaf_find(&leaves, "joined") >= 0);
	assert_true(leaf_find(&leaves, "remark") >= 0);
	assert_int_equal(leaf_find(&leaves, "photo"), -1);
	assert_int_equal(leaf_find(&leaves, "extra"), -1);
	assert_int_equal(leaf_find(&leaves, "work"), -1);
	assert_int_equal(leaf_find(&leaves, "chief.id"), -1);
	assert_true(leaves.leaves[leaf_find(&leaves, "keywords")].is_list);
	assert_false(leaves.leaves[leaf_find(&leaves, "work.doi")].is_list);
	assert_true(leaves.leaves[leaf_find(&leaves, "work.doi")].is_many);
}

static void test_mapping_knows_names_and_headers(void **state)
{
	(void)state;
	assert_string_equal(guessed("ID,Full name,fullName_,Expertise"), "id full_name ? keywords");
	assert_string_equal(guessed("Member Number;Name;KIND"), "id full_name kind");
	assert_string_equal(guessed("Employer,Paper title,DOI,work.year,year"),
			    "organisation.name work.title work.doi work.year year");
	assert_string_equal(guessed("organisation,topics,Str\xC3\xA9"
				    "et"),
			    "organisation.name topic.topic address.street");
}

static void test_mapping_takes_a_label_for_its_visibility(void **state)
{
	(void)state;
	assert_string_equal(guessed("id,label,audience\n"), "id label.visibility label.audience");
	assert_string_equal(guessed("id,visibility\n"), "id label.visibility");
	assert_string_equal(guessed("id,Confidentiality\n"), "id label.visibility");
	/* A part's label goes by the part's name: the bare words are the item's own. */
	assert_string_equal(guessed("id,visibility,address visibility,Address audience\n"),
			    "id label.visibility address.label.visibility address.label.audience");
	assert_string_equal(guessed("id,address label\n"), "id address.label.visibility");
	assert_string_equal(guessed("id,Who may write\n"), "id address.label.visibility");
}

static void test_mapping_takes_near_spelling(void **state)
{
	(void)state;
	assert_string_equal(guessed("keyword,organsation.name,full nmae"),
			    "keywords organisation.name full_name");
	/* Short words must be right. */
	assert_string_equal(guessed("idd,name"), "? full_name");
}

static void test_mapping_leaves_the_unclear_alone(void **state)
{
	(void)state;
	struct mapping mapping;
	guess(&mapping, "city,shoe size,,name,full name");
	assert_string_equal(targets(&mapping), "? ? ? full_name ?");
	assert_non_null(strstr(mapping.columns[0].note, "could be"));
	assert_non_null(strstr(mapping.columns[1].note, "no field"));
	assert_non_null(strstr(mapping.columns[2].note, "no heading"));
	assert_non_null(strstr(mapping.columns[4].note, "filled by"));
	mapping_fini(&mapping);
}

static void test_mapping_wants_company_for_a_common_word(void **state)
{
	(void)state;
	struct mapping mapping;
	guess(&mapping, "Title,Name,Employer");
	assert_string_equal(targets(&mapping), "? full_name organisation.name");
	assert_non_null(strstr(mapping.columns[0].note, "could be work.title"));
	mapping_fini(&mapping);
	assert_string_equal(guessed("Title,Name,DOI"), "work.title full_name work.doi");
	assert_string_equal(guessed("DOI,Name"), "work.doi full_name");
}

static void test_mapping_ignores_the_columns_of_a_refused_file(void **state)
{
	(void)state;
	struct mapping mapping;
	guess(&mapping, "id,name,refused_line,refused_reason");
	assert_true(mapping.ends_refused);
	assert_string_equal(targets(&mapping), "id full_name ? ?");
	mapping_fini(&mapping);
}

static void test_mapping_takes_several_columns_for_a_list(void **state)
{
	(void)state;
	assert_string_equal(guessed("keyword 1,keyword 2,keywords 3"),
			    "keywords keywords keywords");
}

static void test_mapping_file_survives_a_round(void **state)
{
	(void)state;
	char path[] = "/tmp/lyceum-map-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	struct lyc_error error = {0};
	struct mapping first;
	struct mapping second;
	guess(&first, "id,\"a: \"\"b\"\"\",name");
	first.columns[1].leaf = leaf_find(&leaves, "organisation.city");
	assert_int_equal(mapping_save(&first, path, &error), LYC_OK);
	guess(&second, "id,\"a: \"\"b\"\"\",name");
	assert_int_equal(mapping_load(&second, path, &error), LYC_OK);
	assert_string_equal(targets(&second), "id organisation.city full_name");
	mapping_fini(&first);
	mapping_fini(&second);

	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs("# kept\n\nID: -\nname: organisation.name\n\"city\": \"address.city\"\nabsent: id\n",
	      file);
	fclose(file);
	guess(&first, "id,name,city,employer");
	assert_int_equal(mapping_load(&first, path, &error), LYC_OK);
	/* What the file says beats what was guessed. */
	assert_string_equal(targets(&first), "? organisation.name address.city ?");
	mapping_fini(&first);

	file = fopen(path, "w");
	assert_non_null(file);
	fputs("id: id\nname: ful_name\n", file);
	fclose(file);
	guess(&first, "id,name");
	assert_int_equal(mapping_load(&first, path, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "line 2"));
	assert_non_null(strstr(error.text, "is \"full_name\" meant?"));
	mapping_fini(&first);
	unlink(path);
}

static void test_spelling_folds_and_counts(void **state)
{
	(void)state;
	char folded[SPELLING_MAX];
	static const char text[] = "  Stra\xC3\x9F"
				   "e-N\xC2\xBA_\xC3\x85ngstr\xC3\xB6m!";
	spelling_fold(span_of(text, strlen(text)), folded);
	assert_string_equal(folded, "strasenangstrom");
	assert_int_equal(spelling_distance("keyword", "keywords", 2), 1);
	assert_int_equal(spelling_distance("nmae", "name", 2), 1);
	assert_int_equal(spelling_distance("abc", "xyz", 2), 3);
	assert_int_equal(spelling_distance("", "ab", 1), 2);
}

static int load(void **state)
{
	(void)state;
	schema = roster_load();
	leaf_list_init(&leaves, schema_find_message(schema, "roster.v1.Member"));
	return 0;
}

static int unload(void **state)
{
	(void)state;
	leaf_list_fini(&leaves);
	schema_unref(schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaf_list_leaves_out_what_no_cell_can_hold),
		cmocka_unit_test(test_mapping_knows_names_and_headers),
		cmocka_unit_test(test_mapping_takes_a_label_for_its_visibility),
		cmocka_unit_test(test_mapping_takes_near_spelling),
		cmocka_unit_test(test_mapping_leaves_the_unclear_alone),
		cmocka_unit_test(test_mapping_wants_company_for_a_common_word),
		cmocka_unit_test(test_mapping_ignores_the_columns_of_a_refused_file),
		cmocka_unit_test(test_mapping_takes_several_columns_for_a_list),
		cmocka_unit_test(test_mapping_file_survives_a_round),
		cmocka_unit_test(test_spelling_folds_and_counts),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
