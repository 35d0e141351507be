/* The limits are those of the .proto files, which only the writer's own daemon has looked at. */
#include "foreign.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 40
#define HOME_MAX_LEN 64
#define PATH_MAX_NODES 16

bool foreign_is_of(const char *keys, const char *origin)
{
	size_t len = strcspn(keys, ".");

	return origin && strlen(origin) == len && len > 0 && memcmp(keys, origin, len) == 0;
}

/* Something that may stand in a key and in a record of ours. */
static bool is_word(const char *text, size_t max_len)
{
	size_t len = strlen(text);

	if (len == 0 || len > max_len)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c <= ' ' || c >= 0x7f || strchr(".*>@", c))
			return false;
	}
	return true;
}

static bool is_path(char *const *path, size_t count)
{
	if (count == 0 || count > PATH_MAX_NODES)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!is_word(path[i], HOME_MAX_LEN))
			return false;
	}
	return true;
}

/* Words as they may go on into records of ours: a batch, a copy of an interest. */
static bool is_list(char *const *words, size_t count, size_t max_count, size_t max_len)
{
	if (count > max_count)
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(words[i]);
		if (len > max_len)
			return false;
		for (size_t j = 0; j < len; j++) {
			if ((unsigned char)words[i][j] < ' ' || (unsigned char)words[i][j] >= 0x7f)
				return false;
		}
	}
	return true;
}

static bool is_currency(const char *text)
{
	return strlen(text) == 0 ||
	       (strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3);
}

/* NULL is none, which whoever needs one looks for. */
static bool is_whole_venture(const blind_venture_msg *blind)
{
	return !blind ||
	       (is_list(blind->sector, blind->n_sector, 8, 60) &&
		is_list(&blind->region, 1, 1, 40) && is_currency(blind->currency) &&
		is_list(blind->instrument, blind->n_instrument, 8, 40) &&
		is_list(blind->trait, blind->n_trait, 16, 60) &&
		is_list(blind->need, blind->n_need, 16, 60) &&
		is_list(blind->exclusion, blind->n_exclusion, 16, 60) && blind->capacity <= 1000);
}

static bool is_whole_investor(const blind_investor_msg *blind)
{
	return !blind ||
	       (blind->n_stage <= 8 && is_list(blind->sector, blind->n_sector, 16, 60) &&
		is_list(blind->region, blind->n_region, 32, 40) &&
		is_list(blind->prefers_region, blind->n_prefers_region, 32, 40) &&
		is_currency(blind->currency) &&
		is_list(blind->instrument, blind->n_instrument, 8, 40) &&
		is_list(blind->trait, blind->n_trait, 16, 60) &&
		is_list(blind->offer, blind->n_offer, 16, 60) &&
		is_list(blind->exclusion, blind->n_exclusion, 32, 60) && blind->capacity <= 1000);
}

/* Do the keys say the same as the body? */
static bool has_keys(const char *keys, const char *home, const char *second, const char *third)
{
	char text[600];
	int len = snprintf(text, sizeof(text), "%s.%s%s%s", home, second, third ? "." : "",
			   third ? third : "");

	return len > 0 && (size_t)len < sizeof(text) && strcmp(text, keys) == 0;
}

static const char *side_key(side_value side)
{
	return side == SIDE_VENTURE ? "1" : side == SIDE_INVESTOR ? "2" : "";
}

static bool is_whole_batch(const char *keys, const batch_msg *batch)
{
	if (!is_word(batch->id, NAME_MAX_LEN) || !has_keys(keys, batch->home, batch->id, NULL))
		return false;
	for (size_t i = 0; i < batch->n_venture; i++) {
		if (!batch->venture[i]->blind)
			return false;
	}
	for (size_t i = 0; i < batch->n_investor; i++) {
		if (!batch->investor[i]->blind)
			return false;
	}
	return true;
}

static bool is_whole_proposal(const char *keys, const proposal_msg *proposal)
{
	return is_word(proposal->id, NAME_MAX_LEN) && is_word(proposal->venture, NAME_MAX_LEN) &&
	       is_word(proposal->investor, NAME_MAX_LEN) &&
	       is_word(proposal->venture_home, HOME_MAX_LEN) &&
	       is_word(proposal->investor_home, HOME_MAX_LEN) &&
	       has_keys(keys, proposal->home, proposal->id, NULL);
}

static bool is_whole_interest(const char *keys, const interest_msg *interest)
{
	return is_word(interest->id, NAME_MAX_LEN) && is_word(interest->investor, NAME_MAX_LEN) &&
	       is_word(interest->investor_home, HOME_MAX_LEN) &&
	       is_path(interest->path, interest->n_path) && interest->steps_left <= 15 &&
	       is_whole_investor(interest->wanted) &&
	       has_keys(keys, interest->home, interest->id, NULL);
}

static bool is_whole_fit(const char *keys, const interest_fit_msg *fit)
{
	return is_word(fit->interest, NAME_MAX_LEN) && is_word(fit->venture, NAME_MAX_LEN) &&
	       is_word(fit->investor, NAME_MAX_LEN) && is_path(fit->path, fit->n_path) &&
	       has_keys(keys, fit->home, fit->interest, fit->venture);
}

/* Every record's first field is its home. */
static const char *home_of(const ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field = &message->descriptor->fields[0];

	return *(char *const *)(const void *)((const char *)message + field->offset);
}

bool foreign_is_whole(enum kind kind, const char *keys, const ProtobufCMessage *message)
{
	const void *record = message;

	if (!foreign_is_of(keys, home_of(message)))
		return false;
	switch (kind) {
	case KIND_BATCH:
		return is_whole_batch(keys, record);
	case KIND_PROPOSAL:
		return is_whole_proposal(keys, record);
	case KIND_INTEREST:
		return is_whole_interest(keys, record);
	case KIND_INTEREST_FIT:
		return is_whole_fit(keys, record);
	case KIND_ANSWER: {
		const answer_msg *answer = record;
		return has_keys(keys, answer->home, answer->proposal, side_key(answer->side));
	}
	case KIND_REVEAL: {
		const reveal_msg *reveal = record;
		return has_keys(keys, reveal->home, reveal->proposal, side_key(reveal->side));
	}
	case KIND_CONFLICT_NOTICE: {
		const conflict_notice_msg *notice = record;
		return has_keys(keys, notice->home, notice->id, notice->node);
	}
	case KIND_VENTURE_PROFILE: {
		const venture_profile_msg *profile = record;
		return is_word(profile->token, NAME_MAX_LEN) && is_whole_venture(profile->blind) &&
		       has_keys(keys, profile->home, profile->token, NULL);
	}
	case KIND_INVESTOR_PROFILE: {
		const investor_profile_msg *profile = record;
		return is_word(profile->token, NAME_MAX_LEN) && is_whole_investor(profile->blind) &&
		       has_keys(keys, profile->home, profile->token, NULL);
	}
	default:
		return true;
	}
}

bool foreign_may_replace(enum kind kind, const ProtobufCMessage *before,
			 const ProtobufCMessage *message)
{
	if (kind != KIND_PROPOSAL || !before)
		return true;
	const proposal_msg *old = (const void *)before, *new = (const void *)message;
	return strcmp(old->venture_home, new->venture_home) == 0 &&
	       strcmp(old->venture, new->venture) == 0 &&
	       strcmp(old->investor_home, new->investor_home) == 0 &&
	       strcmp(old->investor, new->investor) == 0 && old->expires_ms == new->expires_ms;
}
