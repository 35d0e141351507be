/* Making batches, and finding them again. */
#include "matchmaker.h"

#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "conflict.h"
#include "introduction.h"
#include "moment.h"
#include "vocabulary.h"

#define USUAL_DAYS 14

typedef Lyceum__Investment__V1__ProposeRequest propose_request;
typedef Lyceum__Investment__V1__ProposeReply propose_reply;

static bool read_wish(struct task *task, const propose_request *request, struct batch_wish *wish,
		      struct party *investor)
{
	wish->made_ms = moment_now_ms();
	wish->expires_ms =
		wish->made_ms +
		(request->seconds ? (int64_t)request->seconds * 1000
				  : (request->days ? request->days : USUAL_DAYS) * MOMENT_DAY_MS);
	if (request->sector[0] && !(wish->sector = vocabulary_find(WORD_SECTOR, request->sector))) {
		task_fail(task, LYC_INVALID_ARGUMENT, "sector", "sectors are: %s",
			  vocabulary_hint(&task->pad, WORD_SECTOR));
		return false;
	}
	if (request->region[0] && !(wish->region = vocabulary_find(WORD_REGION, request->region))) {
		task_fail(task, LYC_INVALID_ARGUMENT, "region", "regions are: %s",
			  vocabulary_hint(&task->pad, WORD_REGION));
		return false;
	}
	if (request->investor[0])
		wish->investor = desk_party(task->desk, SIDE_INVESTOR, request->investor, investor)
					 ? investor->token
					 : request->investor;
	return true;
}

static propose_reply *tell(struct task *task, const batch_msg *batch,
			   proposal_msg *const *proposals, size_t count)
{
	propose_reply *reply =
		pad_message(&task->pad, &lyceum__investment__v1__propose_reply__descriptor);

	reply->batch = batch->id;
	reply->ventures = (uint32_t)batch->n_venture;
	reply->investors = (uint32_t)batch->n_investor;
	reply->pairs = (uint32_t)batch->n_state;
	reply->refused = (uint32_t)(batch->n_venture * batch->n_investor - batch->n_state);
	reply->proposals = (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		pad_push(&task->pad, &reply->proposal, &reply->n_proposal,
			 introduction_row(task->desk, &task->pad, proposals[i], batch->made_ms));
	if (count == 0)
		pad_push(&task->pad, &reply->note, &reply->n_note,
			 pad_copy(&task->pad,
				  "Nobody new can be introduced; `lyceum invest why VENTURE "
				  "INVESTOR` tells the reason of each pair."));
	return reply;
}

void matchmaker_prepare(struct task *task)
{
	const propose_request *request = (const void *)task->request;
	struct batch_wish wish = {0};
	struct party investor;
	struct lyc_error error = {0};
	batch_msg *batch;
	proposal_msg **proposals = NULL;

	if (!read_wish(task, request, &wish, &investor))
		return;
	if (batch_make(task->desk, &task->pad, &wish, &batch, &error) != LYC_OK) {
		task_fail(task, error.status, "", "%s", error.text);
		return;
	}
	/* The view goes on while the log takes the records. */
	batch = pad_copy_message(&task->pad, &batch->base);
	size_t count = batch_proposals(task->desk, &task->pad, batch, &proposals);
	task->notes = tell(task, batch, proposals, count);
	if (request->dry_run)
		return;
	task_append_over(task, batch, NULL);
	for (size_t i = 0; i < count; i++)
		task_append_over(task, proposals[i], NULL);
}

void matchmaker_answer(struct task *task)
{
	((Lyceum__Investment__V1__ProposeReply_Closure)task->closure)(task->notes, task->call);
}

const batch_msg *matchmaker_batch(const struct desk *desk, const char *id)
{
	VIEW_EACH(held, &desk->view, KIND_BATCH)
	{
		const batch_msg *batch = (const void *)held->message;
		if (strcmp(batch->id, id) == 0)
			return batch;
	}
	return NULL;
}

const batch_msg *matchmaker_last_batch(const struct desk *desk, const char *venture,
				       const char *investor)
{
	const batch_msg *last = NULL;
	size_t v, i;

	VIEW_EACH(held, &desk->view, KIND_BATCH)
	{
		const batch_msg *batch = (const void *)held->message;
		if ((!last || batch->made_ms >= last->made_ms) &&
		    batch_find(batch, venture, investor, &v, &i))
			last = batch;
	}
	return last;
}
