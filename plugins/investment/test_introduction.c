/* Introductions between nodes: nobody is known before both have said yes, then each once, and never
 * those who may not meet; whatever comes twice, late, or after a restart. Argument: how many random
 * orders to try; 500 without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duty.h"
#include "introduction.h"
#include "moment.h"
#include "test_desks.h"

static uint32_t order_count = 500;

static const char *const names[] = {"wales", "london", "nhsa"};
enum { WALES, LONDON, NHSA };

#define VENTURE "Markventure Bio Ltd"
#define VENTURE_ID "markventure-bio-ltd"
#define INVESTOR "Markinvestor Money LLP"
#define INVESTOR_ID "markinvestor-money-llp"

/* A venture in Wales, an investor in London; a third node proposes. */
static const proposal_msg *set_up(struct desks *desks, bool doubles)
{
	desks_init(desks, names, 3);
	desks->doubles = doubles;
	desks_add_venture(desks, WALES, VENTURE);
	desks_add_investor(desks, LONDON, INVESTOR);
	desks_settle(desks);
	assert_int_equal(desks_propose(desks, NHSA, 3600), 1);
	desks_settle(desks);
	assert_non_null(desks_proposal(desks, WALES));
	return desks_proposal(desks, WALES);
}

static enum introduction_state state_at(const struct desks *desks, size_t node)
{
	return introduction_state(&desks->nodes[node].desk, desks_proposal(desks, node),
				  moment_now_ms());
}

/* Has this node the other side's name, by any proposal? */
static bool knows(const struct desks *desks, size_t node, side_value side, const char *name)
{
	const struct desk *desk = &desks->nodes[node].desk;
	struct pad pad = {0};
	bool does = false;

	VIEW_EACH(held, &desk->view, KIND_PROPOSAL)
	{
		identity_msg *identity =
			introduction_identity(desk, &pad, (const void *)held->message, side);
		assert_true(identity == NULL || strcmp(identity->name, name) == 0);
		does |= identity != NULL;
	}
	pad_fini(&pad);
	return does;
}

/* Nothing of either side has travelled, not in a word and not in a number. */
static void check_nothing_travelled(const struct desks *desks)
{
	static const char *const marks[] = {"arkventure",  "arkinvestor",         "ark-contact",
					    "ark-summary", "markventure-bio-ltd", "sepsis",
					    "newborns"};

	assert_true(desks_travelled(desks, "lyceum.investment.v1.VentureProfile.wales."));
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		assert_false(desks_travelled(desks, marks[i]));
	/* Exact amounts as varints: 12345600 and 9876500 pence. */
	static const uint8_t ask[] = {0x80, 0xc2, 0xf1, 0x05}, ticket[] = {0x94, 0xe8, 0xda, 0x04};
	assert_null(memmem(desks->wire, desks->wire_len, ask, sizeof(ask)));
	assert_null(memmem(desks->wire, desks->wire_len, ticket, sizeof(ticket)));
}

static void introduce(bool doubles)
{
	struct desks desks;
	const proposal_msg *proposal = set_up(&desks, doubles);

	check_nothing_travelled(&desks);
	assert_true(desks_answer(&desks, WALES, proposal, SIDE_VENTURE, ANSWER_YES));
	desks_settle(&desks);
	assert_int_equal(state_at(&desks, WALES), INTRODUCTION_WAITING);
	assert_int_equal(state_at(&desks, LONDON), INTRODUCTION_OPEN);
	assert_int_equal(desks_logged(&desks, WALES, "Reveal"), 0);
	assert_false(knows(&desks, LONDON, SIDE_VENTURE, VENTURE));

	assert_true(desks_answer(&desks, LONDON, proposal, SIDE_INVESTOR, ANSWER_YES));
	desks_settle(&desks);
	assert_int_equal(state_at(&desks, WALES), INTRODUCTION_MADE);
	assert_int_equal(state_at(&desks, LONDON), INTRODUCTION_MADE);
	assert_true(knows(&desks, LONDON, SIDE_VENTURE, VENTURE));
	assert_true(knows(&desks, WALES, SIDE_INVESTOR, INVESTOR));
	/* The proposer, who is neither, has neither; and what travelled was sealed. */
	assert_false(knows(&desks, NHSA, SIDE_VENTURE, VENTURE));
	check_nothing_travelled(&desks);
	/* Once, and so it stays. */
	for (size_t node = WALES; node <= NHSA; node++)
		desks_restart(&desks, node);
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "Reveal"), 1);
	assert_int_equal(desks_logged(&desks, LONDON, "Reveal"), 1);
	assert_int_equal(desks_logged(&desks, NHSA, "Reveal"), 0);
	assert_true(knows(&desks, LONDON, SIDE_VENTURE, VENTURE));
	desks_fini(&desks);
}

static void test_introduction_gives_both_identities_once_and_to_the_other_side_alone(void **state)
{
	(void)state;
	introduce(false);
}

static void test_introduction_does_the_same_when_everything_comes_twice(void **state)
{
	(void)state;
	introduce(true);
}

static void test_introduction_honours_a_yes_that_was_taken_back(void **state)
{
	struct desks desks;
	const proposal_msg *proposal = set_up(&desks, false);

	(void)state;
	assert_true(desks_answer(&desks, WALES, proposal, SIDE_VENTURE, ANSWER_YES));
	desks_settle(&desks);
	/* While London says yes, Wales takes its own back, and neither has heard of the other. */
	assert_true(desks_answer(&desks, LONDON, proposal, SIDE_INVESTOR, ANSWER_YES));
	assert_true(desks_answer(&desks, WALES, proposal, SIDE_VENTURE, ANSWER_TAKEN_BACK));
	desks_run(&desks, LONDON);
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "Reveal"), 0);
	assert_int_equal(desks_logged(&desks, LONDON, "Reveal"), 0);
	/* A new yes is a new one. */
	assert_true(desks_answer(&desks, WALES, proposal, SIDE_VENTURE, ANSWER_YES));
	desks_settle(&desks);
	assert_true(knows(&desks, LONDON, SIDE_VENTURE, VENTURE));
	desks_fini(&desks);
}

static void test_introduction_is_not_possible_after_a_withdrawal(void **state)
{
	struct desks desks;
	const proposal_msg *proposal = set_up(&desks, false);

	(void)state;
	assert_true(desks_answer(&desks, LONDON, proposal, SIDE_INVESTOR, ANSWER_YES));
	desks_remove(&desks, WALES, VENTURE_ID);
	desks_settle(&desks);
	assert_int_equal(state_at(&desks, LONDON), INTRODUCTION_NOT_POSSIBLE);
	assert_int_equal(desks_logged(&desks, LONDON, "Reveal"), 0);
	/* Nobody is proposed again. */
	assert_int_equal(desks_propose(&desks, NHSA, 3600), 0);
	desks_fini(&desks);
}

static void test_introduction_calls_identities_back_after_a_withdrawal(void **state)
{
	struct desks desks;
	const proposal_msg *proposal = set_up(&desks, false);

	(void)state;
	assert_true(desks_answer(&desks, WALES, proposal, SIDE_VENTURE, ANSWER_YES));
	assert_true(desks_answer(&desks, LONDON, proposal, SIDE_INVESTOR, ANSWER_YES));
	desks_settle(&desks);
	assert_true(knows(&desks, LONDON, SIDE_VENTURE, VENTURE));
	desks_remove(&desks, WALES, VENTURE_ID);
	desks_settle(&desks);
	assert_false(knows(&desks, LONDON, SIDE_VENTURE, VENTURE));
	assert_false(knows(&desks, WALES, SIDE_INVESTOR, INVESTOR));
	/* The venture comes back: it is not revealed a second time. */
	desks_add_venture(&desks, WALES, VENTURE);
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "Reveal"), 1);
	assert_false(knows(&desks, LONDON, SIDE_VENTURE, VENTURE));
	desks_fini(&desks);
}

/* A second that has passed by the time that the other side says yes. */
static void test_introduction_expires(void **state)
{
	struct desks desks;
	struct pad pad = {0};

	(void)state;
	desks_init(&desks, names, 3);
	desks_add_venture(&desks, WALES, VENTURE);
	desks_add_investor(&desks, LONDON, INVESTOR);
	desks_settle(&desks);
	assert_int_equal(desks_propose(&desks, NHSA, 3600), 1);
	/* The same proposal, an hour and a second ago. */
	proposal_msg *proposal = pad_copy_message(&pad, &desks_proposal(&desks, NHSA)->base);
	assert_true(desks_append(&desks, NHSA, &proposal->base, true, false, 0));
	proposal->expires_ms = moment_now_ms() - 1000;
	assert_true(desks_append(&desks, NHSA, &proposal->base, false, false, 0));
	desks_settle(&desks);
	assert_int_equal(state_at(&desks, WALES), INTRODUCTION_EXPIRED);
	assert_true(desks_answer(&desks, WALES, proposal, SIDE_VENTURE, ANSWER_YES));
	assert_true(desks_answer(&desks, LONDON, proposal, SIDE_INVESTOR, ANSWER_YES));
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "Reveal"), 0);
	assert_int_equal(desks_logged(&desks, LONDON, "Reveal"), 0);
	/* Those two may be proposed to each other again. */
	assert_int_equal(desks_propose(&desks, NHSA, 3600), 1);
	pad_fini(&pad);
	desks_fini(&desks);
}

/* Declared at the venture's home by the investor's name, in another spelling, before anything. */
static void test_introduction_never_happens_against_a_conflict(void **state)
{
	struct desks desks;

	(void)state;
	desks_init(&desks, names, 3);
	desks_add_venture(&desks, WALES, VENTURE);
	desks_add_investor(&desks, LONDON, INVESTOR);
	desks_declare(&desks, WALES, SIDE_VENTURE, VENTURE_ID, "MARKINVESTOR MONEY");
	desks_settle(&desks);
	assert_int_equal(desks_propose(&desks, NHSA, 3600), 1);
	desks_settle(&desks);
	/* London's home was told, and does not let a yes of its own side pass; who asked for it is
	 * said nowhere. Before that yes it says nothing: Wales may have guessed the name. */
	const proposal_msg *proposal = desks_proposal(&desks, WALES);
	assert_int_equal(state_at(&desks, WALES), INTRODUCTION_OPEN);
	assert_true(desks_answer(&desks, WALES, proposal, SIDE_VENTURE, ANSWER_YES));
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, LONDON, "Answer"), 0);
	assert_true(desks_answer(&desks, LONDON, proposal, SIDE_INVESTOR, ANSWER_YES));
	desks_settle(&desks);
	assert_int_equal(state_at(&desks, WALES), INTRODUCTION_NOT_POSSIBLE);
	assert_int_equal(state_at(&desks, NHSA), INTRODUCTION_NOT_POSSIBLE);
	assert_false(desks_travelled(&desks, "MARKINVESTOR"));
	assert_int_equal(desks_logged(&desks, WALES, "Reveal"), 0);
	assert_int_equal(desks_logged(&desks, LONDON, "Reveal"), 0);
	assert_false(desks_answer(&desks, LONDON, proposal, SIDE_INVESTOR, ANSWER_YES));
	assert_int_equal(desks_propose(&desks, NHSA, 3600), 0);
	desks_fini(&desks);
}

static void test_introduction_is_revoked_by_a_late_conflict(void **state)
{
	struct desks desks;
	const proposal_msg *proposal = set_up(&desks, false);

	(void)state;
	assert_true(desks_answer(&desks, WALES, proposal, SIDE_VENTURE, ANSWER_YES));
	desks_settle(&desks);
	desks_declare(&desks, LONDON, SIDE_INVESTOR, INVESTOR_ID, VENTURE);
	/* The notice is under way, and London says yes after it: Wales hears of both in order. */
	desks_answer(&desks, LONDON, proposal, SIDE_INVESTOR, ANSWER_YES);
	desks_settle(&desks);
	assert_int_equal(state_at(&desks, WALES), INTRODUCTION_NOT_POSSIBLE);
	assert_int_equal(state_at(&desks, LONDON), INTRODUCTION_NOT_POSSIBLE);
	assert_int_equal(desks_logged(&desks, WALES, "Reveal"), 0);
	assert_int_equal(desks_logged(&desks, LONDON, "Reveal"), 0);
	check_nothing_travelled(&desks);
	desks_fini(&desks);
}

/* Two nodes have proposed the same two at the same time. */
static void test_introduction_is_made_once_for_two_proposals(void **state)
{
	struct desks desks;

	(void)state;
	desks_init(&desks, names, 3);
	desks_add_venture(&desks, WALES, VENTURE);
	desks_add_investor(&desks, LONDON, INVESTOR);
	desks_settle(&desks);
	assert_int_equal(desks_propose(&desks, NHSA, 3600), 1);
	assert_int_equal(desks_propose(&desks, LONDON, 3600), 1);
	desks_settle(&desks);
	const struct view *view = &desks.nodes[WALES].desk.view;
	const struct held *first = view_next(view, KIND_PROPOSAL, NULL);
	const struct held *second = view_next(view, KIND_PROPOSAL, first);
	struct pad pad = {0};
	const proposal_msg *one = pad_copy_message(&pad, first->message);
	const proposal_msg *two = pad_copy_message(&pad, second->message);
	assert_true(desks_answer(&desks, WALES, one, SIDE_VENTURE, ANSWER_YES));
	assert_true(desks_answer(&desks, LONDON, one, SIDE_INVESTOR, ANSWER_YES));
	desks_settle(&desks);
	assert_true(knows(&desks, LONDON, SIDE_VENTURE, VENTURE));
	assert_false(desks_answer(&desks, WALES, two, SIDE_VENTURE, ANSWER_YES));
	assert_false(desks_answer(&desks, LONDON, two, SIDE_INVESTOR, ANSWER_YES));
	assert_int_equal(desks_logged(&desks, WALES, "Reveal"), 1);
	assert_int_equal(desks_logged(&desks, LONDON, "Reveal"), 1);
	pad_fini(&pad);
	desks_fini(&desks);
}

/* ---- Keys ---- */

/* Everybody with a key of the node reads the log. */
static void test_introduction_leaves_no_secret_in_a_log(void **state)
{
	struct desks desks;

	(void)state;
	set_up(&desks, false);
	for (size_t i = 0; i < desks.count; i++) {
		const struct node *node = &desks.nodes[i];
		assert_true(node->log_count > 0);
		for (size_t j = 0; j < node->log_count; j++) {
			if (node->log[j].len == 0)
				continue;
			assert_null(memmem(node->log[j].body, node->log[j].len,
					   node->desk.secret.token_key, 32));
			assert_null(memmem(node->log[j].body, node->log[j].len,
					   node->desk.secret.seal_key, 32));
		}
	}
	desks_fini(&desks);
}

static void test_introduction_shows_a_key_that_differs_again(void **state)
{
	struct desks desks;

	(void)state;
	set_up(&desks, false);
	assert_int_equal(desks_logged(&desks, WALES, "NodeKey"), 1);
	secret_make(&desks.nodes[WALES].secret);
	desks_restart(&desks, WALES);
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "NodeKey"), 2);
	const node_key_msg *key =
		view_find(&desks.nodes[LONDON].desk.view, KIND_NODE_KEY, "wales", NULL, NULL);
	assert_non_null(key);
	assert_memory_equal(key->public_key.data, desks.nodes[WALES].secret.public_key, 32);
	desks_fini(&desks);
}

/* A name that may not be met is told to the home that one of its own is proposed to, then. */
static void test_introduction_tells_a_conflict_only_to_whom_it_may_concern(void **state)
{
	struct desks desks;
	struct party party;

	(void)state;
	desks_init(&desks, names, 3);
	desks_add_venture(&desks, WALES, VENTURE);
	desks_add_investor(&desks, LONDON, INVESTOR);
	desks_declare(&desks, WALES, SIDE_VENTURE, VENTURE_ID, "Somebody Else LLP");
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "ConflictNotice"), 0);
	const struct desk *wales = &desks.nodes[WALES].desk;
	assert_true(desk_party(wales, SIDE_VENTURE, VENTURE_ID, &party));
	assert_false(duty_has_told(wales, &party, "london"));
	assert_int_equal(desks_propose(&desks, NHSA, 3600), 1);
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "ConflictNotice"), 1);
	assert_non_null(view_next(&desks.nodes[LONDON].desk.view, KIND_CONFLICT_NOTICE, NULL));
	assert_null(view_next(&desks.nodes[NHSA].desk.view, KIND_CONFLICT_NOTICE, NULL));
	assert_true(duty_has_told(wales, &party, "london"));
	assert_int_equal(state_at(&desks, WALES), INTRODUCTION_OPEN);
	/* A home of which there is no key cannot be told, and nobody says yes to it. */
	struct pad pad = {0};
	proposal_msg *nowhere = pad_copy_message(&pad, &desks_proposal(&desks, WALES)->base);
	nowhere->id = "nowhere-1";
	nowhere->investor_home = "nowhere";
	assert_true(desks_append(&desks, NHSA, &nowhere->base, false, false, 0));
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "ConflictNotice"), 1);
	assert_false(desks_answer(&desks, WALES, nowhere, SIDE_VENTURE, ANSWER_YES));
	pad_fini(&pad);
	desks_fini(&desks);
}

/* ---- A proposer that lies ---- */

/* Another venture of Wales, whose people have agreed to nothing. */
static void add_unwilling(struct desks *desks, char ret_token[SECRET_TOKEN_SIZE])
{
	struct party party;

	desks_add_venture(desks, WALES, "Unwilling Ltd");
	desks_settle(desks);
	assert_true(desk_party(&desks->nodes[WALES].desk, SIDE_VENTURE, "unwilling-ltd", &party));
	memcpy(ret_token, party.token, SECRET_TOKEN_SIZE);
}

enum lie { OTHER_VENTURE, OTHER_INVESTOR_HOME, OTHER_TIME };

/* Wales has said yes to one thing, and the proposer makes it another, with London's help. */
static void lie(enum lie lie, bool is_withdrawn_first)
{
	struct desks desks;
	struct pad pad = {0};
	char token[SECRET_TOKEN_SIZE];
	proposal_msg *proposal = pad_copy_message(&pad, &set_up(&desks, false)->base);
	size_t helper = lie == OTHER_INVESTOR_HOME ? NHSA : LONDON;

	add_unwilling(&desks, token);
	assert_true(desks_answer(&desks, WALES, proposal, SIDE_VENTURE, ANSWER_YES));
	desks_settle(&desks);
	if (is_withdrawn_first)
		desks_append(&desks, NHSA, &proposal->base, true, false, 0);
	if (lie == OTHER_VENTURE)
		proposal->venture = token;
	else if (lie == OTHER_INVESTOR_HOME)
		proposal->investor_home = (char *)(uintptr_t)names[NHSA];
	else
		proposal->expires_ms += 1000000;
	assert_true(desks_append(&desks, NHSA, &proposal->base, false, false, 0));
	answer_msg *said =
		introduction_new_answer(&desks.nodes[helper].desk, &pad, proposal, SIDE_INVESTOR);
	for (answer_state state = ANSWER_YES; state <= ANSWER_AGREED; state += 3) {
		said->state = state;
		desks_append(&desks, helper, &said->base, false, false, 0);
		desks_settle(&desks);
	}
	assert_int_equal(desks_logged(&desks, WALES, "Reveal"), 0);
	desks_restart(&desks, WALES);
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "Reveal"), 0);
	pad_fini(&pad);
	desks_fini(&desks);
}

static void test_introduction_reveals_nobody_by_a_proposal_that_was_rewritten(void **state)
{
	(void)state;
	for (enum lie kind = OTHER_VENTURE; kind <= OTHER_TIME; kind++) {
		lie(kind, false);
		lie(kind, true);
	}
}

/* London makes a proposal of the same id, for another venture. */
static void test_introduction_reveals_nobody_by_a_proposal_of_the_same_id(void **state)
{
	struct desks desks;
	struct pad pad = {0};
	char token[SECRET_TOKEN_SIZE];
	bool is_ambiguous;
	const proposal_msg *proposal = set_up(&desks, false);
	proposal_msg *other = pad_copy_message(&pad, &proposal->base);

	(void)state;
	add_unwilling(&desks, token);
	other->home = (char *)(uintptr_t)names[LONDON];
	other->venture = token;
	assert_true(desks_answer(&desks, WALES, proposal, SIDE_VENTURE, ANSWER_YES));
	assert_true(desks_append(&desks, LONDON, &other->base, false, false, 0));
	assert_true(desks_answer(&desks, LONDON, other, SIDE_INVESTOR, ANSWER_YES));
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "Reveal"), 0);
	/* Whoever means one of them has to say which. */
	const struct view *view = &desks.nodes[WALES].desk.view;
	assert_null(introduction_find(view, proposal->id, &is_ambiguous));
	assert_true(is_ambiguous);
	const proposal_msg *found =
		introduction_find(view, pad_print(&pad, "%s@nhsa", proposal->id), &is_ambiguous);
	assert_non_null(found);
	assert_string_equal(found->home, "nhsa");
	pad_fini(&pad);
	desks_fini(&desks);
}

/* An answer to it would be refused by this node's own log, each time anew. */
static void test_introduction_leaves_out_a_proposal_of_too_long_an_id(void **state)
{
	struct desks desks;
	struct pad pad = {0};
	proposal_msg *proposal = pad_copy_message(&pad, &set_up(&desks, false)->base);

	(void)state;
	proposal->id = "a2345678901234567890123456789012345678901";
	assert_int_equal(strlen(proposal->id), 41);
	assert_true(desks_append(&desks, NHSA, &proposal->base, false, false, 0));
	desks_settle(&desks);
	assert_null(introduction_find(&desks.nodes[WALES].desk.view, proposal->id, NULL));
	proposal->id++;
	assert_true(desks_append(&desks, NHSA, &proposal->base, false, false, 0));
	desks_settle(&desks);
	assert_non_null(introduction_find(&desks.nodes[WALES].desk.view, proposal->id, NULL));
	pad_fini(&pad);
	desks_fini(&desks);
}

/* The first one counts: what a home's people have read stays what they have read. */
static void test_introduction_goes_by_the_first_form_of_a_proposal(void **state)
{
	struct desks desks;
	struct pad pad = {0};
	proposal_msg *proposal = pad_copy_message(&pad, &set_up(&desks, false)->base);
	int64_t expires_ms = proposal->expires_ms;

	(void)state;
	proposal->expires_ms += 5000;
	assert_true(desks_append(&desks, NHSA, &proposal->base, false, false, 0));
	desks_settle(&desks);
	assert_true(desks_proposal(&desks, WALES)->expires_ms == expires_ms);
	pad_fini(&pad);
	desks_fini(&desks);
}

/* A proposer that guesses a venture's id, or its name, gets no answer that tells whether it was
 * right. */
static void test_introduction_says_nothing_to_a_guess(void **state)
{
	static const char *const guesses[] = {"no-such-ltd", VENTURE_ID};
	struct desks desks;
	struct pad pad = {0};
	proposal_msg *guess = pad_copy_message(&pad, &set_up(&desks, false)->base);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		guess->id = pad_print(&pad, "guess-%zu", i);
		guess->venture = (char *)(uintptr_t)guesses[i];
		assert_true(desks_append(&desks, NHSA, &guess->base, false, false, 0));
	}
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "Answer"), 0);
	desks_declare(&desks, LONDON, SIDE_INVESTOR, INVESTOR_ID, VENTURE);
	desks_settle(&desks);
	assert_int_equal(desks_logged(&desks, WALES, "Answer"), 0);
	pad_fini(&pad);
	desks_fini(&desks);
}

/* ---- Any order ---- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* One thing happens: somebody acts, a record arrives, a node starts again. */
static void step(struct desks *desks, const proposal_msg *proposal, uint32_t *seed,
		 bool has_declared[2], bool has_said[2])
{
	static const answer_state says[] = {ANSWER_YES, ANSWER_YES, ANSWER_YES, ANSWER_TAKEN_BACK};
	uint32_t dice = next_random(seed) % 20;
	size_t node = next_random(seed) % 2;
	side_value side = node == WALES ? SIDE_VENTURE : SIDE_INVESTOR;

	if (dice < 12) {
		desks_pass(desks, next_random(seed) % 3, next_random(seed) % 3);
	} else if (dice < 15) {
		desks_run(desks, node);
	} else if (dice < 18) {
		has_said[node] |=
			desks_answer(desks, node, proposal, side, says[next_random(seed) % 4]);
	} else if (dice == 18) {
		desks_restart(desks, node);
		/* What the daemon holds it brings again. */
		for (size_t from = 0; from < 3; from++) {
			while (desks_pass(desks, from, node))
				;
		}
	} else if (!has_declared[0] && !has_declared[1] && next_random(seed) % 3 == 0) {
		/* Only as long as this side has said nothing: what it says later comes after. */
		if (!has_said[node]) {
			desks_declare(desks, node, side, node == WALES ? VENTURE_ID : INVESTOR_ID,
				      node == WALES ? INVESTOR : VENTURE);
			has_declared[node] = true;
		}
	}
}

/* Many orders of the same few acts, of which records come late or twice: with a conflict that was
 * declared before its side said yes nobody is ever revealed, without one both or neither. */
static void test_introduction_holds_in_any_order(void **state)
{
	size_t made = 0, barred = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= order_count; seed++) {
		struct desks desks;
		uint32_t random = seed * 2654435761u;
		bool declared[2] = {0}, said[2] = {0};
		struct pad pad = {0};
		const proposal_msg *proposal =
			pad_copy_message(&pad, &set_up(&desks, seed % 2 == 0)->base);
		for (int i = 0; i < 60; i++) {
			step(&desks, proposal, &random, declared, said);
			/* "Introduced" is not said before the identity is here. */
			if (desks_proposal(&desks, LONDON) &&
			    state_at(&desks, LONDON) == INTRODUCTION_MADE)
				assert_true(knows(&desks, LONDON, SIDE_VENTURE, VENTURE));
		}
		desks_settle(&desks);
		size_t wales = desks_logged(&desks, WALES, "Reveal");
		size_t london = desks_logged(&desks, LONDON, "Reveal");
		if (wales != london || wales > 1)
			fail_msg("seed %u: %zu and %zu identities given", seed, wales, london);
		if ((declared[0] || declared[1]) && wales > 0)
			fail_msg("seed %u: a conflict was met", seed);
		made += wales;
		barred += declared[0] || declared[1];
		check_nothing_travelled(&desks);
		pad_fini(&pad);
		desks_fini(&desks);
	}
	/* Both happen, and often. */
	assert_true(made > order_count / 7);
	assert_true(barred > order_count / 20);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_introduction_gives_both_identities_once_and_to_the_other_side_alone),
		cmocka_unit_test(test_introduction_does_the_same_when_everything_comes_twice),
		cmocka_unit_test(test_introduction_honours_a_yes_that_was_taken_back),
		cmocka_unit_test(test_introduction_is_not_possible_after_a_withdrawal),
		cmocka_unit_test(test_introduction_calls_identities_back_after_a_withdrawal),
		cmocka_unit_test(test_introduction_expires),
		cmocka_unit_test(test_introduction_never_happens_against_a_conflict),
		cmocka_unit_test(test_introduction_is_revoked_by_a_late_conflict),
		cmocka_unit_test(test_introduction_is_made_once_for_two_proposals),
		cmocka_unit_test(test_introduction_tells_a_conflict_only_to_whom_it_may_concern),
		cmocka_unit_test(test_introduction_leaves_no_secret_in_a_log),
		cmocka_unit_test(test_introduction_shows_a_key_that_differs_again),
		cmocka_unit_test(test_introduction_reveals_nobody_by_a_proposal_that_was_rewritten),
		cmocka_unit_test(test_introduction_reveals_nobody_by_a_proposal_of_the_same_id),
		cmocka_unit_test(test_introduction_leaves_out_a_proposal_of_too_long_an_id),
		cmocka_unit_test(test_introduction_goes_by_the_first_form_of_a_proposal),
		cmocka_unit_test(test_introduction_says_nothing_to_a_guess),
		cmocka_unit_test(test_introduction_holds_in_any_order),
	};
	if (argc == 2)
		order_count = (uint32_t)strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
