/* The journal: what it keeps, in what room, and numbers that do not come again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "route/journal.h"

static uint64_t wall;
static struct buf saved;

static uint64_t env_wall(void *world)
{
	(void)world;
	return wall;
}

static void env_save(void *world, const char *key, struct span value)
{
	(void)world;
	assert_string_equal(key, "refusals");
	buf_clear(&saved);
	buf_add(&saved, value.data, value.len);
}

static void env_load(void *world, const char *key, struct buf *ret_value)
{
	(void)world;
	(void)key;
	buf_add(ret_value, saved.data, saved.len);
}

static const struct env env = {.wall_ms = env_wall, .save = env_save, .load = env_load};

static int forget(void **state)
{
	(void)state;
	buf_fini(&saved);
	wall = 1000;
	return 0;
}

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

static uint64_t refuse(struct journal *journal, const char *what)
{
	struct journal_entry entry = {.event = JOURNAL_REFUSED, .text = text(what)};
	return journal_add(journal, &entry);
}

struct seen {
	size_t count;
	size_t traced;
	uint64_t first;
	uint64_t last;
	char texts[400];
};

static bool see(const struct journal_entry *entry, void *arg)
{
	struct seen *seen = arg;
	seen->traced += entry->event != JOURNAL_REFUSED;
	if (seen->count++ == 0)
		seen->first = entry->number;
	seen->last = entry->number;
	size_t len = strlen(seen->texts);
	snprintf(seen->texts + len, sizeof(seen->texts) - len, "%.*s|%.*s ", (int)entry->from.len,
		 (const char *)entry->from.data, (int)entry->text.len,
		 (const char *)entry->text.data);
	return true;
}

static void test_journal_hands_back_what_it_was_given(void **state)
{
	(void)state;
	struct journal journal;
	struct seen seen = {0};
	struct journal_entry entry = {.event = JOURNAL_GIVEN,
				      .from = text("ann"),
				      .text = text("one"),
				      .is_traced = true};
	journal_init(&journal, &env, 65536);
	assert_int_equal(journal_add(&journal, &entry), 0);
	entry.event = JOURNAL_REFUSED;
	entry.from = text("");
	entry.text = text("two");
	assert_int_equal(journal_add(&journal, &entry), 1001);
	journal_each(&journal, see, &seen);
	assert_string_equal(seen.texts, "ann|one |two ");
	assert_int_equal(seen.last, 1001);
	journal_fini(&journal);
}

static void test_journal_says_the_rule_once(void **state)
{
	(void)state;
	struct journal journal;
	struct journal_entry entry = {.event = JOURNAL_REFUSED, .rule = RULE_LIMIT};
	journal_init(&journal, &env, 65536);
	journal_because(&journal, RULE_CREDIT);
	journal_add(&journal, &entry);
	assert_int_equal(entry.rule, RULE_CREDIT);
	entry.rule = RULE_LIMIT;
	journal_add(&journal, &entry);
	assert_int_equal(entry.rule, RULE_LIMIT);
	journal_fini(&journal);
}

/* The oldest go first, and refusals do not drive out traces. */
static void test_journal_keeps_its_bounds(void **state)
{
	(void)state;
	struct journal journal;
	struct rng rng;
	char long_text[300];
	memset(long_text, 'x', sizeof(long_text));
	rng_init(&rng, 5);
	journal_init(&journal, &env, 65536);
	struct journal_entry traced = {.event = JOURNAL_GIVEN, .from = text("kept")};
	journal_add(&journal, &traced);
	uint64_t last = 0;
	for (int i = 0; i < 5000; i++) {
		struct journal_entry entry = {
			.event = JOURNAL_REFUSED,
			.text = span_of(long_text, (size_t)rng_below(&rng, sizeof(long_text)))};
		last = journal_add(&journal, &entry);
		assert_true(journal.refused.next <= journal.refused.cap);
		if (i % 97 != 0)
			continue;
		struct seen seen = {0};
		journal_each(&journal, see, &seen);
		assert_int_equal(seen.count, journal.refused.count + 1);
		assert_int_equal(seen.traced, 1);
		assert_int_equal(seen.last, last);
	}
	/* Without a gap up to the last. */
	struct seen seen = {0};
	journal_each(&journal, see, &seen);
	assert_true(journal.refused.count > 50);
	assert_true(journal.refused.count < 200);
	assert_non_null(strstr(seen.texts, "kept|"));
	journal_fini(&journal);
}

static void test_journal_numbers_do_not_come_again(void **state)
{
	(void)state;
	uint64_t last = 0;
	for (int life = 0; life < 3; life++) {
		struct journal journal;
		journal_init(&journal, &env, 65536);
		for (int i = 0; i < 1500; i++) {
			uint64_t number = refuse(&journal, "no");
			assert_true(number > last);
			last = number;
		}
		journal_fini(&journal);
	}
}

static void test_journal_resized_keeps_the_newest(void **state)
{
	(void)state;
	struct journal journal;
	uint64_t last = 0;
	journal_init(&journal, &env, 262144);
	for (int i = 0; i < 400; i++)
		last = refuse(&journal, "no");
	size_t count = journal.refused.count;
	journal_resize(&journal, 65536);
	assert_true(journal.refused.count > 50 && journal.refused.count < count);
	struct seen seen = {0};
	journal_each(&journal, see, &seen);
	assert_int_equal(seen.last, last);
	assert_int_equal(seen.first, last + 1 - journal.refused.count);
	count = journal.refused.count;
	journal_resize(&journal, 262144);
	assert_int_equal(journal.refused.count, count);
	assert_int_equal(refuse(&journal, "no"), last + 1);
	journal_fini(&journal);
}

static void test_journal_of_no_bytes_keeps_nothing(void **state)
{
	(void)state;
	struct journal journal;
	struct seen seen = {0};
	journal_init(&journal, &env, 0);
	assert_int_equal(refuse(&journal, "no"), 0);
	journal_each(&journal, see, &seen);
	assert_int_equal(seen.count, 0);
	journal_fini(&journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_journal_hands_back_what_it_was_given, forget,
						forget),
		cmocka_unit_test_setup_teardown(test_journal_says_the_rule_once, forget, forget),
		cmocka_unit_test_setup_teardown(test_journal_keeps_its_bounds, forget, forget),
		cmocka_unit_test_setup_teardown(test_journal_numbers_do_not_come_again, forget,
						forget),
		cmocka_unit_test_setup_teardown(test_journal_resized_keeps_the_newest, forget,
						forget),
		cmocka_unit_test_setup_teardown(test_journal_of_no_bytes_keeps_nothing, forget,
						forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
