/*
 * Writes the next page of an event's book: answers in the order in which they came, and before a
 * new one gets a seat that has become free, those who wait are asked first. Plans on copies of the
 * counts, so that nothing of the fold changes before the page is a record.
 */
#include "hold.h"
#include "seats_book.h"

struct plan {
	struct seats *seats;
	struct seats_decision *to;
	size_t max;
	size_t count;

	uint64_t number;
	uint32_t taken;
	bool has_news; /* something became free since those who wait were asked */

	/* Who has begun to wait on this page. */
	struct guest **fresh;
	size_t fresh_count;
};

enum seats_reason seats_why_not(const struct seats *seats, const struct guest *guest,
				uint32_t taken, uint32_t group_taken)
{
	const char *at = strrchr(guest->person, '@');

	if (seats->is_cancelled)
		return SEATS_CANCELLED;
	if (!guest->is_invited && (seats->invited_only || !at))
		return SEATS_NOT_INVITED;
	if (guest->group->has_max && group_taken >= guest->group->max)
		return SEATS_GROUP_FULL;
	if (seats->cap > 0 && taken >= seats->cap)
		return SEATS_CAP_REACHED;
	return SEATS_NONE;
}

static uint32_t *group_taken(const struct plan *plan, struct group *group)
{
	if (group->plan != plan->number) {
		group->plan = plan->number;
		group->plan_taken = group->taken;
	}
	return &group->plan_taken;
}

static enum seats_state state_of(const struct plan *plan, const struct guest *guest)
{
	return guest->plan == plan->number ? guest->plan_state : guest->state;
}

static struct group *seat_of(const struct plan *plan, const struct guest *guest)
{
	return guest->plan == plan->number ? guest->plan_group : guest->seat_group;
}

static enum seats_reason why_not(const struct plan *plan, const struct guest *guest)
{
	return seats_why_not(plan->seats, guest, plan->taken, *group_taken(plan, guest->group));
}

static bool has_free(const struct plan *plan)
{
	return plan->seats->cap == 0 || plan->taken < plan->seats->cap;
}

static void write(struct plan *plan, struct guest *guest, uint64_t number, enum seats_state state,
		  enum seats_reason reason, struct group *group)
{
	if (state_of(plan, guest) == SEATS_SEATED) {
		plan->taken--;
		--*group_taken(plan, seat_of(plan, guest));
		plan->has_news =
			plan->has_news || state != SEATS_SEATED || seat_of(plan, guest) != group;
	}
	if (state == SEATS_SEATED) {
		plan->taken++;
		++*group_taken(plan, group);
	}
	guest->plan = plan->number;
	guest->plan_answer = number;
	guest->plan_state = state;
	guest->plan_group = group;
	plan->to[plan->count++] = (struct seats_decision){
		.node = guest->node,
		.person = guest->person,
		.group = group->name,
		.number = number,
		.state = state,
		.reason = reason,
	};
}

/* One who waits: a seat, another reason, or nothing. */
static void ask(struct plan *plan, struct guest *guest)
{
	enum seats_reason reason = why_not(plan, guest);
	bool is_planned = guest->plan == plan->number;
	uint64_t number = is_planned ? guest->plan_answer : guest->decided_number;

	if (guest->choice != SEATS_YES)
		return;
	if (reason == SEATS_NONE)
		write(plan, guest, number, SEATS_SEATED, SEATS_NONE, guest->group);
	else if (reason != guest->reason && !is_planned)
		write(plan, guest, number, SEATS_WAITING, reason, guest->group);
}

/* Ask those who wait, the longest first. False: the page is full before all were asked. */
static bool review(struct plan *plan)
{
	const struct line *wait = &plan->seats->wait;
	bool is_all_due = plan->seats->is_all_due;

	for (size_t i = wait->first; i < wait->count; i++) {
		struct guest *guest = wait->items[i].guest;
		if (!has_free(plan) && !is_all_due)
			break;
		if (!seats_is_waiting(&wait->items[i]) || state_of(plan, guest) != SEATS_WAITING)
			continue;
		if (plan->count == plan->max)
			return false;
		ask(plan, guest);
	}
	for (size_t i = 0; i < plan->fresh_count && has_free(plan); i++) {
		struct guest *guest = plan->fresh[i];
		if (state_of(plan, guest) != SEATS_WAITING || why_not(plan, guest) != SEATS_NONE)
			continue;
		if (plan->count == plan->max)
			return false;
		write(plan, guest, guest->number, SEATS_SEATED, SEATS_NONE, guest->group);
	}
	plan->has_news = false;
	return true;
}

static void decide_yes(struct plan *plan, struct guest *guest)
{
	enum seats_state state = state_of(plan, guest);
	struct group *group = guest->group;
	enum seats_reason reason;

	if (state == SEATS_SEATED && !plan->seats->is_cancelled) {
		/* Another group may be full: the seat is kept in the old one then. */
		if (group != seat_of(plan, guest) && group->has_max &&
		    *group_taken(plan, group) >= group->max)
			group = seat_of(plan, guest);
		write(plan, guest, guest->number, SEATS_SEATED, SEATS_NONE, group);
		return;
	}
	reason = why_not(plan, guest);
	if (reason == SEATS_CANCELLED || reason == SEATS_NOT_INVITED) {
		write(plan, guest, guest->number, SEATS_REFUSED, reason, group);
	} else if (reason == SEATS_NONE) {
		write(plan, guest, guest->number, SEATS_SEATED, SEATS_NONE, group);
	} else {
		write(plan, guest, guest->number, SEATS_WAITING, reason, group);
		if (state != SEATS_WAITING)
			plan->fresh[plan->fresh_count++] = guest;
	}
}

static void decide(struct plan *plan, struct guest *guest)
{
	if (guest->choice == SEATS_YES)
		decide_yes(plan, guest);
	else
		write(plan, guest, guest->number, SEATS_NOT_COMING,
		      guest->choice == SEATS_NO ? SEATS_SAID_NO : SEATS_SAID_MAYBE, guest->group);
}

/* False: the page is full before everything was decided. */
static bool fill(struct plan *plan)
{
	const struct line *queue = &plan->seats->queue;

	if (plan->has_news && !review(plan))
		return false;
	for (size_t i = queue->first; i < queue->count; i++) {
		if (!seats_is_due(&queue->items[i]))
			continue;
		if (plan->has_news && has_free(plan) && !review(plan))
			return false;
		if (plan->count == plan->max)
			return false;
		decide(plan, queue->items[i].guest);
	}
	return !plan->has_news || review(plan);
}

size_t seats_decide(struct seats *seats, struct seats_decision *to, size_t max)
{
	struct plan plan = {.seats = seats,
			    .to = to,
			    .max = max,
			    .number = ++seats->plan_count,
			    .taken = seats->taken,
			    .has_news = seats->change_count != seats->reviewed_count,
			    .fresh = hold_new(max, sizeof(*plan.fresh))};
	uint64_t change_count = seats->change_count;

	if (fill(&plan)) {
		seats->reviewed_count = change_count;
		seats->is_all_due = false;
	}
	free(plan.fresh);
	return plan.count;
}
