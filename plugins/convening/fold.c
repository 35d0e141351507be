/*
 * One function a type of record. Each may be called twice with the same record, and with a record
 * whose event is not known here (yet): it then waits in an entry without one.
 */
#include "fold.h"

#include "foreign.h"
#include "hold.h"
#include "subject.h"

struct record {
	struct subject subject;
	void *msg; /* unpacked, the fold's to take; NULL: withdrawn */
	uint64_t seq;
	uint64_t time_ms;
};

static struct entry *meet(struct view *view, const char *home, const char *id)
{
	struct entry *entry = view_find(view, home, id);

	if (entry)
		return entry;
	entry = hold_new(1, sizeof(*entry));
	entry->key = hold_new(strlen(home) + strlen(id) + 2, 1);
	sprintf(entry->key, "%s/%s", home, id);
	entry->home = hold_text(home);
	entry->id = hold_text(id);
	if (strcmp(home, view->node) == 0)
		entry->seats = seats_new();
	HASH_ADD_KEYPTR(hh, view->entries, entry->key, strlen(entry->key), entry);
	return entry;
}

static bool is_own(const struct view *view, const struct record *record)
{
	return strcmp(record->subject.key[0], view->node) == 0;
}

/* ---- Event ---- */

static void set_rules(struct entry *entry)
{
	const event_msg *event = entry->event;
	struct seats_quota *quotas = hold_new(event->n_quota, sizeof(*quotas));

	for (size_t i = 0; i < event->n_quota; i++)
		quotas[i] = (struct seats_quota){event->quota[i]->group, event->quota[i]->max};
	struct seats_rules rules = {
		.sequence = event->sequence,
		.cap = event->cap,
		.quotas = quotas,
		.quota_count = event->n_quota,
		.is_cancelled = event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED,
		.invited_only = event->invited_only,
	};
	seats_set_rules(entry->seats, &rules);
	free(quotas);
}

static void fold_event(struct view *view, struct record *record)
{
	struct entry *entry = meet(view, record->subject.key[0], record->subject.key[1]);

	lyceum__convening__v1__event__free_unpacked(entry->event, NULL);
	entry->event = record->msg;
	entry->seq = record->seq;
	entry->time_ms = record->time_ms;
	record->msg = NULL;
	if (entry->seats && entry->event)
		set_rules(entry);
	view_mark(view, entry);
}

/* ---- Invitation, Dispatch ---- */

static struct invited *meet_invited(struct entry *entry, const char *id)
{
	struct invited *invited = view_invited(entry, id);

	if (invited)
		return invited;
	invited = hold_new(1, sizeof(*invited));
	invited->msg = hold_new(1, sizeof(*invited->msg));
	lyceum__convening__v1__invitation__init(invited->msg);
	invited->msg->id = hold_text(id);
	HASH_ADD_KEYPTR(hh, entry->invited, invited->msg->id, strlen(invited->msg->id), invited);
	return invited;
}

/* The node from which the invited answers, and as whom. */
static const char *answers_from(const struct view *view, const invitation_msg *msg)
{
	return msg->expert_home[0] ? msg->expert_home : view->node;
}

static void fold_invitation(struct view *view, struct record *record)
{
	struct entry *entry = meet(view, record->subject.key[0], record->subject.key[1]);
	struct invited *invited = meet_invited(entry, record->subject.key[2]);
	invitation_msg *msg = record->msg;

	if (!msg)
		return;
	HASH_DEL(entry->invited, invited);
	lyceum__convening__v1__invitation__free_unpacked(invited->msg, NULL);
	invited->msg = msg;
	record->msg = NULL;
	HASH_ADD_KEYPTR(hh, entry->invited, msg->id, strlen(msg->id), invited);
	const char *at = strrchr(msg->member, '@');
	if (entry->seats && at)
		seats_invite(entry->seats, at + 1, msg->member, msg->group);
	else if (entry->seats)
		seats_invite(entry->seats, answers_from(view, msg), msg->id, msg->group);
	view_mark(view, entry);
}

static void add_token(struct view *view, struct entry *entry, const struct invited *invited)
{
	struct token_entry *token = NULL;

	HASH_FIND(hh, view->tokens, invited->token_hash, SECRET_HASH_LEN, token);
	if (token)
		return;
	token = hold_new(1, sizeof(*token));
	memcpy(token->hash, invited->token_hash, SECRET_HASH_LEN);
	token->entry = entry;
	token->invitation = hold_text(invited->msg->id);
	HASH_ADD(hh, view->tokens, hash, SECRET_HASH_LEN, token);
}

static void fold_dispatch(struct view *view, struct record *record)
{
	const dispatch_msg *msg = record->msg;
	struct token_entry *token = NULL;

	if (!msg || !is_own(view, record))
		return;
	struct entry *entry = meet(view, msg->event_home, msg->event);
	struct invited *invited = meet_invited(entry, msg->invitation);
	/* A link that comes after another ends it. */
	HASH_FIND(hh, view->tokens, invited->token_hash, SECRET_HASH_LEN, token);
	if (token && invited->dispatch_seq > 0) {
		HASH_DEL(view->tokens, token);
		free(token->invitation);
		free(token);
	}
	invited->dispatch_seq = record->seq;
	invited->is_dispatching = false;
	memset(invited->token_hash, 0, SECRET_HASH_LEN);
	if (msg->token_hash.len == SECRET_HASH_LEN) {
		memcpy(invited->token_hash, msg->token_hash.data, SECRET_HASH_LEN);
		add_token(view, entry, invited);
	}
	view_mark(view, entry);
}

/* Of this node itself, or of the one that an invitation of this node has asked. */
static void fold_holdup(struct view *view, struct record *record)
{
	const char *const *key = record->subject.key;
	const holdup_msg *msg = record->msg;
	struct entry *entry = meet(view, key[1], key[2]);
	struct invited *invited =
		is_own(view, record) ? meet_invited(entry, key[3]) : view_invited(entry, key[3]);

	if (!invited || (!is_own(view, record) && (!view_is_own(view, entry) ||
						   strcmp(invited->msg->expert_home, key[0]) != 0)))
		return;
	free(invited->holdup);
	invited->holdup = hold_text(msg ? msg->reason : "");
	invited->holdup_seq = record->seq;
	invited->is_telling = false;
}

/* ---- Answer ---- */

static void keep_answer(struct entry *entry, struct record *record)
{
	answer_msg *msg = record->msg;
	struct answered *answered = view_meet_answered(entry, msg->person);

	if (answered->msg && answered->msg->number >= msg->number)
		return;
	lyceum__convening__v1__answer__free_unpacked(answered->msg, NULL);
	answered->msg = msg;
	answered->seq = record->seq;
	answered->has_waited = false;
	record->msg = NULL;
}

/* A node answers for its own people, and for the invitations whose mail it sends: their ids have no
 * '@', and at the event's home they are known before anybody can answer. */
static bool speaks_for(const struct view *view, const struct entry *entry, const answer_msg *msg)
{
	const char *at = strrchr(msg->person, '@');

	if (at)
		return strcmp(at + 1, msg->home) == 0;
	const struct invited *own = view_invited(entry, msg->person);
	return !entry->seats || (own && strcmp(answers_from(view, own->msg), msg->home) == 0);
}

static void fold_answer(struct view *view, struct record *record)
{
	const answer_msg *msg = record->msg;

	if (!msg)
		return;
	struct entry *entry = meet(view, msg->event_home, msg->event);
	if (!speaks_for(view, entry, msg))
		return;
	if (entry->seats)
		seats_answer(entry->seats, msg->home, msg->person, msg->number,
			     (enum seats_choice)msg->choice, msg->group);
	if (is_own(view, record))
		keep_answer(entry, record);
	view_mark(view, entry);
}

/* ---- SeatPage, Verdict ---- */

/* Takes the place. */
static void owe(struct entry *entry, uint64_t page, place_msg *place, size_t max)
{
	struct debt *debt = fold_debt(entry, place->node, page);

	if (!debt) {
		debt = hold_new(1, sizeof(*debt));
		debt->page = page;
		debt->node = hold_text(place->node);
		debt->places = hold_new(max, sizeof(*debt->places));
		debt->next = entry->debts;
		entry->debts = debt;
	}
	debt->places[debt->place_count++] = place;
}

static void note_wait(struct entry *entry, const place_msg *place)
{
	struct answered *answered = view_answered(entry, place->person);

	if (answered && place->state == LYCEUM__CONVENING__V1__PLACE__STATE__WAITING)
		answered->has_waited = true;
}

static void fold_page(struct view *view, struct record *record)
{
	seat_page_msg *msg = record->msg;

	if (!msg || !is_own(view, record))
		return;
	struct entry *entry = meet(view, msg->home, msg->event);
	struct seats_decision *decisions = hold_new(msg->n_place, sizeof(*decisions));
	for (size_t i = 0; i < msg->n_place; i++) {
		const place_msg *place = msg->place[i];
		decisions[i] = (struct seats_decision){.node = place->node,
						       .person = place->person,
						       .group = place->group,
						       .number = place->number,
						       .state = (enum seats_state)place->state,
						       .reason = (enum seats_reason)place->reason};
	}
	bool counts = seats_take_page(entry->seats, msg->page, msg->event_sequence, decisions,
				      msg->n_place);
	free(decisions);
	if (entry->page_under_way <= msg->page)
		entry->page_under_way = 0;
	entry->news++;
	for (size_t i = 0; counts && i < msg->n_place; i++) {
		if (strcmp(msg->place[i]->node, view->node) == 0) {
			note_wait(entry, msg->place[i]);
			continue;
		}
		owe(entry, msg->page, msg->place[i], msg->n_place);
		msg->place[i] = hold_new(1, sizeof(*msg->place[i]));
		lyceum__convening__v1__place__init(msg->place[i]);
	}
	view_mark(view, entry);
}

static void drop_debt(struct entry *entry, const char *node, uint64_t page)
{
	for (struct debt **at = &entry->debts; *at; at = &(*at)->next) {
		struct debt *debt = *at;
		if (debt->page != page || strcmp(debt->node, node) != 0)
			continue;
		*at = debt->next;
		fold_free_debt(debt);
		return;
	}
}

static void hear(struct entry *entry, const verdict_msg *msg)
{
	entry->news++;
	for (size_t i = 0; i < msg->n_place; i++) {
		const place_msg *place = msg->place[i];
		if (strcmp(place->node, msg->node) != 0)
			continue;
		struct answered *answered = view_meet_answered(entry, place->person);
		if (msg->page < answered->page)
			continue;
		note_wait(entry, place);
		answered->page = msg->page;
		answered->decided_number = place->number;
		answered->state = (enum seats_state)place->state;
		answered->reason = (enum seats_reason)place->reason;
	}
}

static void fold_verdict(struct view *view, struct record *record)
{
	const verdict_msg *msg = record->msg;

	if (!msg)
		return;
	struct entry *entry = meet(view, msg->home, msg->event);
	if (is_own(view, record))
		drop_debt(entry, msg->node, msg->page);
	else if (strcmp(msg->node, view->node) == 0)
		hear(entry, msg);
	view_mark(view, entry);
}

/* ---- Mails and reminders ---- */

static void fold_mail(struct view *view, struct record *record)
{
	const mail_note_msg *msg = record->msg;
	struct outbox_mail mail = {0};

	if (!msg || !is_own(view, record) ||
	    outbox_key(mail.key, msg->event, msg->person, msg->sequence, msg->kind) != LYC_OK)
		return;
	mail.event = msg->event;
	mail.person = msg->person;
	mail.kind = msg->kind;
	mail.sequence = msg->sequence;
	mail.step = (enum outbox_step)msg->step;
	mail.queued_ms = msg->queued_ms;
	mail.due_ms = msg->due_ms;
	mail.at_ms = msg->at_ms;
	mail.tries = msg->tries;
	mail.may_be_double = msg->may_be_double;
	mail.code = msg->code;
	snprintf(mail.said, sizeof(mail.said), "%s", msg->said);
	outbox_take(view->outbox, &mail);

	char homes[80];
	struct entry *entry = view_named(view, msg->event, homes, sizeof(homes));
	struct invited *invited = entry ? view_invited(entry, msg->person) : NULL;
	bool is_cancel = strcmp(msg->kind, "cancel") == 0;
	if (!invited ||
	    (!is_cancel && strcmp(msg->kind, "invite") != 0 && strcmp(msg->kind, "change") != 0))
		return;
	invited->is_mailed = true;
	if (strcmp(msg->kind, "invite") == 0 && !view_is_own(view, entry))
		foreign_note(view, entry->home, invited, msg->queued_ms, false);
	invited->is_cancel_mailed = invited->is_cancel_mailed || is_cancel;
	if (msg->sequence > invited->mailed_sequence)
		invited->mailed_sequence = msg->sequence;
}

static void fold_reminder(struct view *view, struct record *record)
{
	reminder_msg *msg = record->msg;

	if (!msg || !is_own(view, record))
		return;
	struct entry *entry = meet(view, msg->event_home, msg->event);
	for (const struct reminded *held = entry->reminded; held; held = held->next) {
		if (held->msg->start_ms == msg->start_ms && held->msg->minutes == msg->minutes)
			return;
	}
	struct reminded *reminded = hold_new(1, sizeof(*reminded));
	reminded->msg = msg;
	reminded->next = entry->reminded;
	entry->reminded = reminded;
	record->msg = NULL;
	view_mark(view, entry);
}

/* ---- Notes, blackouts, feeds ---- */

static void fold_note(struct view *view, struct record *record)
{
	struct entry *entry = meet(view, record->subject.key[0], record->subject.key[1]);

	for (struct noted **at = &entry->notes; *at; at = &(*at)->next) {
		struct noted *old = *at;
		if (strcmp(old->msg->id, record->subject.key[2]) != 0)
			continue;
		*at = old->next;
		lyceum__convening__v1__note__free_unpacked(old->msg, NULL);
		free(old);
		break;
	}
	if (!record->msg)
		return;
	struct noted *noted = hold_new(1, sizeof(*noted));
	struct noted **end = &entry->notes;
	while (*end)
		end = &(*end)->next;
	noted->msg = record->msg;
	*end = noted;
	record->msg = NULL;
}

static void fold_blackout(struct view *view, struct record *record)
{
	struct blackout_entry **at = &view->blackouts;

	while (*at && (strcmp((*at)->msg->home, record->subject.key[0]) != 0 ||
		       strcmp((*at)->msg->id, record->subject.key[1]) != 0))
		at = &(*at)->next;
	struct blackout_entry *entry = *at;
	if (!record->msg && entry) {
		*at = entry->next;
		lyceum__convening__v1__blackout__free_unpacked(entry->msg, NULL);
		free(entry);
	}
	if (!record->msg)
		return;
	if (!entry)
		entry = *at = hold_new(1, sizeof(*entry));
	lyceum__convening__v1__blackout__free_unpacked(entry->msg, NULL);
	entry->msg = record->msg;
	entry->seq = record->seq;
	record->msg = NULL;
}

static void fold_feed(struct view *view, struct record *record)
{
	struct feed_entry *entry = view_feed_of(view, record->subject.key[1]);

	if (!record->msg || !is_own(view, record))
		return;
	if (!entry) {
		entry = hold_new(1, sizeof(*entry));
		entry->next = view->feeds;
		view->feeds = entry;
	}
	lyceum__convening__v1__feed_token__free_unpacked(entry->msg, NULL);
	entry->msg = record->msg;
	entry->seq = record->seq;
	record->msg = NULL;
}

/* ---- All of them ---- */

struct fold {
	const char *type;
	const ProtobufCMessageDescriptor *descriptor;
	size_t key_count;
	void (*take)(struct view *view, struct record *record);
};

static const struct fold folds[] = {
	{"Event", &lyceum__convening__v1__event__descriptor, 2, fold_event},
	{"Invitation", &lyceum__convening__v1__invitation__descriptor, 3, fold_invitation},
	{"Answer", &lyceum__convening__v1__answer__descriptor, 4, fold_answer},
	{"SeatPage", &lyceum__convening__v1__seat_page__descriptor, 3, fold_page},
	{"Verdict", &lyceum__convening__v1__verdict__descriptor, 4, fold_verdict},
	{"Dispatch", &lyceum__convening__v1__dispatch__descriptor, 4, fold_dispatch},
	{"Holdup", &lyceum__convening__v1__holdup__descriptor, 4, fold_holdup},
	{"MailNote", &lyceum__convening__v1__mail_note__descriptor, 5, fold_mail},
	{"ReminderSent", &lyceum__convening__v1__reminder_sent__descriptor, 5, fold_reminder},
	{"Note", &lyceum__convening__v1__note__descriptor, 3, fold_note},
	{"Blackout", &lyceum__convening__v1__blackout__descriptor, 2, fold_blackout},
	{"FeedToken", &lyceum__convening__v1__feed_token__descriptor, 2, fold_feed},
};

bool view_take(struct view *view, const char *origin, const char *subject, bool removed,
	       const uint8_t *body, size_t body_len, uint64_t seq, uint64_t time_ms)
{
	struct record record = {.seq = seq, .time_ms = time_ms};
	const struct fold *fold = NULL;

	view->seq = seq > view->seq ? seq : view->seq;
	if (!subject_read(subject, &record.subject))
		return false;
	for (size_t i = 0; i < sizeof(folds) / sizeof(folds[0]); i++) {
		if (strcmp(folds[i].type, record.subject.type) == 0)
			fold = &folds[i];
	}
	if (!fold || record.subject.key_count != fold->key_count ||
	    strcmp(record.subject.key[0], origin) != 0)
		return false;
	if (!removed)
		record.msg = protobuf_c_message_unpack(fold->descriptor, NULL, body_len, body);
	if (!removed && !record.msg)
		return false;
	bool is_whole = removed || subject_agrees(&record.subject, record.msg);
	if (is_whole)
		fold->take(view, &record);
	if (record.msg)
		protobuf_c_message_free_unpacked(record.msg, NULL);
	return is_whole;
}
