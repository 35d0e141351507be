/*
 * Tasks: what appends. One at a time, so that each decides on a view that has everything the one
 * before it caused: it is prepared (looks at the view and says what to append), appended, and
 * answered when the records are in the log and in the view. Between two tasks the duties run, which
 * are tasks without a caller.
 */
#ifndef INVESTMENT_TASK_H
#define INVESTMENT_TASK_H

#include <lyceum/plugin.h>

#include "pad.h"

struct desk;
struct task;
struct held;

/* One record to append or withdraw. */
struct wish {
	struct task *task;
	ProtobufCMessage *message;
	bool is_withdrawal;
	bool has_expect;
	uint64_t expect_seq;
	/* Its record may name the person who asked: only what never leaves this node. */
	bool names_caller;
	/* LYC_OK until the log has refused it; then why. */
	enum lyc_status status;
	char *text;
};

typedef void (*task_fn)(struct task *task);

struct task {
	struct task *next;
	struct desk *desk;
	/* NULL for a duty. */
	struct lyc_call *call;
	const ProtobufCMessage *request;
	/* The typed closure; whoever answers knows its type. */
	void (*closure)(void);
	/* Says what to append, or fails the task. */
	task_fn prepare;
	/* All is in the log; a duty has none. */
	task_fn answer;
	/* The answer deals with refused wishes; otherwise the first one fails the call. */
	bool answers_for_each;
	/* Whatever prepare leaves for answer; on the pad. */
	void *notes;
	struct pad pad;

	struct wish **wishes;
	size_t wish_count;
	size_t next_wish;
	size_t due_count;
	uint64_t wait_seq;
	bool is_over;
};

/* A record of a duty that the log has refused: not tried again before its time, so that it stops
 * neither the other duties nor the callers. */
struct refused {
	uint64_t of;
	int64_t rests_until_ms;
	int64_t rest_ms;
};

#define TASKS_MAX_REFUSED 64
#define TASKS_FIRST_REST_MS 400
#define TASKS_LONGEST_REST_MS 60000

struct tasks {
	struct task *active;
	struct task *first;
	struct task *last;
	size_t waiting_count;
	/* The oldest one goes when there is no room. */
	struct refused refused[TASKS_MAX_REFUSED];
	size_t refused_count;
	/* After a duty of which nothing was taken: callers go on meanwhile. */
	int64_t duties_rest_until_ms;
	/* Set while tasks_advance runs: what it calls may not begin another. */
	bool is_advancing;
};

#define TASKS_MAX_WAITING 64

/* Queue a call. Defers it; ends it with RESOURCE_EXHAUSTED when too many wait. */
void task_submit(struct desk *desk, struct lyc_call *call, const ProtobufCMessage *request,
		 void (*closure)(void), task_fn prepare, task_fn answer);
/* In prepare: append this record. Copies the message. */
struct wish *task_append(struct task *task, const void *message);
/* The same, only if nobody has changed what was seen: held NULL, nothing was there. */
struct wish *task_append_over(struct task *task, const void *message, const struct held *held);
struct wish *task_withdraw(struct task *task, const void *message);
/* In prepare: end the call with a sentence; nothing is appended. */
void task_fail(struct task *task, enum lyc_status status, const char *field, const char *format,
	       ...) LYC_PRINTF(4, 5);
/* Go on with what can go on: after records, acks and ticks. */
void tasks_advance(struct desk *desk);
void tasks_fini(struct desk *desk);

#endif
