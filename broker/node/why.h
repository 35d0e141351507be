/*
 * lyceum.v1.Node/Why: what became of a record or a traced call, and why something was refused. An
 * inquiry reads the journal or the log of this daemon; one that a peer of this daemon began also
 * asks other daemons, each for itself and by a deadline. Who asks decides what is told: nobody
 * hears of calls and records that are not his.
 */
#ifndef LYC_NODE_WHY_H
#define LYC_NODE_WHY_H

#include "node/daemon.h"
#include "lyceum/v1/why.pb-c.h"

#define WHY_MAX_HOPS 200
#define WHY_MAX_ASKED 16

/* Who asks. */
struct asker {
	bool is_operator; /* of this daemon */
	bool is_local;    /* connected here, not behind a link */
	char principal[CALL_MAX_PRINCIPAL];
	char *groups[CALL_MAX_GROUPS];
	size_t group_count;
};

struct inquiry {
	struct list node;
	struct daemon *daemon; /* NULL: it is over, but for a read of the log */
	uint64_t call_id;
	uint64_t deadline_ms;
	struct asker asker;
	bool is_here; /* ask nobody else */
	char id[512];

	/* A trace or refusals. */
	bool is_trace;
	bool is_refusal; /* one by its number */
	struct trace trace;
	uint64_t number;
	Lyceum__V1__Hop **hops;
	size_t hop_count;

	/* A record: where to look, and what was found. */
	bool is_by_identity;
	struct span origin; /* in id */
	uint64_t epoch;
	uint64_t origin_seq;
	uint64_t seq;
	uint64_t last_seq; /* of its subject */
	bool is_withdrawn;
	bool is_reading;
	unsigned stretches_read;
	struct buf record;
	Lyceum__V1__RecordFate *fate;

	Lyceum__V1__Asked *asked[WHY_MAX_ASKED];
	size_t asked_count;
	size_t waiting_count;
};

void why_init(struct daemon *daemon);
/* After the router, which may still hold its calls. */
void why_fini(struct daemon *daemon);
/* Answers of other daemons that have come. True when there were some. */
bool why_turn(struct daemon *daemon);

/* The method: answers at once, or keeps the call. */
LYC_MUST_USE enum lyc_status why_call(struct daemon *daemon, const struct call *call,
				      struct span body, struct buf *ret_reply,
				      struct lyc_error *error);

/* ---- shared by the files of why ---- */

/* Nothing of the kind, or not for this asker: the same words for both. */
enum lyc_status why_not_found(const struct inquiry *inquiry, struct lyc_error *error);
/* Answer it and end it. */
void why_finish(struct inquiry *inquiry, const struct lyc_error *error);
/* A copy for a field of a reply; whole characters. */
char *why_text(struct span text);

/* ---- why_ask.c ---- */

/* Ask another daemon the same, for itself; its answer comes to why_answered. */
void why_ask(struct inquiry *inquiry, const char *daemon, const char *id);
/* reply NULL: error says why not. */
void why_answered(struct inquiry *inquiry, const char *daemon, Lyceum__V1__WhyReply *reply,
		  const struct lyc_error *error);
/* The inquiry ends: its questions have nobody to come to. */
void why_unask(struct inquiry *inquiry);

/* ---- why_trace.c ---- */

/* Gather what the journal has; ask who else was on the way. True when others were asked. */
bool why_trace_start(struct inquiry *inquiry);
void why_trace_take(struct inquiry *inquiry, Lyceum__V1__WhyReply *reply);
/* The text of the whole. */
void why_trace_tell(struct inquiry *inquiry, struct buf *to);

/* ---- why_record.c ---- */

/* Begin to read. NOT_FOUND where nothing can be read. */
LYC_MUST_USE enum lyc_status why_record_start(struct inquiry *inquiry, struct lyc_error *error);
/* What the hub says of the same record. */
void why_record_take(struct inquiry *inquiry, Lyceum__V1__WhyReply *reply);

#endif
