/*
 * One call on its way through a plugin, shared by served_call.c (from the packet to the method's
 * function, and what time and the caller do to it) and call_reply.c (what the plugin does with it).
 */
#ifndef LYC_CLIENT_SERVED_CALL_H
#define LYC_CLIENT_SERVED_CALL_H

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) (void)(element)
#include <uthash.h>

#include "client/context.h"
#include "wire/trace.h"

struct lyc_call {
	struct lyc_plugin_context *context;
	const struct plugin_method *method;
	struct call_block *block; /* in which it lies */
	uint64_t id;
	uint64_t deadline_ms;
	uint32_t max_reply;
	ProtobufCMessage *request;

	/* They lie behind this struct: the array first. */
	const char **groups;
	const char *principal;
	const char *trace_text;
	size_t group_count;

	/* Only if is_traced. */
	struct trace trace;
	bool is_traced;

	/* While it waits for the view: to begin, with its body, or to go on with seen_fn. */
	uint64_t after_seq;
	struct buf held;
	lyc_call_fn seen_fn;
	unsigned tries; /* of its append */
	void *seen_arg;

	bool is_running;
	bool is_deferred;
	bool is_waiting;
	bool is_cancelled;
	bool is_by_operator;
	bool has_id; /* it is in served.by_id */
	/* The plugin has ended it. */
	bool has_ended;
	/* The last reply has gone, or nobody waits for one. */
	bool is_answered;

	/* The session in which it came: ids may come again in the next. */
	uint32_t session;

	/* What the caller takes of its stream now, and who waits for that to become more. */
	int64_t stream_credit;
	lyc_call_fn on_writable;
	void *writable_arg;
	struct list of_writable;

	bool has_position;
	uint64_t position_seq;

	struct list of_deadline;
	struct list of_view;
	struct lyc_call *self;
	UT_hash_handle by_pointer;
	UT_hash_handle by_id;
};

/* The context whose plugin runs on this thread; NULL. */
struct lyc_plugin_context *served_here(void);
/* The call behind a pointer that the plugin has; NULL when it has kept it too long. */
struct lyc_call *served_live(const struct lyc_call *call);
/* From here on it outlives its function; false when there is no memory for that. */
bool served_keep(struct lyc_call *call);
/* Forget and free it. */
void served_release(struct lyc_call *call);
/* Its owner, who waits to send, is told with the next turn. */
void served_wake_writer(struct lyc_call *call);
/* The last reply, unless it has gone already or nobody waits for it. */
void served_answer(struct lyc_call *call, enum lyc_status status, const char *text,
		   const char *field, struct span body);
/* The plugin is done with it. */
void served_end(struct lyc_call *call);
/* Run its method once more; it has been kept. */
void served_run_again(struct lyc_call *call);
/* It waits for the view no longer: let it go on. */
void served_go_on(struct lyc_call *call);
/* Answer with a failure, and end it. */
void served_refuse(struct lyc_call *call, enum lyc_status status, const char *field,
		   const char *format, ...) LYC_PRINTF(4, 5);
/* The closure that methods get. */
void served_reply_once(const ProtobufCMessage *message, void *closure_data);

#endif
