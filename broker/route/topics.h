/*
 * Subscriptions by pattern: a trie of tokens. `*` is one token, a final `>` the rest.
 */
#ifndef LYC_ROUTE_TOPICS_H
#define LYC_ROUTE_TOPICS_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "route/session.h"

/* stream's parts of a subscription to records: its own place, or a share of a group's */
struct follower;
struct group_member;

struct subscription {
	/* What each message looks at, together: there may be thousands for it to pass. */
	struct list of_place;
	struct session *session;
	uint64_t id;
	/* Bytes that may still be sent. */
	int64_t credit;
	char *group; /* NULL: none */
	bool records_only;

	char *pattern;
	/* Transient messages dropped since the last Gap. */
	uint64_t missed;
	/* NULL: from now on, kept nowhere. */
	struct follower *follower;
	struct group_member *member;
	struct list of_session;
	UT_hash_handle by_id;
};

struct place; /* a node of the trie */

struct topics {
	struct place *root;
	size_t count;
};

void topics_init(struct topics *topics);
/* All subscriptions have been removed. */
void topics_fini(struct topics *topics);
/* Add one to the session and the trie; the pattern is valid. NULL when there is no memory. */
struct subscription *subscription_add(struct topics *topics, struct session *session, uint64_t id,
				      struct span pattern);
/* Remove and free; the follower has been freed by its owner. */
void subscription_remove(struct topics *topics, struct subscription *subscription);
struct subscription *subscription_find(struct session *session, uint64_t id);

typedef void (*subscription_fn)(struct subscription *subscription, void *arg);
/* Runs fn once for each subscription whose pattern matches. fn may not add or remove any. */
void topics_match(struct topics *topics, struct span subject, subscription_fn fn, void *arg);

#endif
