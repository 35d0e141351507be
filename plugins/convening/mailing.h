/*
 * One mail about an event, from the facts to the bytes: the letter's words, the calendar part, the
 * message around both. Pure code.
 */
#ifndef CONVENING_MAILING_H
#define CONVENING_MAILING_H

#include "letter.h"
#include "meeting.h"
#include "messages.h"

struct mailing {
	enum letter_kind kind;
	const char *kind_name; /* "invite", "seat-3": a part of the mail's identity */
	const event_msg *event;
	const char *node;         /* that sends it */
	const config_msg *config; /* NULL: none, good for a preview only */
	const char *invitation;   /* its id */
	uint32_t sequence;
	int64_t now_s;
	const char *name; /* of who gets it; "" */
	const char *address;
	const char *message; /* of who invites; "" */
	const char *token;   /* of the reply link */
	/* Of a reminder; NULL: the event's first. */
	const struct meeting *meeting;
};

/* The whole message; the caller frees. */
LYC_MUST_USE enum lyc_status mailing_write(const struct mailing *mailing, struct zones *zones,
					   char **ret_bytes, size_t *ret_len,
					   struct lyc_error *error);
/* As a person would read it: to whom, subject, text, calendar. The caller frees. */
char *mailing_preview(const struct mailing *mailing, const char *to, struct zones *zones);
/* "invite", "cancel", "seat-3", "reminder-1796292000000-1440". */
enum letter_kind mailing_kind(const char *kind_name);

#endif
