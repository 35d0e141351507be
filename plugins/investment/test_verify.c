/* A batch at a node that did not make it: what is right is found right, whatever is changed in it
 * is found out, and each pair has its reasons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "enquiry.h"
#include "matchmaker.h"
#include "test_desks.h"

static const char *const names[] = {"wales", "london", "nhsa"};
enum { WALES, LONDON, NHSA };

/* Six ventures in Wales with room for three each, four investors in London with room for five. All
 * are alike, so the first three investors are full with the same five ventures, and the sixth
 * venture has the fourth alone. */
static void set_up(struct desks *desks)
{
	char name[40];

	desks_init(desks, names, 3);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "Venture %c", 'A' + i);
		desks_add_venture(desks, WALES, name);
	}
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "Investor %c", 'A' + i);
		desks_add_investor(desks, LONDON, name);
	}
	desks_settle(desks);
	assert_int_equal(desks_propose(desks, NHSA, 3600), 16);
	desks_settle(desks);
}

static const batch_msg *batch_at(const struct desks *desks, size_t node)
{
	const struct held *held = view_next(&desks->nodes[node].desk.view, KIND_BATCH, NULL);

	assert_non_null(held);
	return (const void *)held->message;
}

/* The outcome of a check: "ok", "wrong", or "" when it was not made. */
static const char *outcome_of(const Lyceum__Investment__V1__VerifyReply *reply, const char *name)
{
	for (size_t i = 0; i < reply->n_check; i++) {
		if (strcmp(reply->check[i]->name, name) == 0)
			return reply->check[i]->outcome;
	}
	return "";
}

static void test_verify_finds_a_batch_right_at_the_homes(void **state)
{
	struct desks desks;

	(void)state;
	set_up(&desks);
	for (size_t node = WALES; node <= NHSA; node++) {
		struct pad pad = {0};
		Lyceum__Investment__V1__VerifyReply *reply =
			matchmaker_verify(&desks.nodes[node].desk, &pad, batch_at(&desks, node));
		assert_true(reply->is_sound);
		assert_int_equal(reply->n_check, 6);
		for (size_t i = 0; i < reply->n_check; i++)
			assert_string_equal(reply->check[i]->outcome, "ok");
		pad_fini(&pad);
	}
	desks_fini(&desks);
}

/* A batch in which somebody has no profile, as its own node would never make it. */
static void test_verify_and_why_go_on_after_a_batch_that_is_not_whole(void **state)
{
	for (int side = 0; side < 2; side++) {
		struct desks desks;
		struct pad pad = {0};

		(void)state;
		set_up(&desks);
		batch_msg *batch = pad_copy_message(&pad, &batch_at(&desks, NHSA)->base);
		batch->id = "zz";
		batch->made_ms += 1000;
		if (side)
			batch->venture[0]->blind = NULL;
		else
			batch->investor[0]->blind = NULL;
		assert_true(desks_append(&desks, NHSA, &batch->base, false, false, 0));
		desks_settle(&desks);
		struct desk *desk = &desks.nodes[WALES].desk;
		const char *venture = batch->venture[0]->token;
		const char *investor = batch->investor[0]->token;
		const batch_msg *found = matchmaker_batch(desk, "zz");
		if (!found)
			found = matchmaker_last_batch(desk, venture, investor);
		assert_non_null(found);
		assert_non_null(matchmaker_why(desk, &pad, found, venture, investor)->answer);
		assert_string_not_equal(found->id, "zz");
		assert_null(matchmaker_batch(desk, "zz"));
		pad_fini(&pad);
		desks_fini(&desks);
	}
}

/* ---- Changed in one place ---- */

/* The digest goes with the change: whoever forges a batch makes it anew. */
static void sign(struct pad *pad, batch_msg *batch)
{
	struct certificate certificate;
	uint8_t digest[CERTIFICATE_DIGEST_LEN];

	if (!batch_certificate(pad, batch, &certificate))
		return;
	certificate_digest(&certificate, digest);
	memcpy(batch->digest.data, digest, sizeof(digest));
}

typedef void (*change_fn)(batch_msg *batch);

static size_t first_in_state(const batch_msg *batch, uint32_t state)
{
	for (size_t i = 0; i < batch->n_state; i++) {
		if (batch->state[i] == state)
			return i;
	}
	fail_msg("no pair is in state %u", state);
	return 0;
}

static void favour_a_pair(batch_msg *batch)
{
	batch->venture_points[first_in_state(batch, CERTIFICATE_VENTURE_FULL)] += 500;
}

static void swap_a_match(batch_msg *batch)
{
	size_t in = first_in_state(batch, CERTIFICATE_MATCHED);
	size_t out = first_in_state(batch, CERTIFICATE_VENTURE_FULL);
	batch->state[in] = CERTIFICATE_VENTURE_FULL;
	batch->state[out] = CERTIFICATE_MATCHED;
}

static void refuse_a_pair(batch_msg *batch)
{
	batch->refused.data[0] = 1 << RULE_STAGE;
	memmove(batch->state, batch->state + 1, (batch->n_state - 1) * sizeof(batch->state[0]));
	memmove(batch->venture_points, batch->venture_points + 1,
		(batch->n_state - 1) * sizeof(batch->venture_points[0]));
	memmove(batch->investor_points, batch->investor_points + 1,
		(batch->n_state - 1) * sizeof(batch->investor_points[0]));
	memmove(batch->witness, batch->witness + 1,
		(batch->n_state - 1) * sizeof(batch->witness[0]));
	batch->n_state--;
	batch->n_venture_points--;
	batch->n_investor_points--;
	batch->n_witness--;
}

static void give_more_room(batch_msg *batch)
{
	batch->venture[0]->room += 1;
}

static void take_room_away(batch_msg *batch)
{
	batch->venture[0]->room = 1;
}

static void point_elsewhere(batch_msg *batch)
{
	batch->witness[first_in_state(batch, CERTIFICATE_VENTURE_FULL)] ^= 1;
}

static void cut_it_short(batch_msg *batch)
{
	batch->n_witness--;
}

static void test_verify_finds_out_whatever_is_changed(void **state)
{
	static const struct {
		const char *what;
		change_fn change;
	} changes[] = {
		{"points", favour_a_pair},       {"a match", swap_a_match},
		{"a refusal", refuse_a_pair},    {"more room", give_more_room},
		{"less room", take_room_away},   {"a witness", point_elsewhere},
		{"half a record", cut_it_short},
	};
	struct desks desks;

	(void)state;
	set_up(&desks);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct pad pad = {0};
		batch_msg *batch = pad_copy_message(&pad, &batch_at(&desks, WALES)->base);
		changes[i].change(batch);
		sign(&pad, batch);
		if (matchmaker_verify(&desks.nodes[WALES].desk, &pad, batch)->is_sound)
			fail_msg("%s was changed, and nobody noticed", changes[i].what);
		pad_fini(&pad);
	}
	desks_fini(&desks);
}

static void test_verify_says_what_it_cannot_tell(void **state)
{
	struct desks desks;
	struct pad pad = {0};

	(void)state;
	set_up(&desks);
	desks_remove(&desks, WALES, "venture-a");
	Lyceum__Investment__V1__VerifyReply *reply =
		matchmaker_verify(&desks.nodes[WALES].desk, &pad, batch_at(&desks, WALES));
	assert_true(reply->is_sound);
	assert_string_equal(outcome_of(reply, "profiles"), "cannot be told");
	pad_fini(&pad);
	desks_fini(&desks);
}

/* ---- Reasons ---- */

static void test_why_tells_of_each_pair(void **state)
{
	struct desks desks;
	size_t proposed = 0, full = 0;
	struct pad pad = {0};

	(void)state;
	set_up(&desks);
	const batch_msg *batch = batch_at(&desks, LONDON);
	const struct desk *desk = &desks.nodes[LONDON].desk;
	for (size_t v = 0; v < batch->n_venture; v++) {
		for (size_t i = 0; i < batch->n_investor; i++) {
			Lyceum__Investment__V1__WhyReply *reply =
				matchmaker_why(desk, &pad, batch, batch->venture[v]->token,
					       batch->investor[i]->token);
			assert_true(reply->answer[0]);
			proposed += reply->was_proposed;
			for (size_t j = 0; j < reply->n_reason; j++)
				full += strcmp(reply->reason[j]->rule, "room") == 0;
		}
	}
	assert_int_equal(proposed, 16);
	assert_int_equal(full, 24 - 16);
	/* In the next batch who was matched is barred, and that is said. */
	const char *token = batch->venture[0]->token, *other = NULL;
	for (size_t i = 0; i < batch->n_investor && !other; i++) {
		if (matchmaker_why(desk, &pad, batch, token, batch->investor[i]->token)
			    ->was_proposed)
			other = batch->investor[i]->token;
	}
	assert_non_null(other);
	assert_int_equal(desks_propose(&desks, NHSA, 3600), 0);
	desks_settle(&desks);
	Lyceum__Investment__V1__WhyReply *reply =
		matchmaker_why(desk, &pad, matchmaker_last_batch(desk, token, other), token, other);
	assert_false(reply->was_proposed);
	assert_non_null(strstr(reply->answer, ": open."));
	/* Two that the market does not have. */
	reply = matchmaker_why(desk, &pad, NULL, "nobody", "no one");
	assert_string_equal(reply->answer, "Not proposed: the market has not both of them.");
	pad_fini(&pad);
	desks_fini(&desks);
}

/* ---- Enquiries ---- */

static bool sees_members(void *arg, const label_msg *label)
{
	(void)arg;
	return label->visibility == SEEN_BY_MEMBERS;
}

static bool sees_all(void *arg, const label_msg *label)
{
	(void)arg;
	return label != NULL;
}

static void test_enquiry_shows_a_name_to_those_alone_who_may_see_it(void **state)
{
	Lyceum__V1__Enquiry enquiry = LYCEUM__V1__ENQUIRY__INIT;
	struct desks desks;
	struct pad pad = {0};

	(void)state;
	set_up(&desks);
	enquiry.text = "Diagnostics in Wales, anything like Venture C?";
	enquiry.limit = 2;
	Lyceum__V1__EnquiryAnswer *answer =
		enquiry_answer(&desks.nodes[WALES].desk, &pad, &enquiry, sees_all, NULL);
	assert_string_equal(answer->kind, "ventures");
	assert_int_equal(answer->total, 6);
	assert_int_equal(answer->n_item, 2);
	assert_memory_equal(answer->item[0]->title, "Venture ", 8);
	for (size_t node = WALES; node <= LONDON; node++) {
		answer =
			enquiry_answer(&desks.nodes[node].desk, &pad, &enquiry, sees_members, NULL);
		assert_int_equal(answer->total, 6);
		for (size_t i = 0; i < answer->n_item; i++) {
			assert_string_equal(answer->item[i]->title,
					    "A seed venture in diagnostics");
			assert_string_equal(answer->item[i]->why, "Wales, diagnostics");
		}
	}
	enquiry.text = "quantum chromodynamics";
	answer = enquiry_answer(&desks.nodes[WALES].desk, &pad, &enquiry, sees_all, NULL);
	assert_int_equal(answer->total, 0);
	pad_fini(&pad);
	desks_fini(&desks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify_finds_a_batch_right_at_the_homes),
		cmocka_unit_test(test_verify_and_why_go_on_after_a_batch_that_is_not_whole),
		cmocka_unit_test(test_verify_finds_out_whatever_is_changed),
		cmocka_unit_test(test_verify_says_what_it_cannot_tell),
		cmocka_unit_test(test_why_tells_of_each_pair),
		cmocka_unit_test(test_enquiry_shows_a_name_to_those_alone_who_may_see_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
