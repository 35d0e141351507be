/* Queues; the writing of a mail is in writer.c, its sending in post.c. */
#include "postroom.h"

#include "blackouts.h"
#include "foreign.h"
#include "hold.h"
#include "mailing.h"
#include "post.h"
#include "writer.h"

static const struct lyc_publish_options where_there_is_none = {.durable = true, .expect = true};

/* Does this node send the mails of this invitation? */
static bool is_ours(const struct convening *state, const struct entry *entry,
		    const struct invited *invited)
{
	if (invited->msg->expert[0])
		return strcmp(invited->msg->expert_home, state->view.node) == 0;
	return invited->msg->email[0] && view_is_own(&state->view, entry);
}

static bool is_cancelled(const struct entry *entry)
{
	return entry->event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED;
}

/* ---- Taking an invitation up ---- */

struct taking {
	struct convening *state;
	struct entry *entry;
	char *invitation;
};

static void on_dispatch(const struct lyc_ack *ack, void *arg)
{
	struct taking *taking = arg;
	struct invited *invited = view_invited(taking->entry, taking->invitation);

	/* Refused since there is one: it will come. Otherwise the tick tries again. */
	if (invited && ack->status != LYC_OK && ack->status != LYC_FAILED_PRECONDITION)
		invited->is_dispatching = invited->is_link_checked = false;
	free(taking->invitation);
	free(taking);
}

/* Does the record know the link that this node's secret gives? Not before there is one, nor after
 * the secret has been lost. */
static bool has_its_link(const struct convening *state, const struct entry *entry,
			 const struct invited *invited, uint8_t ret_hash[SECRET_HASH_LEN])
{
	char token[SECRET_TOKEN_SIZE];

	secret_reply_token(&state->secret, entry->home, entry->id, invited->msg->id, token);
	secret_hash(token, ret_hash);
	return invited->dispatch_seq > 0 &&
	       memcmp(invited->token_hash, ret_hash, SECRET_HASH_LEN) == 0;
}

static void take_up(struct convening *state, struct entry *entry, struct invited *invited)
{
	label_msg label = LYCEUM__V1__LABEL__INIT;
	dispatch_msg dispatch = LYCEUM__CONVENING__V1__DISPATCH__INIT;
	uint8_t hash[SECRET_HASH_LEN];

	if (invited->is_dispatching || invited->is_link_checked)
		return;
	invited->is_link_checked = true;
	if (has_its_link(state, entry, invited, hash))
		return;
	struct taking *taking = hold_new(1, sizeof(*taking));
	*taking = (struct taking){state, entry, hold_text(invited->msg->id)};
	convening_private_label(state, &label);
	dispatch.home = state->view.node;
	dispatch.event_home = entry->home;
	dispatch.event = entry->id;
	dispatch.invitation = invited->msg->id;
	dispatch.token_hash = (ProtobufCBinaryData){.len = sizeof(hash), .data = hash};
	dispatch.label = &label;
	invited->is_dispatching = true;
	const struct lyc_publish_options options = {
		.durable = true, .expect = true, .expect_seq = invited->dispatch_seq};
	if (lyc_append(state->context, &dispatch.base, &options, on_dispatch, taking) == LYC_OK)
		return;
	invited->is_dispatching = invited->is_link_checked = false;
	free(taking->invitation);
	free(taking);
}

/* ---- Queueing a mail ---- */

static void on_queued(const struct lyc_ack *ack, void *arg)
{
	struct taking *taking = arg;
	struct invited *invited = view_invited(taking->entry, taking->invitation);

	if (invited)
		invited->is_queueing = false;
	/* A mail that is in the outbox already was counted when it was. */
	if (invited && ack->status != LYC_OK && ack->status != LYC_FAILED_PRECONDITION &&
	    !invited->is_mailed)
		foreign_note(&taking->state->view, taking->entry->home, invited, convening_now_ms(),
			     true);
	/* There may be another for the same person. */
	view_mark(&taking->state->view, taking->entry);
	if (ack->status != LYC_OK && ack->status != LYC_FAILED_PRECONDITION)
		lyc_log(taking->state->context, 2, "a mail could not be queued: %s",
			ack->text ? ack->text : "");
	free(taking->invitation);
	free(taking);
}

static void queue(struct convening *state, struct entry *entry, struct invited *invited,
		  const char *kind)
{
	label_msg label = LYCEUM__V1__LABEL__INIT;
	mail_note_msg note = LYCEUM__CONVENING__V1__MAIL_NOTE__INIT;
	char key[OUTBOX_KEY_SIZE], name[240];
	uint32_t sequence = entry->event->sequence;

	/* What tells of a seat or a meeting is one mail, however often the event changes. */
	if (strchr(kind, '-'))
		sequence = 0;
	snprintf(name, sizeof(name), "%s@%s", entry->id, entry->home);
	if (invited->is_queueing ||
	    outbox_key(key, name, invited->msg->id, sequence, kind) != LYC_OK ||
	    outbox_find(state->view.outbox, key))
		return;
	struct taking *taking = hold_new(1, sizeof(*taking));
	*taking = (struct taking){state, entry, hold_text(invited->msg->id)};
	convening_private_label(state, &label);
	note.home = state->view.node;
	note.event = name;
	note.person = invited->msg->id;
	note.sequence = sequence;
	note.kind = (char *)(uintptr_t)kind;
	note.step = LYCEUM__CONVENING__V1__MAIL_NOTE__STEP__QUEUED;
	note.queued_ms = note.due_ms = note.at_ms = convening_now_ms();
	note.label = &label;
	/* Asked for again by the next change or tick if this one is not taken. */
	invited->is_queueing = true;
	if (strcmp(kind, "invite") == 0 && !view_is_own(&state->view, entry))
		foreign_note(&state->view, entry->home, invited, note.queued_ms, false);
	if (lyc_append(state->context, &note.base, &where_there_is_none, on_queued, taking) ==
	    LYC_OK)
		return;
	if (!invited->is_mailed)
		foreign_note(&state->view, entry->home, invited, note.queued_ms, true);
	invited->is_queueing = false;
	free(taking->invitation);
	free(taking);
}

/* ---- Invitations of other nodes ---- */

static void on_told(const struct lyc_ack *ack, void *arg)
{
	struct taking *taking = arg;
	struct invited *invited = view_invited(taking->entry, taking->invitation);

	if (invited && ack->status != LYC_OK)
		invited->is_telling = false;
	free(taking->invitation);
	free(taking);
}

/* The event's home is told why the mail waits; "": it does no more. */
static void tell_home(struct convening *state, struct entry *entry, struct invited *invited,
		      const char *reason)
{
	label_msg label = LYCEUM__V1__LABEL__INIT;
	holdup_msg holdup = LYCEUM__CONVENING__V1__HOLDUP__INIT;
	const struct lyc_publish_options options = {
		.durable = true, .expect = true, .expect_seq = invited->holdup_seq};

	if (invited->is_telling || strcmp(invited->holdup ? invited->holdup : "", reason) == 0)
		return;
	struct taking *taking = hold_new(1, sizeof(*taking));
	*taking = (struct taking){state, entry, hold_text(invited->msg->id)};
	convening_private_label(state, &label);
	label.visibility = LYCEUM__V1__VISIBILITY__AUDIENCE;
	label.audience = &entry->home;
	label.n_audience = 1;
	holdup.home = state->view.node;
	holdup.event_home = entry->home;
	holdup.event = entry->id;
	holdup.invitation = invited->msg->id;
	holdup.reason = (char *)(uintptr_t)reason;
	holdup.label = &label;
	invited->is_telling = true;
	if (lyc_append(state->context, &holdup.base, &options, on_told, taking) == LYC_OK)
		return;
	invited->is_telling = false;
	free(taking->invitation);
	free(taking);
}

/* Whoever invites from here was asked about blackouts then. What another node asks for is held to
 * this node's own, which the other need not know, and to a number a day. */
static bool may_invite(struct convening *state, struct entry *entry, struct invited *invited)
{
	const char *reason = "";
	int64_t now_ms = convening_now_ms();
	char text[240];

	if (view_is_own(&state->view, entry))
		return true;
	if (!invited->msg->override_reason[0] &&
	    blackouts_is_on(state, now_ms, text, sizeof(text))) {
		reason = "waits: it is a blackout period there";
	} else if (!invited->is_counted && foreign_is_full(&state->view, entry->home, now_ms)) {
		reason = "waits: there have been too many invitations today";
		if (foreign_is_news(&state->view, entry->home, now_ms))
			lyc_log(state->context, 2,
				"%.64s has had %d invitations mailed to experts of this node "
				"today; more wait until tomorrow",
				entry->home, FOREIGN_MAX_A_DAY);
	}
	tell_home(state, entry, invited, reason);
	return !reason[0];
}

/* Invitation, change, cancellation: whatever was told last is not what is so now. */
static void queue_news(struct convening *state, struct entry *entry, struct invited *invited)
{
	if (is_cancelled(entry)) {
		if (invited->is_mailed && !invited->is_cancel_mailed)
			queue(state, entry, invited, "cancel");
	} else if (!invited->is_mailed) {
		if (!invited->is_queueing && may_invite(state, entry, invited))
			queue(state, entry, invited, "invite");
	} else if (invited->mailed_sequence < entry->event->sequence) {
		queue(state, entry, invited, "change");
	}
}

/* Who had to wait is told, and told again when there is a seat. */
static void queue_seat(struct convening *state, struct entry *entry, struct invited *invited)
{
	const struct answered *answered = view_answered(entry, invited->msg->id);
	struct seats_standing standing;
	char kind[40];

	if (!answered || !answered->has_waited || is_cancelled(entry) ||
	    !view_standing(&state->view, entry, invited->msg->id, &standing) ||
	    standing.decided_number < standing.number)
		return;
	if (standing.state != SEATS_SEATED && standing.state != SEATS_WAITING)
		return;
	snprintf(kind, sizeof(kind), "%s-%llu", standing.state == SEATS_SEATED ? "seat" : "wait",
		 (unsigned long long)standing.number);
	queue(state, entry, invited, kind);
}

static void queue_reminders(struct convening *state, struct entry *entry)
{
	int64_t now_ms = convening_now_ms();
	char kind[64];

	for (const struct reminded *at = entry->reminded; at; at = at->next) {
		if (at->msg->start_ms <= now_ms || is_cancelled(entry))
			continue;
		snprintf(kind, sizeof(kind), "reminder-%lld-%u", (long long)at->msg->start_ms,
			 at->msg->minutes);
		for (size_t i = 0; i < at->msg->n_invitation; i++) {
			struct invited *invited = view_invited(entry, at->msg->invitation[i]);
			if (invited)
				queue(state, entry, invited, kind);
		}
	}
}

void postroom_review(struct convening *state, struct entry *entry)
{
	if (!entry->event)
		return;
	for (struct invited *invited = entry->invited; invited; invited = invited->hh.next) {
		if (!is_ours(state, entry, invited))
			continue;
		if (!is_cancelled(entry))
			take_up(state, entry, invited);
		if (invited->dispatch_seq == 0 || invited->is_dispatching)
			continue;
		queue_news(state, entry, invited);
		queue_seat(state, entry, invited);
	}
	queue_reminders(state, entry);
}

char *postroom_preview(struct convening *state, struct entry *entry, const char *name,
		       const char *address, const char *message)
{
	struct mailing mailing = {
		.kind = LETTER_INVITE,
		.kind_name = "invite",
		.event = entry->event,
		.node = state->view.node,
		.config = state->config,
		.invitation = "",
		.sequence = entry->event->sequence,
		.now_s = convening_now_ms() / 1000,
		.name = name,
		.address = address,
		.message = message,
		.token = "TOKEN",
	};

	return mailing_preview(&mailing,
			       address[0] ? address : "the address that the expert's home knows",
			       state->zones);
}

const char *postroom_tell(const struct convening *state, const struct entry *entry,
			  const struct invited *invited)
{
	char key[OUTBOX_KEY_SIZE], name[240];
	const struct outbox_mail *mail = NULL;

	if (!invited)
		return "";
	if (!is_ours(state, entry, invited))
		return invited->holdup ? invited->holdup : "";
	snprintf(name, sizeof(name), "%s@%s", entry->id, entry->home);
	static const char *const kinds[] = {"cancel", "change", "invite"};
	for (size_t i = 0; i < 3 && !mail; i++) {
		if (outbox_key(key, name, invited->msg->id, invited->mailed_sequence, kinds[i]) ==
		    LYC_OK)
			mail = outbox_find(state->view.outbox, key);
	}
	if (!mail)
		return "waiting";
	return mail->step == OUTBOX_SENT      ? "sent"
	       : mail->step == OUTBOX_FAILED  ? "failed"
	       : mail->step == OUTBOX_DROPPED ? "dropped"
	       : mail->step == OUTBOX_PUT_OFF ? "will be tried again"
					      : "waiting";
}

/* ---- The post ---- */

static enum lyc_status append_note(void *arg, const struct outbox_mail *mail, uint64_t ticket)
{
	return writer_note(arg, mail, ticket);
}

static void write_mail(void *arg, const struct outbox_mail *mail)
{
	writer_write(arg, mail);
}

static int64_t now_ms(void *arg)
{
	(void)arg;
	return convening_now_ms();
}

static const struct post_hooks hooks = {.note = append_note, .write = write_mail, .now_ms = now_ms};

static void on_readable(void *arg, int fd, int events, void *nothing)
{
	struct convening *state = arg;

	(void)fd;
	(void)events;
	(void)nothing;
	post_run(state->post);
}

enum lyc_status postroom_start(struct convening *state, struct lyc_error *error)
{
	const Lyceum__Convening__V1__Relay *relay = state->config ? state->config->relay : NULL;

	if (!relay)
		return LYC_OK;
	struct post_settings settings = {
		.mail = {.relay = relay->url,
			 .from = relay->from,
			 .credentials_file =
				 relay->credentials_file[0] ? relay->credentials_file : NULL,
			 .ca_file = relay->ca_file[0] ? relay->ca_file : NULL,
			 .per_minute = relay->per_minute}};
	enum lyc_status status =
		post_start(&settings, &hooks, state, state->view.outbox, &state->post, error);
	if (status != LYC_OK)
		return status;
	return lyc_watch(state->context, post_descriptor(state->post), LYC_READABLE, on_readable,
			 NULL);
}

void postroom_stop(struct convening *state)
{
	post_stop(state->post);
	state->post = NULL;
	lyc_types_free(state->types);
	state->types = NULL;
}

void postroom_tick(struct convening *state)
{
	for (struct entry *entry = state->view.entries; entry; entry = entry->hh.next)
		postroom_review(state, entry);
	if (state->post)
		post_run(state->post);
}
