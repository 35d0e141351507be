/* The parties ascend by token, so the same profiles make the same batch, in whatever order they
 * came. */
#include "batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blind.h"
#include "interest.h"
#include "introduction.h"
#include "matching.h"

/* ---- Who takes part ---- */

static int by_token(const void *a, const void *b)
{
	/* Both messages begin with base, token. */
	const venture_in_batch_msg *const *x = a, *const *y = b;

	return strcmp((*x)->token, (*y)->token);
}

static int by_investor_token(const void *a, const void *b)
{
	const investor_in_batch_msg *const *x = a, *const *y = b;

	return strcmp((*x)->token, (*y)->token);
}

/* How often a token was introduced, answered, and is being introduced now. */
struct history {
	uint32_t asked;
	uint32_t answered;
	uint32_t open;
};

static struct history history_of(const struct desk *desk, side_value side, const char *token,
				 int64_t now_ms)
{
	struct history history = {0};

	VIEW_EACH(held, &desk->view, KIND_PROPOSAL)
	{
		const proposal_msg *proposal = (const void *)held->message;
		if (strcmp(introduction_token(proposal, side), token) != 0)
			continue;
		answer_state said = introduction_answer(&desk->view, proposal, side, NULL);
		enum introduction_state state = introduction_state(desk, proposal, now_ms);
		history.asked++;
		history.answered +=
			said == ANSWER_YES || said == ANSWER_NO || said == ANSWER_AGREED;
		history.open += state == INTRODUCTION_OPEN || state == INTRODUCTION_WAITING ||
				state == INTRODUCTION_TAKEN_BACK;
	}
	return history;
}

static uint32_t room_for(uint32_t capacity, uint32_t open)
{
	return capacity > open ? capacity - open : 0;
}

static bool has_word(char *const *words, size_t count, const char *wanted)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], wanted) == 0)
			return true;
	}
	return false;
}

static void add_ventures(const struct desk *desk, struct pad *pad, const struct batch_wish *wish,
			 batch_msg *batch)
{
	VIEW_EACH(held, &desk->view, KIND_VENTURE_PROFILE)
	{
		const venture_profile_msg *profile = (const void *)held->message;
		const blind_venture_msg *blind = profile->blind;
		if (!blind ||
		    (wish->sector && !has_word(blind->sector, blind->n_sector, wish->sector)) ||
		    (wish->region && !rules_covers(wish->region, blind->region)))
			continue;
		struct history history =
			history_of(desk, SIDE_VENTURE, profile->token, wish->made_ms);
		venture_in_batch_msg *party = PAD_NEW(pad, venture_in_batch);
		party->token = profile->token;
		party->home = profile->home;
		party->blind = profile->blind;
		party->room = room_for(blind->capacity, history.open);
		party->asked = history.asked;
		party->answered = history.answered;
		pad_push(pad, &batch->venture, &batch->n_venture, party);
	}
	if (batch->n_venture > 1)
		qsort(batch->venture, batch->n_venture, sizeof(batch->venture[0]), by_token);
}

static void add_investors(const struct desk *desk, struct pad *pad, const struct batch_wish *wish,
			  batch_msg *batch)
{
	VIEW_EACH(held, &desk->view, KIND_INVESTOR_PROFILE)
	{
		const investor_profile_msg *profile = (const void *)held->message;
		if (!profile->blind ||
		    (wish->investor && strcmp(wish->investor, profile->token) != 0))
			continue;
		struct history history =
			history_of(desk, SIDE_INVESTOR, profile->token, wish->made_ms);
		investor_in_batch_msg *party = PAD_NEW(pad, investor_in_batch);
		party->token = profile->token;
		party->home = profile->home;
		party->blind = profile->blind;
		party->room = room_for(profile->blind->capacity, history.open);
		party->asked = history.asked;
		party->answered = history.answered;
		pad_push(pad, &batch->investor, &batch->n_investor, party);
	}
	if (batch->n_investor > 1)
		qsort(batch->investor, batch->n_investor, sizeof(batch->investor[0]),
		      by_investor_token);
}

/* A token that two profiles have: the second is left out, because it cannot be told who is meant.
 */
static void drop_doubles(batch_msg *batch)
{
	size_t kept = 0;

	for (size_t i = 0; i < batch->n_venture; i++) {
		if (kept == 0 || strcmp(batch->venture[kept - 1]->token, batch->venture[i]->token))
			batch->venture[kept++] = batch->venture[i];
	}
	batch->n_venture = kept;
	kept = 0;
	for (size_t i = 0; i < batch->n_investor; i++) {
		if (kept == 0 ||
		    strcmp(batch->investor[kept - 1]->token, batch->investor[i]->token))
			batch->investor[kept++] = batch->investor[i];
	}
	batch->n_investor = kept;
}

static size_t find_venture(const batch_msg *batch, const char *token)
{
	for (size_t i = 0; i < batch->n_venture; i++) {
		if (strcmp(batch->venture[i]->token, token) == 0)
			return i;
	}
	return SIZE_MAX;
}

static size_t find_investor(const batch_msg *batch, const char *token)
{
	for (size_t i = 0; i < batch->n_investor; i++) {
		if (strcmp(batch->investor[i]->token, token) == 0)
			return i;
	}
	return SIZE_MAX;
}

bool batch_find(const batch_msg *batch, const char *venture, const char *investor,
		size_t *ret_venture, size_t *ret_investor)
{
	*ret_venture = find_venture(batch, venture);
	*ret_investor = find_investor(batch, investor);
	return *ret_venture != SIZE_MAX && *ret_investor != SIZE_MAX;
}

static bool is_among(pair_in_batch_msg *const *pairs, size_t count, size_t venture, size_t investor)
{
	for (size_t i = 0; i < count; i++) {
		if (pairs[i]->venture == venture && pairs[i]->investor == investor)
			return true;
	}
	return false;
}

bool batch_is_barred(const batch_msg *batch, size_t venture, size_t investor)
{
	return is_among(batch->barred, batch->n_barred, venture, investor);
}

static void add_pair(struct pad *pad, pair_in_batch_msg ***pairs, size_t *count, size_t venture,
		     size_t investor)
{
	if (is_among(*pairs, *count, venture, investor))
		return;
	pair_in_batch_msg *pair = PAD_NEW(pad, pair_in_batch);
	pair->venture = (uint32_t)venture;
	pair->investor = (uint32_t)investor;
	pad_push(pad, pairs, count, pair);
}

/* Proposed before and not merely expired, or brought together by an interest. */
static void add_pairs(const struct desk *desk, struct pad *pad, int64_t now_ms, batch_msg *batch)
{
	size_t venture, investor;

	VIEW_EACH(held, &desk->view, KIND_PROPOSAL)
	{
		const proposal_msg *proposal = (const void *)held->message;
		if (introduction_state(desk, proposal, now_ms) != INTRODUCTION_EXPIRED &&
		    batch_find(batch, proposal->venture, proposal->investor, &venture, &investor))
			add_pair(pad, &batch->barred, &batch->n_barred, venture, investor);
	}
	VIEW_EACH(held, &desk->view, KIND_INTEREST_FIT)
	{
		const interest_fit_msg *fit = (const void *)held->message;
		if (batch_find(batch, fit->venture, fit->investor, &venture, &investor))
			add_pair(pad, &batch->interested, &batch->n_interested, venture, investor);
	}
}

/* ---- What is made of a pair ---- */

uint16_t batch_judge(const batch_msg *batch, size_t venture, size_t investor,
		     struct refusal ret_refusals[RULE_COUNT], size_t *ret_count)
{
	const struct rules rules = {.at_ms = batch->made_ms};
	struct rules_venture v =
		blind_rules_venture(batch->venture[venture]->token, batch->venture[venture]->blind);
	struct rules_investor i = blind_rules_investor(batch->investor[investor]->token,
						       batch->investor[investor]->blind);

	*ret_count = rules_check(&rules, &v, &i, ret_refusals);
	uint16_t mask = rules_mask(ret_refusals, *ret_count);
	if (batch_is_barred(batch, venture, investor))
		mask |= 1 << RULE_OPEN;
	return mask;
}

void batch_score(const batch_msg *batch, size_t venture, size_t investor, enum score_side side,
		 struct score *ret_score)
{
	const struct rules rules = {.at_ms = batch->made_ms};
	const venture_in_batch_msg *v = batch->venture[venture];
	const investor_in_batch_msg *i = batch->investor[investor];
	struct rules_venture rules_venture = blind_rules_venture(v->token, v->blind);
	struct rules_investor rules_investor = blind_rules_investor(i->token, i->blind);
	const struct score_facts facts = {
		.asked = {v->asked, i->asked},
		.answered = {v->answered, i->answered},
		.is_interested =
			is_among(batch->interested, batch->n_interested, venture, investor),
	};

	score_pair(&rules, &rules_venture, &rules_investor, &facts, side, ret_score);
}

static struct matching_party *parties(struct pad *pad, const batch_msg *batch, bool of_ventures)
{
	size_t count = of_ventures ? batch->n_venture : batch->n_investor;
	struct matching_party *list = pad_new(pad, count, sizeof(*list));

	for (size_t i = 0; i < count; i++) {
		if (of_ventures)
			list[i] = (struct matching_party){batch->venture[i]->token,
							  batch->venture[i]->room,
							  batch->venture[i]->asked};
		else
			list[i] = (struct matching_party){batch->investor[i]->token,
							  batch->investor[i]->room,
							  batch->investor[i]->asked};
	}
	return list;
}

bool batch_certificate(struct pad *pad, const batch_msg *batch, struct certificate *ret_certificate)
{
	size_t pair_count = batch->n_venture * batch->n_investor;
	size_t edge_count = batch->n_state, edge = 0;

	if (pair_count > BATCH_MAX_PAIRS || batch->refused.len != 2 * pair_count ||
	    batch->digest.len != CERTIFICATE_DIGEST_LEN || batch->n_venture_points != edge_count ||
	    batch->n_investor_points != edge_count || batch->n_witness != edge_count)
		return false;
	uint16_t *refused = pad_new(pad, pair_count, sizeof(*refused));
	struct certificate_edge *edges = pad_new(pad, edge_count, sizeof(*edges));
	for (size_t pair = 0; pair < pair_count; pair++) {
		refused[pair] = (uint16_t)(batch->refused.data[2 * pair] |
					   batch->refused.data[2 * pair + 1] << 8);
		if (refused[pair])
			continue;
		if (edge == edge_count)
			return false;
		edges[edge] = (struct certificate_edge){
			.venture = (uint32_t)(pair / batch->n_investor),
			.investor = (uint32_t)(pair % batch->n_investor),
			.venture_points = batch->venture_points[edge],
			.investor_points = batch->investor_points[edge],
			.state = batch->state[edge],
			.witness = batch->witness[edge],
		};
		edge++;
	}
	if (edge != edge_count)
		return false;
	*ret_certificate = (struct certificate){
		.batch = batch->id,
		.at_ms = batch->made_ms,
		.ventures = parties(pad, batch, true),
		.venture_count = batch->n_venture,
		.investors = parties(pad, batch, false),
		.investor_count = batch->n_investor,
		.edges = edges,
		.edge_count = edge_count,
		.refused = refused,
		.refused_count = pair_count,
	};
	memcpy(ret_certificate->digest, batch->digest.data, CERTIFICATE_DIGEST_LEN);
	return true;
}

/* ---- Making one ---- */

static void keep_certificate(struct pad *pad, const struct certificate *made, batch_msg *batch)
{
	size_t count = made->edge_count;

	batch->refused.len = 2 * made->refused_count;
	batch->refused.data = pad_new(pad, batch->refused.len, 1);
	for (size_t i = 0; i < made->refused_count; i++) {
		batch->refused.data[2 * i] = made->refused[i] & 0xff;
		batch->refused.data[2 * i + 1] = (uint8_t)(made->refused[i] >> 8);
	}
	batch->venture_points = pad_new(pad, count, sizeof(batch->venture_points[0]));
	batch->investor_points = pad_new(pad, count, sizeof(batch->investor_points[0]));
	batch->state = pad_new(pad, count, sizeof(batch->state[0]));
	batch->witness = pad_new(pad, count, sizeof(batch->witness[0]));
	batch->n_venture_points = batch->n_investor_points = batch->n_state = batch->n_witness =
		count;
	for (size_t i = 0; i < count; i++) {
		batch->venture_points[i] = made->edges[i].venture_points;
		batch->investor_points[i] = made->edges[i].investor_points;
		batch->state[i] = made->edges[i].state;
		batch->witness[i] = made->edges[i].witness;
	}
	batch->digest.len = CERTIFICATE_DIGEST_LEN;
	batch->digest.data = (uint8_t *)pad_copy_bytes(pad, made->digest, CERTIFICATE_DIGEST_LEN);
}

static enum lyc_status judge_all(struct pad *pad, const batch_msg *batch, uint16_t *refused,
				 struct matching_edge *edges, size_t *ret_edge_count)
{
	struct refusal refusals[RULE_COUNT];
	struct score score;
	size_t count = 0, refusal_count;

	(void)pad;
	for (size_t v = 0; v < batch->n_venture; v++) {
		for (size_t i = 0; i < batch->n_investor; i++) {
			uint16_t mask = batch_judge(batch, v, i, refusals, &refusal_count);
			refused[v * batch->n_investor + i] = mask;
			if (mask)
				continue;
			if (count == BATCH_MAX_EDGES)
				return LYC_OUT_OF_RANGE;
			struct matching_edge *edge = &edges[count++];
			edge->venture = (uint32_t)v;
			edge->investor = (uint32_t)i;
			batch_score(batch, v, i, SCORE_FOR_VENTURE, &score);
			edge->venture_points = score.total;
			batch_score(batch, v, i, SCORE_FOR_INVESTOR, &score);
			edge->investor_points = score.total;
		}
	}
	*ret_edge_count = count;
	return LYC_OK;
}

static enum lyc_status refuse(struct lyc_error *error, enum lyc_status status, const char *text)
{
	error->status = status;
	snprintf(error->text, sizeof(error->text), "%s", text);
	return status;
}

static const char *const too_many =
	"there are too many pairs for one batch: narrow it with --sector, --region or --investor";

static enum lyc_status solve(struct pad *pad, batch_msg *batch, struct lyc_error *error)
{
	size_t pair_count = batch->n_venture * batch->n_investor;
	uint16_t *refused = pad_new(pad, pair_count, sizeof(*refused));
	struct matching_edge *edges = pad_new(pad, BATCH_MAX_EDGES, sizeof(*edges));
	struct matching_problem problem = {.ventures = parties(pad, batch, true),
					   .venture_count = batch->n_venture,
					   .investors = parties(pad, batch, false),
					   .investor_count = batch->n_investor,
					   .edges = edges};
	struct certificate certificate = {0};

	if (judge_all(pad, batch, refused, edges, &problem.edge_count) != LYC_OK)
		return refuse(error, LYC_OUT_OF_RANGE, too_many);
	bool *is_matched = pad_new(pad, problem.edge_count, sizeof(*is_matched));
	enum lyc_status status = matching_solve(&problem, is_matched);
	if (status == LYC_OK)
		status = certificate_make(batch->id, batch->made_ms, &problem, is_matched, refused,
					  &certificate);
	if (status != LYC_OK)
		return refuse(error, LYC_INTERNAL, "the batch could not be worked out");
	keep_certificate(pad, &certificate, batch);
	certificate_fini(&certificate);
	return LYC_OK;
}

static void label_homes(const struct desk *desk, struct pad *pad, batch_msg *batch)
{
	const char **homes = pad_new(pad, batch->n_venture + batch->n_investor, sizeof(*homes));
	size_t count = 0;

	for (size_t i = 0; i < batch->n_venture; i++)
		homes[count++] = batch->venture[i]->home;
	for (size_t i = 0; i < batch->n_investor; i++)
		homes[count++] = batch->investor[i]->home;
	batch->label = desk_label_for(desk, pad, homes, count);
}

enum lyc_status batch_make(const struct desk *desk, struct pad *pad, const struct batch_wish *wish,
			   batch_msg **ret_batch, struct lyc_error *error)
{
	batch_msg *batch = PAD_NEW(pad, batch);

	batch->home = (char *)(uintptr_t)desk->node;
	batch->id = secret_name(pad);
	batch->made_ms = wish->made_ms;
	batch->expires_ms = wish->expires_ms;
	add_ventures(desk, pad, wish, batch);
	add_investors(desk, pad, wish, batch);
	drop_doubles(batch);
	if (batch->n_venture == 0 || batch->n_investor == 0)
		return refuse(error, LYC_FAILED_PRECONDITION,
			      batch->n_venture ? "the market has no such investor: import some"
					       : "the market has no such venture: import some");
	if (batch->n_venture * batch->n_investor > BATCH_MAX_PAIRS)
		return refuse(error, LYC_OUT_OF_RANGE, too_many);
	add_pairs(desk, pad, wish->made_ms, batch);
	enum lyc_status status = solve(pad, batch, error);
	if (status != LYC_OK)
		return status;
	label_homes(desk, pad, batch);
	if (batch->label->n_audience > 64)
		return refuse(error, LYC_OUT_OF_RANGE,
			      "more than 64 nodes take part: narrow the batch with --region");
	*ret_batch = batch;
	return LYC_OK;
}

/* ---- Its proposals ---- */

const struct certificate_edge *batch_edge(const struct certificate *certificate,
					  const batch_msg *batch, size_t venture, size_t investor,
					  uint32_t *ret_venture_rank, uint32_t *ret_investor_rank)
{
	const struct certificate_edge *edge = certificate_find(
		certificate, batch->venture[venture]->token, batch->investor[investor]->token);

	if (!edge)
		return NULL;
	*ret_venture_rank = *ret_investor_rank = 1;
	for (size_t i = 0; i < certificate->edge_count; i++) {
		const struct certificate_edge *other = &certificate->edges[i];
		*ret_venture_rank += other->venture == edge->venture &&
				     other->venture_points > edge->venture_points;
		*ret_investor_rank += other->investor == edge->investor &&
				      other->investor_points > edge->investor_points;
	}
	return edge;
}
