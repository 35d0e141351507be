/* Works a batch out again, step by step, and compares. Nothing that the record claims is taken from
 * it but the facts that it names as its input; those are held against what the homes have
 * published.
 */
#include <inttypes.h>
#include <string.h>

#include "batch.h"
#include "blind.h"
#include "matching.h"
#include "matchmaker.h"

typedef Lyceum__Investment__V1__VerifyReply verify_reply;

enum outcome { IS_OK, IS_WRONG, IS_UNKNOWN };

static void add(struct pad *pad, verify_reply *reply, const char *name, enum outcome outcome,
		char *text)
{
	static const char *const names[] = {"ok", "wrong", "cannot be told"};
	check_msg *check = PAD_NEW(pad, check);

	check->name = (char *)(uintptr_t)name;
	check->outcome = (char *)(uintptr_t)names[outcome];
	check->text = text;
	pad_push(pad, &reply->check, &reply->n_check, check);
	if (outcome == IS_WRONG)
		reply->is_sound = false;
}

static char *pair_text(struct pad *pad, const batch_msg *batch, size_t venture, size_t investor)
{
	return pad_print(pad, "%s and %s",
			 venture < batch->n_venture ? batch->venture[venture]->token : "-",
			 investor < batch->n_investor ? batch->investor[investor]->token : "-");
}

static void check_certificate(struct pad *pad, verify_reply *reply, const batch_msg *batch,
			      const struct certificate *certificate)
{
	struct certificate_fault fault = {0};
	enum lyc_status status = certificate_check(certificate, NULL, &fault);

	if (status == LYC_RESOURCE_EXHAUSTED)
		add(pad, reply, "certificate", IS_UNKNOWN,
		    pad_copy(pad, "there is no memory to look at it"));
	else if (status == LYC_OK)
		add(pad, reply, "certificate", IS_OK,
		    pad_print(pad, "%zu pairs: none would rather be matched, none is over its room",
			      certificate->refused_count));
	else
		add(pad, reply, "certificate", IS_WRONG,
		    pad_print(pad, "%s: %s", certificate_fault_name(fault.kind),
			      pair_text(pad, batch, fault.venture, fault.investor)));
}

static void check_rules(struct pad *pad, verify_reply *reply, const batch_msg *batch,
			const struct certificate *certificate)
{
	struct refusal refusals[RULE_COUNT];
	size_t count, refused = 0;

	for (size_t v = 0; v < batch->n_venture; v++) {
		for (size_t i = 0; i < batch->n_investor; i++) {
			uint16_t mask = batch_judge(batch, v, i, refusals, &count);
			if (mask != certificate->refused[v * batch->n_investor + i]) {
				add(pad, reply, "rules", IS_WRONG, pair_text(pad, batch, v, i));
				return;
			}
			refused += mask != 0;
		}
	}
	add(pad, reply, "rules", IS_OK,
	    pad_print(pad, "refuse %zu of %zu pairs, as the batch says", refused,
		      certificate->refused_count));
}

static void check_points(struct pad *pad, verify_reply *reply, const batch_msg *batch,
			 const struct certificate *certificate)
{
	struct score score;

	for (size_t i = 0; i < certificate->edge_count; i++) {
		const struct certificate_edge *edge = &certificate->edges[i];
		batch_score(batch, edge->venture, edge->investor, SCORE_FOR_VENTURE, &score);
		bool is_right = score.total == edge->venture_points &&
				score_adds_up(&score, SCORE_FOR_VENTURE);
		batch_score(batch, edge->venture, edge->investor, SCORE_FOR_INVESTOR, &score);
		is_right &= score.total == edge->investor_points &&
			    score_adds_up(&score, SCORE_FOR_INVESTOR);
		if (!is_right) {
			add(pad, reply, "points", IS_WRONG,
			    pair_text(pad, batch, edge->venture, edge->investor));
			return;
		}
	}
	add(pad, reply, "points", IS_OK,
	    pad_print(pad, "%zu pairs have the points that their parts sum to",
		      certificate->edge_count));
}

static void check_matching(struct pad *pad, verify_reply *reply, const batch_msg *batch,
			   const struct certificate *certificate)
{
	struct matching_edge *edges = pad_new(pad, certificate->edge_count, sizeof(*edges));
	bool *is_matched = pad_new(pad, certificate->edge_count, sizeof(*is_matched));
	const struct matching_problem problem = {.ventures = certificate->ventures,
						 .venture_count = certificate->venture_count,
						 .investors = certificate->investors,
						 .investor_count = certificate->investor_count,
						 .edges = edges,
						 .edge_count = certificate->edge_count};
	size_t matched = 0;

	for (size_t i = 0; i < certificate->edge_count; i++) {
		const struct certificate_edge *edge = &certificate->edges[i];
		edges[i] = (struct matching_edge){edge->venture, edge->investor,
						  edge->venture_points, edge->investor_points};
	}
	if (matching_solve(&problem, is_matched) != LYC_OK) {
		add(pad, reply, "matching", IS_WRONG, "it cannot be worked out");
		return;
	}
	for (size_t i = 0; i < certificate->edge_count; i++) {
		matched += is_matched[i];
		if (is_matched[i] != (certificate->edges[i].state == CERTIFICATE_MATCHED)) {
			add(pad, reply, "matching", IS_WRONG,
			    pair_text(pad, batch, edges[i].venture, edges[i].investor));
			return;
		}
	}
	add(pad, reply, "matching", IS_OK,
	    pad_print(pad, "worked out again: the same %zu introductions", matched));
}

/* Do the homes say of themselves what the batch says they did? What differs was changed since, or
 * has not come here yet, or was never so: that cannot be told from here. */
static void check_profiles(const struct desk *desk, struct pad *pad, verify_reply *reply,
			   const batch_msg *batch)
{
	size_t same = 0, whole = batch->n_venture + batch->n_investor;

	for (size_t i = 0; i < batch->n_venture; i++) {
		const venture_in_batch_msg *party = batch->venture[i];
		const venture_profile_msg *profile = view_find(&desk->view, KIND_VENTURE_PROFILE,
							       party->home, party->token, NULL);
		same += profile && profile->blind &&
			blind_is_equal(&profile->blind->base, &party->blind->base);
	}
	for (size_t i = 0; i < batch->n_investor; i++) {
		const investor_in_batch_msg *party = batch->investor[i];
		const investor_profile_msg *profile = view_find(&desk->view, KIND_INVESTOR_PROFILE,
								party->home, party->token, NULL);
		same += profile && profile->blind &&
			blind_is_equal(&profile->blind->base, &party->blind->base);
	}
	if (same == whole)
		add(pad, reply, "profiles", IS_OK,
		    pad_print(pad, "all %zu are as their homes have published them", whole));
	else
		add(pad, reply, "profiles", IS_UNKNOWN,
		    pad_print(pad,
			      "%zu of %zu differ from what is held here: changed or withdrawn "
			      "since, or not here yet",
			      whole - same, whole));
}

/* Every proposal that came here is one of the batch's matches, with its points. */
static void check_proposals(const struct desk *desk, struct pad *pad, verify_reply *reply,
			    const batch_msg *batch, const struct certificate *certificate)
{
	size_t count = 0;

	VIEW_EACH(held, &desk->view, KIND_PROPOSAL)
	{
		const proposal_msg *proposal = (const void *)held->message;
		if (strcmp(proposal->batch, batch->id) != 0 ||
		    strcmp(proposal->home, batch->home) != 0)
			continue;
		const struct certificate_edge *edge =
			certificate_find(certificate, proposal->venture, proposal->investor);
		int64_t sums[3] = {0};
		for (size_t i = 0; i < proposal->n_part; i++)
			sums[proposal->part[i]->side == SIDE_VENTURE ? 1 : 2] +=
				proposal->part[i]->points;
		if (!edge || edge->state != CERTIFICATE_MATCHED ||
		    edge->venture_points != proposal->venture_points ||
		    edge->investor_points != proposal->investor_points ||
		    sums[1] != proposal->venture_points || sums[2] != proposal->investor_points) {
			add(pad, reply, "proposals", IS_WRONG, pad_copy(pad, proposal->id));
			return;
		}
		count++;
	}
	add(pad, reply, "proposals", IS_OK,
	    pad_print(pad,
		      "%zu came here; each is a match of the batch, and its parts sum to its "
		      "points",
		      count));
}

verify_reply *matchmaker_verify(const struct desk *desk, struct pad *pad, const batch_msg *batch)
{
	verify_reply *reply = pad_message(pad, &lyceum__investment__v1__verify_reply__descriptor);
	struct certificate certificate;

	reply->is_sound = true;
	if (!batch_certificate(pad, batch, &certificate)) {
		add(pad, reply, "certificate", IS_WRONG, "the record is not whole");
	} else {
		check_certificate(pad, reply, batch, &certificate);
		check_rules(pad, reply, batch, &certificate);
		check_points(pad, reply, batch, &certificate);
		check_matching(pad, reply, batch, &certificate);
		check_profiles(desk, pad, reply, batch);
		check_proposals(desk, pad, reply, batch, &certificate);
	}
	reply->answer =
		pad_print(pad, "Batch %s is %s.", batch->id,
			  reply->is_sound ? "what it says it is" : "NOT what it says it is");
	return reply;
}
