/* A mail is written anew at each try, with the event as it is then: so an invitation that has still
 * to go out says a change by itself. */
#include "stale.h"

#include <stdio.h>
#include <string.h>

static const struct outbox_mail *find_mail(const struct view *view, const struct entry *entry,
					   const struct invited *invited, uint32_t sequence,
					   const char *kind)
{
	char key[OUTBOX_KEY_SIZE], name[240];

	snprintf(name, sizeof(name), "%s@%s", entry->id, entry->home);
	if (outbox_key(key, name, invited->msg->id, sequence, kind) != LYC_OK)
		return NULL;
	return outbox_find(view->outbox, key);
}

static bool may_have_arrived(const struct outbox_mail *mail)
{
	return mail &&
	       (mail->step == OUTBOX_SENT || mail->step == OUTBOX_BEGUN || mail->may_be_double);
}

/* "seat-3", "wait-3": of what the person has now. */
static const char *why_seat(const struct view *view, const struct entry *entry,
			    const struct invited *invited, enum seats_state state)
{
	struct seats_standing standing;

	if (view_standing(view, entry, invited->msg->id, &standing) &&
	    standing.choice == SEATS_YES && standing.state == state)
		return NULL;
	return state == SEATS_SEATED ? "the person has no seat any more"
				     : "the person does not wait any more";
}

/* Will the invitation say it, or has it? */
static bool is_in_invitation(const struct view *view, const struct entry *entry,
			     const struct invited *invited, uint32_t sequence)
{
	const struct outbox_mail *mail = NULL;

	for (uint32_t at = 0; at <= sequence && !mail; at++)
		mail = find_mail(view, entry, invited, at, "invite");
	if (!mail || mail->step == OUTBOX_FAILED || mail->step == OUTBOX_DROPPED)
		return false;
	bool is_in_hand = !outbox_hold(view->outbox, mail->key);
	if (!is_in_hand)
		outbox_release(view->outbox, mail->key);
	/* What an earlier process began may have gone out with the old words. */
	if (!is_in_hand && (mail->step == OUTBOX_QUEUED || mail->step == OUTBOX_PUT_OFF))
		return !mail->may_be_double;
	return invited->is_written && invited->written_sequence >= sequence;
}

static const char *why_change(const struct view *view, const struct entry *entry,
			      const struct invited *invited, uint32_t sequence)
{
	if (sequence < entry->event->sequence)
		return "the event has changed again: a newer mail tells of it";
	if (is_in_invitation(view, entry, invited, sequence))
		return "the invitation says it already";
	return NULL;
}

static const char *why_cancel(const struct view *view, const struct entry *entry,
			      const struct invited *invited, uint32_t sequence)
{
	for (uint32_t at = 0; at <= sequence; at++) {
		if (may_have_arrived(find_mail(view, entry, invited, at, "invite")) ||
		    may_have_arrived(find_mail(view, entry, invited, at, "change")))
			return NULL;
	}
	return "the person was never told of the event";
}

const char *stale_why(const struct view *view, const struct entry *entry,
		      const struct invited *invited, const char *kind, uint32_t sequence)
{
	if (!entry->event)
		return "the event is not known here any more";
	if (strcmp(kind, "cancel") == 0)
		return why_cancel(view, entry, invited, sequence);
	if (entry->event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED)
		return "the event is cancelled";
	if (strncmp(kind, "seat-", 5) == 0)
		return why_seat(view, entry, invited, SEATS_SEATED);
	if (strncmp(kind, "wait-", 5) == 0)
		return why_seat(view, entry, invited, SEATS_WAITING);
	return strcmp(kind, "change") == 0 ? why_change(view, entry, invited, sequence) : NULL;
}

void stale_note_written(const struct entry *entry, struct invited *invited, const char *kind)
{
	if (strcmp(kind, "invite") != 0)
		return;
	invited->is_written = true;
	invited->written_sequence = entry->event->sequence;
}
