/* Calls in the journal. Who asked and for whom, never with what. */
#include "host/call_journal.h"

#include <string.h>

#include "host/destination.h"

static struct span text_of(const char *text)
{
	return span_of(text, strlen(text));
}

void call_journal_begin(struct router *router, struct call *call, struct span traceparent)
{
	struct trace came;
	call->is_traced = trace_read(traceparent, &came);
	if (!call->is_traced)
		return;
	call->parent_span = came.span;
	call->trace = trace_next(&came, router->env->random(router->env->world));
}

/* Chains that are not sampled are carried, and only their refusals remembered. */
static bool is_wanted(const struct call *call)
{
	return call->is_traced && (call->trace.flags & TRACE_SAMPLED);
}

static struct journal_entry entry_of(const struct router *router, const struct call *call,
				     enum journal_event event)
{
	struct journal_entry entry = {
		.event = event,
		.kind = JOURNAL_CALL,
		/* What runs with an idempotency key is the daemon's own: its caller is told when
		 * it is answered. */
		.from = text_of(once_is_run(&router->once, call) ? "" : call->caller->identity),
		.from_link = session_is_link(call->caller),
		.principal = text_of(call->principal),
		.is_traced = call->is_traced,
	};
	if (call->is_traced) {
		entry.trace = call->trace;
		entry.parent_span = call->parent_span;
	}
	return entry;
}

void call_journal_queued(struct router *router, const struct call *call,
			 const struct packet_call *packet)
{
	if (!is_wanted(call))
		return;
	struct journal_entry entry = entry_of(router, call, JOURNAL_QUEUED);
	entry.subject = packet->method;
	journal_add(router->journal, &entry);
}

static enum journal_reason reason_of(const struct router *router, const struct call *call,
				     const struct packet_call *packet, const struct session *callee)
{
	if (packet->at.len > 0 && !span_is(packet->at, router->name))
		return REASON_AT;
	if (!callee)
		return REASON_OWN_METHOD;
	if (!session_is_link(callee))
		return REASON_SERVED_HERE;
	if (call->method && destination_home(call->method, packet->body).len > 0)
		return REASON_KEY_HOME;
	return callee->kind == SESSION_HUB ? REASON_HUB_FINDS : REASON_SERVED_THERE;
}

void call_journal_given(struct router *router, const struct call *call,
			const struct packet_call *packet, const struct session *callee)
{
	if (!is_wanted(call))
		return;
	struct journal_entry entry = entry_of(router, call, JOURNAL_GIVEN);
	entry.subject = packet->method;
	entry.to = text_of(callee ? callee->identity : router->name);
	entry.to_link = callee && session_is_link(callee);
	entry.reason = reason_of(router, call, packet, callee);
	journal_add(router->journal, &entry);
}

static uint64_t took_ms(const struct router *router, const struct call *call)
{
	uint64_t now = router->env->now_ms(router->env->world);
	return now > call->begun_ms ? now - call->begun_ms : 0;
}

void call_journal_answered(struct router *router, const struct call *call, enum lyc_status status,
			   const char *field, size_t field_len)
{
	if (!is_wanted(call))
		return;
	struct journal_entry entry = entry_of(router, call, JOURNAL_ANSWERED);
	entry.status = status;
	entry.field = span_of(field, field_len);
	entry.took_ms = took_ms(router, call);
	if (call->method)
		entry.subject = text_of(call->method->full_name);
	if (call->callee) {
		entry.to = text_of(call->callee->identity);
		entry.to_link = session_is_link(call->callee);
	}
	journal_add(router->journal, &entry);
}

/* Which rule speaks through a status, where nobody said so. */
static enum journal_rule rule_of(const struct session *session, const struct call *call,
				 struct span method, const struct lyc_error *error)
{
	char name[240];
	switch (error->status) {
	case LYC_PERMISSION_DENIED:
		if (method.len >= sizeof(name))
			return RULE_RIGHT;
		memcpy(name, method.data, method.len);
		name[method.len] = '\0';
		return policy_may_call(session->grants, name) ? RULE_PRINCIPAL : RULE_RIGHT;
	case LYC_INVALID_ARGUMENT:
		return RULE_SCHEMA;
	case LYC_DEADLINE_EXCEEDED:
		return RULE_DEADLINE;
	case LYC_FAILED_PRECONDITION:
		return RULE_POSITION;
	case LYC_UNIMPLEMENTED:
	case LYC_NOT_FOUND:
		return RULE_NOBODY;
	case LYC_UNAVAILABLE:
		return call && call->callee ? RULE_GONE : RULE_NOBODY;
	case LYC_RESOURCE_EXHAUSTED:
		return RULE_LIMIT;
	case LYC_INTERNAL:
		return RULE_ANSWER;
	default:
		return RULE_NONE;
	}
}

/* A value that does not keep its rule is part of the sentence: of a personal field nothing is
 * remembered but its path. */
static bool says_something_personal(const struct router *router, struct span method,
				    const struct lyc_error *error)
{
	const struct method_entry *entry =
		error->field[0] ? types_method(router->types, method) : NULL;
	return entry && schema_path_is_personal(entry->method->input, error->field);
}

uint64_t call_journal_refused(struct router *router, const struct session *session,
			      const struct call *call, const struct lyc_error *error)
{
	char principal[CALL_MAX_PRINCIPAL];
	/* That Why knows nothing is its answer, and nothing to ask about. */
	struct span method = router->asked          ? router->asked->method
			     : call && call->method ? text_of(call->method->full_name)
						    : span_of(NULL, 0);
	bool is_why = error->status == LYC_NOT_FOUND && span_is(method, "lyceum.v1.Node/Why");
	if (is_why || error->status == LYC_CANCELLED || error->status == LYC_OK) {
		if (call)
			call_journal_answered(router, call, error->status, NULL, 0);
		return 0;
	}
	struct journal_entry entry = {.event = JOURNAL_REFUSED,
				      .kind = JOURNAL_CALL,
				      .from = text_of(session->identity),
				      .from_link = session_is_link(session)};
	if (call)
		entry = entry_of(router, call, JOURNAL_REFUSED);
	if (entry.principal.len == 0)
		entry.principal = text_of(policy_own_principal(router->policy, session, principal));
	entry.subject = method;
	if (call) {
		entry.took_ms = took_ms(router, call);
		if (call->callee)
			entry.to = text_of(call->callee->identity);
		entry.to_link = call->callee && session_is_link(call->callee);
	}
	entry.status = error->status;
	entry.rule = rule_of(session, call, entry.subject, error);
	entry.field = text_of(error->field);
	if (!says_something_personal(router, entry.subject, error))
		entry.text = text_of(error->text);
	return journal_add(router->journal, &entry);
}
