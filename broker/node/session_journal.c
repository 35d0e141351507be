/* Refused sessions and registrations as the journal has them. Nothing of them is counted here. */
#include "node/session_journal.h"

#include <stdio.h>
#include <string.h>

void session_journal_refused(struct daemon *daemon, const char *identity,
			     const struct session *session, enum journal_kind kind,
			     enum journal_rule rule, enum lyc_status status, const char *text)
{
	char principal[CALL_MAX_PRINCIPAL];
	const char *who = identity;
	const struct grants *grants = policy_find(&daemon->policy, identity);
	if (session)
		who = policy_own_principal(&daemon->policy, session, principal);
	else if (grants && grants->role == ROLE_PERSON) {
		snprintf(principal, sizeof(principal), "%.63s@%.63s", identity, daemon->name);
		who = principal;
	}
	struct journal_entry entry = {
		.event = JOURNAL_REFUSED,
		.kind = kind,
		.from = span_of(identity, strlen(identity)),
		.principal = span_of(who, strlen(who)),
		.status = status,
		.rule = rule,
		.text = span_of(text, strlen(text)),
	};
	journal_add(&daemon->journal, &entry);
}
