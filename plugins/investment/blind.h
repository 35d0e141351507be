/*
 * What others may know of a party: made of the listed words alone, money in coarse steps, no text
 * that somebody wrote. The same blind form is what rules and score judge, at home and elsewhere, so
 * that everybody comes to the same result.
 */
#ifndef INVESTMENT_BLIND_H
#define INVESTMENT_BLIND_H

#include "pad.h"
#include "records.h"
#include "rules.h"

blind_venture_msg *blind_venture(struct pad *pad, const venture_msg *venture);
blind_investor_msg *blind_investor(struct pad *pad, const investor_msg *investor);
/* As rules and score take them; borrow from the message, and from the pad for the bits. */
struct rules_venture blind_rules_venture(const char *token, const blind_venture_msg *blind);
struct rules_investor blind_rules_investor(const char *token, const blind_investor_msg *blind);
/* "seed; diagnostics; GB-WLS; GBP 250000.00 to 1000000.00; equity" */
char *blind_venture_text(struct pad *pad, const blind_venture_msg *blind);
char *blind_investor_text(struct pad *pad, const blind_investor_msg *blind);
/* "pre-seed", "series a"; "" for none. Valid for ever. */
const char *blind_stage_name(uint32_t stage);
bool blind_is_equal(const ProtobufCMessage *a, const ProtobufCMessage *b);

#endif
