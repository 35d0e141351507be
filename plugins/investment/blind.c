/* Coarse forms, and their two readings: for rules and for people. */
#include "blind.h"

#include <stdlib.h>
#include <string.h>

#include "money.h"
#include "vocabulary.h"

/* Listed words only, each once, in the order of the alphabet: the order could tell, too. */
static void add_coarse(struct pad *pad, char *const *words, size_t count, char ***list,
		       size_t *list_count)
{
	for (size_t i = 0; i < count; i++) {
		char *word = vocabulary_coarse(pad, words[i]);
		size_t at = 0;
		while (at < *list_count && strcmp((*list)[at], word) < 0)
			at++;
		if (at < *list_count && strcmp((*list)[at], word) == 0)
			continue;
		pad_push(pad, list, list_count, word);
		for (size_t j = *list_count - 1; j > at; j--)
			(*list)[j] = (*list)[j - 1];
		(*list)[at] = word;
	}
}

blind_venture_msg *blind_venture(struct pad *pad, const venture_msg *venture)
{
	blind_venture_msg *blind = PAD_NEW(pad, blind_venture);

	blind->stage = venture->stage;
	add_coarse(pad, venture->sector, venture->n_sector, &blind->sector, &blind->n_sector);
	blind->region = venture->region;
	blind->ask_min_minor = money_step_down(venture->ask_min_minor);
	blind->ask_max_minor = money_step_up(venture->ask_max_minor);
	blind->currency = venture->currency;
	add_coarse(pad, venture->instrument, venture->n_instrument, &blind->instrument,
		   &blind->n_instrument);
	add_coarse(pad, venture->trait, venture->n_trait, &blind->trait, &blind->n_trait);
	add_coarse(pad, venture->need, venture->n_need, &blind->need, &blind->n_need);
	add_coarse(pad, venture->exclusion, venture->n_exclusion, &blind->exclusion,
		   &blind->n_exclusion);
	blind->capacity = venture->capacity;
	blind->open_until_ms = venture->open_until_ms;
	return blind;
}

static int by_number(const void *a, const void *b)
{
	const Lyceum__Investment__V1__Stage *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

blind_investor_msg *blind_investor(struct pad *pad, const investor_msg *investor)
{
	static const mandate_msg any = LYCEUM__INVESTMENT__V1__MANDATE__INIT;
	const mandate_msg *mandate = investor->mandate ? investor->mandate : &any;
	const certification_msg *held = investor->certification;
	blind_investor_msg *blind = PAD_NEW(pad, blind_investor);

	blind->stage = pad_new(pad, mandate->n_stage, sizeof(blind->stage[0]));
	blind->n_stage = mandate->n_stage;
	if (mandate->n_stage > 0) {
		memcpy(blind->stage, mandate->stage, mandate->n_stage * sizeof(blind->stage[0]));
		qsort(blind->stage, blind->n_stage, sizeof(blind->stage[0]), by_number);
	}
	add_coarse(pad, mandate->sector, mandate->n_sector, &blind->sector, &blind->n_sector);
	add_coarse(pad, mandate->region, mandate->n_region, &blind->region, &blind->n_region);
	add_coarse(pad, mandate->prefers_region, mandate->n_prefers_region, &blind->prefers_region,
		   &blind->n_prefers_region);
	blind->ticket_min_minor = money_step_down(mandate->ticket_min_minor);
	blind->ticket_max_minor = money_step_up(mandate->ticket_max_minor);
	blind->currency = mandate->currency;
	add_coarse(pad, mandate->instrument, mandate->n_instrument, &blind->instrument,
		   &blind->n_instrument);
	add_coarse(pad, mandate->exclusion, mandate->n_exclusion, &blind->exclusion,
		   &blind->n_exclusion);
	add_coarse(pad, investor->trait, investor->n_trait, &blind->trait, &blind->n_trait);
	add_coarse(pad, investor->offer, investor->n_offer, &blind->offer, &blind->n_offer);
	blind->co_invests = mandate->co_invests;
	blind->capacity = investor->capacity;
	blind->open_until_ms = investor->open_until_ms;
	if (held && held->is_exempt) {
		blind->is_certified = true;
	} else if (held && held->type[0] && held->expires_ms) {
		blind->is_certified = true;
		blind->certified_from_ms = held->from_ms;
		blind->certified_until_ms = held->expires_ms;
	}
	return blind;
}

static struct rules_words words_of(char *const *words, size_t count)
{
	return (struct rules_words){words, count};
}

struct rules_venture blind_rules_venture(const char *token, const blind_venture_msg *blind)
{
	return (struct rules_venture){
		.id = token,
		.open_until_ms = blind->open_until_ms,
		.stage = (uint32_t)blind->stage,
		.sectors = words_of(blind->sector, blind->n_sector),
		.instruments = words_of(blind->instrument, blind->n_instrument),
		.region = blind->region,
		.ask_min = blind->ask_min_minor,
		.ask_max = blind->ask_max_minor,
		.currency = blind->currency,
		.traits = words_of(blind->trait, blind->n_trait),
		.exclusions = words_of(blind->exclusion, blind->n_exclusion),
		.needs = words_of(blind->need, blind->n_need),
	};
}

struct rules_investor blind_rules_investor(const char *token, const blind_investor_msg *blind)
{
	struct rules_investor investor = {
		.id = token,
		.open_until_ms = blind->open_until_ms,
		.certification = {.is_exempt =
					  blind->is_certified && blind->certified_until_ms == 0,
				  .type = blind->is_certified ? "certificate" : "",
				  .from_ms = blind->certified_from_ms,
				  .expires_ms = blind->certified_until_ms},
		.sectors = words_of(blind->sector, blind->n_sector),
		.instruments = words_of(blind->instrument, blind->n_instrument),
		.regions = words_of(blind->region, blind->n_region),
		.ticket_min = blind->ticket_min_minor,
		.ticket_max = blind->ticket_max_minor,
		.currency = blind->currency,
		.co_invests = blind->co_invests,
		.traits = words_of(blind->trait, blind->n_trait),
		.exclusions = words_of(blind->exclusion, blind->n_exclusion),
		.prefers_regions = words_of(blind->prefers_region, blind->n_prefers_region),
		.offers = words_of(blind->offer, blind->n_offer),
	};

	for (size_t i = 0; i < blind->n_stage; i++) {
		if (blind->stage[i] > 0 && blind->stage[i] <= RULES_MAX_STAGE)
			investor.stages |= UINT32_C(1) << blind->stage[i];
	}
	return investor;
}

const char *blind_stage_name(uint32_t stage)
{
	static const char *const names[] = {"",         "pre-seed", "seed",
					    "series a", "series b", "growth"};

	return stage < sizeof(names) / sizeof(names[0]) ? names[stage] : "another stage";
}

char *blind_venture_text(struct pad *pad, const blind_venture_msg *blind)
{
	char *const all[] = {
		(char *)(uintptr_t)blind_stage_name((uint32_t)blind->stage),
		pad_join(pad, blind->sector, blind->n_sector, ", "),
		blind->region,
		money_range_text(pad, blind->currency, blind->ask_min_minor, blind->ask_max_minor),
		pad_join(pad, blind->instrument, blind->n_instrument, ", "),
	};
	char *said[5];
	size_t count = 0;

	for (size_t i = 0; i < 5; i++) {
		if (all[i][0])
			said[count++] = all[i];
	}
	return pad_join(pad, said, count, "; ");
}

char *blind_investor_text(struct pad *pad, const blind_investor_msg *blind)
{
	char *stages[8];
	size_t stage_count = 0, count = 0;
	char *said[5];

	for (size_t i = 0; i < blind->n_stage && i < 8; i++)
		stages[stage_count++] =
			(char *)(uintptr_t)blind_stage_name((uint32_t)blind->stage[i]);
	char *const all[] = {
		pad_join(pad, stages, stage_count, ", "),
		pad_join(pad, blind->sector, blind->n_sector, ", "),
		pad_join(pad, blind->region, blind->n_region, ", "),
		money_range_text(pad, blind->currency, blind->ticket_min_minor,
				 blind->ticket_max_minor),
		blind->is_certified ? "" : "not certified",
	};
	for (size_t i = 0; i < 5; i++) {
		if (all[i][0])
			said[count++] = all[i];
	}
	return pad_join(pad, said, count, "; ");
}

bool blind_is_equal(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	size_t len = protobuf_c_message_get_packed_size(a);

	if (len != protobuf_c_message_get_packed_size(b))
		return false;
	uint8_t *bytes = malloc(2 * len + 1);
	if (!bytes)
		return false;
	protobuf_c_message_pack(a, bytes);
	protobuf_c_message_pack(b, bytes + len);
	bool is_equal = memcmp(bytes, bytes + len, len) == 0;
	free(bytes);
	return is_equal;
}
