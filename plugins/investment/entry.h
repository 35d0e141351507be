/*
 * From what somebody wrote to the record that shall be: words looked up, amounts read, ids made,
 * and laid over what is held, of which everything stays that the new one leaves out. Refuses with
 * the field at fault.
 */
#ifndef INVESTMENT_ENTRY_H
#define INVESTMENT_ENTRY_H

#include "desk.h"

enum lyc_status entry_venture(const struct desk *desk, struct pad *pad,
			      const venture_entry_msg *entry, const venture_msg *held,
			      venture_msg **ret_venture, struct lyc_error *error);
enum lyc_status entry_investor(const struct desk *desk, struct pad *pad,
			       const investor_entry_msg *entry, const investor_msg *held,
			       investor_msg **ret_investor, struct lyc_error *error);
enum lyc_status entry_round(const struct desk *desk, struct pad *pad, const round_entry_msg *entry,
			    const round_msg *held, round_msg **ret_round, struct lyc_error *error);
enum lyc_status entry_commitment(const struct desk *desk, struct pad *pad,
				 const commitment_entry_msg *entry, const commitment_msg *held,
				 commitment_msg **ret_commitment, struct lyc_error *error);
/* The id that a name gets: "Pen-y-Bryn Bio Ltd" is "pen-y-bryn-bio-ltd". "" when nothing is left.
 */
char *entry_id_of(struct pad *pad, const char *name);

#endif
