/* Calls in the journal. */
#include "host/call_journal.h"

void call_journal_begin(struct router *router, struct call *call, struct span traceparent)
{
	struct trace came;
	call->is_traced = trace_read(traceparent, &came);
	if (!call->is_traced)
		return;
	call->parent_span = came.span;
	call->trace = trace_next(&came, router->env->random(router->env->world));
}
