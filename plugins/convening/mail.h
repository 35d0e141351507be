/*
 * Sends mails through the organisation's SMTP relay, one try each, on a thread of its own with one
 * bounded queue. Encrypted unless the relay is on this machine. When to try again, and what was
 * sent, is the outbox's business.
 */
#ifndef CONVENING_MAIL_H
#define CONVENING_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#define MAIL_KEY_SIZE 256
#define MAIL_SAID_SIZE 200

struct mail_settings {
	/* "smtps://mail.example.org:465": TLS from the first byte; "smtp://mail.example.org:587":
	 * with STARTTLS, required unless the host is this machine. */
	const char *relay;
	const char *from;             /* the envelope's sender: "events@example.org" */
	const char *credentials_file; /* first line user, second password; NULL: no sign-in */
	const char *ca_file;          /* PEM; NULL: the system's authorities */
	uint32_t timeout_ms;          /* of one try; 0: 60,000 */
	uint32_t per_minute;          /* 0: 60 */
	uint32_t max_waiting;         /* mails handed over and not yet tried; 0: 100 */
};

enum mail_outcome {
	MAIL_SENT,     /* the relay has taken it */
	MAIL_LATER,    /* 4xx, no connection, timeout: not taken, may be tried again */
	MAIL_REFUSED,  /* 5xx: trying again would not help */
	MAIL_DOUBTFUL, /* all was said and no answer heard: it may have been taken */
};

struct mail_result {
	char key[MAIL_KEY_SIZE];
	enum mail_outcome outcome;
	int code; /* the relay's: 250, 451, 550; 0 when it said nothing */
	/* The relay's sentence, or what failed on the way to it. Addresses are left out. */
	char said[MAIL_SAID_SIZE];
};

struct mail;

/* Copies the settings; says what is wrong with them, the credentials' file included, and error
 * names the field. The thread starts; nothing is connected before the first mail. */
LYC_MUST_USE enum lyc_status mail_start(const struct mail_settings *settings,
					struct mail **ret_mail, struct lyc_error *error);
/* Breaks off what is under way, within a second or two, and frees. What had no result by then is
 * tried again by whoever reads the log. Accepts NULL. */
void mail_stop(struct mail *mail);
/* Readable while results wait; for lyc_watch, or looked at by a timer. Valid until mail_stop. */
int mail_descriptor(const struct mail *mail);
/* Copies everything. `key` comes back with the result. RESOURCE_EXHAUSTED: the queue is full, try
 * when a result has come. INVALID_ARGUMENT: the key is too long or the address is none. */
LYC_MUST_USE enum lyc_status mail_send(struct mail *mail, const char *key, const char *to,
				       const char *bytes, size_t len);
/* The next result, if any; exactly one for each mail that mail_send took. */
bool mail_next_result(struct mail *mail, struct mail_result *ret_result);

#endif
