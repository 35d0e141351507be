/* Finds parties by walking: a node has hundreds of them, not millions. */
#include "desk.h"

#include <string.h>

#include "conflict.h"

bool desk_may_append(const struct desk *desk)
{
	return lyc_is_caught_up(desk->context);
}

void desk_token(const struct desk *desk, side_value side, const char *id,
		char ret_token[SECRET_TOKEN_SIZE])
{
	secret_token(&desk->secret, side, id, ret_token);
}

/* The party that a record is about gets its token once, not each time that somebody looks. */
static void note_token(struct desk *desk, side_value side, enum kind kind, const char *id)
{
	char token[SECRET_TOKEN_SIZE];

	desk_token(desk, side, id, token);
	view_note_token(&desk->view, kind, desk->node, id, token);
}

bool desk_take(struct desk *desk, const struct lyc_delivery *record)
{
	const struct held *held;

	if (!view_take(&desk->view, record))
		return false;
	held = view_last(&desk->view);
	if (held->kind == KIND_VENTURE && held->message)
		note_token(desk, SIDE_VENTURE, KIND_VENTURE,
			   ((const venture_msg *)(const void *)held->message)->id);
	else if (held->kind == KIND_INVESTOR && held->message)
		note_token(desk, SIDE_INVESTOR, KIND_INVESTOR,
			   ((const investor_msg *)(const void *)held->message)->id);
	else if (held->kind == KIND_CONFLICT_NOTICE)
		conflict_note(desk, record);
	return true;
}

static bool is_named(const struct held *held, const char *id, const char *wanted)
{
	return strcmp(id, wanted) == 0 || (held->token[0] && strcmp(held->token, wanted) == 0);
}

static bool find_venture(const struct desk *desk, const char *wanted, struct party *ret_party)
{
	VIEW_EACH(held, &desk->view, KIND_VENTURE)
	{
		const venture_msg *venture = (const void *)held->message;
		if (is_named(held, venture->id, wanted)) {
			memcpy(ret_party->token, held->token, sizeof(ret_party->token));
			ret_party->side = SIDE_VENTURE;
			ret_party->id = venture->id;
			ret_party->name = venture->name;
			ret_party->company_number = venture->company_number;
			ret_party->venture = venture;
			ret_party->investor = NULL;
			ret_party->seq = held->seq;
			return true;
		}
	}
	return false;
}

static bool find_investor(const struct desk *desk, const char *wanted, struct party *ret_party)
{
	VIEW_EACH(held, &desk->view, KIND_INVESTOR)
	{
		const investor_msg *investor = (const void *)held->message;
		if (is_named(held, investor->id, wanted)) {
			memcpy(ret_party->token, held->token, sizeof(ret_party->token));
			ret_party->side = SIDE_INVESTOR;
			ret_party->id = investor->id;
			ret_party->name = investor->name;
			ret_party->company_number = investor->company_number;
			ret_party->venture = NULL;
			ret_party->investor = investor;
			ret_party->seq = held->seq;
			return true;
		}
	}
	return false;
}

bool desk_party(const struct desk *desk, side_value side, const char *id_or_token,
		struct party *ret_party)
{
	if (side != SIDE_INVESTOR && find_venture(desk, id_or_token, ret_party))
		return true;
	return side != SIDE_VENTURE && find_investor(desk, id_or_token, ret_party);
}

bool desk_party_by_token(const struct desk *desk, side_value side, const char *token,
			 struct party *ret_party)
{
	return token[0] && desk_party(desk, side, token, ret_party) &&
	       strcmp(ret_party->token, token) == 0;
}

bool desk_has_published(const struct desk *desk, side_value side, const char *token)
{
	return secret_is_token(token) &&
	       view_held(&desk->view,
			 side == SIDE_VENTURE ? KIND_VENTURE_PROFILE : KIND_INVESTOR_PROFILE,
			 desk->node, token, NULL);
}

bool desk_is_open(const struct party *party, int64_t now_ms, const char **ret_reason)
{
	int64_t until =
		party->venture ? party->venture->open_until_ms : party->investor->open_until_ms;

	if (until != 0 && until <= now_ms) {
		*ret_reason = "its time in the market is over";
		return false;
	}
	if (party->venture)
		return true;
	const certification_msg *held = party->investor->certification;
	if (held && held->is_exempt)
		return true;
	if (!held || !held->type[0] || held->expires_ms == 0) {
		*ret_reason = "the investor has no certificate";
		return false;
	}
	if (held->expires_ms <= now_ms) {
		*ret_reason = "the investor's certificate has ended";
		return false;
	}
	if (held->from_ms > now_ms) {
		*ret_reason = "the investor's certificate does not hold yet";
		return false;
	}
	return true;
}

bool desk_is_ours(const struct desk *desk, const struct lyc_call *call)
{
	const char *principal = lyc_call_principal(call);
	const char *at = strchr(principal, '@');
	const char *name = at ? at + 1 : principal;
	size_t len = strcspn(name, "/");

	return len == strlen(desk->node) && memcmp(name, desk->node, len) == 0;
}

bool desk_admit(const struct desk *desk, struct lyc_call *call)
{
	if (desk_is_ours(desk, call))
		return true;
	lyc_call_fail(
		call, LYC_PERMISSION_DENIED,
		"the ventures and investors of %.64s are shown to, and changed by, the people "
		"of %.64s only: ask them",
		desk->node, desk->node);
	return false;
}

static label_msg *label(const struct desk *desk, struct pad *pad, Lyceum__V1__Visibility seen_by)
{
	label_msg *made = pad_message(pad, &lyceum__v1__label__descriptor);

	made->home = (char *)(uintptr_t)desk->node;
	made->visibility = seen_by;
	return made;
}

label_msg *desk_label_private(const struct desk *desk, struct pad *pad)
{
	return label(desk, pad, SEEN_BY_HOME);
}

label_msg *desk_label_members(const struct desk *desk, struct pad *pad)
{
	return label(desk, pad, SEEN_BY_MEMBERS);
}

label_msg *desk_label_for(const struct desk *desk, struct pad *pad, const char *const *nodes,
			  size_t count)
{
	label_msg *made = label(desk, pad, SEEN_BY_AUDIENCE);

	for (size_t i = 0; i < count; i++) {
		bool is_there = strcmp(nodes[i], desk->node) == 0;
		for (size_t j = 0; j < made->n_audience && !is_there; j++)
			is_there = strcmp(made->audience[j], nodes[i]) == 0;
		if (!is_there)
			pad_push(pad, &made->audience, &made->n_audience, pad_copy(pad, nodes[i]));
	}
	if (made->n_audience == 0)
		made->visibility = SEEN_BY_HOME;
	return made;
}
