/*
 * Joins the outbox to the relay: takes what is due, has it written, notes the try, sends it, notes
 * the result. The plugin lends three hooks; everything runs on its thread. Order of a try: written,
 * BEGUN in the log, handed to the relay, result in the log. The same mail is never in hand twice.
 * Start it when the view has caught up with the log (lyc_delivery.caught_up): before, a mail that
 * was sent still looks queued.
 */
#ifndef CONVENING_POST_H
#define CONVENING_POST_H

#include "mail.h"
#include "outbox.h"

struct post;

struct post_hooks {
	/* Append this note as a record and call post_noted when it is synced or refused; `ticket`
	 * comes back with it. Not LYC_OK: post_noted is not called. Borrows note. */
	enum lyc_status (*note)(void *arg, const struct outbox_mail *note, uint64_t ticket);
	/* Have the mail written, the address found; call post_written or post_not_written, now or
	 * later. Borrows mail. */
	void (*write)(void *arg, const struct outbox_mail *mail);
	/* Milliseconds since 1970. */
	int64_t (*now_ms)(void *arg);
};

struct post_settings {
	struct mail_settings mail;
	int64_t give_up_ms;   /* 0: three days */
	uint32_t max_in_hand; /* 0: 20 */
};

/* Borrows hooks and outbox. The outbox is fed by the plugin from its records, these notes' too. */
LYC_MUST_USE enum lyc_status post_start(const struct post_settings *settings,
					const struct post_hooks *hooks, void *arg,
					struct outbox *outbox, struct post **ret_post,
					struct lyc_error *error);
/* Accepts NULL. What was in hand is found again by the fold of the next start. */
void post_stop(struct post *post);
/* Readable while post_run has results to take. */
int post_descriptor(const struct post *post);
/* Mails that are being written, noted or sent. */
size_t post_count(const struct post *post);
/* Do what there is to do: at the descriptor, at a timer of a second or so, after a note. */
void post_run(struct post *post);

/* The hooks' answers. */
void post_written(struct post *post, const char *key, const char *to, const char *bytes,
		  size_t len);
/* `step` OUTBOX_PUT_OFF (the directory does not answer), OUTBOX_FAILED (there is no address) or
 * OUTBOX_DROPPED; `said` names nobody. */
void post_not_written(struct post *post, const char *key, enum outbox_step step, const char *said);
void post_noted(struct post *post, uint64_t ticket, bool is_synced);

#endif
