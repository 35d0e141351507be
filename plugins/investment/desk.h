/*
 * What the plugin works at: its view, its keys, and the queue of tasks that append. All of it hangs
 * from what `start` returned.
 */
#ifndef INVESTMENT_DESK_H
#define INVESTMENT_DESK_H

#include <lyceum/plugin.h>

#include "secret.h"
#include "task.h"
#include "view.h"

struct desk {
	struct lyc_plugin_context *context;
	/* This node's name. */
	const char *node;
	struct view view;
	/* From secret_file.h. */
	struct secret secret;
	/* Nodes to which interests are passed on. */
	char *const *neighbours;
	size_t neighbour_count;

	/* What other homes have sealed for this one: conflict.c's. */
	struct told_conflict *told;
	size_t told_count;
	size_t told_capacity;

	struct tasks tasks;
	/* The view's changes when its duties were last found done. */
	uint64_t duties_done_at;
};

/* May records be appended now: has the log been read to its end? */
bool desk_may_append(const struct desk *desk);
/* Apply one record to the view and to what hangs from it. False: it is none of ours, or came
 * before.
 */
bool desk_take(struct desk *desk, const struct lyc_delivery *record);
/* The token of a party of this node. */
void desk_token(const struct desk *desk, side_value side, const char *id,
		char ret_token[SECRET_TOKEN_SIZE]);

/* A venture or an investor of this node. */
struct party {
	side_value side;
	const char *id;
	const char *name;
	const char *company_number;
	char token[SECRET_TOKEN_SIZE];
	/* One of the two. */
	const venture_msg *venture;
	const investor_msg *investor;
	uint64_t seq;
};

/* By id or token; side SIDE_NONE: any, ventures first. */
bool desk_party(const struct desk *desk, side_value side, const char *id_or_token,
		struct party *ret_party);
/* By token alone: for what other nodes have written, who are not told which ids there are. */
bool desk_party_by_token(const struct desk *desk, side_value side, const char *token,
			 struct party *ret_party);
/* Has this node ever published that token as one of its own? */
bool desk_has_published(const struct desk *desk, side_value side, const char *token);
/* May it be introduced at this moment: is it open, and an investor certified? The reason is a
 * sentence for its own people. */
bool desk_is_open(const struct party *party, int64_t now_ms, const char **ret_reason);
/* Does the caller belong to this node's people? */
bool desk_is_ours(const struct desk *desk, const struct lyc_call *call);
/* The same, ending the call with PERMISSION_DENIED otherwise. */
bool desk_admit(const struct desk *desk, struct lyc_call *call);

/* Labels, made on a pad. */
label_msg *desk_label_private(const struct desk *desk, struct pad *pad);
label_msg *desk_label_members(const struct desk *desk, struct pad *pad);
/* For these nodes, this one and doubles left out; PRIVATE when nobody is left. */
label_msg *desk_label_for(const struct desk *desk, struct pad *pad, const char *const *nodes,
			  size_t count);

#endif
