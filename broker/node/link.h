/*
 * Links: a node and its hub copy each other's records, in origin order, as far as their labels
 * allow. Both sides of a link run the same code. The receiver says how far it has come with each
 * origin (Follow), gets Copies of what comes after, and confirms what it has synced (Heads); Heads
 * also tell how far the sender knows each origin, and how old that knowledge is.
 */
#ifndef LYC_NODE_LINK_H
#define LYC_NODE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "host/router.h"
#include "node/arrivals.h"
#include "stream/stream.h"

/* A pattern that somebody on the other sides wants transient messages of. */
struct interest {
	char *pattern;
	uint64_t id;
	size_t count;
	UT_hash_handle by_pattern;
};

/* How far a restored daemon has an epoch of its own. */
struct asked {
	char origin[64];
	uint64_t epoch;
	uint64_t seq;
};

struct link {
	struct list node;
	struct links *links;
	char peer[64];
	bool is_hub;    /* the peer is this daemon's hub */
	bool is_former; /* it was, and is nobody's business any more */

	struct session *session; /* NULL while it is down */
	uint64_t since_ms;
	char text[160];
	char endpoint[200];
	uint64_t retry_at_ms;

	/* Out: what the peer has, and how far its copy of the log has been read here. */
	bool is_followed;
	uint64_t turn; /* the how many-th that said so, with this session */
	struct origins theirs;
	uint64_t next_seq;
	bool is_reading;
	bool has_begun_anew; /* what is being read is not where to go on */
	uint64_t credit;
	uint64_t unconfirmed_len;
	uint64_t copied_count;
	uint64_t heads_due_ms;
	bool is_sent_dirty;

	/* What the peer holds of its own earlier epochs, as it said in Follow: this daemon gives
	 * back what comes after. None: it was never restored, and nothing is given back. A hub that
	 * was restored, too, asks its nodes in the name of others. */
	struct asked *asked;
	size_t asked_count;
	bool has_passed_by;  /* something that others gave it back had no room */
	uint64_t give_until; /* sequence of this log: what is given back lies before or here */
	/* The other way round, kept beside the log: up to where the peer has given back. */
	struct origin_former given[ORIGIN_MAX_FORMER];
	size_t given_count;

	/* Up to where the hub had confirmed own records, at the most. */
	uint64_t confirmed_epoch;
	uint64_t confirmed_seq;
	/* Own records that travel and that the peer has not confirmed: how many, and the last.
	 * While it catches up, at most so many. */
	uint64_t outbox_count;
	uint64_t outbox_last;

	/* The record that is going out, and its body where that was cut: the next one has their
	 * memory. */
	struct buf copy;
	struct buf cut;
	bool is_sending; /* what was read, and the next stretch is asked for before it */

	/* In: copies that are on their way to the log, and what to confirm. */
	size_t pending_count;
	/* The log did not take a copy: the link begins again, from what was committed. */
	bool has_failed;
	uint64_t failed_ms;
	/* Why, where it is not the log's refusal. */
	const char *failure;
	bool is_stored_dirty;
	struct arrivals arrivals;
	struct buf waiting_heads; /* Heads packets that came while copies were pending */

	struct interest *interests;
	uint64_t next_interest;
	bool is_refusal_told; /* in the log, once each time that the link is up */
};

struct links {
	const struct env *env;
	struct stream *stream;
	struct router *router;
	struct session_table *sessions;
	struct services *services;
	struct list all;
	uint64_t refused_copies;
	uint64_t last_turn;
};

void links_init(struct links *links);
void links_fini(struct links *links);
/* The link of that name; made when there is none. */
struct link *links_get(struct links *links, const char *peer, bool is_hub);
struct link *links_find(struct links *links, const char *peer);

/* How far the peer has said that it has this daemon's own records; NULL: it has not said. */
const struct origin *link_confirmed(const struct link *link);

/* The session has begun or ended. */
void link_up(struct link *link, struct session *session);
void link_down(struct link *link, const char *text);

void link_follow(struct link *link, const struct packet_follow *follow);
void link_copy(struct link *link, const struct packet_copy *copy);
void link_heads(struct link *link, const struct packet_heads *heads, struct span packet_bytes);
/* The peer says what it serves. */
void link_register(struct link *link, const struct packet_register *reg);

/* Once per record of the log, in order, also while it is replayed: counts what the hub has not
 * confirmed, and goes on sending. */
void links_committed(struct links *links, uint64_t seq, const struct record *record);
/* Services of this daemon have changed: tell the peers. */
void links_announce(struct links *links);
/* At the end of a turn: confirmations; now and then: heads. */
void links_turn(struct links *links);

/* ---- link_positions.c ---- */

/* Of copies that are not confirmed yet, where a Follow says nothing else. */
#define LINK_FOLLOW_CREDIT (8u * 1024 * 1024)
/* How far this daemon's copies of the peer's origins are stored; and, when everything has been
 * sent, "this is how far I know each origin that I send you of". */
void link_send_heads(struct link *link);
/* How far this daemon has come with each origin of the peer's: what one packet has no room for goes
 * before it, as Heads. */
void link_send_follow(struct link *link);

/* ---- copy_out.c ---- */

/* What of a record the peer may have, whether it knows it or not: the record to send, or false.
 * `cut` holds a cut body. */
bool link_judge(struct link *link, uint64_t seq, const struct record *record,
		struct record *ret_record, struct buf *cut);
/* Read on for the peer where it is behind and has credit. */
void link_pump(struct link *link);
/* Where the first record lies that the peer does not have. */
uint64_t link_start(struct link *link);

/* ---- give_back.c ---- */

/* After a restore the peer says how far it has each of its own epochs; append what this daemon says
 * of itself to `to`, at most ORIGIN_MAX_FORMER + 1 positions. */
size_t link_list_own(struct link *link, struct wire_position *to);
/* Take the peer's own positions out of its Follow. */
void link_asked(struct link *link, const struct packet_follow *follow);
/* A restored hub has lost what it could give to nodes that were restored, too: append how far they
 * and it have these, at most `max` positions. */
size_t link_list_asked(const struct link *link, struct wire_position *to, size_t max);
/* Others give back what is not theirs: it goes on to its home. False: nobody has asked for it. */
bool link_pass_back(struct link *link, const struct record *record, struct span bytes);
/* Was the peer restored? */
bool link_has_asked(const struct link *link);
/* Does the peer, or whom it asks for, get this record back? */
bool link_gives_back(const struct link *link, const struct record *record);
/* Where the first of them lies; UINT64_MAX: there is none. */
uint64_t link_give_start(const struct link *link);
/* Has all of it been sent, whatever else is still to be sent? */
bool link_has_given(const struct link *link);
/* "That was all of yours": for the positions that are said to be sent. */
size_t link_list_given(const struct link *link, struct wire_position *to);
/* The peer says that of this daemon's own records. */
void link_was_given(struct link *link, const struct wire_position *position);
/* A record of this daemon's own that came in. */
LYC_MUST_USE enum lyc_status link_take_back(struct link *link, const struct record *record,
					    stream_done_fn on_done, struct lyc_error *error);

/* ---- announce.c ---- */

/* Tell the peer which services can be reached here. */
void link_announce(struct link *link);

/* ---- interest.c ---- */
void links_interest(struct links *links, const struct subscription *subscription, bool is_added);
/* After link_up: everything that others want. */
void link_send_interests(struct link *link);
void link_gap(struct link *link, const struct packet_gap *gap);
/* The peer does not send what was asked for. */
void link_refused(struct link *link, const struct packet_unsubscribe *refusal);
void link_forget_interests(struct link *link);

#endif
