/* The fold: what is due, what comes twice or late, what a crash leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox.h"
#include "relay.h"

#define MINUTE 60000
#define DAY (24LL * 60 * MINUTE)

static struct outbox *outbox;

static int set_up(void **state)
{
	(void)state;
	outbox = outbox_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	outbox_free(outbox);
	return 0;
}

static struct outbox_mail queued(const char *person, int64_t due_ms, int64_t now_ms)
{
	struct outbox_mail note;

	assert_int_equal(outbox_queue(&note, "e@wales", person, 0, "invite", due_ms, now_ms),
			 LYC_OK);
	return note;
}

static const struct outbox_mail *take(struct outbox_mail note, bool is_change)
{
	assert_int_equal(outbox_take(outbox, &note), is_change);
	return outbox_find(outbox, note.key);
}

static void test_outbox_is_due_in_the_order_of_time(void **state)
{
	(void)state;
	take(queued("late", 900, 100), true);
	take(queued("early", 500, 200), true);
	assert_null(outbox_due(outbox, 499));
	assert_int_equal(outbox_next_ms(outbox), 500);
	const struct outbox_mail *mail = outbox_due(outbox, 1000);
	assert_string_equal(mail->person, "early");
	assert_true(outbox_hold(outbox, mail->key));
	assert_false(outbox_hold(outbox, mail->key));
	assert_string_equal(outbox_due(outbox, 1000)->person, "late");
	outbox_release(outbox, mail->key);
	assert_string_equal(outbox_due(outbox, 1000)->person, "early");
	assert_int_equal(outbox_count(outbox, OUTBOX_QUEUED), 2);
}

static void test_outbox_note_that_comes_twice_or_late_changes_nothing(void **state)
{
	(void)state;
	struct outbox_mail notes[6];
	notes[0] = queued("ada", 0, 100);
	notes[1] = outbox_begin(&notes[0], 100);
	notes[2] = outbox_put_off(&notes[1], 100, DAY, false, 451, "4.7.0 later");
	notes[3] = outbox_begin(&notes[2], 100 + MINUTE);
	notes[4] = outbox_put_off(&notes[3], 100 + MINUTE, DAY, false, 451, "4.7.0 later");
	notes[5] = outbox_end(&notes[4], OUTBOX_SENT, 200 + MINUTE, 250, "2.0.0 ok");
	for (size_t i = 0; i < 6; i++) {
		assert_true(outbox_take(outbox, &notes[i]));
		for (size_t k = 0; k <= i; k++)
			assert_false(outbox_take(outbox, &notes[k]));
		assert_int_equal(outbox_find(outbox, notes[0].key)->step, notes[i].step);
	}
	assert_null(outbox_due(outbox, INT64_MAX));
	assert_int_equal(outbox_find(outbox, notes[0].key)->tries, 2);
}

/* The last note alone is enough, and any order of the notes ends the same. */
static void test_outbox_fold_does_not_depend_on_what_came_before(void **state)
{
	(void)state;
	struct outbox_mail notes[4];
	notes[0] = queued("ada", 0, 100);
	notes[1] = outbox_begin(&notes[0], 110);
	notes[2] = outbox_end(&notes[1], OUTBOX_FAILED, 120, 550, "5.1.1 unknown");
	notes[3] = outbox_again(&notes[2], 130);
	for (unsigned seed = 0; seed < 200; seed++) {
		struct outbox *other = outbox_new();
		for (unsigned i = 0, at = seed; i < 12; i++, at = at * 5 + 3)
			outbox_take(other, &notes[(at / 2) % 4]);
		for (size_t i = 0; i < 4; i++)
			outbox_take(other, &notes[i]);
		assert_int_equal(outbox_find(other, notes[0].key)->step, OUTBOX_QUEUED);
		assert_int_equal(outbox_find(other, notes[0].key)->tries, 1);
		outbox_free(other);
	}
	take(notes[3], true);
	for (size_t i = 0; i < 4; i++)
		take(notes[i], false);
	assert_non_null(outbox_due(outbox, 130));
}

static void test_outbox_try_begun_and_not_ended_is_due_and_may_be_double(void **state)
{
	(void)state;
	struct outbox_mail first = queued("ada", 0, 100);
	struct outbox_mail begun = outbox_begin(&first, 100);
	assert_false(begun.may_be_double);
	assert_int_equal(begun.tries, 1);
	take(first, true);
	take(begun, true);
	/* The process is another: nothing is held. Even by a clock that went back. */
	const struct outbox_mail *mail = outbox_due(outbox, 50);
	assert_non_null(mail);
	struct outbox_mail again = outbox_begin(mail, 50);
	assert_int_equal(again.step, OUTBOX_BEGUN);
	assert_true(again.may_be_double);
	assert_string_equal(again.key, first.key);
	take(again, true);
	/* A second crash at the same place: not a third time, and it is said. */
	struct outbox_mail last = outbox_begin(outbox_due(outbox, 50), 50);
	assert_int_equal(last.step, OUTBOX_FAILED);
	assert_true(last.may_be_double);
	assert_non_null(strstr(last.said, "may have arrived"));
	take(last, true);
	assert_null(outbox_due(outbox, INT64_MAX));
}

static void test_outbox_doubts_of_the_relay_count_like_crashes(void **state)
{
	(void)state;
	struct outbox_mail note = queued("ada", 0, 0);
	note = outbox_begin(&note, 0);
	note = outbox_put_off(&note, 0, DAY, true, 0, "no answer");
	assert_int_equal(note.step, OUTBOX_PUT_OFF);
	assert_true(note.may_be_double);
	note = outbox_begin(&note, MINUTE);
	assert_int_equal(note.step, OUTBOX_BEGUN);
	/* A plain refusal for now is no doubt. */
	struct outbox_mail later = outbox_put_off(&note, MINUTE, DAY, false, 451, "later");
	assert_int_equal(later.step, OUTBOX_PUT_OFF);
	note = outbox_put_off(&note, MINUTE, DAY, true, 0, "no answer");
	assert_int_equal(note.step, OUTBOX_FAILED);
}

static void test_outbox_waits_longer_and_gives_up(void **state)
{
	static const int64_t minutes[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	int64_t now = 5 * DAY;
	struct outbox_mail note = queued("ada", now, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		note = outbox_begin(&note, now);
		note = outbox_put_off(&note, now, DAY, false, 451, "later");
		assert_int_equal(note.step, OUTBOX_PUT_OFF);
		assert_int_equal(note.due_ms - now, minutes[i] * MINUTE);
		now = note.due_ms;
	}
	/* A day after it was first due, not after it was queued. */
	while (note.step == OUTBOX_PUT_OFF) {
		now = note.due_ms;
		note = outbox_begin(&note, now);
		note = outbox_put_off(&note, now, DAY, false, 451, "later");
	}
	assert_int_equal(note.step, OUTBOX_FAILED);
	assert_string_equal(note.said, "later");
	assert_true(now > 5 * DAY + DAY - 61 * MINUTE && now <= 6 * DAY);
}

static void test_outbox_what_was_sent_is_never_sent_again(void **state)
{
	(void)state;
	struct outbox_mail note = queued("ada", 0, 0);
	struct outbox_mail begun = outbox_begin(&note, 1);
	struct outbox_mail sent = outbox_end(&begun, OUTBOX_SENT, 2, 250, "ok");
	struct outbox_mail dropped = outbox_end(&begun, OUTBOX_DROPPED, 9, 0, "withdrawn");
	struct outbox_mail again = outbox_again(&sent, 10);
	take(note, true);
	take(begun, true);
	/* Dropped while it was on its way: what has happened counts. */
	take(dropped, true);
	assert_null(outbox_due(outbox, 100));
	take(sent, true);
	take(dropped, false);
	take(again, false);
	take(queued("ada", 0, 1000), false);
	assert_int_equal(outbox_find(outbox, note.key)->step, OUTBOX_SENT);
}

static void test_outbox_key_is_of_its_parts(void **state)
{
	char one[OUTBOX_KEY_SIZE], two[OUTBOX_KEY_SIZE], huge[OUTBOX_KEY_SIZE + 1];

	(void)state;
	assert_int_equal(outbox_key(one, "ab", "c", 1, "k"), LYC_OK);
	assert_int_equal(outbox_key(two, "a", "bc", 1, "k"), LYC_OK);
	assert_string_not_equal(one, two);
	assert_int_equal(outbox_key(one, "", "c", 1, "k"), LYC_INVALID_ARGUMENT);
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(outbox_key(one, huge, "c", 1, "k"), LYC_INVALID_ARGUMENT);
}

static void test_relay_sentence_is_kept_without_addresses(void **state)
{
	static const char *const cases[][2] = {
		{"550 5.1.1 <ada@one.example>: no such user\r\n",
		 "550 5.1.1 (address) no such user"},
		{"550 User ada.okafor is unknown", "550 User (address) is unknown"},
		{"451 try\tlater \x01\xc3\xa9", "451 try later ???"},
		{"550 mailbox of ADA.OKAFOR, full", "550 mailbox of (address) full"},
		{"", ""},
	};
	char said[MAIL_SAID_SIZE], flood[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		relay_plain(said, cases[i][0], "ada.okafor@one.example");
		assert_string_equal(said, cases[i][1]);
	}
	for (size_t i = 0; i < sizeof(flood) - 1; i++)
		flood[i] = "a@ "[i % 3];
	flood[sizeof(flood) - 1] = '\0';
	relay_plain(said, flood, "ada@one.example");
	assert_true(strlen(said) < sizeof(said));
	assert_null(strchr(said, '@'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_outbox_is_due_in_the_order_of_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			test_outbox_note_that_comes_twice_or_late_changes_nothing, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_outbox_fold_does_not_depend_on_what_came_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_outbox_try_begun_and_not_ended_is_due_and_may_be_double, set_up,
			tear_down),
		cmocka_unit_test(test_outbox_doubts_of_the_relay_count_like_crashes),
		cmocka_unit_test(test_outbox_waits_longer_and_gives_up),
		cmocka_unit_test_setup_teardown(test_outbox_what_was_sent_is_never_sent_again,
						set_up, tear_down),
		cmocka_unit_test(test_outbox_key_is_of_its_parts),
		cmocka_unit_test(test_relay_sentence_is_kept_without_addresses),
	};
	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
