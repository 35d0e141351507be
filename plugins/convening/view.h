/*
 * What the log says of events: a fold over the records of this package, those of other nodes as far
 * as they are shown here. Plain memory without a daemon: the same records in the same order give
 * the same view. What has to be done about it (a page, a mail) is others' business; the view only
 * keeps the list of entries that have changed.
 */
#ifndef CONVENING_VIEW_H
#define CONVENING_VIEW_H

#include <uthash.h>

#include "messages.h"
#include "outbox.h"
#include "seats.h"
#include "secret.h"

/* An invitation to an event. */
struct invited {
	invitation_msg *msg;
	/* This node's Dispatch: what the reply link's token is known by. 0: none yet. */
	uint64_t dispatch_seq;
	uint8_t token_hash[SECRET_HASH_LEN];
	/* It was compared with what this node's secret gives, once in a life of the process. */
	bool is_link_checked;
	bool is_dispatching; /* the append is under way */
	bool is_counted;     /* among what its home had us mail in a day */
	bool is_telling;     /* why its mail waits */
	/* Why the mail waits at the node that sends it; NULL, "": it does not. */
	char *holdup;
	uint64_t holdup_seq;
	bool is_queueing; /* of a mail, too */
	/* The event's sequence in the last invitation, change or cancellation that is or was in the
	 * outbox; and whether there is one. */
	uint32_t mailed_sequence;
	bool is_mailed;
	bool is_cancel_mailed;
	/* This process has written the invitation's mail with this sequence (see stale.h). */
	bool is_written;
	uint32_t written_sequence;
	UT_hash_handle hh;
};

/* The answer of one of this node's people. */
struct answered {
	char *person;
	answer_msg *msg;
	uint64_t seq;
	bool is_under_way;
	/* What the event's home has said last, where that is another node. */
	uint64_t page;
	uint64_t decided_number;
	enum seats_state state;
	enum seats_reason reason;
	/* It has been said to wait since it answered. */
	bool has_waited;
	UT_hash_handle hh;
};

/* A page's decisions about the people of one node, who have not been told yet. */
struct debt {
	struct debt *next;
	uint64_t page;
	char *node;
	place_msg **places;
	size_t place_count;
	bool is_under_way;
};

struct noted {
	struct noted *next;
	note_msg *msg;
};

struct reminded {
	struct reminded *next;
	reminder_msg *msg;
};

struct entry {
	char *key; /* "home/id" */
	char *home;
	char *id;
	/* NULL: not known here (yet), or not for this node's eyes any more. */
	event_msg *event;
	uint64_t seq;
	uint64_t time_ms; /* of its last change */

	struct invited *invited;
	struct answered *answered;
	struct noted *notes;
	struct reminded *reminded;

	/* Of an event of this node. */
	struct seats *seats;
	uint64_t page_under_way; /* 0: none */
	struct debt *debts;

	uint64_t news; /* counts what was heard of decisions */
	bool is_changed;
	struct entry *next_changed;
	UT_hash_handle hh;
};

struct blackout_entry {
	struct blackout_entry *next;
	blackout_msg *msg;
	uint64_t seq;
};

struct feed_entry {
	struct feed_entry *next;
	feed_token_msg *msg;
	uint64_t seq;
};

/* Which invitation a reply link's token stands for. */
struct token_entry {
	uint8_t hash[SECRET_HASH_LEN];
	struct entry *entry;
	char *invitation;
	UT_hash_handle hh;
};

struct view {
	char *node;
	struct entry *entries;
	struct entry *changed;
	struct token_entry *tokens;
	struct blackout_entry *blackouts;
	struct feed_entry *feeds;
	struct outbox *outbox;
	struct sender *senders; /* foreign.c's */
	/* The last sequence that was applied. */
	uint64_t seq;
};

void view_init(struct view *view, const char *node);
void view_fini(struct view *view);

/* Apply one record or withdrawal. Only the node that a record's key names as its home may write it,
 * and its body has to name the same keys. False: this is not so, or the bytes are not what the
 * subject says; nothing has changed. */
bool view_take(struct view *view, const char *origin, const char *subject, bool removed,
	       const uint8_t *body, size_t body_len, uint64_t seq, uint64_t time_ms);
/* The next entry that has changed since it was last asked for; NULL. */
struct entry *view_next_changed(struct view *view);
/* Say so by hand: something has to be done again. */
void view_mark(struct view *view, struct entry *entry);

struct entry *view_find(const struct view *view, const char *home, const char *id);
/* By "id@home", or by an id that one event has. Several: ret_homes names them, and NULL is
 * returned. */
struct entry *view_named(const struct view *view, const char *name, char *ret_homes, size_t size);
bool view_is_own(const struct view *view, const struct entry *entry);
struct invited *view_invited(const struct entry *entry, const char *invitation);
struct answered *view_answered(const struct entry *entry, const char *person);
/* Made when there is none. */
struct answered *view_meet_answered(struct entry *entry, const char *person);
struct feed_entry *view_feed_of(const struct view *view, const char *person);
/* Of a link that stands at this time. */
struct feed_entry *view_feed(const struct view *view, const char *token, int64_t now_ms);
/* NULL: nobody has such a link. */
struct token_entry *view_token(const struct view *view, const char *token);
/* How one of this node's people stands, whoever decides. */
bool view_standing(const struct view *view, const struct entry *entry, const char *person,
		   struct seats_standing *ret_standing);

#endif
