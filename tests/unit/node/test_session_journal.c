/* What the journal says of a session or a registration that was refused: whose it was, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/session_journal.h"
#include "node_bench.h"

struct last {
	size_t count;
	enum journal_kind kind;
	enum journal_rule rule;
	enum lyc_status status;
	char from[64];
	char principal[140];
	char text[240];
};

static void copy(char *to, size_t size, struct span text)
{
	snprintf(to, size, "%.*s", (int)text.len, (const char *)text.data);
}

static bool take(const struct journal_entry *entry, void *arg)
{
	struct last *last = arg;
	if (entry->event != JOURNAL_REFUSED)
		return true;
	last->count++;
	last->kind = entry->kind;
	last->rule = entry->rule;
	last->status = entry->status;
	copy(last->from, sizeof(last->from), entry->from);
	copy(last->principal, sizeof(last->principal), entry->principal);
	copy(last->text, sizeof(last->text), entry->text);
	return true;
}

static struct last refused(struct daemon *daemon, const char *identity,
			   const struct session *session)
{
	struct last last = {0};
	session_journal_refused(daemon, identity, session, JOURNAL_SESSION, RULE_RIGHT,
				LYC_PERMISSION_DENIED, "not you");
	journal_each(&daemon->journal, take, &last);
	return last;
}

/* Whoever the key is of may ask why, though no session came of it. */
static void test_session_journal_names_the_person_of_a_key(void **state)
{
	struct node_bench *bench = *state;
	struct last last = refused(&bench->node->daemon, "ann", NULL);
	assert_int_equal(last.count, 1);
	assert_int_equal(last.kind, JOURNAL_SESSION);
	assert_int_equal(last.rule, RULE_RIGHT);
	assert_int_equal(last.status, LYC_PERMISSION_DENIED);
	assert_string_equal(last.from, "ann");
	assert_string_equal(last.principal, "ann@hub");
	assert_string_equal(last.text, "not you");
}

static void test_session_journal_takes_others_by_their_name(void **state)
{
	struct node_bench *bench = *state;
	assert_string_equal(refused(&bench->node->daemon, "wales", NULL).principal, "wales");
	assert_string_equal(refused(&bench->node->daemon, "mallory", NULL).principal, "mallory");
}

/* A plugin's word is its daemon's. */
static void test_session_journal_goes_by_the_session_where_there_is_one(void **state)
{
	struct node_bench *bench = *state;
	struct daemon *daemon = &bench->node->daemon;
	struct fake_client *board = fake_client_add(bench->node, "board");
	const struct session *session =
		session_find(&daemon->sessions, 1, fake_text(board->routing_id));
	assert_non_null(session);
	struct last last = refused(daemon, "board", session);
	assert_string_equal(last.from, "board");
	assert_string_equal(last.principal, "hub");
}

int main(void)
{
#define JOURNAL_TEST(name)                                                                         \
	cmocka_unit_test_setup_teardown(name, node_bench_setup, node_bench_teardown)
	const struct CMUnitTest tests[] = {
		JOURNAL_TEST(test_session_journal_names_the_person_of_a_key),
		JOURNAL_TEST(test_session_journal_takes_others_by_their_name),
		JOURNAL_TEST(test_session_journal_goes_by_the_session_where_there_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
