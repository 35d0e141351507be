/*
 * What a mail says: subject and text in English, Welsh or both, from the facts of an event. Pure
 * code; how it becomes bytes is mime.c's business.
 */
#ifndef CONVENING_LETTER_H
#define CONVENING_LETTER_H

#include <stdbool.h>

#include <lyceum/status.h>

enum letter_kind {
	LETTER_INVITE,   /* somebody is asked to come */
	LETTER_CHANGE,   /* time, place or title is another now */
	LETTER_CANCEL,   /* it does not take place */
	LETTER_SEAT,     /* a seat has become free for one who waited */
	LETTER_WAIT,     /* the answer was yes, and all seats are taken */
	LETTER_REMINDER, /* it is soon */
};

struct letter_facts {
	const char *person; /* "Ada Okafor"; "" or NULL: no greeting by name */
	const char *title;
	/* As a person of the event's place reads it, one line each: "Tuesday 3 March 2026, 14:00 to
	 * 16:00 (Europe/London)". NULL where there is none. when_cy NULL: as `when`. */
	const char *when;
	const char *when_cy;
	const char *place;
	const char *organiser;  /* "Life Sciences Hub Wales" */
	const char *invited_by; /* a node of the network for which the home asks; NULL: the home
				   itself */
	const char *about;      /* a paragraph of the organiser's; NULL */
	const char *reply_url;  /* answers without an account; NULL */
	const char *leave_url;  /* off the list; NULL: the text names leave_address instead */
	const char *leave_address;
	bool has_calendar; /* an .ics is attached */
};

struct letter {
	char *subject;
	char *text;
	char language[8]; /* for mime_mail.language */
};

/* The languages are "en", "cy", or "cy en" for both, one after the other; another becomes "en".
 * Free the letter with letter_fini. */
LYC_MUST_USE enum lyc_status letter_write(enum letter_kind kind, const char *languages,
					  const struct letter_facts *facts,
					  struct letter *ret_letter);
void letter_fini(struct letter *letter);

#endif
