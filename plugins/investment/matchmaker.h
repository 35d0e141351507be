/* Batches and what there is to say of them: parts of the Matching service that answers.c completes.
 */
#ifndef INVESTMENT_MATCHMAKER_H
#define INVESTMENT_MATCHMAKER_H

#include "desk.h"

/* Work out a batch from its record and from what this view holds; the rows of what was found. */
Lyceum__Investment__V1__VerifyReply *matchmaker_verify(const struct desk *desk, struct pad *pad,
						       const batch_msg *batch);
/* Why the two were, or were not, proposed, by token. batch NULL: they have been in none. */
Lyceum__Investment__V1__WhyReply *matchmaker_why(const struct desk *desk, struct pad *pad,
						 const batch_msg *batch, const char *venture,
						 const char *investor);
/* The last batch that has both; NULL. */
const batch_msg *matchmaker_last_batch(const struct desk *desk, const char *venture,
				       const char *investor);
const batch_msg *matchmaker_batch(const struct desk *desk, const char *id);

/* In a task: a ProposeRequest. */
void matchmaker_prepare(struct task *task);
void matchmaker_answer(struct task *task);

#endif
