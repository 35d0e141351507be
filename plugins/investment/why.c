/* The reasons of one pair: every rule that refused it, or its place on both lists and who was
 * better. */
#include <inttypes.h>
#include <string.h>

#include "batch.h"
#include "introduction.h"
#include "matchmaker.h"
#include "moment.h"
#include "reason.h"

typedef Lyceum__Investment__V1__WhyReply why_reply;

static void add(struct pad *pad, why_reply *reply, const char *rule, const char *outcome,
		const char *text)
{
	reason_msg *reason = PAD_NEW(pad, reason);

	reason->rule = (char *)(uintptr_t)rule;
	reason->outcome = (char *)(uintptr_t)outcome;
	reason->text = (char *)(uintptr_t)text;
	pad_push(pad, &reply->reason, &reply->n_reason, reason);
}

/* All rules in order: those that refused, with why, and those that let the pair pass. */
static void tell_rules(struct pad *pad, why_reply *reply, const struct refusal *refusals,
		       size_t count, bool is_barred)
{
	if (is_barred)
		add(pad, reply, rules_name(RULE_OPEN), "refused",
		    "the two were proposed to each other before, or are not possible");
	for (int rule = 0; rule < RULE_COUNT; rule++) {
		const struct refusal *found = NULL;
		for (size_t i = 0; i < count; i++) {
			if (refusals[i].rule == (enum rule)rule)
				found = &refusals[i];
		}
		if (found)
			add(pad, reply, rules_name(rule), "refused", reason_of_refusal(pad, found));
		else if (!(rule == RULE_OPEN && is_barred))
			add(pad, reply, rules_name(rule), "passed", "");
	}
}

static char *refused_names(struct pad *pad, uint16_t mask)
{
	char *names[RULE_COUNT];
	size_t count = 0;

	for (int rule = 0; rule < RULE_COUNT; rule++) {
		if (mask & 1 << rule)
			names[count++] = (char *)(uintptr_t)rules_name(rule);
	}
	return pad_join(pad, names, count, ", ");
}

static void tell_parts(struct pad *pad, why_reply *reply, const struct score *score,
		       const char *whose)
{
	for (size_t i = 0; i < score->part_count; i++)
		add(pad, reply, score_name_text(score->parts[i].name),
		    pad_print(pad, "%" PRId64 " of %" PRId64 " for the %s", score->parts[i].points,
			      score->parts[i].most, whose),
		    reason_of_part(pad, &score->parts[i]));
}

static char *full_text(struct pad *pad, const struct certificate *certificate,
		       const struct certificate_edge *edge)
{
	bool is_venture = edge->state == CERTIFICATE_VENTURE_FULL;
	const char *who = is_venture ? "venture" : "investor";
	int64_t own = is_venture ? edge->venture_points : edge->investor_points;

	if (edge->witness >= certificate->edge_count)
		return pad_print(pad, "the %s has no room for another introduction now", who);
	const struct certificate_edge *witness = &certificate->edges[edge->witness];
	return pad_print(
		pad,
		"the %s has room for no more, and the last one that it was given has %" PRId64
		" points for it; this one has %" PRId64
		" (of equal points the one goes first who was introduced less often)",
		who, is_venture ? witness->venture_points : witness->investor_points, own);
}

static void tell_edge(struct pad *pad, why_reply *reply, const batch_msg *batch, size_t venture,
		      size_t investor)
{
	struct certificate certificate;
	uint32_t venture_rank, investor_rank;
	struct score score;

	if (!batch_certificate(pad, batch, &certificate))
		return;
	const struct certificate_edge *edge =
		batch_edge(&certificate, batch, venture, investor, &venture_rank, &investor_rank);
	if (!edge)
		return;
	reply->was_proposed = edge->state == CERTIFICATE_MATCHED;
	reply->answer = pad_print(
		pad,
		"%s in batch %s: all rules let the pair pass; it is number %u on the venture's "
		"list "
		"with %" PRId64 " points, and number %u on the investor's with %" PRId64 ".",
		reply->was_proposed ? "Proposed" : "Not proposed", batch->id, venture_rank,
		edge->venture_points, investor_rank, edge->investor_points);
	if (!reply->was_proposed)
		add(pad, reply, "room", "refused", full_text(pad, &certificate, edge));
	batch_score(batch, venture, investor, SCORE_FOR_VENTURE, &score);
	tell_parts(pad, reply, &score, "venture");
	batch_score(batch, venture, investor, SCORE_FOR_INVESTOR, &score);
	tell_parts(pad, reply, &score, "investor");
}

static const proposal_msg *find_proposal(const struct desk *desk, const char *venture,
					 const char *investor)
{
	const proposal_msg *last = NULL;

	VIEW_EACH(held, &desk->view, KIND_PROPOSAL)
	{
		const proposal_msg *proposal = (const void *)held->message;
		if (strcmp(proposal->venture, venture) == 0 &&
		    strcmp(proposal->investor, investor) == 0 &&
		    (!last || proposal->made_ms >= last->made_ms))
			last = proposal;
	}
	return last;
}

/* In no batch yet: one of these two alone, as the market has them now. */
static bool as_batch(const struct desk *desk, struct pad *pad, const char *venture,
		     const char *investor, batch_msg *batch)
{
	VIEW_EACH(held, &desk->view, KIND_VENTURE_PROFILE)
	{
		const venture_profile_msg *profile = (const void *)held->message;
		if (strcmp(profile->token, venture) != 0 || !profile->blind || batch->n_venture)
			continue;
		venture_in_batch_msg *party = PAD_NEW(pad, venture_in_batch);
		party->token = profile->token;
		party->blind = profile->blind;
		pad_push(pad, &batch->venture, &batch->n_venture, party);
	}
	VIEW_EACH(held, &desk->view, KIND_INVESTOR_PROFILE)
	{
		const investor_profile_msg *profile = (const void *)held->message;
		if (strcmp(profile->token, investor) != 0 || !profile->blind || batch->n_investor)
			continue;
		investor_in_batch_msg *party = PAD_NEW(pad, investor_in_batch);
		party->token = profile->token;
		party->blind = profile->blind;
		pad_push(pad, &batch->investor, &batch->n_investor, party);
	}
	batch->made_ms = moment_now_ms();
	return batch->n_venture == 1 && batch->n_investor == 1;
}

static void tell_without_batch(const struct desk *desk, struct pad *pad, why_reply *reply,
			       const char *venture, const char *investor)
{
	batch_msg *batch = PAD_NEW(pad, batch);
	struct refusal refusals[RULE_COUNT];
	size_t count;

	if (!as_batch(desk, pad, venture, investor, batch)) {
		reply->answer = "Not proposed: the market has not both of them.";
		return;
	}
	uint16_t mask = batch_judge(batch, 0, 0, refusals, &count);
	tell_rules(pad, reply, refusals, count, false);
	reply->answer =
		mask ? pad_print(pad, "In no batch so far; the next one would refuse the pair: %s.",
				 refused_names(pad, mask))
		     : pad_copy(pad, "In no batch so far; all rules would let the pair pass: "
				     "`lyceum invest propose` makes one.");
}

why_reply *matchmaker_why(const struct desk *desk, struct pad *pad, const batch_msg *batch,
			  const char *venture, const char *investor)
{
	why_reply *reply = pad_message(pad, &lyceum__investment__v1__why_reply__descriptor);
	struct refusal refusals[RULE_COUNT];
	size_t v, i, count;

	if (!batch || !batch_find(batch, venture, investor, &v, &i)) {
		tell_without_batch(desk, pad, reply, venture, investor);
	} else {
		reply->batch = batch->id;
		uint16_t mask = batch_judge(batch, v, i, refusals, &count);
		tell_rules(pad, reply, refusals, count, batch_is_barred(batch, v, i));
		if (mask)
			reply->answer = pad_print(pad, "Not proposed in batch %s: %s.", batch->id,
						  refused_names(pad, mask));
		else
			tell_edge(pad, reply, batch, v, i);
	}
	const proposal_msg *proposal = find_proposal(desk, venture, investor);
	if (proposal)
		add(pad, reply, "proposal",
		    introduction_state_name(introduction_state(desk, proposal, moment_now_ms())),
		    pad_print(pad, "proposal %s of %s", proposal->id,
			      moment_day(pad, proposal->made_ms)));
	return reply;
}
