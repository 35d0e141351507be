/* Each sentence of why, from the fields that it is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/why_words.h"

static char *const nobody = "";

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

static Lyceum__V1__Hop hop_of(Lyceum__V1__Hop__Kind kind)
{
	Lyceum__V1__Hop hop = LYCEUM__V1__HOP__INIT;
	hop.daemon = text_of("wales");
	hop.kind = kind;
	hop.time_ms = 1700000000000;
	hop.from = text_of("ann");
	hop.principal = text_of("ann@wales");
	hop.subject = text_of("a.B/C");
	return hop;
}

#define BEGIN "wales, 2023-11-14 22:13:20 UTC: 'ann' called a.B/C for ann@wales"

static void check_hop(const Lyceum__V1__Hop *hop, const char *expected)
{
	struct buf text = {0};
	words_hop(hop, &text);
	assert_string_equal(buf_text(&text), expected);
	buf_fini(&text);
}

static void test_words_say_where_a_call_went_and_why(void **state)
{
	(void)state;
	static const struct {
		Lyceum__V1__Hop__Reason reason;
		const char *text;
	} cases[] = {
		{LYCEUM__V1__HOP__REASON__AT, "; it went to 'hub', because `at` names a node"},
		{LYCEUM__V1__HOP__REASON__KEY_HOME,
		 "; it went to 'hub', on the way to its key's home"},
		{LYCEUM__V1__HOP__REASON__SERVED_HERE, "; it went to 'hub', which serves it here"},
		{LYCEUM__V1__HOP__REASON__OWN_METHOD, "; the daemon serves it itself"},
		{LYCEUM__V1__HOP__REASON__HUB_FINDS,
		 "; nobody here serves it, so it went to the hub 'hub', which finds who does"},
		{LYCEUM__V1__HOP__REASON__SERVED_THERE, "; it went to 'hub', which serves it"},
		{LYCEUM__V1__HOP__REASON__REASON_UNSPECIFIED, ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		Lyceum__V1__Hop hop = hop_of(LYCEUM__V1__HOP__KIND__CALL);
		char expected[300];
		hop.to = text_of("hub");
		hop.reason = cases[i].reason;
		snprintf(expected, sizeof(expected), BEGIN "%s; it has not been answered yet.",
			 cases[i].text);
		check_hop(&hop, expected);
	}
}

static void test_words_say_how_it_ended(void **state)
{
	(void)state;
	Lyceum__V1__Hop hop = hop_of(LYCEUM__V1__HOP__KIND__CALL);
	hop.has_ended = true;
	hop.took_ms = 12;
	hop.was_queued = true;
	check_hop(&hop, BEGIN "; it waited until the log was far enough; answered OK after 12 ms.");
	hop.was_queued = false;
	hop.status = LYCEUM__V1__STATUS__INVALID_ARGUMENT;
	hop.field = text_of("a.b");
	check_hop(&hop, BEGIN "; answered INVALID_ARGUMENT after 12 ms (field a.b).");
	hop.kind = LYCEUM__V1__HOP__KIND__PUBLISH;
	hop.principal = text_of("ann");
	hop.status = LYCEUM__V1__STATUS__OK;
	check_hop(&hop, "wales, 2023-11-14 22:13:20 UTC: 'ann' published a.B/C; it went to the "
			"subscribers of that moment and is kept nowhere.");
	hop.seq = 7;
	check_hop(&hop, "wales, 2023-11-14 22:13:20 UTC: 'ann' published a.B/C; it became record 7 "
			"after 12 ms.");
	hop.from = nobody;
	hop.kind = LYCEUM__V1__HOP__KIND__CALL;
	hop.subject = nobody;
	hop.principal = nobody;
	hop.field = nobody;
	check_hop(&hop, "wales, 2023-11-14 22:13:20 UTC: 'somebody' called something; answered OK "
			"after 12 ms.");
}

static void test_words_say_the_rule_of_each_refusal(void **state)
{
	(void)state;
	static const char *const rules[] = {
		[1] = "its right to do so",
		[2] = "for whom it may speak",
		[3] = "a rule of its schema",
		[4] = "its label",
		[5] = "the home of its key",
		[6] = "the sequence that it expected",
		[7] = "credit",
		[8] = "a limit",
		[9] = "its deadline",
		[10] = "the position that it waits for",
		[11] = "a link that is down",
		[12] = "nobody who serves it",
		[13] = "a callee that went away",
		[14] = "an answer that cannot be passed on",
		[15] = "a log that did not take it",
		[16] = "a rule without a name",
	};
	for (int i = 1; i <= 16; i++) {
		Lyceum__V1__Hop hop = hop_of(LYCEUM__V1__HOP__KIND__CALL);
		char expected[300];
		hop.has_ended = true;
		hop.refusal = 1001;
		hop.status = LYCEUM__V1__STATUS__PERMISSION_DENIED;
		hop.rule = (Lyceum__V1__Hop__Rule)i;
		hop.text = text_of("that is so");
		hop.field = text_of("x");
		snprintf(expected, sizeof(expected),
			 BEGIN "; wales refused it as r1001 with PERMISSION_DENIED, because of %s "
			       "(field x): that is so.",
			 rules[i]);
		check_hop(&hop, expected);
	}
}

static void check_record(const Lyceum__V1__RecordFate *fate, const char *part)
{
	struct buf text = {0};
	words_record(fate, &text);
	if (!strstr(buf_text(&text), part))
		fail_msg("'%s' is not in:\n%s", part, buf_text(&text));
	buf_fini(&text);
}

static void check_label(int visibility, size_t count, const char *part)
{
	Lyceum__V1__RecordFate fate = LYCEUM__V1__RECORD_FATE__INIT;
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	char *audience[] = {text_of("cork"), text_of("eve@derry")};
	label.visibility = (Lyceum__V1__Visibility)visibility;
	label.audience = audience;
	label.n_audience = count;
	fate.origin = text_of("wales");
	fate.label = visibility < 0 ? NULL : &label;
	check_record(&fate, part);
}

static void test_words_say_who_may_see_it(void **state)
{
	(void)state;
	check_label(1, 0, "seen by everybody who can reach a node (PUBLIC).");
	check_label(2, 0, "seen by every node of the network and its people (MEMBERS).");
	check_label(3, 2, "seen by wales and cork, eve@derry only (AUDIENCE).");
	check_label(3, 0, "seen by wales and nobody else only (AUDIENCE).");
	check_label(4, 0, "seen by its home wales only; it never leaves it (PRIVATE).");
	check_label(0, 0, "seen by its home wales only; it never leaves it (PRIVATE).");
	check_label(-1, 0, "seen by every node of the network and its people (MEMBERS).");
}

static void test_words_say_what_became_of_a_record(void **state)
{
	(void)state;
	Lyceum__V1__RecordFate fate = LYCEUM__V1__RECORD_FATE__INIT;
	fate.daemon = text_of("wales");
	fate.origin = text_of("wales");
	fate.epoch = 1000;
	fate.origin_seq = 17;
	fate.seq = 17;
	fate.subject = text_of("a.B.c");
	fate.time_ms = 1700000000000;
	fate.principal = text_of("ann@wales");
	fate.schema = text_of("00000000000000ff");
	fate.schema_is_held = true;
	check_record(&fate, "Record wales/1000/17: a.B.c\nWritten 2023-11-14 22:13:20 UTC for "
			    "ann@wales, with the schema 00000000000000ff.\nIts home is wales, "
			    "here.\nIt may be seen by every node of the network and its people "
			    "(MEMBERS).\nIt is the last record of its subject.");
	fate.schema = text_of("0000000000000000");
	check_record(&fate, "for ann@wales.\n");
	fate.superseded_by = 20;
	check_record(&fate, "\nIt was superseded: record 20 is the last of its subject.");
	fate.is_withdrawn = true;
	check_record(&fate, "\nIts subject was withdrawn by record 20.");
	fate.removed = true;
	check_record(&fate, "\nIt withdraws its subject: there is no body.");
	fate.erases = true;
	check_record(&fate,
		     "\nIt erases its subject: what was there before is taken out of the files.");
	fate.erases = false;
	fate.schema_text = text_of("it is not its home's");
	check_record(&fate, "\nIt is passed to nobody: it is not its home's.");
	fate.schema_is_held = false;
	fate.schema_text = text_of("needs version 2");
	check_record(&fate, "\nIts schema is not held here, so it is kept and passed to nobody: "
			    "needs version 2.");
	fate.was_cut = true;
	check_record(&fate, "\nWhat is here is less than its home holds");
	fate.origin = text_of("cork");
	fate.seq = 400;
	check_record(&fate, "Record cork/1000/17, record 400 of the log of wales: a.B.c");
	check_record(&fate, "\nIts home is cork.\n");
	fate.trace = text_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
	check_record(&fate, "\nWhat led to it: lyceum why 4bf92f3577b34da6a3ce929d0e0e4736");
}

static void test_words_say_how_far_a_record_has_come(void **state)
{
	(void)state;
	Lyceum__V1__RecordFate fate = LYCEUM__V1__RECORD_FATE__INIT;
	Lyceum__V1__Reach reach = LYCEUM__V1__REACH__INIT;
	Lyceum__V1__Reach *reaches[] = {&reach};
	Lyceum__V1__Passed passed = LYCEUM__V1__PASSED__INIT;
	Lyceum__V1__Passed *all_passed[] = {&passed};
	fate.reach = reaches;
	fate.n_reach = 1;
	fate.passed = all_passed;
	fate.n_passed = 1;
	reach.daemon = text_of("hub");
	reach.state = LYCEUM__V1__REACH__STATE__CONFIRMED;
	passed.name = text_of("experts");
	passed.is_view = true;
	passed.has_passed = true;
	check_record(&fate, "\nhub has it.\nThe view of the plugin 'experts' has passed it.");
	reach.state = LYCEUM__V1__REACH__STATE__WAITING;
	reach.text = text_of("the link is up, and it is on its way");
	reach.cut_parts = 1;
	passed.has_passed = false;
	passed.behind = 1;
	check_record(&fate,
		     "\nhub has not confirmed it yet: the link is up, and it is on its way; 1 "
		     "labelled part is cut out for it.\nThe view of the plugin 'experts' has "
		     "not come to it yet, 1 record behind the log.");
	passed.is_away = true;
	check_record(&fate, " has not come to it yet and is not connected, 1 record behind");
	passed.is_away = false;
	reach.state = LYCEUM__V1__REACH__STATE__KEPT_BACK;
	reach.text = text_of("its label names others only");
	reach.cut_parts = 0;
	reach.by = text_of("hub");
	passed.is_view = false;
	passed.durable = text_of("mine");
	passed.behind = 2;
	check_record(&fate,
		     "\nhub does not get it: its label names others only (as 'hub' says).\nThe "
		     "durable subscriber 'mine' of 'experts' has not come to it yet, 2 "
		     "records behind the log.");
}

static void test_words_say_who_did_not_answer(void **state)
{
	(void)state;
	Lyceum__V1__Asked asked = LYCEUM__V1__ASKED__INIT;
	struct buf text = {0};
	asked.daemon = text_of("hub");
	asked.text = text_of("it is down");
	words_asked(&asked, &text);
	assert_string_equal(buf_text(&text), "hub was asked and did not answer: it is down.");
	buf_clear(&text);
	asked.has_answered = true;
	words_asked(&asked, &text);
	assert_string_equal(buf_text(&text), "hub was asked and has answered.");
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_say_where_a_call_went_and_why),
		cmocka_unit_test(test_words_say_how_it_ended),
		cmocka_unit_test(test_words_say_the_rule_of_each_refusal),
		cmocka_unit_test(test_words_say_who_may_see_it),
		cmocka_unit_test(test_words_say_what_became_of_a_record),
		cmocka_unit_test(test_words_say_how_far_a_record_has_come),
		cmocka_unit_test(test_words_say_who_did_not_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
