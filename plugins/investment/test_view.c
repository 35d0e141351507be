/* The view takes each record once, the last one of a subject counts, and a withdrawal is
 * remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pad.h"
#include "view.h"

#define SUBJECT "lyceum.investment.v1.NodeKey.wales"

static bool take(struct view *view, const char *subject, const char *key, uint64_t seq,
		 bool removed)
{
	node_key_msg message = LYCEUM__INVESTMENT__V1__NODE_KEY__INIT;
	uint8_t body[200];

	message.home = "wales";
	message.public_key = (ProtobufCBinaryData){strlen(key), (uint8_t *)(uintptr_t)key};
	const struct lyc_delivery record = {
		.subject = subject,
		.body = body,
		.body_len = lyceum__investment__v1__node_key__pack(&message, body),
		.seq = seq,
		.origin = "wales",
		.removed = removed};
	return view_take(view, &record);
}

static bool has(const struct view *view, const char *key)
{
	const node_key_msg *held = view_find(view, KIND_NODE_KEY, "wales", NULL, NULL);

	return held && held->public_key.len == strlen(key) &&
	       memcmp(held->public_key.data, key, strlen(key)) == 0;
}

static void test_view_takes_a_record_once(void **state)
{
	struct view view;

	(void)state;
	view_init(&view);
	assert_true(take(&view, SUBJECT, "one", 3, false));
	assert_false(take(&view, SUBJECT, "one", 3, false));
	assert_true(take(&view, SUBJECT, "two", 5, false));
	/* Late, and older than what is held. */
	assert_false(take(&view, SUBJECT, "one", 4, false));
	assert_true(has(&view, "two"));
	assert_int_equal(view.changes, 2);
	assert_int_equal(view.seq, 5);
	view_fini(&view);
}

static void test_view_remembers_a_withdrawal(void **state)
{
	struct view view;

	(void)state;
	view_init(&view);
	assert_true(take(&view, SUBJECT, "one", 3, false));
	assert_true(take(&view, SUBJECT, "", 4, true));
	assert_null(view_find(&view, KIND_NODE_KEY, "wales", NULL, NULL));
	assert_int_equal(view_held(&view, KIND_NODE_KEY, "wales", NULL, NULL)->seq, 4);
	assert_null(view_next(&view, KIND_NODE_KEY, NULL));
	/* The record before it, once more. */
	assert_false(take(&view, SUBJECT, "one", 3, false));
	assert_null(view_find(&view, KIND_NODE_KEY, "wales", NULL, NULL));
	assert_true(take(&view, SUBJECT, "new", 6, false));
	assert_true(has(&view, "new"));
	view_fini(&view);
}

/* What london says in the name of wales, by the subject or in the body. */
static void test_view_believes_only_the_node_that_a_record_is_of(void **state)
{
	node_key_msg message = LYCEUM__INVESTMENT__V1__NODE_KEY__INIT;
	uint8_t body[200];
	struct view view;

	(void)state;
	message.home = "wales";
	struct lyc_delivery record = {
		.subject = SUBJECT,
		.body = body,
		.body_len = lyceum__investment__v1__node_key__pack(&message, body),
		.seq = 1,
		.origin = "london"};
	view_init(&view);
	assert_false(view_take(&view, &record));
	record.subject = "lyceum.investment.v1.NodeKey.london";
	assert_false(view_take(&view, &record));
	record.origin = "";
	assert_false(view_take(&view, &record));
	assert_int_equal(view.strange, 3);
	assert_true(take(&view, SUBJECT, "one", 2, false));
	/* Nor can it withdraw. */
	record = (struct lyc_delivery){
		.subject = SUBJECT, .removed = true, .seq = 3, .origin = "london"};
	assert_false(view_take(&view, &record));
	assert_true(has(&view, "one"));
	view_fini(&view);
}

static bool take_profile(struct view *view, blind_venture_msg *blind)
{
	venture_profile_msg profile = LYCEUM__INVESTMENT__V1__VENTURE_PROFILE__INIT;
	uint8_t body[2000];

	profile.home = "wales";
	profile.token = "v234567";
	profile.blind = blind;
	const struct lyc_delivery record = {
		.subject = "lyceum.investment.v1.VentureProfile.wales.v234567",
		.body = body,
		.body_len = lyceum__investment__v1__venture_profile__pack(&profile, body),
		.seq = view->seq + 1,
		.origin = "wales"};
	return view_take(view, &record);
}

/* It goes into the batches of whoever proposes, whose log would refuse the batch. */
static void test_view_leaves_out_a_profile_that_no_batch_can_hold(void **state)
{
	blind_venture_msg blind = LYCEUM__INVESTMENT__V1__BLIND_VENTURE__INIT;
	char *words[9] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
	char word[] = "1234567890123456789012345678901234567890123456789012345678901";
	struct view view;

	(void)state;
	view_init(&view);
	blind.currency = "GBP";
	blind.sector = words;
	blind.n_sector = 8;
	assert_true(take_profile(&view, &blind));
	blind.n_sector = 9;
	assert_false(take_profile(&view, &blind));
	blind.n_sector = 1;
	words[0] = word;
	assert_false(take_profile(&view, &blind));
	words[0] = word + 1;
	assert_true(take_profile(&view, &blind));
	blind.region = "\xff";
	assert_false(take_profile(&view, &blind));
	blind.region = "";
	blind.currency = "pounds";
	assert_false(take_profile(&view, &blind));
	assert_int_equal(view.strange, 4);
	view_fini(&view);
}

static void test_view_leaves_out_what_it_does_not_know(void **state)
{
	const struct lyc_delivery broken = {.subject = SUBJECT,
					    .body = (const uint8_t *)"\x12\xff",
					    .body_len = 2,
					    .seq = 9,
					    .origin = "wales"};
	struct view view;

	(void)state;
	view_init(&view);
	assert_false(take(&view, "lyceum.investment.v1.NodeKeys.wales", "one", 1, false));
	assert_false(take(&view, "lyceum.experts.v1.Expert.wales.a", "one", 2, false));
	assert_false(view_take(&view, &broken));
	assert_int_equal(view.strange, 3);
	assert_int_equal(view.changes, 0);
	assert_null(view_held(&view, KIND_NODE_KEY, "wales", NULL, NULL));
	view_fini(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view_takes_a_record_once),
		cmocka_unit_test(test_view_remembers_a_withdrawal),
		cmocka_unit_test(test_view_believes_only_the_node_that_a_record_is_of),
		cmocka_unit_test(test_view_leaves_out_a_profile_that_no_batch_can_hold),
		cmocka_unit_test(test_view_leaves_out_what_it_does_not_know),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
