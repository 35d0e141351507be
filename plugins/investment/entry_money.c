/* Rounds and commitments. */
#include <stdio.h>
#include <string.h>

#include "entry.h"
#include "entry_field.h"
#include "money.h"

static label_msg *label_of(const struct desk *desk, struct pad *pad, struct entry_reader *reader,
			   Lyceum__V1__Visibility said, const label_msg *held)
{
	if (said == LYCEUM__V1__VISIBILITY__AUDIENCE) {
		entry_refuse(reader, "visibility", "it is private, members or public");
		return NULL;
	}
	if (said == LYCEUM__V1__VISIBILITY__VISIBILITY_UNSPECIFIED && held)
		return pad_copy_message(pad, &held->base);
	label_msg *label = desk_label_private(desk, pad);
	if (said != LYCEUM__V1__VISIBILITY__VISIBILITY_UNSPECIFIED)
		label->visibility = said;
	return label;
}

enum lyc_status entry_round(const struct desk *desk, struct pad *pad, const round_entry_msg *entry,
			    const round_msg *held, round_msg **ret_round, struct lyc_error *error)
{
	struct entry_reader reader = {.pad = pad, .error = error};
	round_msg *round = held ? pad_copy_message(pad, &held->base) : PAD_NEW(pad, round);

	round->home = (char *)(uintptr_t)desk->node;
	round->id = entry->id;
	entry_text(&round->venture, entry->venture);
	if (entry->stage)
		round->stage = entry->stage;
	entry_money(&reader, "target", entry->target, &round->target_minor);
	entry_text(&round->currency, entry->currency);
	if (!round->currency[0])
		round->currency = "GBP";
	entry_time(entry->opened, 0, &round->opened_ms);
	entry_time(entry->closed, 0, &round->closed_ms);
	round->label = label_of(desk, pad, &reader, entry->visibility, held ? held->label : NULL);
	*ret_round = round;
	return reader.status;
}

enum lyc_status entry_commitment(const struct desk *desk, struct pad *pad,
				 const commitment_entry_msg *entry, const commitment_msg *held,
				 commitment_msg **ret_commitment, struct lyc_error *error)
{
	struct entry_reader reader = {.pad = pad, .error = error};
	commitment_msg *commitment =
		held ? pad_copy_message(pad, &held->base) : PAD_NEW(pad, commitment);

	commitment->home = (char *)(uintptr_t)desk->node;
	commitment->id = entry->id;
	entry_text(&commitment->round, entry->round);
	entry_text(&commitment->investor, entry->investor);
	if (!entry->amount[0] && !held)
		entry_refuse(&reader, "amount", "say how much was committed");
	entry_money(&reader, "amount", entry->amount, &commitment->amount_minor);
	entry_text(&commitment->currency, entry->currency);
	if (!commitment->currency[0])
		commitment->currency = "GBP";
	entry_text(&commitment->via_node, entry->via_node);
	entry_text(&commitment->proposal, entry->proposal);
	if (entry->lead)
		commitment->is_lead = true;
	commitment->label =
		label_of(desk, pad, &reader, entry->visibility, held ? held->label : NULL);
	*ret_commitment = commitment;
	return reader.status;
}
