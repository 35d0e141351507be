/* The seats of an event, as a log: whoever decides may die between any two records, may have a
 * rival, and hears everything twice. Whatever happens, the cap holds and every replay says the
 * same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seats.h"

#define MAX_PAGE 16
#define MAX_LOG 600
#define PEOPLE 24

/* ---- a log of one event ---- */

enum kind { RULES, INVITE, ANSWER, PAGE };

struct entry {
	enum kind kind;
	struct seats_rules rules;
	struct seats_quota quotas[2];
	int person;
	uint64_t number;
	enum seats_choice choice;
	const char *group;
	uint64_t page;
	uint32_t sequence;
	struct seats_decision decisions[MAX_PAGE];
	size_t count;
};

static struct entry log_entries[MAX_LOG];
static size_t log_len;
static uint64_t seed;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % sides;
}

static const char *const nodes[] = {"nhsa", "wales", "medcity", "leeds"};
static char persons[PEOPLE][24];

static const char *node_of(int person)
{
	return nodes[person % 4];
}

/* Every third is an invitation, the others are members of their nodes. */
static void name_people(void)
{
	for (int i = 0; i < PEOPLE; i++) {
		if (i % 3 == 0)
			snprintf(persons[i], sizeof(persons[i]), "inv%d", i);
		else
			snprintf(persons[i], sizeof(persons[i]), "p%d@%s", i, node_of(i));
	}
}

static void fold(struct seats *seats, const struct entry *entry)
{
	switch (entry->kind) {
	case RULES: {
		struct seats_rules rules = entry->rules;
		rules.quotas = entry->quotas;
		seats_set_rules(seats, &rules);
		break;
	}
	case INVITE:
		seats_invite(seats, node_of(entry->person), persons[entry->person], entry->group);
		break;
	case ANSWER:
		seats_answer(seats, node_of(entry->person), persons[entry->person], entry->number,
			     entry->choice, entry->group);
		break;
	case PAGE:
		seats_take_page(seats, entry->page, entry->sequence, entry->decisions,
				entry->count);
		break;
	}
}

struct digest {
	char text[PEOPLE * 100];
	size_t len;
};

static void add_to_digest(const struct seats_standing *standing, void *arg)
{
	struct digest *digest = arg;
	digest->len += (size_t)snprintf(
		digest->text + digest->len, sizeof(digest->text) - digest->len,
		"%s/%s %s %d %llu %llu %d %d\n", standing->node, standing->person, standing->group,
		(int)standing->choice, (unsigned long long)standing->number,
		(unsigned long long)standing->decided_number, (int)standing->state,
		(int)standing->reason);
}

static struct digest digest_of(const struct seats *seats)
{
	struct digest digest = {.len = 0};
	digest.len = (size_t)snprintf(digest.text, sizeof(digest.text), "%u %zu page %llu\n",
				      seats_taken(seats), seats_waiting(seats),
				      (unsigned long long)seats_next_page(seats));
	seats_each(seats, add_to_digest, &digest);
	return digest;
}

static struct seats *replay(size_t len, bool twice)
{
	struct seats *seats = seats_new();
	for (size_t i = 0; i < len; i++) {
		fold(seats, &log_entries[i]);
		/* Rules that come twice are the same rules; the others have numbers. */
		if (twice)
			fold(seats, &log_entries[i]);
	}
	return seats;
}

/* Texts of a decision belong to the fold that made it; the log keeps those of this file. */
static void keep(struct seats_decision *decision)
{
	static const char *const groups[] = {"", "policy", "industry"};
	for (int i = 0; i < PEOPLE; i++) {
		if (strcmp(persons[i], decision->person) == 0) {
			decision->person = persons[i];
			decision->node = node_of(i);
		}
	}
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(groups[i], decision->group) == 0)
			decision->group = groups[i];
	}
}

static struct entry page_of(struct seats *seats, size_t max)
{
	struct entry entry = {.kind = PAGE, .page = seats_next_page(seats)};
	entry.count = seats_decide(seats, entry.decisions, max);
	for (size_t i = 0; i < entry.count; i++)
		keep(&entry.decisions[i]);
	return entry;
}

static uint32_t sequence;
static uint32_t cap;
static bool is_cancelled;
static bool invited_only;
static uint32_t quota;
static uint64_t numbers[PEOPLE];

static void append(const struct entry *entry)
{
	assert_true(log_len < MAX_LOG);
	log_entries[log_len++] = *entry;
}

static void append_rules(void)
{
	struct entry entry = {.kind = RULES,
			      .rules = {.sequence = sequence,
					.cap = cap,
					.quota_count = quota > 0,
					.is_cancelled = is_cancelled,
					.invited_only = invited_only}};
	entry.quotas[0] = (struct seats_quota){"policy", quota};
	append(&entry);
}

static void append_answer(int person, enum seats_choice choice)
{
	struct entry entry = {.kind = ANSWER,
			      .person = person,
			      .number = ++numbers[person],
			      .choice = choice,
			      .group = dice(3) ? "policy" : "industry"};
	append(&entry);
}

static void append_something(void)
{
	static const enum seats_choice choices[] = {SEATS_YES, SEATS_YES, SEATS_YES, SEATS_NO,
						    SEATS_MAYBE};
	uint32_t what = dice(40);
	int person = (int)dice(PEOPLE);
	struct entry entry = {.kind = INVITE, .person = person, .group = dice(2) ? "policy" : ""};
	if (what < 30) {
		append_answer(person, choices[dice(5)]);
	} else if (what < 37) {
		append(&entry);
	} else {
		sequence++;
		cap = 1 + dice(8);
		quota = dice(4);
		invited_only = dice(5) == 0;
		is_cancelled = is_cancelled || dice(30) == 0;
		append_rules();
	}
}

/* A decider: a process that has folded the log so far, and perhaps has a page under way. */
struct decider {
	struct seats *seats;
	size_t seen;
	struct entry page;
	bool is_under_way;
};

static void catch_up(struct decider *decider)
{
	while (decider->seen < log_len)
		fold(decider->seats, &log_entries[decider->seen++]);
}

static void restart(struct decider *decider)
{
	/* What was under way may still arrive in the log: nobody takes it back. */
	seats_free(decider->seats);
	decider->seats = seats_new();
	decider->seen = 0;
	catch_up(decider);
}

static bool page_is_in_log(uint64_t page)
{
	for (size_t i = 0; i < log_len; i++) {
		if (log_entries[i].kind == PAGE && log_entries[i].page == page)
			return true;
	}
	return false;
}

/* The log's expectation: no such page yet. */
static bool commit(struct decider *decider)
{
	bool is_first = !page_is_in_log(decider->page.page);
	decider->is_under_way = false;
	if (is_first)
		append(&decider->page);
	else
		seats_reconsider(decider->seats);
	return is_first;
}

static void begin_page(struct decider *decider)
{
	catch_up(decider);
	decider->page = page_of(decider->seats, 1 + dice(MAX_PAGE));
	decider->page.sequence = sequence;
	for (size_t i = log_len; i-- > 0;) {
		if (log_entries[i].kind == RULES) {
			decider->page.sequence = log_entries[i].rules.sequence;
			break;
		}
	}
	decider->is_under_way = decider->page.count > 0;
}

/* At no point more seats than the cap, but for those that were there before it was lowered. */
static void check_every_prefix(void)
{
	struct seats *once = seats_new();
	uint32_t limit = 0, group_limit = UINT32_MAX;
	for (size_t i = 0; i < log_len; i++) {
		uint32_t before = seats_taken(once);
		uint32_t group_before = seats_group_taken(once, "policy");
		fold(once, &log_entries[i]);
		if (log_entries[i].kind == RULES) {
			limit = log_entries[i].rules.cap;
			group_limit = log_entries[i].rules.quota_count
					      ? log_entries[i].quotas[0].max
					      : UINT32_MAX;
		}
		assert_true(seats_taken(once) <= limit || seats_taken(once) <= before);
		assert_true(seats_group_taken(once, "policy") <= group_limit ||
			    seats_group_taken(once, "policy") <= group_before);
		/* A fresh fold of what is in the log so far, heard once or twice, is the same. */
		if (i % 7 == seed % 7 || i + 1 == log_len) {
			struct seats *fresh = replay(i + 1, false);
			struct seats *twice = replay(i + 1, true);
			struct digest one = digest_of(once), other = digest_of(fresh),
				      third = digest_of(twice);
			assert_string_equal(one.text, other.text);
			assert_string_equal(one.text, third.text);
			seats_free(fresh);
			seats_free(twice);
		}
	}
	seats_free(once);
}

static void settle(struct decider *decider)
{
	for (int i = 0; i < 300; i++) {
		begin_page(decider);
		if (!decider->is_under_way)
			return;
		commit(decider);
		catch_up(decider);
	}
	fail_msg("it goes on deciding");
}

/* Nobody is undecided, and nobody waits who could have a seat: each has a reason. */
static void check_settled(const struct seats_standing *standing, void *arg)
{
	const struct seats *seats = arg;
	if (standing->choice == SEATS_UNANSWERED)
		return;
	assert_int_equal(standing->decided_number, standing->number);
	if (standing->state == SEATS_SEATED) {
		assert_int_equal(standing->choice, SEATS_YES);
		return;
	}
	assert_int_not_equal(standing->reason, SEATS_NONE);
	if (standing->state != SEATS_WAITING)
		return;
	if (standing->reason == SEATS_CAP_REACHED)
		assert_true(seats_taken(seats) >= cap);
	if (standing->reason == SEATS_GROUP_FULL)
		assert_true(seats_group_taken(seats, "policy") >= quota);
	if (standing->reason == SEATS_CANCELLED)
		assert_true(is_cancelled);
}

static void run_one(uint64_t run)
{
	struct decider deciders[2] = {{.seats = seats_new()}, {.seats = seats_new()}};
	seed = run * 2654435761u + 17;
	log_len = 0;
	sequence = 0;
	cap = 1 + dice(6);
	quota = dice(3);
	is_cancelled = invited_only = false;
	memset(numbers, 0, sizeof(numbers));
	append_rules();
	for (int step = 0; step < 120; step++) {
		struct decider *decider = &deciders[dice(4) == 0];
		switch (dice(8)) {
		case 0:
			restart(decider);
			break;
		case 1:
			catch_up(decider);
			break;
		case 2:
		case 3:
			if (decider->is_under_way)
				commit(decider);
			else
				begin_page(decider);
			break;
		default:
			append_something();
		}
	}
	for (int i = 0; i < 2; i++) {
		if (deciders[i].is_under_way)
			commit(&deciders[i]);
	}
	settle(&deciders[0]);
	check_every_prefix();
	seats_each(deciders[0].seats, check_settled, deciders[0].seats);
	seats_free(deciders[0].seats);
	seats_free(deciders[1].seats);
}

static void test_seats_hold_in_thousands_of_orders_with_crashes_and_rivals(void **state)
{
	(void)state;
	name_people();
	for (uint64_t run = 0; run < 1500; run++)
		run_one(run);
}

/* ---- one thing at a time ---- */

static struct seats *event_of(uint32_t seat_count, const struct seats_quota *quotas, size_t count)
{
	struct seats *seats = seats_new();
	struct seats_rules rules = {.cap = seat_count, .quotas = quotas, .quota_count = count};
	seats_set_rules(seats, &rules);
	return seats;
}

static size_t turn_page(struct seats *seats)
{
	struct seats_decision decisions[64];
	uint64_t page = seats_next_page(seats);
	size_t count = seats_decide(seats, decisions, 64);
	if (count > 0)
		assert_true(seats_take_page(seats, page, 0, decisions, count));
	return count;
}

static struct seats_standing standing_of(const struct seats *seats, const char *person)
{
	struct seats_standing standing;
	assert_true(seats_find(seats, strchr(person, '@') + 1, person, &standing));
	return standing;
}

static void yes(struct seats *seats, const char *person, const char *group)
{
	seats_answer(seats, strchr(person, '@') + 1, person, 1, SEATS_YES, group);
}

static void test_seats_go_to_whoever_answers_first(void **state)
{
	(void)state;
	struct seats *seats = event_of(2, NULL, 0);
	yes(seats, "a@x", "");
	yes(seats, "b@y", "");
	yes(seats, "c@x", "");
	yes(seats, "d@y", "");
	assert_int_equal(turn_page(seats), 4);
	assert_int_equal(turn_page(seats), 0);
	assert_int_equal(standing_of(seats, "b@y").state, SEATS_SEATED);
	assert_int_equal(standing_of(seats, "c@x").reason, SEATS_CAP_REACHED);
	assert_int_equal(standing_of(seats, "d@y").position, 2);
	/* A freed seat goes to the first who waits, on the page that frees it. */
	seats_answer(seats, "x", "a@x", 2, SEATS_NO, "");
	yes(seats, "e@y", "");
	assert_int_equal(turn_page(seats), 3);
	assert_int_equal(standing_of(seats, "c@x").state, SEATS_SEATED);
	assert_int_equal(standing_of(seats, "d@y").position, 1);
	assert_int_equal(standing_of(seats, "e@y").position, 2);
	assert_int_equal(seats_taken(seats), 2);
	seats_free(seats);
}

static void test_seats_pass_over_a_full_group_and_say_so(void **state)
{
	(void)state;
	const struct seats_quota quotas[] = {{"policy", 1}};
	struct seats *seats = event_of(2, quotas, 1);
	yes(seats, "a@x", "policy");
	yes(seats, "b@x", "industry");
	yes(seats, "c@x", "industry");
	yes(seats, "d@x", "policy");
	yes(seats, "e@x", "industry");
	turn_page(seats);
	seats_answer(seats, "x", "b@x", 2, SEATS_NO, "industry");
	turn_page(seats);
	assert_int_equal(standing_of(seats, "c@x").state, SEATS_SEATED);
	seats_answer(seats, "x", "c@x", 2, SEATS_NO, "industry");
	turn_page(seats);
	assert_int_equal(standing_of(seats, "d@x").reason, SEATS_GROUP_FULL);
	assert_int_equal(standing_of(seats, "e@x").state, SEATS_SEATED);
	seats_answer(seats, "x", "a@x", 2, SEATS_MAYBE, "policy");
	turn_page(seats);
	assert_int_equal(standing_of(seats, "a@x").reason, SEATS_SAID_MAYBE);
	assert_int_equal(standing_of(seats, "d@x").state, SEATS_SEATED);
	seats_free(seats);
}

static void test_seats_void_a_page_of_other_rules(void **state)
{
	(void)state;
	struct seats *seats = event_of(3, NULL, 0);
	struct seats_decision decisions[8];
	struct seats_rules smaller = {.sequence = 1, .cap = 1};
	yes(seats, "a@x", "");
	yes(seats, "b@x", "");
	assert_int_equal(seats_decide(seats, decisions, 8), 2);
	seats_set_rules(seats, &smaller);
	assert_false(seats_take_page(seats, 1, 0, decisions, 2));
	assert_int_equal(seats_taken(seats), 0);
	assert_int_equal(seats_next_page(seats), 2);
	assert_int_equal(seats_decide(seats, decisions, 8), 2);
	assert_true(seats_take_page(seats, 2, 1, decisions, 2));
	assert_false(seats_take_page(seats, 2, 1, decisions, 2));
	assert_int_equal(seats_taken(seats), 1);
	seats_free(seats);
}

static void test_seats_know_who_may_answer(void **state)
{
	(void)state;
	struct seats *seats = event_of(5, NULL, 0);
	struct seats_standing standing;
	/* Nobody answers for the people of another node. */
	seats_answer(seats, "x", "a@y", 1, SEATS_YES, "");
	assert_false(seats_find(seats, "x", "a@y", &standing));
	/* An invitation that there is not. */
	seats_answer(seats, "x", "inv1", 1, SEATS_YES, "");
	turn_page(seats);
	assert_true(seats_find(seats, "x", "inv1", &standing));
	assert_int_equal(standing.reason, SEATS_NOT_INVITED);
	/* Once there is, its answer counts. */
	seats_invite(seats, "x", "inv1", "");
	turn_page(seats);
	assert_true(seats_find(seats, "x", "inv1", &standing));
	assert_int_equal(standing.state, SEATS_SEATED);
	seats_free(seats);
}

static void test_seats_decide_ten_thousand_in_a_moment(void **state)
{
	(void)state;
	struct seats *seats = event_of(120, NULL, 0);
	char person[32];
	size_t pages = 0;
	for (int i = 0; i < 10000; i++) {
		snprintf(person, sizeof(person), "p%d@%s", i, nodes[i % 4]);
		yes(seats, person, "");
	}
	while (turn_page(seats) > 0)
		pages++;
	assert_int_equal(pages, (10000 + 63) / 64);
	assert_int_equal(seats_taken(seats), 120);
	assert_int_equal(seats_waiting(seats), 9880);
	/* All who have a seat give it back: the next 120 have it. */
	for (int i = 0; i < 120; i++) {
		snprintf(person, sizeof(person), "p%d@%s", i, nodes[i % 4]);
		seats_answer(seats, nodes[i % 4], person, 2, SEATS_NO, "");
	}
	while (turn_page(seats) > 0)
		pages++;
	assert_int_equal(seats_taken(seats), 120);
	assert_int_equal(standing_of(seats, "p239@leeds").state, SEATS_SEATED);
	assert_int_equal(standing_of(seats, "p240@nhsa").position, 1);
	seats_free(seats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seats_hold_in_thousands_of_orders_with_crashes_and_rivals),
		cmocka_unit_test(test_seats_go_to_whoever_answers_first),
		cmocka_unit_test(test_seats_pass_over_a_full_group_and_say_so),
		cmocka_unit_test(test_seats_void_a_page_of_other_rules),
		cmocka_unit_test(test_seats_know_who_may_answer),
		cmocka_unit_test(test_seats_decide_ten_thousand_in_a_moment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
