/* Publishes and subscriptions in the journal. A subject whose key is about a person is shortened to
 * its type, and the sentence, which may repeat it, is left out. */
#include "stream/publish_journal.h"

#include <string.h>

static struct span text_of(const char *text)
{
	return span_of(text, strlen(text));
}

static struct journal_entry entry_of(struct stream *stream, const struct publish_origin *from,
				     char principal[CALL_MAX_PRINCIPAL])
{
	struct journal_entry entry = {
		.kind = JOURNAL_PUBLISH,
		.from = text_of(from->session->identity),
		.from_link = session_is_link(from->session),
		.principal = from->principal,
		.subject = from->subject,
		.parent_span = from->parent_span,
	};
	if (entry.principal.len == 0)
		entry.principal =
			text_of(policy_own_principal(stream->policy, from->session, principal));
	entry.is_traced = from->trace.len > 0 && trace_read(from->trace, &entry.trace);
	if (from->message && schema_key_is_personal(from->message))
		entry.subject = text_of(from->message->full_name);
	return entry;
}

void publish_journal_done(struct stream *stream, const struct publish_origin *from, uint64_t seq)
{
	char principal[CALL_MAX_PRINCIPAL];
	struct journal_entry entry = entry_of(stream, from, principal);
	if (!entry.is_traced || !(entry.trace.flags & TRACE_SAMPLED))
		return;
	entry.event = seq > 0 ? JOURNAL_APPENDED : JOURNAL_SENT;
	entry.seq = seq;
	entry.took_ms = stream->env->now_ms(stream->env->world) - from->begun_ms;
	journal_add(stream->journal, &entry);
}

static enum journal_rule rule_of(enum lyc_status status)
{
	switch (status) {
	case LYC_PERMISSION_DENIED:
		return RULE_RIGHT;
	case LYC_INVALID_ARGUMENT:
	case LYC_NOT_FOUND:
		return RULE_SCHEMA;
	case LYC_FAILED_PRECONDITION:
		return RULE_HOME;
	case LYC_RESOURCE_EXHAUSTED:
		return RULE_LIMIT;
	default:
		return RULE_NONE;
	}
}

uint64_t publish_journal_refused(struct stream *stream, const struct publish_origin *from,
				 const struct lyc_error *error)
{
	char principal[CALL_MAX_PRINCIPAL];
	struct journal_entry entry = entry_of(stream, from, principal);
	entry.event = JOURNAL_REFUSED;
	entry.status = error->status;
	entry.rule = rule_of(error->status);
	entry.field = text_of(error->field);
	bool is_personal = from->message && (schema_key_is_personal(from->message) ||
					     schema_path_is_personal(from->message, error->field));
	if (!is_personal)
		entry.text = text_of(error->text);
	entry.took_ms = stream->env->now_ms(stream->env->world) - from->begun_ms;
	return journal_add(stream->journal, &entry);
}

uint64_t subscribe_journal_refused(struct stream *stream, const struct session *session,
				   struct span pattern, enum lyc_status status, const char *text)
{
	char principal[CALL_MAX_PRINCIPAL];
	struct journal_entry entry = {
		.event = JOURNAL_REFUSED,
		.kind = JOURNAL_SUBSCRIPTION,
		.from = text_of(session->identity),
		.from_link = session_is_link(session),
		.principal = text_of(policy_own_principal(stream->policy, session, principal)),
		.subject = pattern,
		.status = status,
		.rule = rule_of(status),
		.text = text_of(text),
	};
	return journal_add(stream->journal, &entry);
}
