/* The trie of subscriptions against the plain comparison of every pattern with every subject, while
 * patterns come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "route/topics.h"
#include "wire/subject.h"

#define COUNT 60

static struct session make_session(void)
{
	struct session session = {0};
	return session;
}

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

static void random_text(struct rng *rng, bool is_pattern, char *to)
{
	static const char *const tokens[] = {"a", "b", "ab", "c"};
	size_t count = 1 + rng_below(rng, 5);
	*to = '\0';
	for (size_t i = 0; i < count; i++) {
		uint64_t pick = rng_below(rng, is_pattern ? 7 : 4);
		const char *token = pick < 4 ? tokens[pick] : "*";
		if (pick == 6 && i + 1 == count)
			token = ">";
		strcat(to, i ? "." : "");
		strcat(to, token);
	}
}

static void count_one(struct subscription *subscription, void *arg)
{
	unsigned *counts = arg;
	counts[subscription->id]++;
}

static void compare(struct topics *topics, struct subscription **held, const char *subject)
{
	unsigned counts[COUNT] = {0};
	topics_match(topics, text(subject), count_one, counts);
	for (size_t i = 0; i < COUNT; i++) {
		unsigned wanted = held[i] && subject_matches(text(held[i]->pattern), text(subject));
		if (counts[i] != wanted)
			fail_msg("'%s' and '%s': %u times, not %u",
				 held[i] ? held[i]->pattern : "-", subject, counts[i], wanted);
	}
}

static void test_topics_match_as_each_pattern_by_itself(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 11);
	struct session session = make_session();
	list_init(&session.subscriptions);
	struct topics topics;
	topics_init(&topics);
	struct subscription *held[COUNT] = {0};
	for (int round = 0; round < 20000; round++) {
		char chars[64];
		size_t i = rng_below(&rng, COUNT);
		if (held[i]) {
			subscription_remove(&topics, held[i]);
			held[i] = NULL;
		} else {
			random_text(&rng, true, chars);
			held[i] = subscription_add(&topics, &session, i, text(chars));
			assert_ptr_equal(subscription_find(&session, i), held[i]);
		}
		random_text(&rng, false, chars);
		compare(&topics, held, chars);
	}
	size_t count = 0;
	for (size_t i = 0; i < COUNT; i++)
		count += held[i] != NULL;
	assert_int_equal(topics.count, count);
	assert_int_equal(session.subscription_count, count);
	for (size_t i = 0; i < COUNT; i++) {
		if (held[i])
			subscription_remove(&topics, held[i]);
	}
	assert_true(list_is_empty(&session.subscriptions));
	topics_fini(&topics);
}

/* With the last subscription of a branch its places go, too: the leak checker of the sanitiser
 * build and this count see to it. */
static void test_topics_prune_leaves_the_branches_of_others(void **state)
{
	(void)state;
	static const char *const patterns[] = {"a.b.c", "a.b.*", "a.>", "a.b.c.d", "*.b.c"};
	struct session session = make_session();
	list_init(&session.subscriptions);
	for (size_t gone = 0; gone < 5; gone++) {
		struct topics topics;
		topics_init(&topics);
		struct subscription *held[COUNT] = {0};
		for (size_t i = 0; i < 5; i++)
			held[i] = subscription_add(&topics, &session, i, text(patterns[i]));
		subscription_remove(&topics, held[gone]);
		held[gone] = NULL;
		compare(&topics, held, "a.b.c");
		compare(&topics, held, "a.b.c.d");
		compare(&topics, held, "a.b.x");
		compare(&topics, held, "x.b.c");
		for (size_t i = 0; i < 5; i++) {
			if (held[i])
				subscription_remove(&topics, held[i]);
			held[i] = NULL;
		}
		assert_int_equal(topics.count, 0);
		compare(&topics, held, "a.b.c");
		topics_fini(&topics);
	}
}

#define MANY 1000

static void test_topics_subscription_is_found_by_its_id_until_it_ends(void **state)
{
	(void)state;
	struct session session = make_session();
	struct topics topics;
	char pattern[32];
	list_init(&session.subscriptions);
	topics_init(&topics);
	for (uint64_t id = 0; id < MANY; id++) {
		assert_null(subscription_find(&session, id));
		snprintf(pattern, sizeof(pattern), "a.x%llu", (unsigned long long)id);
		assert_non_null(subscription_add(&topics, &session, id, text(pattern)));
	}
	for (uint64_t id = 0; id < MANY; id++) {
		struct subscription *found = subscription_find(&session, id);
		assert_non_null(found);
		assert_int_equal(found->id, id);
		subscription_remove(&topics, found);
		assert_null(subscription_find(&session, id));
	}
	topics_fini(&topics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topics_match_as_each_pattern_by_itself),
		cmocka_unit_test(test_topics_prune_leaves_the_branches_of_others),
		cmocka_unit_test(test_topics_subscription_is_found_by_its_id_until_it_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
