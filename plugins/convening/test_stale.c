/* Mails that waited while the relay was down: what is no longer so, and what was said already, is
 * not sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"
#include "stale.h"

static struct view view;
static uint64_t seq;

static int set_up(void **state)
{
	(void)state;
	view_init(&view, "nhsa");
	seq = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	view_fini(&view);
	return 0;
}

static void deliver(const char *subject, const ProtobufCMessage *message)
{
	char text[300];
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *body = malloc(len + 1);
	protobuf_c_message_pack(message, body);
	snprintf(text, sizeof(text), "lyceum.convening.v1.%s", subject);
	seq++;
	assert_true(view_take(&view, "nhsa", text, false, body, len, seq, 1000));
	free(body);
}

static void say_event(uint32_t sequence, bool is_cancelled)
{
	event_msg event = LYCEUM__CONVENING__V1__EVENT__INIT;
	event.home = "nhsa";
	event.id = "e1";
	event.title = "Cells";
	event.cap = 1;
	event.sequence = sequence;
	event.status = is_cancelled ? LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED
				    : LYCEUM__CONVENING__V1__EVENT__STATUS__CONFIRMED;
	deliver("Event.nhsa.e1", &event.base);
}

static void say_invitation(const char *id)
{
	char subject[60];
	invitation_msg invitation = LYCEUM__CONVENING__V1__INVITATION__INIT;
	invitation.home = "nhsa";
	invitation.event = "e1";
	invitation.id = (char *)(uintptr_t)id;
	invitation.email = "bob@leeds.example";
	snprintf(subject, sizeof(subject), "Invitation.nhsa.e1.%s", id);
	deliver(subject, &invitation.base);
}

static struct entry *event_here(void)
{
	struct entry *entry = view_find(&view, "nhsa", "e1");
	assert_non_null(entry);
	return entry;
}

static void say_mail(const char *kind, uint32_t sequence, int step, uint32_t tries)
{
	char subject[120];
	mail_note_msg note = LYCEUM__CONVENING__V1__MAIL_NOTE__INIT;
	note.home = "nhsa";
	note.event = "e1@nhsa";
	note.person = "i1";
	note.sequence = sequence;
	note.kind = (char *)(uintptr_t)kind;
	note.step = (Lyceum__Convening__V1__MailNote__Step)step;
	note.tries = tries;
	note.at_ms = (int64_t)seq;
	snprintf(subject, sizeof(subject), "MailNote.nhsa.e1@nhsa.i1.%u.%s", sequence, kind);
	deliver(subject, &note.base);
}

static void say_answer(const char *person, uint64_t number, int choice)
{
	char subject[80];
	answer_msg answer = LYCEUM__CONVENING__V1__ANSWER__INIT;
	answer.home = "nhsa";
	answer.event_home = "nhsa";
	answer.event = "e1";
	answer.person = (char *)(uintptr_t)person;
	answer.number = number;
	answer.choice = (Lyceum__Convening__V1__Choice)choice;
	snprintf(subject, sizeof(subject), "Answer.nhsa.nhsa.e1.%s", person);
	deliver(subject, &answer.base);
}

static void decide(void)
{
	struct seats *seats = event_here()->seats;
	struct seats_decision decisions[8];
	size_t count;
	while ((count = seats_decide(seats, decisions, 8)) > 0)
		assert_true(seats_take_page(seats, seats_next_page(seats),
					    event_here()->event->sequence, decisions, count));
}

static const char *why(const char *kind, uint32_t sequence)
{
	struct invited *invited = view_invited(event_here(), "i1");
	assert_non_null(invited);
	return stale_why(&view, event_here(), invited, kind, sequence);
}

static void test_mail_of_a_seat_is_for_somebody_who_has_it(void **state)
{
	(void)state;
	say_event(0, false);
	say_invitation("i1");
	say_invitation("i2");
	say_answer("i2", 1, SEATS_YES);
	say_answer("i1", 1, SEATS_YES);
	decide();
	assert_null(why("wait-1", 0));
	assert_non_null(why("seat-1", 0));
	say_answer("i2", 2, SEATS_NO);
	decide();
	assert_non_null(why("wait-1", 0));
	assert_null(why("seat-1", 0));
	say_answer("i1", 2, SEATS_NO);
	decide();
	assert_non_null(why("wait-1", 0));
	assert_non_null(why("seat-1", 0));
}

static void test_mail_of_a_change_is_of_the_last_one(void **state)
{
	(void)state;
	say_event(0, false);
	say_invitation("i1");
	say_mail("invite", 0, OUTBOX_QUEUED, 0);
	say_mail("invite", 0, OUTBOX_SENT, 1);
	say_event(1, false);
	assert_null(why("change", 1));
	say_event(2, false);
	assert_non_null(why("change", 1));
	assert_null(why("change", 2));
}

static void test_mail_of_a_change_is_left_out_when_the_invitation_says_it(void **state)
{
	(void)state;
	say_event(0, false);
	say_invitation("i1");
	say_mail("invite", 0, OUTBOX_QUEUED, 0);
	struct invited *invited = view_invited(event_here(), "i1");
	const struct outbox_mail *mail = outbox_due(view.outbox, INT64_C(4000000000000));
	assert_non_null(mail);
	/* Written, on its way, and the event changes: the words are the old ones. */
	assert_true(outbox_hold(view.outbox, mail->key));
	stale_note_written(event_here(), invited, "invite");
	say_event(1, false);
	assert_null(why("change", 1));
	/* The relay is down: the invitation will be written anew. */
	outbox_release(view.outbox, mail->key);
	say_mail("invite", 0, OUTBOX_PUT_OFF, 1);
	assert_non_null(why("change", 1));
	/* It has been, and has gone out. */
	stale_note_written(event_here(), invited, "invite");
	say_mail("invite", 0, OUTBOX_SENT, 2);
	assert_non_null(why("change", 1));
	say_event(2, false);
	assert_null(why("change", 2));
}

static void test_mail_of_a_cancellation_is_for_somebody_who_was_told(void **state)
{
	(void)state;
	say_event(0, false);
	say_invitation("i1");
	say_mail("invite", 0, OUTBOX_QUEUED, 0);
	say_event(1, true);
	assert_non_null(why("invite", 0));
	assert_non_null(why("cancel", 1));
	/* Begun: nobody knows whether it arrived. */
	say_mail("invite", 0, OUTBOX_BEGUN, 1);
	assert_null(why("cancel", 1));
	say_mail("invite", 0, OUTBOX_SENT, 1);
	assert_null(why("cancel", 1));
}

#define STALE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STALE_TEST(test_mail_of_a_seat_is_for_somebody_who_has_it),
		STALE_TEST(test_mail_of_a_change_is_of_the_last_one),
		STALE_TEST(test_mail_of_a_change_is_left_out_when_the_invitation_says_it),
		STALE_TEST(test_mail_of_a_cancellation_is_for_somebody_who_was_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
