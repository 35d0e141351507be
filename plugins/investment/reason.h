/* Sentences for people: why a rule refused a pair, and what a part of a score stands on. */
#ifndef INVESTMENT_REASON_H
#define INVESTMENT_REASON_H

#include "pad.h"
#include "rules.h"
#include "score.h"

char *reason_of_refusal(struct pad *pad, const struct refusal *refusal);
char *reason_of_part(struct pad *pad, const struct score_part *part);

#endif
