/* Names in full and by their end, nouns and verbs. */
#include "library.h"

#include "noun.h"
#include "resolve.h"

static struct session session;

static int setup(void **state)
{
	int result = library_setup(state);
	session.schemas = &library;
	session.schema_count = 1;
	return result;
}

static void test_resolve_takes_a_unique_end(void **state)
{
	struct lyc_error error = {0};
	(void)state;
	const struct schema_method *lend = library_method("Lend");
	assert_ptr_equal(resolve_method(&session, "lyceum.library.v1.Library/Lend", &error), lend);
	assert_ptr_equal(resolve_method(&session, "Library/Lend", &error), lend);
	assert_ptr_equal(resolve_method(&session, "Lend", &error), lend);
	assert_ptr_equal(resolve_message(&session, "Book", &error), library_message("Book"));
	assert_null(resolve_message(&session, "ook", &error));
}

static void test_resolve_finds_an_enum_by_its_end(void **state)
{
	struct lyc_error error = {0};
	struct buf name = {0};
	(void)state;
	assert_ptr_equal(resolve_any(&session, "Visibility", &name, &error), library);
	assert_string_equal(buf_text(&name), "lyceum.v1.Visibility");
	buf_fini(&name);
}

static void test_resolve_names_both_of_an_ambiguity(void **state)
{
	struct lyc_error error = {0};
	(void)state;
	assert_null(resolve_message(&session, "Shelf", &error));
	assert_int_equal(error.status, LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, "Shelf may be lyceum.library.v1.Cellar.Shelf or "
					"lyceum.library.v1.Room.Shelf: say which");
	assert_non_null(resolve_message(&session, "Room.Shelf", &error));
}

static void test_resolve_suggests_and_says_not_found(void **state)
{
	struct lyc_error error = {0};
	(void)state;
	assert_null(resolve_method(&session, "Libary/Lend", &error));
	assert_int_equal(error.status, LYC_NOT_FOUND);
	assert_string_equal(
		error.text,
		"there is no method Libary/Lend: did you mean lyceum.library.v1.Library/Lend?");
}

static void test_resolve_finds_the_type_of_a_subject(void **state)
{
	const struct schema_message *book = library_message("Book");
	(void)state;
	assert_ptr_equal(resolve_subject(&session, "lyceum.library.v1.Book", 0), book);
	assert_ptr_equal(resolve_subject(&session, "lyceum.library.v1.Book.fife.7", 0), book);
	assert_ptr_equal(resolve_subject(&session, "lyceum.library.v1.Book.7", schema_id(library)),
			 book);
	assert_null(resolve_subject(&session, "lyceum.library.v1.Books.7", 0));
	assert_null(resolve_subject(&session, "", 0));
}

static void test_noun_finds_verbs(void **state)
{
	(void)state;
	assert_ptr_equal(noun_find(&session, "library", "lend"), library_method("Lend"));
	assert_null(noun_find(&session, "library", "burn"));
	assert_null(noun_find(&session, "archive", "lend"));
	assert_ptr_equal(noun_find(&session, "reader", "show"),
			 schema_find_method(library, "lyceum.library.v1.Readers/Show"));
	assert_null(noun_find(&session, "reader", "lend"));
	assert_ptr_equal(noun_find(&session, "library", "show"), library_method("Show"));
	assert_ptr_equal(noun_find(&session, "", "fetch"), library_method("Fetch"));
	assert_null(noun_find(&session, "library", "fetch"));
	assert_null(noun_find(&session, "", "lend"));
}

static void test_noun_summary_is_the_first_sentence(void **state)
{
	struct buf text = {0};
	(void)state;
	noun_write_summary(library_method("Find")->comment, &text);
	buf_add_byte(&text, '|');
	noun_write_summary("", &text);
	buf_add_byte(&text, '|');
	noun_write_summary("Costs 1.50 a day\nor more.", &text);
	assert_string_equal(buf_text(&text), "Finds books by words||Costs 1.50 a day");
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve_takes_a_unique_end),
		cmocka_unit_test(test_resolve_finds_an_enum_by_its_end),
		cmocka_unit_test(test_resolve_names_both_of_an_ambiguity),
		cmocka_unit_test(test_resolve_suggests_and_says_not_found),
		cmocka_unit_test(test_resolve_finds_the_type_of_a_subject),
		cmocka_unit_test(test_noun_finds_verbs),
		cmocka_unit_test(test_noun_summary_is_the_first_sentence),
	};
	return cmocka_run_group_tests(tests, setup, library_teardown);
}
