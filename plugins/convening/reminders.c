/* Looks only at events that ask for reminders and have somebody here to be reminded. */
#include "reminders.h"

#include "hold.h"
#include "meeting.h"

#define MAX_MEETINGS 60

static bool is_reminded(const struct entry *entry, int64_t start_ms, uint32_t minutes)
{
	for (const struct reminded *at = entry->reminded; at; at = at->next) {
		if (at->msg->start_ms == start_ms && at->msg->minutes == minutes)
			return true;
	}
	return false;
}

/* Whoever has a seat or said maybe, and is written to by this node. */
static size_t list_people(struct convening *state, const struct entry *entry, char **to)
{
	struct seats_standing standing;
	size_t count = 0;

	for (const struct invited *at = entry->invited; at; at = at->hh.next) {
		if (at->dispatch_seq == 0 ||
		    !view_standing(&state->view, entry, at->msg->id, &standing))
			continue;
		bool has_seat = standing.state == SEATS_SEATED &&
				standing.decided_number >= standing.number;
		if (has_seat || standing.choice == SEATS_MAYBE)
			to[count++] = at->msg->id;
	}
	return count;
}

static void on_reminder(const struct lyc_ack *ack, void *arg)
{
	struct convening *state = arg;

	if (ack->status != LYC_OK && ack->status != LYC_FAILED_PRECONDITION)
		lyc_log(state->context, 2, "a reminder was not taken, it is tried again: %s",
			ack->text ? ack->text : "");
}

static void fire(struct convening *state, struct entry *entry, int64_t start_ms, uint32_t minutes)
{
	static const struct lyc_publish_options options = {.durable = true, .expect = true};
	label_msg label = LYCEUM__V1__LABEL__INIT;
	reminder_msg reminder = LYCEUM__CONVENING__V1__REMINDER_SENT__INIT;
	char **people = hold_new(HASH_COUNT(entry->invited), sizeof(*people));

	convening_private_label(state, &label);
	reminder.home = state->view.node;
	reminder.event_home = entry->home;
	reminder.event = entry->id;
	reminder.start_ms = start_ms;
	reminder.minutes = minutes;
	reminder.invitation = people;
	reminder.n_invitation = list_people(state, entry, people);
	reminder.label = &label;
	if (reminder.n_invitation > 0 &&
	    lyc_append(state->context, &reminder.base, &options, on_reminder, state) != LYC_OK)
		lyc_log(state->context, 2, "a reminder cannot be appended yet");
	free(people);
}

static void look_at(struct convening *state, struct entry *entry, int64_t now_ms)
{
	const event_msg *event = entry->event;
	struct meeting meetings[MAX_MEETINGS];
	uint32_t longest = 0;

	for (size_t i = 0; i < event->n_remind_minutes; i++) {
		if (event->remind_minutes[i] > longest)
			longest = event->remind_minutes[i];
	}
	size_t count = meeting_list(event, state->zones, now_ms,
				    now_ms + (int64_t)longest * 60000 + 1, meetings, MAX_MEETINGS);
	for (size_t i = 0; i < count * event->n_remind_minutes; i++) {
		const struct meeting *meeting = &meetings[i / event->n_remind_minutes];
		uint32_t minutes = event->remind_minutes[i % event->n_remind_minutes];
		if (meeting->start_ms > now_ms &&
		    now_ms >= meeting->start_ms - (int64_t)minutes * 60000 &&
		    !is_reminded(entry, meeting->start_ms, minutes))
			fire(state, entry, meeting->start_ms, minutes);
	}
}

void reminders_tick(struct convening *state)
{
	int64_t now_ms = convening_now_ms();

	for (struct entry *entry = state->view.entries; entry; entry = entry->hh.next) {
		const event_msg *event = entry->event;
		if (event && event->n_remind_minutes > 0 && entry->invited &&
		    event->status != LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED)
			look_at(state, entry, now_ms);
	}
}
