/* Looks for the words of the list, and for words of names and summaries, in the enquiry's text. */
#include "enquiry.h"

#include <ctype.h>
#include <string.h>

#include "blind.h"
#include "service.h"
#include "vocabulary.h"

#define USUAL_LIMIT 5
#define WORD_POINTS 100
#define STAGE_POINTS 60
#define NAME_POINTS 300
#define TEXT_POINTS 20

struct search {
	struct pad *pad;
	const char *text;
	Lyceum__V1__EnquiryAnswer *answer;
};

/* What speaks for one venture. */
struct match {
	int64_t score;
	char *why[8];
	size_t why_count;
};

static void add_why(struct match *match, int64_t points, const char *why)
{
	match->score += points;
	for (size_t i = 0; i < match->why_count; i++) {
		if (strcmp(match->why[i], why) == 0)
			return;
	}
	if (match->why_count < 8)
		match->why[match->why_count++] = (char *)(uintptr_t)why;
}

static void match_words(const struct search *search, const blind_venture_msg *blind,
			struct match *match)
{
	for (const struct word *word = vocabulary(); word->word; word++) {
		bool has = false;
		if (word->kind == WORD_REGION)
			has = blind->region[0] && rules_covers(word->word, blind->region) &&
			      strcmp(word->word, "GB") != 0;
		for (size_t i = 0; word->kind == WORD_SECTOR && i < blind->n_sector; i++)
			has |= strcmp(blind->sector[i], word->word) == 0;
		for (size_t i = 0; word->kind == WORD_NEED && i < blind->n_need; i++)
			has |= strcmp(blind->need[i], word->word) == 0;
		if (has && vocabulary_is_mentioned(word, search->text))
			add_why(match, WORD_POINTS,
				word->kind == WORD_REGION ? pad_copy_bytes(search->pad, word->also,
									   strcspn(word->also, ";"))
							  : word->word);
	}
	const char *stage = blind_stage_name((uint32_t)blind->stage);
	if (stage[0] && strstr(search->text, stage))
		add_why(match, STAGE_POINTS, stage);
}

static bool mentions(const char *text, const char *word, size_t len)
{
	for (const char *at = text; (at = strchr(at, word[0])); at++) {
		if (strncmp(at, word, len) == 0 &&
		    (at == text || !isalnum((unsigned char)at[-1])) &&
		    !isalnum((unsigned char)at[len]))
			return true;
	}
	return false;
}

/* Words of four letters and more that the text has, too. */
static void match_text(const struct search *search, const char *said, int64_t points,
		       struct match *match)
{
	char *lower = pad_copy(search->pad, said);

	for (char *at = lower; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	for (const char *at = lower; *at;) {
		size_t len = 0;
		while (isalnum((unsigned char)at[len]) || (unsigned char)at[len] >= 0x80)
			len++;
		if (len >= 4 && mentions(search->text, at, len))
			add_why(match, points, pad_copy_bytes(search->pad, at, len));
		at += len ? len : 1;
	}
}

/* Keeps the order: the best first, of equals the one that came first. */
static void add_item(struct search *search, Lyceum__V1__EnquiryItem *item)
{
	Lyceum__V1__EnquiryAnswer *answer = search->answer;

	pad_push(search->pad, &answer->item, &answer->n_item, item);
	for (size_t i = answer->n_item - 1; i > 0 && answer->item[i - 1]->score < item->score;
	     i--) {
		answer->item[i] = answer->item[i - 1];
		answer->item[i - 1] = item;
	}
	answer->total++;
}

static void judge(const struct desk *desk, struct search *search,
		  const venture_profile_msg *profile, enquiry_may_see_fn may_see, void *arg)
{
	const blind_venture_msg *blind = profile->blind;
	struct match match = {0};
	struct party party;
	bool is_known = strcmp(profile->home, desk->node) == 0 &&
			desk_party(desk, SIDE_VENTURE, profile->token, &party) &&
			may_see(arg, party.venture->label);

	match_words(search, blind, &match);
	if (is_known) {
		match_text(search, party.name, NAME_POINTS, &match);
		match_text(search, party.venture->summary, TEXT_POINTS, &match);
	}
	if (match.score == 0)
		return;
	Lyceum__V1__EnquiryItem *item =
		pad_message(search->pad, &lyceum__v1__enquiry_item__descriptor);
	const char *stage = blind_stage_name((uint32_t)blind->stage);
	item->title =
		is_known ? (char *)(uintptr_t)party.name
			 : pad_print(search->pad, "A %s venture in %s", stage[0] ? stage : "new",
				     blind->n_sector ? blind->sector[0] : "any sector");
	item->subtitle = blind_venture_text(search->pad, blind);
	item->home = profile->home;
	item->ref = is_known ? (char *)(uintptr_t)party.id : profile->token;
	item->why = pad_join(search->pad, match.why, match.why_count, ", ");
	item->score = match.score;
	item->label = is_known ? party.venture->label : profile->label;
	add_item(search, item);
}

Lyceum__V1__EnquiryAnswer *enquiry_answer(const struct desk *desk, struct pad *pad,
					  const Lyceum__V1__Enquiry *enquiry,
					  enquiry_may_see_fn may_see, void *arg)
{
	char *text = pad_copy(pad, enquiry->text);
	struct search search = {.pad = pad,
				.text = text,
				.answer =
					pad_message(pad, &lyceum__v1__enquiry_answer__descriptor)};
	size_t limit = enquiry->limit ? enquiry->limit : USUAL_LIMIT;

	for (char *at = text; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	search.answer->kind = "ventures";
	VIEW_EACH(held, &desk->view, KIND_VENTURE_PROFILE)
	{
		const venture_profile_msg *profile = (const void *)held->message;
		if (profile->blind && may_see(arg, profile->label))
			judge(desk, &search, profile, may_see, arg);
	}
	if (search.answer->n_item > limit)
		search.answer->n_item = limit;
	if (search.answer->total > 0)
		search.answer->note = "Ventures of other nodes are shown without their names; an "
				      "introduction gives them when both sides say yes.";
	return search.answer;
}

static bool call_may_see(void *call, const label_msg *label)
{
	return lyc_call_may_see(call, label);
}

static void enquiries_answer_enquiry(Lyceum__Investment__V1__Enquiries_Service *service,
				     const Lyceum__V1__Enquiry *request,
				     Lyceum__V1__EnquiryAnswer_Closure closure, void *call)
{
	struct pad pad = {0};

	(void)service;
	closure(enquiry_answer(lyc_call_state(call), &pad, request, call_may_see, call), call);
	pad_fini(&pad);
}

Lyceum__Investment__V1__Enquiries_Service enquiries_service =
	LYCEUM__INVESTMENT__V1__ENQUIRIES__INIT(enquiries_);
