/* A list of those who wait; looked at when its event has news, and once in a while. */
#include "answering.h"

#include "hold.h"

/* A caller hears of the decision within this, or is told that it will come. */
#define WAIT_MS 4000

struct waiter {
	struct convening *state;
	struct waiter *next;
	struct lyc_call *call;
	void (*closure)(void);
	answering_fn finish;

	struct entry *entry;
	char *person;
	uint64_t number;
	uint64_t news_seen;
	int64_t deadline_ms;
	bool is_append_due;
	enum lyc_status failed;
};

static void free_waiter(struct waiter *waiter)
{
	free(waiter->person);
	free(waiter);
}

void answering_fini(struct convening *state)
{
	while (state->waiters) {
		struct waiter *waiter = state->waiters;
		state->waiters = waiter->next;
		free_waiter(waiter);
	}
}

/* True when the call has been answered. */
static bool try_to_finish(struct waiter *waiter, int64_t now_ms)
{
	struct seats_standing standing;
	bool is_late = now_ms >= waiter->deadline_ms;

	if (waiter->is_append_due)
		return false;
	if (waiter->failed != LYC_OK)
		return true;
	if (!is_late && waiter->news_seen == waiter->entry->news)
		return false;
	waiter->news_seen = waiter->entry->news;
	if (!waiter->entry->event ||
	    !view_standing(&waiter->state->view, waiter->entry, waiter->person, &standing) ||
	    standing.number < waiter->number)
		return is_late && (lyc_call_fail(waiter->call, LYC_UNAVAILABLE,
						 "the answer is recorded, but how it stands cannot "
						 "be told now"),
				   true);
	if (standing.decided_number < waiter->number && !is_late)
		return false;
	waiter->finish(waiter->call, waiter->closure, waiter->entry, &standing);
	return true;
}

void answering_advance(struct convening *state)
{
	int64_t now_ms = convening_now_ms();

	for (struct waiter **at = &state->waiters; *at;) {
		struct waiter *waiter = *at;
		if (!try_to_finish(waiter, now_ms)) {
			at = &waiter->next;
			continue;
		}
		*at = waiter->next;
		free_waiter(waiter);
	}
}

static void on_answer(const struct lyc_ack *ack, void *arg)
{
	struct waiter *waiter = arg;
	struct answered *answered = view_meet_answered(waiter->entry, waiter->person);

	waiter->is_append_due = false;
	answered->is_under_way = false;
	if (ack->status != LYC_OK) {
		waiter->failed = ack->status;
		lyc_call_fail_append(waiter->call, &lyceum__convening__v1__answer__descriptor, ack);
	} else {
		lyc_call_set_position(waiter->call, ack->seq);
	}
}

static enum lyc_status append(struct waiter *waiter, Lyceum__Convening__V1__Choice choice,
			      const char *group, bool is_anonymous)
{
	struct convening *state = waiter->state;
	struct answered *answered = view_meet_answered(waiter->entry, waiter->person);
	label_msg label = LYCEUM__V1__LABEL__INIT;
	answer_msg answer = LYCEUM__CONVENING__V1__ANSWER__INIT;
	struct lyc_publish_options options = {
		.durable = true,
		.expect = true,
		.expect_seq = answered->msg ? answered->seq : 0,
		.principal = is_anonymous ? NULL : lyc_call_principal(waiter->call),
	};

	convening_private_label(state, &label);
	if (!view_is_own(&state->view, waiter->entry)) {
		label.visibility = LYCEUM__V1__VISIBILITY__AUDIENCE;
		label.audience = &waiter->entry->home;
		label.n_audience = 1;
	}
	answer.home = state->view.node;
	answer.event_home = waiter->entry->home;
	answer.event = waiter->entry->id;
	answer.person = waiter->person;
	answer.number = waiter->number;
	answer.choice = choice;
	answer.group = (char *)(uintptr_t)group;
	answer.label = &label;
	enum lyc_status status =
		lyc_append(state->context, &answer.base, &options, on_answer, waiter);
	waiter->is_append_due = answered->is_under_way = status == LYC_OK;
	return status;
}

void answering_start(struct convening *state, struct lyc_call *call, struct entry *entry,
		     const char *person, Lyceum__Convening__V1__Choice choice, const char *group,
		     bool is_anonymous, void (*closure)(void), answering_fn finish)
{
	struct answered *answered = view_meet_answered(entry, person);
	const answer_msg *held = answered->msg;
	bool is_same =
		held && held->choice == choice && (!group[0] || strcmp(held->group, group) == 0);
	uint32_t left_ms = lyc_call_time_left_ms(call);

	if (answered->is_under_way) {
		lyc_call_fail(
			call, LYC_ABORTED,
			"another answer of the same person is just being recorded: try again");
		return;
	}
	struct waiter *waiter = hold_new(1, sizeof(*waiter));
	left_ms = left_ms > 300 ? left_ms - 250 : left_ms / 2;
	*waiter = (struct waiter){
		.state = state,
		.call = call,
		.closure = closure,
		.finish = finish,
		.entry = entry,
		.person = hold_text(person),
		.number = held ? held->number + !is_same : 1,
		.news_seen = entry->news - 1,
		.deadline_ms = convening_now_ms() + (left_ms < WAIT_MS ? left_ms : WAIT_MS),
	};
	lyc_call_defer(call);
	if (!is_same && append(waiter, choice, group[0] || !held ? group : held->group,
			       is_anonymous) != LYC_OK) {
		lyc_call_fail(call, LYC_RESOURCE_EXHAUSTED,
			      "the log takes no more answers at the moment: try again");
		free_waiter(waiter);
		return;
	}
	waiter->next = state->waiters;
	state->waiters = waiter;
	answering_advance(state);
}
