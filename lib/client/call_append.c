/*
 * A call that goes on when the view has come far enough, and one that appends a record on its way:
 * what a method waits for before what it says is true.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/served_call.h"

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

/* An append under way, and how it ended. Its texts stand behind it. */
struct call_append {
	struct lyc_call *call;
	/* Its, for a pointer may come again. */
	uint64_t id;
	lyc_appended_fn on_done;
	struct lyc_ack ack;
};

static void seen(struct lyc_call *call, void *arg)
{
	struct call_append *append = arg;
	if (served_live(call))
		append->on_done(call, &append->ack);
	free(append);
}

/* The same with room for the ack's texts, which are valid only now; NULL without memory. */
static struct call_append *keep_ack(struct call_append *append, const struct lyc_ack *ack)
{
	size_t text_len = strlen(ack->text ? ack->text : "") + 1;
	size_t field_len = strlen(ack->field ? ack->field : "") + 1;
	struct call_append *kept = realloc(append, sizeof(*append) + text_len + field_len);
	if (!kept)
		return NULL;
	char *text = (char *)(kept + 1);
	memcpy(text, ack->text ? ack->text : "", text_len);
	memcpy(text + text_len, ack->field ? ack->field : "", field_len);
	kept->ack = *ack;
	kept->ack.text = text;
	kept->ack.field = text + text_len;
	return kept;
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
	bool has_moved = ack->status == LYC_OK || ack->status == LYC_FAILED_PRECONDITION;
	struct call_append *kept = has_moved ? keep_ack(append, ack) : NULL;
	if (!kept) {
		append->on_done(call, ack);
		free(append);
		return;
	}
	if (ack->status == LYC_OK)
		lyc_call_set_position(call, ack->seq);
	lyc_call_when_seen(call, ack->seq, seen, kept);
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
		append->call = call;
		append->id = call->id;
		append->on_done = on_done;
		status = lyc_append(call->context, message, &with, appended, append);
	}
	if (status == LYC_OK)
		return;
	free(append);
	const struct lyc_ack ack = {.status = status,
				    .field = "",
				    .text = status == LYC_OUT_OF_RANGE
						    ? "it is larger than a message may be"
						    : "the log takes no more at the moment"};
	on_done(call, &ack);
}
