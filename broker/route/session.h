/*
 * Sessions: the peers that have said Hello, each with its outgoing frame under construction.
 * Packets for one peer coalesce there and are flushed at the end of the loop's turn.
 */
#ifndef LYC_ROUTE_SESSION_H
#define LYC_ROUTE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "base/buf.h"
#include "base/list.h"
#include "route/env.h"
#include "wire/packet.h"

#define SESSION_ADDRESS_LEN 40
/* A frame of deliveries grows to this. */
#define SESSION_DELIVER_LEN (2 * WIRE_FRAME_LEN)
/* Bytes that may wait for one peer, where nothing else is configured. */
#define SESSION_MAX_BACKLOG (32u * 1024 * 1024)
/* And for all together. */
#define SESSION_MAX_WAITING (256u * 1024 * 1024)

/* One caller at one callee: see host/turns.h. The caller's session owns it. */
struct turn {
	struct list of_caller;
	struct list of_waiting; /* where calls are held */
	struct session *caller;
	uint64_t callee;  /* its serial number */
	uint64_t out_len; /* bytes of calls that it has been given, and how many */
	unsigned out_count;
	uint64_t done_len; /* of them, those that have ended since the last tick */
	uint64_t window;   /* 0: as everybody has at first */
	struct list held;  /* calls that wait, in order */
	uint64_t held_len; /* bytes of them */
};

enum session_kind {
	SESSION_CLIENT = 0,
	SESSION_PLUGIN,
	SESSION_NODE, /* a node that has this daemon as its hub */
	SESSION_HUB,  /* this daemon's hub */
};

struct grants; /* policy's entry for the identity */

struct session {
	/* What each packet to it needs, together: a message may go to thousands. First of all the
	 * frame being built. */
	struct buf out;
	size_t out_usual; /* what the last frame came to: room for the next one */
	bool is_dirty;    /* in the table's list `dirty` or `held` */
	bool is_held;
	bool is_urgent; /* there is more in `out` than messages that may be held */
	enum session_kind kind;

	/* Who. */
	uint64_t serial; /* never used again in this process */
	char identity[64];
	char software[64];
	const struct grants *grants;
	uint64_t since_ms;

	/* Where: the port and the routing id. */
	uint8_t address[SESSION_ADDRESS_LEN];
	uint32_t address_len;
	UT_hash_handle by_address;
	UT_hash_handle by_serial;
	struct list all;

	/* Out: frames that wait for the socket. */
	struct list dirty;
	struct list waiting;
	size_t waiting_len;
	uint64_t last_sent_ms;

	bool is_inner; /* of the daemon itself: what it is sent stays in `out` */

	/* In. */
	uint64_t last_heard_ms;
	int fd;        /* of the frame being handled; -1 outside */
	bool is_gone;  /* its connection has ended: found out by sending */
	bool is_stuck; /* more waits for it than may: it gets nothing any more, the next tick ends
			  it */
	bool is_flooding;
	uint64_t flood_since_ms;

	/* Calls: bytes outstanding that it made, and that it has been given. */
	uint64_t calls_made_len;
	uint64_t calls_given_len;
	uint64_t call_credit; /* bytes of calls that it takes */
	struct list calls_made;
	struct list calls_given;
	size_t calls_made_count;

	struct list turns; /* as a caller, one for each callee that it has called */
	/* Who gave it the last call, and until when it counts as shared by several. */
	uint64_t last_caller;
	uint64_t shared_until_ms;

	/* What Welcome granted it, in bytes: limits may be others by now. */
	uint64_t calls_granted;
	uint64_t publishes_granted;

	/* Durable publishes not yet acknowledged. */
	uint64_t publishes_len;

	/* Other publishes of which the credit has not been given back; what of it is owed, and what
	 * that cost: see node/pace.h. */
	uint64_t transient_len;
	uint64_t owed_len;
	uint64_t owed_cost;
	struct list owed;

	struct list subscriptions;
	struct subscription *subscriptions_by_id;
	size_t subscription_count;

	/* What it serves, and, of a plugin, the patterns of what it publishes. */
	struct list offers;
	char **publishes;
	size_t publish_count;
	bool speaks_for_people; /* a plugin that registered so */
	uint64_t schema;        /* with which it registered; 0: with none */

	/* The transient message that was last sent to this link. */
	uint64_t last_fanout;

	/* The plugin instance or the link behind it. */
	void *owner;
};

struct session_table {
	const struct env *env;
	struct session *by_address;
	struct session *by_serial;
	struct list all;
	struct list dirty;
	/* Messages of session_send_deliver, for one who had a frame in this millisecond, wait for
	 * the next one, or until they are a frame's worth: whoever gets many gets them in few
	 * frames. False: everything goes at the end of the turn. True: the owner sees to a turn in
	 * the next millisecond while anything is held. */
	bool may_hold;
	uint64_t held_ms; /* when these were */
	struct list held;
	size_t count;
	size_t max_backlog; /* bytes that may wait for one peer; twice that for a link */
	size_t waiting_len; /* what waits for all of them, as memory */
	size_t max_waiting; /* beyond it the one for whom most waits is ended */
	uint64_t next_serial;
};

void session_table_init(struct session_table *table, const struct env *env);
/* Frees the sessions that are left. */
void session_table_fini(struct session_table *table);

/* The session of a routing id on a port; NULL when there is none. */
struct session *session_find(struct session_table *table, uint32_t port, struct span routing_id);
/* NULL when it has ended. */
struct session *session_by_serial(struct session_table *table, uint64_t serial);
/* A new one; NULL when the routing id is too long or there is no memory. */
struct session *session_add(struct session_table *table, uint32_t port, struct span routing_id,
			    const char *identity);
/* Flush what can be flushed and free. The caller has ended its calls and subscriptions. */
void session_free(struct session_table *table, struct session *session);

/* What it has registered to publish, in the place of what it had before. Copies. */
void session_set_publishes(struct session *session, const struct span *patterns, size_t count);

uint32_t session_port(const struct session *session);
struct span session_routing_id(const struct session *session);
bool session_is_link(const struct session *session);

/* Append a packet to the session's frame; flushed when it is full, else at the end of the turn.
 * Returns the bytes that it took, 0 where there was no memory for it. */
size_t session_send(struct session_table *table, struct session *session,
		    const struct packet *packet);
/* The same for a Deliver of which the common part is written (wire/packet.h). */
size_t session_send_deliver(struct session_table *table, struct session *session, uint64_t id,
			    struct span common);
/* The same, and it does not wait: a view follows. */
size_t session_send_record(struct session_table *table, struct session *session, uint64_t id,
			   struct span common);
/* The same for a Copy of one record. */
void session_send_copy(struct session_table *table, struct session *session, struct span record);
/* One packet to a routing id without a session. */
void session_send_stray(struct session_table *table, uint32_t port, struct span routing_id,
			const struct packet *packet);
/* Hand every frame under construction to its socket, but for what is held. Returns how many
 * sessions wait for their sockets. */
size_t session_flush_all(struct session_table *table);
/* Is anything held until the next millisecond? */
bool session_table_holds(const struct session_table *table);
/* Bytes that the socket has not taken. */
size_t session_backlog(const struct session *session);

#endif
