/* A plugin's timers: a short list in order of time, run by the runner between packets. */
#include <stdlib.h>

#include "base/mem.h"
#include "client/context.h"
#include "io/clock.h"

struct timer {
	struct list of_context;
	uint64_t due_ms;
	uint32_t period_ms;
	lyc_timer_fn fn;
	void *arg;
};

static void insert(struct lyc_plugin_context *context, struct timer *timer)
{
	struct list *before = context->timers.prev;
	while (before != &context->timers &&
	       list_entry(before, struct timer, of_context)->due_ms > timer->due_ms)
		before = before->prev;
	list_add_last(before->next, &timer->of_context);
}

enum lyc_status lyc_timer(struct lyc_plugin_context *context, uint32_t delay_ms, uint32_t period_ms,
			  lyc_timer_fn fn, void *arg)
{
	struct timer *timer = mem_try(sizeof(*timer));
	if (!timer)
		return LYC_RESOURCE_EXHAUSTED;
	timer->due_ms = mono_ms() + delay_ms;
	timer->period_ms = period_ms;
	timer->fn = fn;
	timer->arg = arg;
	insert(context, timer);
	return LYC_OK;
}

uint64_t timers_next(const struct lyc_plugin_context *context)
{
	return list_is_empty(&context->timers)
		       ? UINT64_MAX
		       : list_entry(context->timers.next, struct timer, of_context)->due_ms;
}

void timers_run(struct lyc_plugin_context *context, uint64_t now_ms)
{
	while (!list_is_empty(&context->timers)) {
		struct timer *timer = list_entry(context->timers.next, struct timer, of_context);
		if (timer->due_ms > now_ms)
			return;
		list_remove(&timer->of_context);
		lyc_timer_fn fn = timer->fn;
		void *arg = timer->arg;
		if (timer->period_ms > 0) {
			/* From now, not from when it was due: after a long method one run is
			 * enough. */
			timer->due_ms = now_ms + timer->period_ms;
			insert(context, timer);
		} else {
			free(timer);
		}
		fn(context->state, arg);
	}
}

void timers_fini(struct lyc_plugin_context *context)
{
	list_each_safe (node, &context->timers)
		free(list_entry(node, struct timer, of_context));
	list_init(&context->timers);
}
