/*
 * What was asked and is not answered yet, by id: a table of a power of two in which an id's place
 * is its low bits, so that adding, finding and removing is one look. It grows while it is more than
 * half full. No allocation once it has grown to what the client has outstanding.
 */
#ifndef LYC_CLIENT_PENDING_H
#define LYC_CLIENT_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/client.h>

#define PENDING_MAX (1u << 20)

struct pending {
	/* 0: the place is free. */
	uint64_t id;
	union {
		lyc_reply_fn on_reply;
		lyc_ack_fn on_ack;
	};
	void *arg;
	/* Of the monotonic clock; UINT64_MAX: none. */
	uint64_t deadline_ms;
	/* Bytes of the packet: what credit counts. */
	uint32_t len;
	/* Of a stream's credit: what it began with, and what the caller has handled and not
	 * returned yet. */
	uint32_t credit;
	uint32_t owed;
	bool is_cancelled;
	bool is_manual; /* the caller says what it has handled */
	/* It belongs to a chain: see chain.h. */
	bool is_traced;
};

struct pending_table {
	struct pending *places;
	size_t cap;
	size_t count;
	uint64_t last_id;
	/* No deadline is earlier than this. */
	uint64_t next_deadline_ms;
	/* Bytes of all. */
	size_t len;
};

/* A zeroed table is empty and ready. */
/* All that is in the table, which is empty then and goes on with its ids. */
struct pending_table pending_take_all(struct pending_table *table);
void pending_fini(struct pending_table *table);
/* One with a new id and no deadline; NULL when there is no memory or PENDING_MAX is reached. Valid
 * until the next add. */
struct pending *pending_add(struct pending_table *table);
/* NULL when there is none. */
struct pending *pending_find(struct pending_table *table, uint64_t id);
void pending_set_len(struct pending_table *table, struct pending *pending, size_t len);
void pending_set_deadline(struct pending_table *table, struct pending *pending,
			  uint64_t deadline_ms);
void pending_remove(struct pending_table *table, struct pending *pending);
/* Take out one whose deadline has passed; 0 when there is none (any more). *at starts at 0. The
 * table may change between two calls. */
bool pending_take_expired(struct pending_table *table, uint64_t now_ms, size_t *at,
			  struct pending *ret_pending);

#endif
