/*
 * Who must not meet. A conflict is declared at home, against a name, a company number or a token,
 * and stays there; the homes that the other one may belong to get a notice that each can open
 * alone. A home asks here before it says yes for a party, and both homes do, so either side's
 * declaration is enough. A home learns of a declaration before it sees any answer that followed it,
 * because records of one origin come in their order.
 */
#ifndef INVESTMENT_CONFLICT_H
#define INVESTMENT_CONFLICT_H

#include "desk.h"

/* A notice that this home has opened. */
struct told_conflict {
	char *subject;
	char *home;
	/* NULL: it could not be opened; counted, and used for nothing. */
	sealed_conflict_msg *said;
};

/* Called for each record of the view that is a notice. */
void conflict_note(struct desk *desk, const struct lyc_delivery *record);
void conflict_fini(struct desk *desk);
/* Has anything been declared here that forbids that this party of ours meets the owner of that
 * token? */
bool conflict_bars(const struct desk *desk, const struct party *ours, const char *other_token,
		   const char *other_home, int64_t now_ms);
/* Has the other home told us so? It may have guessed a name: whoever acts on this tells it whether
 * the guess was right, so nobody asks before our side has said yes. */
bool conflict_is_told(const struct desk *desk, const struct party *ours, const char *other_token,
		      const char *other_home, int64_t now_ms);
/* The same name, but for case, punctuation and "Ltd"? */
bool conflict_is_same_name(const char *a, const char *b);

#endif
