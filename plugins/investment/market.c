/* The market: blind profiles of all nodes, for everybody of the network; and the words. */
#include <string.h>

#include "blind.h"
#include "desk.h"
#include "moment.h"
#include "money.h"
#include "service.h"
#include "vocabulary.h"

typedef Lyceum__Investment__V1__Market_Service market_srv;
typedef Lyceum__Investment__V1__ListProfilesRequest list_request;
typedef Lyceum__Investment__V1__ListProfilesReply list_reply;

/* What a listing looks for; the words are listed ones, or NULL. */
struct listing {
	struct pad pad;
	struct lyc_call *call;
	const list_request *request;
	const char *sector;
	const char *region;
	list_reply reply;
	char **homes;
	size_t home_count;
};

static bool names(char *const *words, size_t count, const char *wanted)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], wanted) == 0)
			return true;
	}
	return count == 0;
}

static bool is_open_to(char *const *regions, size_t count, const char *region)
{
	for (size_t i = 0; i < count; i++) {
		if (rules_covers(regions[i], region) || rules_covers(region, regions[i]))
			return true;
	}
	return count == 0;
}

static void count_home(struct listing *listing, char *home)
{
	for (size_t i = 0; i < listing->home_count; i++) {
		if (strcmp(listing->homes[i], home) == 0)
			return;
	}
	pad_push(&listing->pad, &listing->homes, &listing->home_count, home);
	listing->reply.nodes++;
}

static void add(struct listing *listing, profile_msg *row)
{
	uint32_t limit = listing->request->limit ? listing->request->limit : 100;
	uint32_t place = listing->reply.ventures + listing->reply.investors;

	listing->reply.ventures += row->side == SIDE_VENTURE;
	listing->reply.investors += row->side == SIDE_INVESTOR;
	count_home(listing, row->home);
	if (place >= listing->request->offset && listing->reply.n_profile < limit)
		pad_push(&listing->pad, &listing->reply.profile, &listing->reply.n_profile, row);
}

static void add_venture(struct listing *listing, const venture_profile_msg *profile, int64_t now_ms)
{
	const blind_venture_msg *blind = profile->blind;

	if (!blind || !lyc_call_may_see(listing->call, profile->label) ||
	    (listing->request->of[0] && strcmp(listing->request->of, profile->home) != 0) ||
	    (listing->sector &&
	     (blind->n_sector == 0 || !names(blind->sector, blind->n_sector, listing->sector))) ||
	    (listing->region && !rules_covers(listing->region, blind->region)))
		return;
	profile_msg *row = PAD_NEW(&listing->pad, profile);
	row->side = SIDE_VENTURE;
	row->token = profile->token;
	row->home = profile->home;
	row->stage = pad_new(&listing->pad, 1, sizeof(row->stage[0]));
	row->stage[0] = blind->stage;
	row->n_stage = blind->stage != 0;
	row->sector = blind->sector;
	row->n_sector = blind->n_sector;
	row->region = pad_new(&listing->pad, 1, sizeof(row->region[0]));
	row->region[0] = blind->region;
	row->n_region = blind->region[0] != '\0';
	row->money = money_range_text(&listing->pad, blind->currency, blind->ask_min_minor,
				      blind->ask_max_minor);
	row->capacity = blind->capacity;
	row->state = blind->open_until_ms && blind->open_until_ms <= now_ms ? "over" : "open";
	add(listing, row);
}

static void add_investor(struct listing *listing, const investor_profile_msg *profile,
			 int64_t now_ms)
{
	const blind_investor_msg *blind = profile->blind;

	if (!blind || !lyc_call_may_see(listing->call, profile->label) ||
	    (listing->request->of[0] && strcmp(listing->request->of, profile->home) != 0) ||
	    (listing->sector && !names(blind->sector, blind->n_sector, listing->sector)) ||
	    (listing->region && !is_open_to(blind->region, blind->n_region, listing->region)))
		return;
	profile_msg *row = PAD_NEW(&listing->pad, profile);
	row->side = SIDE_INVESTOR;
	row->token = profile->token;
	row->home = profile->home;
	row->stage = blind->stage;
	row->n_stage = blind->n_stage;
	row->sector = blind->sector;
	row->n_sector = blind->n_sector;
	row->region = blind->region;
	row->n_region = blind->n_region;
	row->money = money_range_text(&listing->pad, blind->currency, blind->ticket_min_minor,
				      blind->ticket_max_minor);
	row->capacity = blind->capacity;
	bool is_certified = blind->is_certified && blind->certified_from_ms <= now_ms &&
			    (blind->certified_until_ms == 0 || now_ms < blind->certified_until_ms);
	row->state = blind->open_until_ms && blind->open_until_ms <= now_ms ? "over"
		     : is_certified                                         ? "open"
									    : "not certified";
	add(listing, row);
}

static void list(struct listing *listing, const struct view *view)
{
	const list_request *request = listing->request;
	int64_t now_ms = moment_now_ms();

	if (request->side != SIDE_INVESTOR) {
		VIEW_EACH(held, view, KIND_VENTURE_PROFILE)
		add_venture(listing, (const void *)held->message, now_ms);
	}
	if (request->side != SIDE_VENTURE) {
		VIEW_EACH(held, view, KIND_INVESTOR_PROFILE)
		add_investor(listing, (const void *)held->message, now_ms);
	}
}

static void market_list_profiles(market_srv *service, const list_request *request,
				 Lyceum__Investment__V1__ListProfilesReply_Closure closure,
				 void *call)
{
	struct desk *desk = lyc_call_state(call);
	struct listing listing = {.call = call, .request = request};
	struct pad *pad = &listing.pad;

	(void)service;
	lyceum__investment__v1__list_profiles_reply__init(&listing.reply);
	if (request->sector[0])
		listing.sector = vocabulary_find(WORD_SECTOR, request->sector);
	if (request->region[0])
		listing.region = vocabulary_find(WORD_REGION, request->region);
	if (request->sector[0] && !listing.sector)
		lyc_call_fail_field(call, LYC_INVALID_ARGUMENT, "sector", "sectors are: %s",
				    vocabulary_hint(pad, WORD_SECTOR));
	else if (request->region[0] && !listing.region)
		lyc_call_fail_field(call, LYC_INVALID_ARGUMENT, "region", "regions are: %s",
				    vocabulary_hint(pad, WORD_REGION));
	else {
		list(&listing, &desk->view);
		closure(&listing.reply, call);
	}
	pad_fini(pad);
}

static void market_list_words(market_srv *service,
			      const Lyceum__Investment__V1__ListWordsRequest *request,
			      Lyceum__Investment__V1__ListWordsReply_Closure closure, void *call)
{
	Lyceum__Investment__V1__ListWordsReply reply =
		LYCEUM__INVESTMENT__V1__LIST_WORDS_REPLY__INIT;
	struct pad pad = {0};

	(void)service;
	(void)request;
	for (const struct word *word = vocabulary(); word->word; word++) {
		word_msg *row = PAD_NEW(&pad, word);
		row->kind = (char *)(uintptr_t)vocabulary_kind_name(word->kind);
		row->word = (char *)(uintptr_t)word->word;
		row->also = (char *)(uintptr_t)word->also;
		pad_push(&pad, &reply.word, &reply.n_word, row);
	}
	closure(&reply, call);
	pad_fini(&pad);
}

Lyceum__Investment__V1__Market_Service market_service =
	LYCEUM__INVESTMENT__V1__MARKET__INIT(market_);
