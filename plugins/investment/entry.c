/* Ventures and investors. */
#include "entry.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "entry_field.h"
#include "moment.h"
#include "money.h"

#define USUAL_VENTURE_CAPACITY 3
#define USUAL_INVESTOR_CAPACITY 5

char *entry_id_of(struct pad *pad, const char *name)
{
	char *id = pad_new(pad, strlen(name) + 1, 1), *to = id;

	for (; *name && to - id < 100; name++) {
		unsigned char c = (unsigned char)*name;
		if (isalnum(c))
			*to++ = (char)tolower(c);
		else if (to > id && to[-1] != '-')
			*to++ = '-';
	}
	while (to > id && to[-1] == '-')
		to--;
	*to = '\0';
	return id;
}

static enum lyc_status check_id(struct entry_reader *reader, const char *id, const char *name)
{
	if (!id[0])
		return entry_refuse(reader, "id", "\"%.60s\" gives no id: enter one", name);
	if (secret_is_token(id))
		return entry_refuse(reader, "id", "\"%.60s\" looks like a token: choose another",
				    id);
	return LYC_OK;
}

enum lyc_status entry_venture(const struct desk *desk, struct pad *pad,
			      const venture_entry_msg *entry, const venture_msg *held,
			      venture_msg **ret_venture, struct lyc_error *error)
{
	struct entry_reader reader = {.pad = pad, .error = error};
	venture_msg *venture = held ? pad_copy_message(pad, &held->base) : PAD_NEW(pad, venture);

	venture->home = (char *)(uintptr_t)desk->node;
	venture->id = entry->id[0] ? entry->id : entry_id_of(pad, entry->name);
	if (check_id(&reader, venture->id, entry->name) != LYC_OK)
		return error->status;
	entry_text(&venture->name, entry->name);
	entry_text(&venture->company_number, entry->company_number);
	entry_text(&venture->contact, entry->contact);
	entry_text(&venture->summary, entry->summary);
	if (entry->stage)
		venture->stage = entry->stage;
	entry_words(&reader, "sector", WORD_SECTOR, entry->sector, entry->n_sector,
		    &venture->sector, &venture->n_sector);
	entry_word(&reader, "region", WORD_REGION, entry->region, &venture->region);
	entry_money(&reader, "ask_min", entry->ask_min, &venture->ask_min_minor);
	entry_money(&reader, "ask_max", entry->ask_max, &venture->ask_max_minor);
	entry_text(&venture->currency, entry->currency);
	if (!venture->currency[0])
		venture->currency = "GBP";
	entry_words(&reader, "instrument", WORD_INSTRUMENT, entry->instrument, entry->n_instrument,
		    &venture->instrument, &venture->n_instrument);
	entry_words(&reader, "trait", WORD_TRAIT, entry->trait, entry->n_trait, &venture->trait,
		    &venture->n_trait);
	entry_words(&reader, "need", WORD_NEED, entry->need, entry->n_need, &venture->need,
		    &venture->n_need);
	entry_words(&reader, "exclusion", WORD_TRAIT, entry->exclusion, entry->n_exclusion,
		    &venture->exclusion, &venture->n_exclusion);
	if (entry->capacity || !held)
		venture->capacity = entry->capacity ? entry->capacity : USUAL_VENTURE_CAPACITY;
	/* A day counts to its end. */
	entry_time(entry->open_until, MOMENT_DAY_MS, &venture->open_until_ms);
	if (reader.status == LYC_OK && venture->ask_max_minor &&
	    venture->ask_min_minor > venture->ask_max_minor)
		entry_refuse(&reader, "ask_min", "the smallest ask is above the largest");
	venture->label = desk_label_private(desk, pad);
	*ret_venture = venture;
	return reader.status;
}

static void take_mandate(struct entry_reader *reader, const investor_entry_msg *entry,
			 mandate_msg *mandate)
{
	entry_money(reader, "ticket_min", entry->ticket_min, &mandate->ticket_min_minor);
	entry_money(reader, "ticket_max", entry->ticket_max, &mandate->ticket_max_minor);
	entry_text(&mandate->currency, entry->currency);
	if (!mandate->currency[0])
		mandate->currency = "GBP";
	if (entry->n_stage > 0) {
		mandate->stage = entry->stage;
		mandate->n_stage = entry->n_stage;
	}
	entry_words(reader, "sector", WORD_SECTOR, entry->sector, entry->n_sector, &mandate->sector,
		    &mandate->n_sector);
	entry_words(reader, "region", WORD_REGION, entry->region, entry->n_region, &mandate->region,
		    &mandate->n_region);
	entry_words(reader, "prefers_region", WORD_REGION, entry->prefers_region,
		    entry->n_prefers_region, &mandate->prefers_region, &mandate->n_prefers_region);
	entry_words(reader, "instrument", WORD_INSTRUMENT, entry->instrument, entry->n_instrument,
		    &mandate->instrument, &mandate->n_instrument);
	entry_exclusions(reader, "exclusion", entry->exclusion, entry->n_exclusion,
			 &mandate->exclusion, &mandate->n_exclusion);
	if (entry->co_invests)
		mandate->co_invests = true;
	if (reader->status == LYC_OK && mandate->ticket_max_minor &&
	    mandate->ticket_min_minor > mandate->ticket_max_minor)
		entry_refuse(reader, "ticket_min", "the smallest ticket is above the largest");
}

static void take_certification(struct entry_reader *reader, const investor_entry_msg *entry,
			       certification_msg *held)
{
	entry_text(&held->type, entry->certification);
	if (entry->exempt)
		held->is_exempt = true;
	entry_time(entry->certified_from, 0, &held->from_ms);
	/* The last day counts. */
	entry_time(entry->certified_until, MOMENT_DAY_MS, &held->expires_ms);
	if (reader->status == LYC_OK && held->type[0] && !held->is_exempt && held->expires_ms == 0)
		entry_refuse(reader, "certified_until",
			     "a certificate has an end: say until which day it is valid");
}

enum lyc_status entry_investor(const struct desk *desk, struct pad *pad,
			       const investor_entry_msg *entry, const investor_msg *held,
			       investor_msg **ret_investor, struct lyc_error *error)
{
	struct entry_reader reader = {.pad = pad, .error = error};
	investor_msg *investor = held ? pad_copy_message(pad, &held->base) : PAD_NEW(pad, investor);

	investor->home = (char *)(uintptr_t)desk->node;
	investor->id = entry->id[0] ? entry->id : entry_id_of(pad, entry->name);
	if (check_id(&reader, investor->id, entry->name) != LYC_OK)
		return error->status;
	entry_text(&investor->name, entry->name);
	entry_text(&investor->company_number, entry->company_number);
	entry_text(&investor->contact, entry->contact);
	entry_text(&investor->summary, entry->summary);
	if (!investor->mandate)
		investor->mandate = PAD_NEW(pad, mandate);
	if (!investor->certification)
		investor->certification = PAD_NEW(pad, certification);
	take_mandate(&reader, entry, investor->mandate);
	take_certification(&reader, entry, investor->certification);
	entry_words(&reader, "trait", WORD_TRAIT, entry->trait, entry->n_trait, &investor->trait,
		    &investor->n_trait);
	entry_words(&reader, "offer", WORD_NEED, entry->offer, entry->n_offer, &investor->offer,
		    &investor->n_offer);
	if (entry->capacity || !held)
		investor->capacity = entry->capacity ? entry->capacity : USUAL_INVESTOR_CAPACITY;
	entry_time(entry->open_until, MOMENT_DAY_MS, &investor->open_until_ms);
	investor->label = desk_label_private(desk, pad);
	*ret_investor = investor;
	return reader.status;
}
