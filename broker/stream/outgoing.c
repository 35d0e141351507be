/* One packet to one subscriber, as far as the label allows. */
#include "stream/outgoing.h"

#include <stdio.h>
#include <string.h>

#include "stream/publish_journal.h"

static void session_readers(const struct stream *stream, const struct session *session,
			    char node[CALL_MAX_PRINCIPAL], char principal[CALL_MAX_PRINCIPAL],
			    struct readers *ret_readers)
{
	struct lyc_error error;
	if (session->kind == SESSION_HUB ||
	    policy_principal(stream->policy, session, span_of(NULL, 0), principal, &error) !=
		    LYC_OK)
		snprintf(principal, CALL_MAX_PRINCIPAL, "%s", session->identity);
	*ret_readers = policy_readers(principal, session->grants->groups,
				      session->grants->group_count, node);
}

/* May this session have it, and what of it? */
enum egress outgoing_judge(struct stream *stream, const struct session *session,
			   const struct schema_message *message, struct span body,
			   const struct label *label, const char *home, struct buf *cut)
{
	char node[CALL_MAX_PRINCIPAL];
	char principal[CALL_MAX_PRINCIPAL];
	struct readers readers;
	session_readers(stream, session, node, principal, &readers);
	enum egress egress = policy_outgoing(stream->policy, message, body, label, home, &readers,
					     session->kind == SESSION_HUB, cut);
	/* What is for persons or groups of this node its plugins hold, and show to them only. */
	bool is_carrier = session_is_link(session) || session->kind == SESSION_PLUGIN;
	return egress == EGRESS_CARRY && !is_carrier ? EGRESS_NOTHING : egress;
}

bool outgoing_are_alike(const struct session *session, const struct session *other)
{
	return session->grants == other->grants && session->kind == other->kind &&
	       strcmp(session->identity, other->identity) == 0;
}

void outgoing_gap(struct stream *stream, struct subscription *subscription, uint64_t missed,
		  uint64_t seq)
{
	struct packet packet = {.kind = PACKET_GAP};
	packet.gap = (struct packet_gap){.id = subscription->id, .missed = missed, .seq = seq};
	session_send(stream->sessions, subscription->session, &packet);
}

void outgoing_refuse(struct stream *stream, struct session *session, uint64_t id,
		     enum lyc_status status, const char *text)
{
	struct span pattern = stream->subscribing ? stream->subscribing->pattern : span_of(NULL, 0);
	struct packet packet = {.kind = PACKET_UNSUBSCRIBE};
	packet.unsubscribe = (struct packet_unsubscribe){
		.id = id,
		.status = (uint32_t)status,
		.text = span_of(text, strlen(text)),
		.refusal = subscribe_journal_refused(stream, session, pattern, status, text)};
	session_send(stream->sessions, session, &packet);
}

uint32_t outgoing_deliver(struct stream *stream, struct subscription *subscription,
			  const struct packet *packet)
{
	size_t len = session_send(stream->sessions, subscription->session, packet);
	subscription->credit -= (int64_t)len;
	return (uint32_t)len;
}

uint32_t outgoing_deliver_common(struct stream *stream, struct subscription *subscription,
				 struct span common)
{
	size_t len = session_send_deliver(stream->sessions, subscription->session, subscription->id,
					  common);
	subscription->credit -= (int64_t)len;
	return (uint32_t)len;
}

uint32_t outgoing_deliver_record(struct stream *stream, struct subscription *subscription,
				 struct span common)
{
	size_t len = session_send_record(stream->sessions, subscription->session, subscription->id,
					 common);
	subscription->credit -= (int64_t)len;
	return (uint32_t)len;
}
