/*
 * Following the log: records go to the plugin in order, and the view's position moves on with each,
 * and with each word from the daemon that there is nothing between.
 */
#include <string.h>

#include "base/error.h"
#include "client/context.h"

static void advance(struct lyc_plugin_context *context, uint64_t seq)
{
	if (seq <= context->view.seq)
		return;
	context->view.seq = seq;
	served_wake(context);
}

static void receive(const struct lyc_delivery *delivery, void *arg)
{
	struct lyc_plugin_context *context = arg;
	struct view *view = &context->view;
	if (delivery->status != LYC_OK) {
		error_set(&view->why, delivery->status, "The log cannot be followed: %s",
			  delivery->text);
		view->has_ended = true;
		return;
	}
	if (delivery->missed > 0)
		lyc_log(context, 1, "%llu records were missed; the view is incomplete",
			(unsigned long long)delivery->missed);
	if (delivery->subject) {
		/* After a reconnect the daemon starts again from where it was asked to. */
		if (delivery->seq != 0 && delivery->seq <= view->seq)
			return;
		if (view->table)
			table_take(view->table, delivery);
		else
			view->on_record(context->state, delivery);
	}
	if (delivery->caught_up)
		view->is_caught_up = true;
	advance(context, delivery->seq);
}

enum lyc_status lyc_follow(struct lyc_plugin_context *context, const char *pattern, uint64_t from,
			   lyc_record_fn on_record, struct lyc_error *error)
{
	struct view *view = &context->view;
	if (view->is_followed || context->is_started)
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "The log can be followed once, from `start`.");
	struct lyc_subscribe_options options = {
		.start = LYC_START_SEQ, .from = from, .records_only = true};
	uint64_t id;
	enum lyc_status status = lyc_client_subscribe(context->client, pattern, &options, receive,
						      context, &id, error);
	if (status != LYC_OK)
		return status;
	view->is_followed = true;
	view->on_record = on_record;
	view->seq = from > 0 ? from - 1 : 0;
	return LYC_OK;
}

bool lyc_is_caught_up(const struct lyc_plugin_context *context)
{
	return context->view.is_caught_up && context->is_registered && !context->is_finishing;
}
