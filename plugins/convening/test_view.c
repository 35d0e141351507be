/* The view as a fold: of an event's home and of another node, from records as they lie in their
 * logs; heard once, twice, or anew from the beginning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"
#include "foreign.h"
#include "view.h"

/* ---- Two logs ---- */

#define MAX_RECORDS 400

struct record {
	char origin[40];
	char subject[200];
	uint8_t *body;
	size_t len;
	bool removed;
};

struct node {
	char *name;
	struct view view;
	struct record records[MAX_RECORDS];
	size_t count;
};

static struct node nhsa = {.name = "nhsa"};
static struct node wales = {.name = "wales"};

static bool deliver_from(struct node *node, const char *origin, const char *subject,
			 const ProtobufCMessage *message)
{
	struct record *record = &node->records[node->count++];
	assert_true(node->count <= MAX_RECORDS);
	snprintf(record->origin, sizeof(record->origin), "%s", origin);
	snprintf(record->subject, sizeof(record->subject), "lyceum.convening.v1.%s", subject);
	record->removed = !message;
	record->len = message ? protobuf_c_message_get_packed_size(message) : 0;
	record->body = malloc(record->len + 1);
	if (message)
		protobuf_c_message_pack(message, record->body);
	return view_take(&node->view, record->origin, record->subject, record->removed,
			 record->body, record->len, node->count, 1000);
}

/* From the home that the subject names. */
static void deliver(struct node *node, const char *subject, const ProtobufCMessage *message)
{
	char home[40];
	assert_int_equal(sscanf(subject, "%*[^.].%39[^.]", home), 1);
	assert_true(deliver_from(node, home, subject, message));
}

static void replay(struct node *node, size_t count, bool twice, struct view *view)
{
	view_init(view, node->name);
	for (size_t i = 0; i < count; i++) {
		for (int j = 0; j <= twice; j++)
			view_take(view, node->records[i].origin, node->records[i].subject,
				  node->records[i].removed, node->records[i].body,
				  node->records[i].len, i + 1, 1000);
	}
}

static int set_up(void **state)
{
	(void)state;
	view_init(&nhsa.view, "nhsa");
	view_init(&wales.view, "wales");
	return 0;
}

static int tear_down(void **state)
{
	struct node *nodes[] = {&nhsa, &wales};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		view_fini(&nodes[i]->view);
		for (size_t j = 0; j < nodes[i]->count; j++)
			free(nodes[i]->records[j].body);
		nodes[i]->count = 0;
	}
	return 0;
}

/* ---- Records ---- */

static void say_event(uint32_t sequence, uint32_t cap)
{
	label_msg label = LYCEUM__V1__LABEL__INIT;
	event_msg event = LYCEUM__CONVENING__V1__EVENT__INIT;
	label.visibility = LYCEUM__V1__VISIBILITY__MEMBERS;
	event.home = "nhsa";
	event.id = "e1";
	event.title = "Cells";
	event.sequence = sequence;
	event.cap = cap;
	event.label = &label;
	deliver(&nhsa, "Event.nhsa.e1", &event.base);
	deliver(&wales, "Event.nhsa.e1", &event.base);
}

static void say_answer(struct node *from, const char *person, uint64_t number, int choice)
{
	char subject[160];
	answer_msg answer = LYCEUM__CONVENING__V1__ANSWER__INIT;
	answer.home = from->name;
	answer.event_home = "nhsa";
	answer.event = "e1";
	answer.person = (char *)(uintptr_t)person;
	answer.number = number;
	answer.choice = (Lyceum__Convening__V1__Choice)choice;
	snprintf(subject, sizeof(subject), "Answer.%s.nhsa.e1.%s", from->name, person);
	deliver(&nhsa, subject, &answer.base);
	if (from == &wales)
		deliver(&wales, subject, &answer.base);
}

static struct entry *event_at(struct node *node)
{
	struct entry *entry = view_find(&node->view, "nhsa", "e1");
	assert_non_null(entry);
	return entry;
}

/* What the plugin would append next at the home: a page. False: nothing is to be decided. */
static bool turn_page(size_t max)
{
	struct entry *entry = event_at(&nhsa);
	struct seats_decision decisions[16];
	place_msg places[16], *pointers[16];
	seat_page_msg page = LYCEUM__CONVENING__V1__SEAT_PAGE__INIT;
	char subject[80];
	page.n_place = seats_decide(entry->seats, decisions, max);
	if (page.n_place == 0)
		return false;
	for (size_t i = 0; i < page.n_place; i++) {
		lyceum__convening__v1__place__init(&places[i]);
		places[i].node = (char *)(uintptr_t)decisions[i].node;
		places[i].person = (char *)(uintptr_t)decisions[i].person;
		places[i].number = decisions[i].number;
		places[i].state = (Lyceum__Convening__V1__Place__State)decisions[i].state;
		places[i].reason = (Lyceum__Convening__V1__Place__Reason)decisions[i].reason;
		pointers[i] = &places[i];
	}
	page.home = "nhsa";
	page.event = "e1";
	page.page = seats_next_page(entry->seats);
	page.event_sequence = entry->event->sequence;
	page.place = pointers;
	snprintf(subject, sizeof(subject), "SeatPage.nhsa.e1.%llu", (unsigned long long)page.page);
	deliver(&nhsa, subject, &page.base);
	return true;
}

/* And the verdicts that it owes. */
static void pay_debts(void)
{
	struct entry *entry = event_at(&nhsa);
	while (entry->debts) {
		struct debt *debt = entry->debts;
		verdict_msg verdict = LYCEUM__CONVENING__V1__VERDICT__INIT;
		char subject[80];
		assert_string_equal(debt->node, "wales");
		verdict.home = "nhsa";
		verdict.event = "e1";
		verdict.node = "wales";
		verdict.page = debt->page;
		verdict.place = debt->places;
		verdict.n_place = debt->place_count;
		snprintf(subject, sizeof(subject), "Verdict.nhsa.e1.wales.%llu",
			 (unsigned long long)debt->page);
		deliver(&wales, subject, &verdict.base);
		deliver(&nhsa, subject, &verdict.base);
	}
}

static struct seats_standing standing_at(struct view *view, const char *person)
{
	struct entry *entry = view_find(view, "nhsa", "e1");
	struct seats_standing standing;
	assert_non_null(entry);
	assert_true(view_standing(view, entry, person, &standing));
	return standing;
}

/* ---- Tests ---- */

static void test_view_tells_another_node_what_its_home_decided(void **state)
{
	static const char *const people[] = {"a@wales", "b@wales", "c@wales"};
	(void)state;
	say_event(0, 2);
	for (size_t i = 0; i < 3; i++)
		say_answer(&wales, people[i], 1, SEATS_YES);
	assert_int_equal(standing_at(&wales.view, "a@wales").decided_number, 0);
	while (turn_page(2))
		;
	/* Verdicts may be appended late and in any order. */
	pay_debts();
	assert_int_equal(standing_at(&wales.view, "a@wales").state, SEATS_SEATED);
	assert_int_equal(standing_at(&wales.view, "c@wales").state, SEATS_WAITING);
	assert_int_equal(standing_at(&wales.view, "c@wales").reason, SEATS_CAP_REACHED);
	assert_true(view_answered(event_at(&wales), "c@wales")->has_waited);
	say_answer(&wales, "a@wales", 2, SEATS_NO);
	while (turn_page(16))
		;
	pay_debts();
	assert_int_equal(standing_at(&wales.view, "a@wales").state, SEATS_NOT_COMING);
	assert_int_equal(standing_at(&wales.view, "c@wales").state, SEATS_SEATED);
	/* Waited and has a seat now: that is worth a mail. */
	assert_true(view_answered(event_at(&wales), "c@wales")->has_waited);
}

static void check_same(struct node *node, size_t count)
{
	static const char *const people[] = {"p0@wales", "p1@wales", "p2@wales", "p3@wales",
					     "p4@wales", "p5@wales", "p6@wales", "p7@wales"};
	struct view once, twice;
	replay(node, count, false, &once);
	replay(node, count, true, &twice);
	struct entry *one = view_find(&once, "nhsa", "e1");
	struct entry *two = view_find(&twice, "nhsa", "e1");
	assert_non_null(one);
	for (size_t i = 0; i < 8; i++) {
		struct seats_standing a = {0}, b = {0};
		assert_int_equal(view_standing(&once, one, people[i], &a),
				 view_standing(&twice, two, people[i], &b));
		assert_int_equal(a.number, b.number);
		assert_int_equal(a.decided_number, b.decided_number);
		assert_int_equal(a.state, b.state);
		assert_int_equal(a.reason, b.reason);
	}
	size_t debts[2] = {0};
	for (struct debt *debt = one->debts; debt; debt = debt->next)
		debts[0]++;
	for (struct debt *debt = two->debts; debt; debt = debt->next)
		debts[1]++;
	assert_int_equal(debts[0], debts[1]);
	view_fini(&once);
	view_fini(&twice);
}

static void test_view_is_the_same_after_a_replay_of_every_prefix(void **state)
{
	uint32_t seed = 7;
	uint64_t numbers[8] = {0};
	char person[16];
	(void)state;
	say_event(0, 3);
	for (int step = 0; step < 120; step++) {
		seed = seed * 1103515245 + 12345;
		uint32_t who = (seed >> 16) % 8, what = (seed >> 20) % 10;
		snprintf(person, sizeof(person), "p%u@wales", who);
		if (what < 6)
			say_answer(&wales, person, ++numbers[who], what < 4 ? SEATS_YES : SEATS_NO);
		else if (what < 8)
			turn_page(1 + (seed >> 24) % 4);
		else if (what == 8)
			pay_debts();
		else
			say_event((uint32_t)step, 1 + (seed >> 24) % 5);
	}
	while (turn_page(16))
		;
	pay_debts();
	for (size_t i = 1; i <= nhsa.count; i++)
		check_same(&nhsa, i);
	for (size_t i = 1; i <= wales.count; i++)
		check_same(&wales, i);
	for (uint32_t i = 0; i < 8; i++) {
		snprintf(person, sizeof(person), "p%u@wales", i);
		if (numbers[i] == 0)
			continue;
		struct entry *entry = event_at(&nhsa);
		struct seats_standing home;
		assert_true(seats_find(entry->seats, "wales", person, &home));
		struct seats_standing there = standing_at(&wales.view, person);
		assert_int_equal(home.state, there.state);
		assert_int_equal(home.decided_number, there.decided_number);
	}
}

static void test_view_forgets_an_event_that_is_not_for_it_any_more(void **state)
{
	char homes[80];
	(void)state;
	say_event(0, 3);
	assert_non_null(view_named(&wales.view, "e1", homes, sizeof(homes)));
	assert_non_null(view_named(&wales.view, "e1@nhsa", homes, sizeof(homes)));
	deliver(&wales, "Event.nhsa.e1", NULL);
	assert_null(view_named(&wales.view, "e1", homes, sizeof(homes)));
	assert_string_equal(homes, "");
	assert_null(view_named(&wales.view, "e1@nhsa", homes, sizeof(homes)));
	/* And has it again. */
	say_event(1, 3);
	assert_non_null(view_named(&wales.view, "e1", homes, sizeof(homes)));
}

static void test_view_names_the_homes_of_an_id_that_several_have(void **state)
{
	event_msg event = LYCEUM__CONVENING__V1__EVENT__INIT;
	char homes[80];
	(void)state;
	say_event(0, 3);
	event.home = "wales";
	event.id = "e1";
	deliver(&wales, "Event.wales.e1", &event.base);
	assert_null(view_named(&wales.view, "e1", homes, sizeof(homes)));
	assert_non_null(strstr(homes, "e1@nhsa"));
	assert_non_null(strstr(homes, "e1@wales"));
	assert_true(view_is_own(&wales.view, view_named(&wales.view, "e1@wales", homes, 80)));
}

static void test_view_leaves_out_what_it_does_not_know(void **state)
{
	static const uint8_t broken[] = {0x0a, 0xff};
	(void)state;
	assert_false(view_take(&nhsa.view, "nhsa", "lyceum.convening.v1.Event.nhsa.e9", false,
			       broken, 2, 1, 0));
	assert_false(view_take(&nhsa.view, "nhsa", "lyceum.convening.v1.Event.nhsa", false, NULL, 0,
			       2, 0));
	assert_false(view_take(&nhsa.view, "nhsa", "lyceum.convening.v1.Unheard.nhsa.e9", false,
			       NULL, 0, 3, 0));
	assert_false(view_take(&nhsa.view, "nhsa", "lyceum.experts.v1.Expert.a.b", false, NULL, 0,
			       4, 0));
	assert_null(view_find(&nhsa.view, "nhsa", "e9"));
	assert_int_equal(nhsa.view.seq, 4);
}

/* A page that somebody else says was written is none of this event's book. */
static void test_view_takes_pages_and_verdicts_of_the_home_only(void **state)
{
	place_msg place = LYCEUM__CONVENING__V1__PLACE__INIT, *places[] = {&place};
	verdict_msg verdict = LYCEUM__CONVENING__V1__VERDICT__INIT;
	(void)state;
	say_event(0, 3);
	say_answer(&wales, "a@wales", 1, SEATS_YES);
	place.node = "wales";
	place.person = "a@wales";
	place.number = 1;
	place.state = LYCEUM__CONVENING__V1__PLACE__STATE__SEATED;
	verdict.home = "medcity";
	verdict.event = "e1";
	verdict.node = "wales";
	verdict.page = 1;
	verdict.place = places;
	verdict.n_place = 1;
	deliver(&wales, "Verdict.medcity.e1.wales.1", &verdict.base);
	assert_int_equal(standing_at(&wales.view, "a@wales").decided_number, 0);
}

/* Whoever else sends it: a record is its home's, in the subject and in the body. */
static void test_view_takes_answers_of_the_answering_node_only(void **state)
{
	answer_msg answer = LYCEUM__CONVENING__V1__ANSWER__INIT;
	struct seats_standing standing;
	(void)state;
	say_event(0, 1);
	answer.home = "cork";
	answer.event_home = "nhsa";
	answer.event = "e1";
	answer.person = "ann@cork";
	answer.number = 9;
	answer.choice = LYCEUM__CONVENING__V1__CHOICE__NO;
	/* Another's subject; another's name in the body; another's person. */
	assert_false(deliver_from(&nhsa, "wales", "Answer.cork.nhsa.e1.ann@cork", &answer.base));
	assert_false(deliver_from(&nhsa, "wales", "Answer.wales.nhsa.e1.ann@cork", &answer.base));
	answer.home = "wales";
	(void)deliver_from(&nhsa, "wales", "Answer.wales.nhsa.e1.ann@cork", &answer.base);
	assert_false(seats_find(event_at(&nhsa)->seats, "cork", "ann@cork", &standing));
	assert_false(seats_find(event_at(&nhsa)->seats, "wales", "ann@cork", &standing));
	/* And of another event than it says. */
	answer.person = "bob@wales";
	assert_false(deliver_from(&nhsa, "wales", "Answer.wales.nhsa.e2.bob@wales", &answer.base));
	assert_false(seats_find(event_at(&nhsa)->seats, "wales", "bob@wales", &standing));
	assert_true(deliver_from(&nhsa, "wales", "Answer.wales.nhsa.e1.bob@wales", &answer.base));
	assert_true(seats_find(event_at(&nhsa)->seats, "wales", "bob@wales", &standing));
}

/* The id of an invitation can be guessed; only the node that sends its mail answers by it. */
static void test_view_takes_answers_to_an_invitation_of_its_node_only(void **state)
{
	invitation_msg invitation = LYCEUM__CONVENING__V1__INVITATION__INIT;
	answer_msg answer = LYCEUM__CONVENING__V1__ANSWER__INIT;
	struct seats_standing standing;
	(void)state;
	say_event(0, 1);
	invitation.home = "nhsa";
	invitation.event = "e1";
	invitation.id = "i1";
	invitation.expert = "P1";
	invitation.expert_home = "wales";
	deliver(&nhsa, "Invitation.nhsa.e1.i1", &invitation.base);
	answer.home = "cork";
	answer.event_home = "nhsa";
	answer.event = "e1";
	answer.person = "i1";
	answer.number = 1;
	answer.choice = LYCEUM__CONVENING__V1__CHOICE__YES;
	deliver(&nhsa, "Answer.cork.nhsa.e1.i1", &answer.base);
	assert_false(seats_find(event_at(&nhsa)->seats, "cork", "i1", &standing));
	assert_true(seats_find(event_at(&nhsa)->seats, "wales", "i1", &standing));
	assert_int_equal(standing.choice, SEATS_UNANSWERED);
	answer.home = "wales";
	deliver(&nhsa, "Answer.wales.nhsa.e1.i1", &answer.base);
	assert_true(seats_find(event_at(&nhsa)->seats, "wales", "i1", &standing));
	assert_int_equal(standing.choice, SEATS_YES);
}

static void test_view_takes_nothing_that_is_forged_in_the_name_of_the_home(void **state)
{
	place_msg place = LYCEUM__CONVENING__V1__PLACE__INIT, *places[] = {&place};
	verdict_msg verdict = LYCEUM__CONVENING__V1__VERDICT__INIT;
	invitation_msg invitation = LYCEUM__CONVENING__V1__INVITATION__INIT;
	seat_page_msg page = LYCEUM__CONVENING__V1__SEAT_PAGE__INIT;
	event_msg event = LYCEUM__CONVENING__V1__EVENT__INIT;
	(void)state;
	say_event(0, 3);
	say_answer(&wales, "a@wales", 1, SEATS_YES);
	place.node = "wales";
	place.person = "a@wales";
	place.number = 1;
	place.state = LYCEUM__CONVENING__V1__PLACE__STATE__SEATED;
	verdict.home = "nhsa";
	verdict.event = "e1";
	verdict.node = "wales";
	verdict.page = 1;
	verdict.place = places;
	verdict.n_place = 1;
	assert_false(deliver_from(&wales, "medcity", "Verdict.nhsa.e1.wales.1", &verdict.base));
	assert_false(deliver_from(&wales, "medcity", "Verdict.medcity.e1.wales.1", &verdict.base));
	assert_false(deliver_from(&wales, "nhsa", "Verdict.nhsa.e1.wales.2", &verdict.base));
	assert_int_equal(standing_at(&wales.view, "a@wales").decided_number, 0);
	page.home = "nhsa";
	page.event = "e1";
	page.page = 1;
	page.place = places;
	page.n_place = 1;
	assert_false(deliver_from(&nhsa, "medcity", "SeatPage.nhsa.e1.1", &page.base));
	assert_int_equal(seats_taken(event_at(&nhsa)->seats), 0);
	event.home = "nhsa";
	event.id = "e1";
	event.title = "Forged";
	assert_false(deliver_from(&wales, "medcity", "Event.nhsa.e1", &event.base));
	assert_false(deliver_from(&wales, "medcity", "Event.nhsa.e1", NULL));
	assert_string_equal(event_at(&wales)->event->title, "Cells");
	invitation.home = "nhsa";
	invitation.event = "e1";
	invitation.id = "i1";
	invitation.expert = "P1";
	invitation.expert_home = "wales";
	assert_false(deliver_from(&wales, "medcity", "Invitation.nhsa.e1.i1", &invitation.base));
	assert_null(view_invited(event_at(&wales), "i1"));
	/* The home itself is heard; of its verdict, what is about this node's people. */
	place.node = "medcity";
	assert_true(deliver_from(&wales, "nhsa", "Verdict.nhsa.e1.wales.1", &verdict.base));
	assert_int_equal(standing_at(&wales.view, "a@wales").decided_number, 0);
	place.node = "wales";
	assert_true(deliver_from(&wales, "nhsa", "Verdict.nhsa.e1.wales.1", &verdict.base));
	assert_int_equal(standing_at(&wales.view, "a@wales").state, SEATS_SEATED);
}

/* Whoever reads the log has no link from it: the token's hash opens nothing. */
static void test_view_knows_links_by_their_hash(void **state)
{
	dispatch_msg dispatch = LYCEUM__CONVENING__V1__DISPATCH__INIT;
	feed_token_msg feed = LYCEUM__CONVENING__V1__FEED_TOKEN__INIT;
	struct secret secret = {{7}};
	char token[SECRET_TOKEN_SIZE], renewed[SECRET_TOKEN_SIZE], shown[SECRET_HASH_LEN + 1] = "";
	uint8_t hash[SECRET_HASH_LEN];
	(void)state;
	say_event(0, 3);
	secret_reply_token(&secret, "nhsa", "e1", "i1", token);
	secret_hash(token, hash);
	dispatch.home = "wales";
	dispatch.event_home = "nhsa";
	dispatch.event = "e1";
	dispatch.invitation = "i1";
	dispatch.token_hash = (ProtobufCBinaryData){sizeof(hash), hash};
	deliver(&wales, "Dispatch.wales.nhsa.e1.i1", &dispatch.base);
	const struct record *record = &wales.records[wales.count - 1];
	assert_null(memmem(record->body, record->len, token, strlen(token)));
	assert_non_null(view_token(&wales.view, token));
	assert_string_equal(view_token(&wales.view, token)->invitation, "i1");
	memcpy(shown, hash, sizeof(hash));
	assert_null(view_token(&wales.view, shown));
	/* The next link of an invitation ends the one before. */
	secret.bytes[0]++;
	secret_reply_token(&secret, "nhsa", "e1", "i1", renewed);
	secret_hash(renewed, hash);
	deliver(&wales, "Dispatch.wales.nhsa.e1.i1", &dispatch.base);
	assert_null(view_token(&wales.view, token));
	assert_non_null(view_token(&wales.view, renewed));

	secret_feed_token(&secret, "ann@wales", 1, token);
	secret_hash(token, hash);
	feed.home = "wales";
	feed.person = "ann@wales";
	feed.number = 1;
	feed.until_ms = 5000;
	feed.token_hash = (ProtobufCBinaryData){sizeof(hash), hash};
	deliver(&wales, "FeedToken.wales.ann@wales", &feed.base);
	record = &wales.records[wales.count - 1];
	assert_null(memmem(record->body, record->len, token, strlen(token)));
	assert_non_null(view_feed(&wales.view, token, 4999));
	assert_null(view_feed(&wales.view, shown, 4999));
	assert_null(view_feed(&wales.view, token, 5000));
	feed.token_hash.len = 0;
	deliver(&wales, "FeedToken.wales.ann@wales", &feed.base);
	assert_null(view_feed(&wales.view, token, 4999));
	assert_non_null(view_feed_of(&wales.view, "ann@wales"));
}

/* An invitation of another node is mailed to people whom that node could not write to. */
static void test_view_counts_what_another_node_has_mailed_in_a_day(void **state)
{
	const int64_t day_ms = 86400000, today_ms = 20000 * day_ms;
	invitation_msg invitation = LYCEUM__CONVENING__V1__INVITATION__INIT;
	mail_note_msg note = LYCEUM__CONVENING__V1__MAIL_NOTE__INIT;
	struct view view;
	char id[16], subject[120];
	(void)state;
	say_event(0, 0);
	invitation.home = "nhsa";
	invitation.event = "e1";
	invitation.expert_home = "wales";
	invitation.id = id;
	note.home = "wales";
	note.event = "e1@nhsa";
	note.person = id;
	note.kind = "invite";
	note.step = LYCEUM__CONVENING__V1__MAIL_NOTE__STEP__QUEUED;
	note.queued_ms = today_ms + 5000;
	for (size_t i = 0; i < 150; i++) {
		assert_false(foreign_is_full(&wales.view, "nhsa", today_ms));
		snprintf(id, sizeof(id), "i%zu", i);
		snprintf(subject, sizeof(subject), "Invitation.nhsa.e1.%s", id);
		deliver(&wales, subject, &invitation.base);
		snprintf(subject, sizeof(subject), "MailNote.wales.e1@nhsa.%s.0.invite", id);
		deliver(&wales, subject, &note.base);
	}
	/* What is queued counts before the log has it, once; and not when the log refuses it. */
	struct invited waiting[FOREIGN_MAX_A_DAY - 150] = {0}, *last = &waiting[0];
	for (size_t i = 0; i < FOREIGN_MAX_A_DAY - 150; i++) {
		assert_false(foreign_is_full(&wales.view, "nhsa", today_ms));
		foreign_note(&wales.view, "nhsa", &waiting[i], today_ms, false);
		foreign_note(&wales.view, "nhsa", &waiting[i], today_ms, false);
	}
	assert_true(foreign_is_full(&wales.view, "nhsa", today_ms));
	foreign_note(&wales.view, "nhsa", last, today_ms, true);
	assert_false(foreign_is_full(&wales.view, "nhsa", today_ms));
	foreign_note(&wales.view, "nhsa", last, today_ms, false);
	assert_true(foreign_is_full(&wales.view, "nhsa", today_ms));
	assert_true(foreign_is_news(&wales.view, "nhsa", today_ms));
	assert_false(foreign_is_news(&wales.view, "nhsa", today_ms));
	assert_false(foreign_is_full(&wales.view, "cork", today_ms));
	assert_false(foreign_is_full(&wales.view, "nhsa", today_ms + day_ms));
	/* After a restart the day's mails still count. */
	replay(&wales, wales.count, true, &view);
	for (size_t i = 0; i < 50; i++) {
		struct invited other = {0};
		assert_false(foreign_is_full(&view, "nhsa", today_ms));
		foreign_note(&view, "nhsa", &other, today_ms, false);
	}
	assert_true(foreign_is_full(&view, "nhsa", today_ms));
	view_fini(&view);
}

static void test_view_hears_why_a_mail_waits_from_the_invited_node_only(void **state)
{
	invitation_msg invitation = LYCEUM__CONVENING__V1__INVITATION__INIT;
	holdup_msg holdup = LYCEUM__CONVENING__V1__HOLDUP__INIT;
	(void)state;
	say_event(0, 0);
	invitation.home = "nhsa";
	invitation.event = "e1";
	invitation.id = "i1";
	invitation.expert = "P1";
	invitation.expert_home = "wales";
	deliver(&nhsa, "Invitation.nhsa.e1.i1", &invitation.base);
	holdup.home = "cork";
	holdup.event_home = "nhsa";
	holdup.event = "e1";
	holdup.invitation = "i1";
	holdup.reason = "waits";
	deliver(&nhsa, "Holdup.cork.nhsa.e1.i1", &holdup.base);
	assert_null(view_invited(event_at(&nhsa), "i1")->holdup);
	holdup.home = "wales";
	deliver(&nhsa, "Holdup.wales.nhsa.e1.i1", &holdup.base);
	assert_string_equal(view_invited(event_at(&nhsa), "i1")->holdup, "waits");
	holdup.reason = "";
	deliver(&nhsa, "Holdup.wales.nhsa.e1.i1", &holdup.base);
	assert_string_equal(view_invited(event_at(&nhsa), "i1")->holdup, "");
}

#define VIEW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VIEW_TEST(test_view_tells_another_node_what_its_home_decided),
		VIEW_TEST(test_view_is_the_same_after_a_replay_of_every_prefix),
		VIEW_TEST(test_view_forgets_an_event_that_is_not_for_it_any_more),
		VIEW_TEST(test_view_names_the_homes_of_an_id_that_several_have),
		VIEW_TEST(test_view_leaves_out_what_it_does_not_know),
		VIEW_TEST(test_view_takes_pages_and_verdicts_of_the_home_only),
		VIEW_TEST(test_view_knows_links_by_their_hash),
		VIEW_TEST(test_view_counts_what_another_node_has_mailed_in_a_day),
		VIEW_TEST(test_view_hears_why_a_mail_waits_from_the_invited_node_only),
		VIEW_TEST(test_view_takes_answers_of_the_answering_node_only),
		VIEW_TEST(test_view_takes_answers_to_an_invitation_of_its_node_only),
		VIEW_TEST(test_view_takes_nothing_that_is_forged_in_the_name_of_the_home),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
