/* Only what is special about a subject is kept, for as long as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stream/subjects.h"

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

static void test_subjects_keep_home_and_label(void **state)
{
	(void)state;
	struct subjects subjects = {0};
	subjects_note(&subjects, text("a.1"), text(""), text(""));
	assert_null(subjects_find(&subjects, text("a.1")));
	subjects_note(&subjects, text("a.1"), text("wales"), text("L"));
	const struct subject_note *note = subjects_find(&subjects, text("a.1"));
	assert_string_equal(note->home, "wales");
	assert_int_equal(note->label.len, 1);
	subjects_note(&subjects, text("a.1"), text(""), text(""));
	assert_null(subjects_find(&subjects, text("a.1")));
	subjects_fini(&subjects);
}

static void test_subjects_remember_what_is_on_its_way(void **state)
{
	(void)state;
	struct subjects subjects = {0};
	struct subject_note *note = subjects_expect(&subjects, text("a.1"), text("first"));
	assert_ptr_equal(subjects_expect(&subjects, text("a.1"), text("2nd")), note);
	assert_ptr_equal(subjects_find(&subjects, text("a.1")), note);
	assert_int_equal(note->pending, 2);
	assert_int_equal(note->pending_label.len, 3);
	/* While something is on its way the entry stays, whatever becomes of the last record. */
	subjects_note(&subjects, text("a.1"), text("wales"), text("L"));
	subjects_note(&subjects, text("a.1"), text(""), text(""));
	subjects_settle(&subjects, note);
	assert_ptr_equal(subjects_find(&subjects, text("a.1")), note);
	subjects_settle(&subjects, note);
	assert_null(subjects_find(&subjects, text("a.1")));
	subjects_fini(&subjects);
}

static void test_subjects_remember_what_has_arrived(void **state)
{
	(void)state;
	struct subjects subjects = {0};
	struct subject_note *note = subjects_expect(&subjects, text("a.1"), text("first"));
	subjects_expect(&subjects, text("a.1"), text("2nd"));
	subjects_settle_as(&subjects, note, text("wales"), text("L"));
	assert_ptr_equal(subjects_find(&subjects, text("a.1")), note);
	assert_string_equal(note->home, "wales");
	assert_true(span_is(span_of(note->label.data, note->label.len), "L"));
	assert_int_equal(note->pending, 1);
	/* The last one has nothing special. */
	subjects_settle_as(&subjects, note, text(""), text(""));
	assert_null(subjects_find(&subjects, text("a.1")));
	note = subjects_expect(&subjects, text("a.1"), text("3rd"));
	subjects_settle_as(&subjects, note, text("wales"), text(""));
	assert_string_equal(subjects_find(&subjects, text("a.1"))->home, "wales");
	subjects_fini(&subjects);
}

/* What is left of one that is gone says nothing of the next. */
static void test_subjects_begin_anew_in_used_memory(void **state)
{
	(void)state;
	struct subjects subjects = {0};
	char longer[300];
	memset(longer, 'l', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (int i = 0; i < 3; i++) {
		const struct subject_note *known = subjects_find(&subjects, text("a.1"));
		assert_null(known);
		struct subject_note *note =
			subjects_expect_of(&subjects, known, text("a.1"), text("label"));
		known = subjects_find(&subjects, text("a.1"));
		assert_ptr_equal(known, note);
		note->pending_origin = 3;
		assert_ptr_equal(subjects_expect_of(&subjects, known, text("a.1"), text("2")),
				 note);
		assert_int_equal(note->pending, 2);
		struct subject_note *other = subjects_expect(&subjects, text(longer), text(longer));
		assert_string_equal(other->subject, longer);
		subjects_note(&subjects, text("a.1"), text("wales"), text("L"));
		subjects_note(&subjects, text("a.1"), text(""), text(""));
		subjects_settle(&subjects, note);
		subjects_settle(&subjects, note);
		subjects_settle(&subjects, other);
		assert_null(subjects_find(&subjects, text("a.1")));
		assert_null(subjects_find(&subjects, text(longer)));

		subjects_note(&subjects, text("b.22"), text("wales"), text(""));
		known = subjects_find(&subjects, text("b.22"));
		assert_string_equal(known->subject, "b.22");
		assert_int_equal(known->label.len + known->pending_label.len, 0);
		assert_int_equal(known->pending + known->pending_origin, 0);
		subjects_note(&subjects, text("b.22"), text(""), text(""));
	}
	subjects_fini(&subjects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subjects_keep_home_and_label),
		cmocka_unit_test(test_subjects_remember_what_is_on_its_way),
		cmocka_unit_test(test_subjects_remember_what_has_arrived),
		cmocka_unit_test(test_subjects_begin_anew_in_used_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
