/* Rounds and commitments of a view, as rounds.h folds them, and the report over them. */
#ifndef INVESTMENT_LEDGER_H
#define INVESTMENT_LEDGER_H

#include "pad.h"
#include "rounds.h"
#include "view.h"

/* May this record be counted for whoever asks? */
typedef bool (*ledger_may_see_fn)(void *arg, const label_msg *label);

/* All that may be counted; NULL when there is no memory. The caller frees with rounds_free. Rounds
 * and commitments of different homes never mix: their keys begin with the home. */
struct rounds *ledger_fold(const struct view *view, ledger_may_see_fn may_see, void *arg);
/* The report of a fold, a row a currency. */
Lyceum__Investment__V1__ReportReply *
ledger_report(struct pad *pad, const struct view *view, const struct rounds *rounds,
	      const Lyceum__Investment__V1__ReportRequest *request, const char *node);

#endif
