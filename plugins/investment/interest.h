/*
 * Interests on their way: what a node passes on, which ventures of its own fit, and who is credited
 * for an introduction that came of it. A node appends one copy of an interest at most, and none
 * when it is in the path already, so an interest ends wherever it meets itself.
 */
#ifndef INVESTMENT_INTEREST_H
#define INVESTMENT_INTEREST_H

#include "desk.h"

/* So many of a node's ventures are named for an interest. */
#define INTEREST_MAX_FITS 5
/* All shares of an introduction together. */
#define INTEREST_WHOLE 1000000

/* Add what is due: copies, fits, withdrawals. */
void interest_collect(struct task *task, int64_t now_ms);
/* The copy by which this node knows an interest: its own, else the first that came; NULL. */
const interest_msg *interest_known(const struct desk *desk, const char *id);
/* The fit that an interest has found for the two; NULL. */
const interest_fit_msg *interest_fit_of(const struct view *view, const char *venture,
					const char *investor);
/* Equal shares for the nodes of a path, which sum to INTEREST_WHOLE exactly: what is left over goes
 * to the first ones. */
void interest_shares(size_t count, uint32_t *ret_millionths);
/* "london > nhsa > wales" */
char *interest_path_text(struct pad *pad, char *const *path, size_t count);

#endif
