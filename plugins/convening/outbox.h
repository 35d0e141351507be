/*
 * Which mails are due, under way, sent and failed: a fold over notes, which the plugin keeps as
 * records of the log. Nothing here sends or appends. A note that comes twice changes nothing, and
 * a fresh fold of the same notes is the same outbox.
 *
 * A try is noted as begun before the relay hears of it. So a fold that finds a try begun and not
 * ended knows that the process ended in between: the mail is due again, at once, with the same
 * Message-ID, and is marked as perhaps sent twice. Nothing is lost, and what may be double is said.
 */
#ifndef CONVENING_OUTBOX_H
#define CONVENING_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#define OUTBOX_KEY_SIZE 256
#define OUTBOX_SAID_SIZE 200

enum outbox_step {
	OUTBOX_QUEUED = 1, /* to be sent, not before due_ms */
	OUTBOX_BEGUN,      /* this try is about to be handed to the relay */
	OUTBOX_PUT_OFF,    /* this try failed: again not before due_ms */
	OUTBOX_SENT,       /* the relay has taken it */
	OUTBOX_FAILED,     /* for good: refused, or tried for too long */
	OUTBOX_DROPPED,    /* no longer wanted: cancelled, or the person withdrew */
};

/* One mail, and one note about it. A note is complete: the last one alone says how things stand, so
 * a log that keeps the last record of each subject is enough. */
struct outbox_mail {
	/* Names the mail for good: event, person, sequence and kind make it. No address in it: that
	 * is asked for when the mail is written. */
	char key[OUTBOX_KEY_SIZE];
	const char *event;
	const char *person;
	const char *kind; /* "invite", "cancel", "reminder-1440" */
	uint32_t sequence;

	enum outbox_step step;
	int64_t queued_ms; /* since when it should be sent */
	int64_t due_ms;
	int64_t at_ms;  /* of this step */
	uint32_t tries; /* begun so far */
	/* A try may have reached the relay without our knowing: it may arrive twice. */
	bool may_be_double;
	int code;                    /* the relay's, of the last try that ended; 0: none */
	char said[OUTBOX_SAID_SIZE]; /* its sentence, without addresses */
};

struct outbox;

struct outbox *outbox_new(void);
/* Accepts NULL. */
void outbox_free(struct outbox *outbox);
/* event, person, sequence and kind joined; INVALID_ARGUMENT when they are too long together or
 * empty. */
LYC_MUST_USE enum lyc_status outbox_key(char to[OUTBOX_KEY_SIZE], const char *event,
					const char *person, uint32_t sequence, const char *kind);
/* Fold one note in; copies it. Says whether anything is another now. A note that is older than what
 * is held, by tries, then by time, changes nothing. SENT stays for good; a mail that has FAILED or
 * was DROPPED stays so until outbox_again. */
bool outbox_take(struct outbox *outbox, const struct outbox_mail *note);
/* The mail of this key; NULL. Its strings are valid until outbox_free. */
const struct outbox_mail *outbox_find(const struct outbox *outbox, const char *key);

/* The next mail that is due and not under way, the longest due first; NULL. A try that was begun
 * and not ended by a process before this one counts as due. */
const struct outbox_mail *outbox_due(const struct outbox *outbox, int64_t now_ms);
/* When the next one is due, not under way; INT64_MAX: none. */
int64_t outbox_next_ms(const struct outbox *outbox);
/* This process has the mail in hand: not due until released. Says whether it was free. */
bool outbox_hold(struct outbox *outbox, const char *key);
void outbox_release(struct outbox *outbox, const char *key);

/* ---- Notes, for the log. Their strings borrow from `mail`, or from the arguments ---- */

/* A new mail, not before due_ms, which may be 0 for at once. INVALID_ARGUMENT as outbox_key. */
LYC_MUST_USE enum lyc_status outbox_queue(struct outbox_mail *ret_note, const char *event,
					  const char *person, uint32_t sequence, const char *kind,
					  int64_t due_ms, int64_t now_ms);
/* The next try. After an unended one it is marked as perhaps double; after a second doubt it is
 * FAILED instead: nobody gets a mail a third time because the relay's answer is not heard. */
struct outbox_mail outbox_begin(const struct outbox_mail *mail, int64_t now_ms);
/* Not now: again in 1, 2, 4 ... minutes, at most an hour; FAILED when that is beyond give_up_ms
 * after the mail was first due, or at a second doubt. */
struct outbox_mail outbox_put_off(const struct outbox_mail *mail, int64_t now_ms,
				  int64_t give_up_ms, bool is_doubtful, int code, const char *said);
/* SENT, FAILED or DROPPED. */
struct outbox_mail outbox_end(const struct outbox_mail *mail, enum outbox_step step, int64_t now_ms,
			      int code, const char *said);
/* Somebody wants a FAILED or DROPPED one to be tried again, from now on. */
struct outbox_mail outbox_again(const struct outbox_mail *mail, int64_t now_ms);

/* For lists: every mail, the newest step first; returns how many there are in all. */
typedef void (*outbox_fn)(const struct outbox_mail *mail, void *arg);
size_t outbox_each(const struct outbox *outbox, outbox_fn fn, void *arg);
size_t outbox_count(const struct outbox *outbox, enum outbox_step step);

#endif
