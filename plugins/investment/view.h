/*
 * The view: the last record of each subject, by kind. A pure fold: a record that comes twice, or
 * an older one after a newer one, changes nothing. What the records mean is left to others.
 */
#ifndef INVESTMENT_VIEW_H
#define INVESTMENT_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include <lyceum/client.h>

#include "records.h"

enum kind {
	KIND_VENTURE,
	KIND_INVESTOR,
	KIND_VENTURE_PROFILE,
	KIND_INVESTOR_PROFILE,
	KIND_NODE_KEY,
	KIND_BATCH,
	KIND_PROPOSAL,
	KIND_ANSWER,
	KIND_REVEAL,
	KIND_CONFLICT,
	KIND_CONFLICT_NOTICE,
	KIND_INTEREST,
	KIND_INTEREST_FIT,
	KIND_ROUND,
	KIND_COMMITMENT,
	KIND_COUNT,
};

struct held {
	char *subject;
	enum kind kind;
	/* NULL: there was one, and it was withdrawn. */
	ProtobufCMessage *message;
	/* Of the last record or withdrawal, in this daemon's log. */
	uint64_t seq;
	uint64_t time_ms;
	/* Of a party of this node: its token, noted by desk.c. */
	char token[16];
	struct held *next;
	struct held *prev;
};

struct view {
	struct shelf *shelves;
	/* The last sequence that was applied. */
	uint64_t seq;
	/* Grows with each record that changed something. */
	uint64_t changes;
	/* What was changed last. */
	const struct held *last;
	/* Records that are of none of the kinds, do not unpack, or are not believed: foreign.h. */
	uint64_t strange;
};

void view_init(struct view *view);
void view_fini(struct view *view);
/* Apply one record or withdrawal. False: it is none of ours, or came before. */
bool view_take(struct view *view, const struct lyc_delivery *record);
/* The record with these key tokens; NULL when there is none or it was withdrawn. The second and
 * third token may be NULL where the kind has none. */
const void *view_find(const struct view *view, enum kind kind, const char *home, const char *second,
		      const char *third);
/* The same with what is known of it, withdrawn ones too; NULL when it has never been. */
const struct held *view_held(const struct view *view, enum kind kind, const char *home,
			     const char *second, const char *third);
/* What view_take has changed last. Valid until its next call. */
const struct held *view_last(const struct view *view);
/* Note the token of a record; nothing when there is none. */
void view_note_token(struct view *view, enum kind kind, const char *home, const char *id,
		     const char token[16]);
/* All that are there, in the order of their last records: what the log retains says nothing of when
 * a subject first came. NULL begins and ends. */
const struct held *view_next(const struct view *view, enum kind kind, const struct held *after);
const ProtobufCMessageDescriptor *view_type(enum kind kind);

#define VIEW_EACH(name, view, kind)                                                                \
	for (const struct held *name = view_next((view), (kind), NULL); name;                      \
	     name = view_next((view), (kind), name))

#endif
