/* lyceum.v1.Node/Erase, and what the status says of erasures. */
#ifndef LYC_NODE_ERASE_H
#define LYC_NODE_ERASE_H

#include "node/daemon.h"
#include "stream/erasure.h"

struct Lyceum__V1__Erasure;

/* Begin one; the call is answered later. */
LYC_MUST_USE enum lyc_status erase_call(struct daemon *daemon, const struct call *call,
					struct span body, struct lyc_error *error);
/* Go on with those under way. */
void erase_tick(struct daemon *daemon);
void erase_fini(struct daemon *daemon);

/* Erasures that are not done everywhere, at most max_count of them; erase_free_list. */
size_t erase_list(struct daemon *daemon, struct Lyceum__V1__Erasure *to, size_t max_count);
/* erase_report.c: one of them. */
void erase_report(struct daemon *daemon, const struct erasure_state *state,
		  struct Lyceum__V1__Erasure *to);
void erase_free_list(struct Lyceum__V1__Erasure *erasures, size_t count);

#endif
