/*
 * Several nodes without a daemon: each has a desk and a log of its own, and what a log holds goes
 * to the others as its label says, in the order of its origin, when the test says so, and twice if
 * the test likes. What has travelled is kept, byte for byte.
 */
#ifndef INVESTMENT_TEST_DESKS_H
#define INVESTMENT_TEST_DESKS_H

#include "desk.h"

#define DESKS_MAX 8

struct logged {
	char *subject;
	uint8_t *body;
	size_t len;
	bool removed;
	/* Which desks may have it. */
	bool goes_to[DESKS_MAX];
};

struct node {
	struct desk desk;
	/* Its keys: they outlive a restart, and are in no log. */
	struct secret secret;
	struct logged *log;
	size_t log_count;
	/* How much of every other log has come here; and this view's own sequence. */
	size_t held[DESKS_MAX];
	uint64_t seq;
};

struct desks {
	struct node nodes[DESKS_MAX];
	size_t count;
	/* Every delivery comes twice. */
	bool doubles;
	/* Everything that has gone from one node to another. */
	uint8_t *wire;
	size_t wire_len;
};

/* Nodes of these names, with their keys made and known to all. */
void desks_init(struct desks *desks, const char *const *names, size_t count);
void desks_fini(struct desks *desks);
/* Append at home; false when the expectation does not hold. */
bool desks_append(struct desks *desks, size_t node, const ProtobufCMessage *message,
		  bool is_withdrawal, bool has_expect, uint64_t expect_seq);
/* Run the duties of a node until there are none; how many records they made. */
size_t desks_run(struct desks *desks, size_t node);
/* Hand the next record of `from` that is for `to` over; false when there is none. */
bool desks_pass(struct desks *desks, size_t from, size_t to);
/* Pass everything and run all duties until nothing is left. */
void desks_settle(struct desks *desks);
/* Begin anew at this node with an empty view, from the logs, as after a restart. */
void desks_restart(struct desks *desks, size_t node);
/* Did these bytes travel? */
bool desks_travelled(const struct desks *desks, const char *text);
/* Records of this kind that a log holds, withdrawals not counted. */
size_t desks_logged(const struct desks *desks, size_t node, const char *type);

/* ---- What people do ---- */

void desks_add_venture(struct desks *desks, size_t node, const char *name);
void desks_add_investor(struct desks *desks, size_t node, const char *name);
void desks_remove(struct desks *desks, size_t node, const char *id);
/* Returns how many introductions were proposed. */
size_t desks_propose(struct desks *desks, size_t node, uint32_t seconds);
void desks_declare(struct desks *desks, size_t node, side_value side, const char *ours,
		   const char *other);
/* As opt-in and opt-out record it; false when it is refused. */
bool desks_answer(struct desks *desks, size_t node, const proposal_msg *proposal, side_value side,
		  answer_state state);
/* The first proposal that a node holds; NULL. */
const proposal_msg *desks_proposal(const struct desks *desks, size_t node);

#endif
