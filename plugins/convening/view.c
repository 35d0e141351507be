/* The tables, and who is found in them how. What a record does to them is in fold.c. */
#include "view.h"

#include "fold.h"
#include "foreign.h"
#include "hold.h"

void view_init(struct view *view, const char *node)
{
	*view = (struct view){.node = hold_text(node), .outbox = hold_check(outbox_new())};
}

void fold_free_debt(struct debt *debt)
{
	for (size_t i = 0; i < debt->place_count; i++)
		lyceum__convening__v1__place__free_unpacked(debt->places[i], NULL);
	free(debt->places);
	free(debt->node);
	free(debt);
}

struct debt *fold_debt(const struct entry *entry, const char *node, uint64_t page)
{
	for (struct debt *debt = entry->debts; debt; debt = debt->next) {
		if (debt->page == page && strcmp(debt->node, node) == 0)
			return debt;
	}
	return NULL;
}

static void entry_free(struct entry *entry)
{
	struct invited *invited, *next_invited;
	struct answered *answered, *next_answered;

	HASH_ITER (hh, entry->invited, invited, next_invited) {
		HASH_DEL(entry->invited, invited);
		free(invited->holdup);
		lyceum__convening__v1__invitation__free_unpacked(invited->msg, NULL);
		free(invited);
	}
	HASH_ITER (hh, entry->answered, answered, next_answered) {
		HASH_DEL(entry->answered, answered);
		lyceum__convening__v1__answer__free_unpacked(answered->msg, NULL);
		free(answered->person);
		free(answered);
	}
	while (entry->notes) {
		struct noted *next = entry->notes->next;
		lyceum__convening__v1__note__free_unpacked(entry->notes->msg, NULL);
		free(entry->notes);
		entry->notes = next;
	}
	while (entry->reminded) {
		struct reminded *next = entry->reminded->next;
		lyceum__convening__v1__reminder_sent__free_unpacked(entry->reminded->msg, NULL);
		free(entry->reminded);
		entry->reminded = next;
	}
	while (entry->debts) {
		struct debt *next = entry->debts->next;
		fold_free_debt(entry->debts);
		entry->debts = next;
	}
	seats_free(entry->seats);
	lyceum__convening__v1__event__free_unpacked(entry->event, NULL);
	free(entry->key);
	free(entry->home);
	free(entry->id);
	free(entry);
}

void view_fini(struct view *view)
{
	struct entry *entry, *next;
	struct token_entry *token, *next_token;

	HASH_ITER (hh, view->tokens, token, next_token) {
		HASH_DEL(view->tokens, token);
		free(token->invitation);
		free(token);
	}
	HASH_ITER (hh, view->entries, entry, next) {
		HASH_DEL(view->entries, entry);
		entry_free(entry);
	}
	while (view->blackouts) {
		struct blackout_entry *after = view->blackouts->next;
		lyceum__convening__v1__blackout__free_unpacked(view->blackouts->msg, NULL);
		free(view->blackouts);
		view->blackouts = after;
	}
	while (view->feeds) {
		struct feed_entry *after = view->feeds->next;
		lyceum__convening__v1__feed_token__free_unpacked(view->feeds->msg, NULL);
		free(view->feeds);
		view->feeds = after;
	}
	foreign_free(view);
	outbox_free(view->outbox);
	free(view->node);
	*view = (struct view){0};
}

void view_mark(struct view *view, struct entry *entry)
{
	if (entry->is_changed)
		return;
	entry->is_changed = true;
	entry->next_changed = view->changed;
	view->changed = entry;
}

struct entry *view_next_changed(struct view *view)
{
	struct entry *entry = view->changed;

	if (!entry)
		return NULL;
	view->changed = entry->next_changed;
	entry->is_changed = false;
	return entry;
}

struct entry *view_find(const struct view *view, const char *home, const char *id)
{
	struct entry *entry = NULL;
	char key[240];

	snprintf(key, sizeof(key), "%s/%s", home, id);
	HASH_FIND_STR(view->entries, key, entry);
	return entry;
}

struct entry *view_named(const struct view *view, const char *name, char *ret_homes, size_t size)
{
	const char *at = strrchr(name, '@');
	struct entry *found = NULL;
	char id[200];
	size_t len = 0, count = 0;

	ret_homes[0] = '\0';
	if (at) {
		snprintf(id, sizeof(id), "%.*s", (int)(at - name), name);
		found = view_find(view, at + 1, id);
		return found && found->event ? found : NULL;
	}
	for (struct entry *entry = view->entries; entry; entry = entry->hh.next) {
		if (!entry->event || strcmp(entry->id, name) != 0)
			continue;
		found = entry;
		int more = snprintf(ret_homes + len, size - len, "%s%s@%s", count++ ? ", " : "",
				    name, entry->home);
		if (more > 0 && len + (size_t)more < size)
			len += (size_t)more;
	}
	return count == 1 ? found : NULL;
}

bool view_is_own(const struct view *view, const struct entry *entry)
{
	return strcmp(entry->home, view->node) == 0;
}

struct invited *view_invited(const struct entry *entry, const char *invitation)
{
	struct invited *invited = NULL;

	HASH_FIND_STR(entry->invited, invitation, invited);
	return invited;
}

struct answered *view_answered(const struct entry *entry, const char *person)
{
	struct answered *answered = NULL;

	HASH_FIND_STR(entry->answered, person, answered);
	return answered;
}

struct answered *view_meet_answered(struct entry *entry, const char *person)
{
	struct answered *answered = view_answered(entry, person);

	if (answered)
		return answered;
	answered = hold_new(1, sizeof(*answered));
	answered->person = hold_text(person);
	HASH_ADD_KEYPTR(hh, entry->answered, answered->person, strlen(answered->person), answered);
	return answered;
}

struct feed_entry *view_feed_of(const struct view *view, const char *person)
{
	for (struct feed_entry *feed = view->feeds; feed; feed = feed->next) {
		if (strcmp(feed->msg->person, person) == 0)
			return feed;
	}
	return NULL;
}

struct feed_entry *view_feed(const struct view *view, const char *token, int64_t now_ms)
{
	uint8_t hash[SECRET_HASH_LEN];

	secret_hash(token, hash);
	for (struct feed_entry *feed = view->feeds; feed; feed = feed->next) {
		if (feed->msg->token_hash.len == sizeof(hash) && now_ms < feed->msg->until_ms &&
		    memcmp(feed->msg->token_hash.data, hash, sizeof(hash)) == 0)
			return feed;
	}
	return NULL;
}

struct token_entry *view_token(const struct view *view, const char *token)
{
	struct token_entry *entry = NULL;
	uint8_t hash[SECRET_HASH_LEN];

	secret_hash(token, hash);
	HASH_FIND(hh, view->tokens, hash, sizeof(hash), entry);
	return entry;
}

bool view_standing(const struct view *view, const struct entry *entry, const char *person,
		   struct seats_standing *ret_standing)
{
	const struct answered *answered = view_answered(entry, person);

	if (entry->seats)
		return seats_find(entry->seats, view->node, person, ret_standing);
	if (!answered || !answered->msg)
		return false;
	*ret_standing = (struct seats_standing){
		.node = view->node,
		.person = answered->person,
		.group = answered->msg->group,
		.choice = (enum seats_choice)answered->msg->choice,
		.number = answered->msg->number,
		.decided_number = answered->decided_number,
		.state = answered->state,
		.reason = answered->reason,
	};
	return true;
}
