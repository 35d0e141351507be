/* Every state has its reason, and every reason a sentence. */
#include "standing.h"

#include <stdio.h>
#include <string.h>

static uint32_t quota_of(const event_msg *event, const char *group)
{
	for (size_t i = 0; i < event->n_quota; i++) {
		if (strcmp(event->quota[i]->group, group) == 0)
			return event->quota[i]->max;
	}
	return 0;
}

static void tell_wait(const struct seats_standing *standing, const event_msg *event, char *to)
{
	int len;

	if (standing->reason == SEATS_GROUP_FULL)
		len = snprintf(to, STANDING_TEXT_SIZE, "all %u seats for %.60s are taken",
			       quota_of(event, standing->group), standing->group);
	else if (standing->reason == SEATS_CAP_REACHED)
		len = snprintf(to, STANDING_TEXT_SIZE, "all %u seats are taken", event->cap);
	else if (standing->reason == SEATS_CANCELLED)
		len = snprintf(to, STANDING_TEXT_SIZE, "the event is cancelled");
	else
		len = snprintf(to, STANDING_TEXT_SIZE, "waits for a seat");
	if (standing->position > 0)
		snprintf(to + len, (size_t)(STANDING_TEXT_SIZE - len),
			 "; number %u of those who wait", standing->position);
}

void standing_tell(const struct seats_standing *standing, const event_msg *event,
		   char to[STANDING_TEXT_SIZE])
{
	if (standing->choice == SEATS_UNANSWERED)
		snprintf(to, STANDING_TEXT_SIZE, "has not answered");
	else if (standing->decided_number < standing->number)
		snprintf(to, STANDING_TEXT_SIZE,
			 "the answer is recorded; %.64s decides as soon as it hears of it",
			 event->home);
	else if (standing->state == SEATS_SEATED)
		snprintf(to, STANDING_TEXT_SIZE, "has a seat");
	else if (standing->state == SEATS_WAITING)
		tell_wait(standing, event, to);
	else if (standing->reason == SEATS_NOT_INVITED)
		snprintf(to, STANDING_TEXT_SIZE, "only who was invited may have a seat");
	else if (standing->reason == SEATS_CANCELLED)
		snprintf(to, STANDING_TEXT_SIZE, "the event is cancelled");
	else if (standing->reason == SEATS_SAID_MAYBE)
		snprintf(to, STANDING_TEXT_SIZE, "said maybe, which holds no seat");
	else
		snprintf(to, STANDING_TEXT_SIZE, "said no");
}

void standing_fill(const struct seats_standing *standing, const event_msg *event,
		   char because[STANDING_TEXT_SIZE], standing_msg *to)
{
	bool is_decided = standing->decided_number >= standing->number;

	lyceum__convening__v1__standing__init(to);
	standing_tell(standing, event, because);
	to->person = (char *)(uintptr_t)standing->person;
	to->choice = (Lyceum__Convening__V1__Choice)standing->choice;
	to->number = standing->number;
	to->because = because;
	if (!is_decided)
		return;
	to->state = (Lyceum__Convening__V1__Place__State)standing->state;
	to->reason = (Lyceum__Convening__V1__Place__Reason)standing->reason;
	to->position = standing->position;
}
