/*
 * A call that goes on when the view has come far enough, and one that appends a record on its way:
 * what a method waits for before what it says is true.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "client/served_call.h"

/* Then somebody else is quicker for ever, or the method expects what never is. */
#define MAX_TRIES 16

void lyc_call_when_seen(struct lyc_call *handle, uint64_t seq, lyc_call_fn fn, void *arg)
{
	lyc_call_defer(handle);
	struct lyc_call *call = served_live(handle);
	/* Ended, or there was no memory to keep it. */
	if (!call || call->has_ended || call->seen_fn) {
		fn(handle, arg);
		return;
	}
	struct view *view = &call->context->view;
	if (!view->is_followed || view->seq >= seq || lyc_call_time_left_ms(call) == 0) {
		fn(call, arg);
		return;
	}
	call->after_seq = seq;
	call->seen_fn = fn;
	call->seen_arg = arg;
	list_add_last(&view->waiting, &call->of_view);
}

/* An append under way. */
struct call_append {
	struct lyc_call *call;
	/* Its, for a pointer may come again. */
	uint64_t id;
	const ProtobufCMessageDescriptor *type;
	bool expects;
	lyc_appended_fn on_done;
};

static void seen(struct lyc_call *call, void *arg)
{
	struct call_append *append = arg;
	if (served_live(call))
		append->on_done(call);
	free(append);
}

static void try_anew(struct lyc_call *call, void *arg)
{
	(void)arg;
	if (lyc_call_time_left_ms(call) > 0)
		served_run_again(call);
	else
		lyc_call_fail(call, LYC_ABORTED, "others were quicker: try again");
}

static void appended(const struct lyc_ack *ack, void *arg)
{
	struct call_append *append = arg;
	struct lyc_call *call = served_live(append->call);
	/* The plugin has stopped, or has ended the call meanwhile. */
	if (!call || call->id != append->id) {
		free(append);
		return;
	}
	if (ack->status == LYC_OK) {
		lyc_call_set_position(call, ack->seq);
		lyc_call_when_seen(call, ack->seq, seen, append);
		return;
	}
	if (ack->status == LYC_FAILED_PRECONDITION && append->expects && ++call->tries < MAX_TRIES)
		lyc_call_when_seen(call, ack->seq, try_anew, NULL);
	else
		lyc_call_fail_append(call, append->type, ack);
	free(append);
}

void lyc_call_append(struct lyc_call *handle, const ProtobufCMessage *message,
		     const struct lyc_publish_options *options, lyc_appended_fn on_done)
{
	struct lyc_publish_options with = options ? *options : (struct lyc_publish_options){0};
	lyc_call_defer(handle);
	struct lyc_call *call = served_live(handle);
	if (!call || call->has_ended)
		return;
	if (!with.principal)
		with.principal = lyc_call_principal(call);
	struct call_append *append = mem_try(sizeof(*append));
	enum lyc_status status = LYC_RESOURCE_EXHAUSTED;
	if (append) {
		*append = (struct call_append){.call = call,
					       .id = call->id,
					       .type = message->descriptor,
					       .expects = with.expect,
					       .on_done = on_done};
		status = lyc_append(call->context, message, &with, appended, append);
	}
	if (status == LYC_OK)
		return;
	free(append);
	const struct lyc_ack ack = {.status = status,
				    .text = status == LYC_OUT_OF_RANGE
						    ? "it is larger than a message may be"
						    : "the log takes no more at the moment"};
	lyc_call_fail_append(call, message->descriptor, &ack);
}
