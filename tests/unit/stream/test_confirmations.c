/* What daemons say of erasures: the newest word of each, and who is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stream/confirmations.h"

static struct span text(const char *content)
{
	return span_of(content, strlen(content));
}

/* What `daemon` says of a home of which `node` is a node; as it comes from there, or is its own. */
static void say(struct confirmations *to, const char *daemon, bool is_own, uint64_t seq,
		const char *node)
{
	struct confirmations theirs = {.own_name = daemon};
	struct buf subject = {0};
	struct buf body = {0};
	confirmations_write(&theirs, "wales", 1000, seq, &subject, &body);
	if (node)
		confirmations_write_node(&body, node);
	struct record record = {.origin = is_own ? span_of(NULL, 0) : text(daemon),
				.subject = span_of(subject.data, subject.len),
				.body = span_of(body.data, body.len)};
	assert_true(confirmations_is_one(&record));
	confirmations_note(to, &record);
	record.removed = true;
	assert_false(confirmations_is_one(&record));
	buf_fini(&subject);
	buf_fini(&body);
}

static void add_name(const char *daemon, void *arg)
{
	struct buf *names = arg;
	buf_add_text(names, daemon);
	buf_add_byte(names, ' ');
}

static void test_confirmations_keep_the_last_word_of_each(void **state)
{
	(void)state;
	struct confirmations confirmations = {.own_name = "hub"};
	assert_null(confirmations_find(&confirmations, "cork", "wales"));
	say(&confirmations, "cork", false, 7, NULL);
	say(&confirmations, "derry", false, 8, NULL);
	say(&confirmations, "cork", false, 9, NULL);
	say(&confirmations, "hub", true, 5, NULL);
	const struct confirmation *said = confirmations_find(&confirmations, "cork", "wales");
	assert_non_null(said);
	assert_int_equal(said->epoch, 1000);
	assert_int_equal(said->seq, 9);
	assert_int_equal(confirmations_find(&confirmations, "derry", "wales")->seq, 8);
	assert_int_equal(confirmations_find(&confirmations, "hub", "wales")->seq, 5);
	assert_null(confirmations_find(&confirmations, "cork", "derry"));
	confirmations_fini(&confirmations);
}

static void test_confirmations_name_others_once(void **state)
{
	(void)state;
	struct confirmations confirmations = {.own_name = "hub"};
	struct buf names = {0};
	say(&confirmations, "cork", false, 7, "derry");
	say(&confirmations, "cork", false, 8, "derry");
	say(&confirmations, "hub", true, 8, "hub");
	confirmations_each_daemon(&confirmations, add_name, &names);
	assert_string_equal(buf_text(&names), "derry cork ");
	buf_fini(&names);
	confirmations_fini(&confirmations);
}

static void test_confirmations_are_no_other_records(void **state)
{
	(void)state;
	assert_false(confirmations_is_one(&(struct record){.subject = text("lyceum.v1.Erased.")}));
	assert_false(
		confirmations_is_one(&(struct record){.subject = text("lyceum.v1.Erase.a.b")}));
	assert_true(
		confirmations_is_one(&(struct record){.subject = text("lyceum.v1.Erased.a.b")}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confirmations_keep_the_last_word_of_each),
		cmocka_unit_test(test_confirmations_name_others_once),
		cmocka_unit_test(test_confirmations_are_no_other_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
