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
#include "stream/stream.h"

/* A pattern that somebody on the other sides wants transient messages of. */
struct interest {
	char *pattern;
	uint64_t id;
	size_t count;
	UT_hash_handle by_pattern;
};

struct link {
	struct list node;
	struct links *links;
	char peer[64];
	bool is_hub; /* the peer is this daemon's hub */

	struct session *session; /* NULL while it is down */
	uint64_t since_ms;
	char text[160];
	char endpoint[200];
	uint64_t retry_at_ms;

	/* Out: what the peer has, and how far its copy of the log has been read here. */
	bool is_followed;
	struct origins theirs;
	uint64_t next_seq;
	bool is_reading;
	uint64_t credit;
	uint64_t unconfirmed_len;
	uint64_t copied_count;
	uint64_t heads_due_ms;
	bool is_sent_dirty;

	/* Own records that travel and that the peer has not confirmed: how many, and the last.
	 * While it catches up, at most so many. */
	uint64_t outbox_count;
	uint64_t outbox_last;

	/* In: copies that are on their way to the log, and what to confirm. */
	size_t pending_count;
	/* The log did not take a copy: the link begins again, from what was committed. */
	bool has_failed;
	uint64_t failed_ms;
	/* Why, where it is not the log's refusal. */
	const char *failure;
	bool is_stored_dirty;
	uint64_t stored_len;
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
};

void links_init(struct links *links);
void links_fini(struct links *links);
/* The link of that name; made when there is none. */
struct link *links_get(struct links *links, const char *peer, bool is_hub);
struct link *links_find(struct links *links, const char *peer);

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

/* ---- copy_out.c ---- */

/* Read on for the peer where it is behind and has credit. */
void link_pump(struct link *link);
/* Where the first record lies that the peer does not have. */
uint64_t link_start(struct link *link);

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
