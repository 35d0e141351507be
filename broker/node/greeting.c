/*
 * Hello and Welcome, on both sides: peers that come to this daemon, and this daemon at its hub. Who
 * is refused hears why, and no session is left of it.
 */
#include "node/greeting.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "node/dispatch.h"
#include "node/session_journal.h"

/* Of which a single publish may take WIRE_MAX_PACKET. */
#define LEAST_PUBLISH_CREDIT (WIRE_MAX_PACKET / 7 * 8 + 8)
_Static_assert(LEAST_PUBLISH_CREDIT - WIRE_OWED_PUBLISHES(LEAST_PUBLISH_CREDIT) >= WIRE_MAX_PACKET,
	       "the longest publish would never have credit");

static const char ack_means[] =
	"written and synced (fdatasync) to this daemon's own disk; other daemons get it afterwards";

void greeting_refuse(struct daemon *daemon, uint32_t port, struct span routing_id,
		     enum goodbye_reason reason, const char *text)
{
	struct packet packet = {.kind = PACKET_GOODBYE};
	packet.goodbye = (struct packet_goodbye){.reason = (uint32_t)reason,
						 .text = span_of(text, strlen(text))};
	daemon->counters.strangers++;
	session_send_stray(&daemon->sessions, port, routing_id, &packet);
}

/* ---- the beginning ---- */

/* What all sessions together may have on its way to the log, with what it takes beside the bytes,
 * is limits.memory's part for that. */
static uint64_t publish_credit(const struct daemon *daemon)
{
	uint64_t part = daemon->stream.max_appends_len / 4 / daemon->sessions.count;
	if (part < LEAST_PUBLISH_CREDIT)
		part = LEAST_PUBLISH_CREDIT;
	return part < daemon->limits.publish_credit ? part : daemon->limits.publish_credit;
}

static void welcome(struct daemon *daemon, struct session *session)
{
	static const char software[] = "lyceumd " LYCEUM_VERSION;
	uint64_t scale = session_is_link(session) ? LINK_CREDIT_SCALE : 1;
	struct packet packet = {.kind = PACKET_WELCOME};
	session->calls_granted = daemon->limits.call_credit * scale;
	session->publishes_granted = session_is_link(session)
					     ? daemon->limits.publish_credit * scale
					     : publish_credit(daemon);
	packet.welcome = (struct packet_welcome){
		.version = WIRE_VERSION,
		.daemon = span_of(daemon->name, strlen(daemon->name)),
		.epoch = daemon->stream.epoch,
		.identity = span_of(session->identity, strlen(session->identity)),
		.call_credit = session->calls_granted,
		.publish_credit = session->publishes_granted,
		.max_body = WIRE_MAX_BODY,
		.heartbeat_ms = daemon->limits.heartbeat_ms,
		.ack_means = span_of(ack_means, sizeof(ack_means) - 1),
		.software = span_of(software, sizeof(software) - 1),
	};
	session_send(&daemon->sessions, session, &packet);
}

static void begin_link(struct daemon *daemon, struct session *session, bool is_hub)
{
	struct link *link = links_get(&daemon->links, session->identity, is_hub);
	if (link->session)
		daemon_dismiss(daemon, link->session, GOODBYE_REPLACED,
			       "another connection of this node has taken over");
	link_up(link, session);
}

/* A log that was made before the one whose records are held. */
static bool is_older_log(struct daemon *daemon, const char *identity, uint64_t epoch)
{
	const struct origin *origin =
		origins_find(&daemon->stream.origins, span_of(identity, strlen(identity)));
	return origin && origin->epoch > epoch;
}

/* NULL: one more is allowed. */
static const char *refuse_more_sessions(const struct daemon *daemon, const struct grants *grants)
{
	const struct limits *limits = &daemon->limits;
	bool is_person = grants->role == ROLE_PERSON;
	if (daemon->sessions.count >= limits->sessions - (is_person ? limits->sessions_kept : 0))
		return "this daemon has as many sessions as it may (limits.sessions)";
	uint32_t count = 0;
	if (is_person && daemon->sessions.count >= limits->sessions_of_one) {
		list_each (node, &daemon->sessions.all)
			count += strcmp(list_entry(node, struct session, all)->identity,
					grants->name) == 0;
	}
	return count >= limits->sessions_of_one
		       ? "this key has as many sessions as one may (limits.sessions_of_one)"
		       : NULL;
}

static void hello(struct daemon *daemon, uint32_t port, struct span routing_id,
		  const char *identity, const struct packet_hello *hello)
{
	const struct grants *grants = policy_find(&daemon->policy, identity);
	const char *refusal = NULL;
	enum goodbye_reason reason = GOODBYE_DENIED;
	if (hello->version != WIRE_VERSION) {
		reason = GOODBYE_VERSION;
		refusal = "this daemon speaks version 1 of the wire";
	} else if (daemon->is_stopping) {
		reason = GOODBYE_SHUTDOWN;
		refusal = "the daemon is stopping";
	} else if (!grants) {
		refusal = "the configuration has no key of this name";
	} else if (hello->epoch > 0 && grants->role != ROLE_NODE) {
		refusal = "this key is not a node's here: in `keys` its role has to be NODE";
	} else if (grants->role == ROLE_NODE && is_older_log(daemon, identity, hello->epoch)) {
		refusal = "this node's log is older than the one that is known here: a copy "
			  "comes back with lyceumd --restore, which begins a new epoch, when the "
			  "clock is right";
	} else {
		refusal = refuse_more_sessions(daemon, grants);
	}
	if (!refusal && grants->role == ROLE_PLUGIN)
		daemon_end_instance_sessions(daemon, identity, "the plugin has come back");
	struct session *session =
		refusal ? NULL : session_add(&daemon->sessions, port, routing_id, identity);
	if (!session) {
		if (!refusal)
			refusal = "the routing id is too long";
		session_journal_refused(daemon, identity, NULL, JOURNAL_SESSION, RULE_RIGHT,
					LYC_PERMISSION_DENIED, refusal);
		greeting_refuse(daemon, port, routing_id, reason, refusal);
		return;
	}
	static const enum session_kind kinds[] = {[ROLE_PERSON] = SESSION_CLIENT,
						  [ROLE_NODE] = SESSION_NODE,
						  [ROLE_OPERATOR] = SESSION_CLIENT,
						  [ROLE_PLUGIN] = SESSION_PLUGIN,
						  [ROLE_HUB] = SESSION_CLIENT};
	session->kind = kinds[grants->role];
	session->grants = grants;
	session->call_credit = hello->call_credit;
	utf8_copy(session->software, sizeof(session->software), hello->software.data,
		  hello->software.len);
	struct plugin *plugin = session->kind == SESSION_PLUGIN
					? host_find(&daemon->host, session->identity)
					: NULL;
	if (plugin)
		host_connected(plugin, session);
	welcome(daemon, session);
	if (session->kind == SESSION_NODE)
		begin_link(daemon, session, false);
}

/* The hub's answer to our Hello. */
static void welcomed(struct daemon *daemon, struct span routing_id,
		     const struct packet_welcome *welcome)
{
	if (daemon->uplink.state != UPLINK_GREETING)
		return;
	char text[160];
	if (!span_is(welcome->daemon, daemon->router.hub_name)) {
		snprintf(text, sizeof(text), "the hub calls itself '%.*s', the configuration '%s'",
			 (int)(welcome->daemon.len < 64 ? welcome->daemon.len : 64),
			 (const char *)welcome->daemon.data, daemon->router.hub_name);
		uplink_lost(&daemon->uplink, text);
		return;
	}
	if (!span_is(welcome->identity, daemon->name)) {
		snprintf(text, sizeof(text), "the hub knows this key as '%.*s', not as '%s'",
			 (int)(welcome->identity.len < 64 ? welcome->identity.len : 64),
			 (const char *)welcome->identity.data, daemon->name);
		uplink_lost(&daemon->uplink, text);
		return;
	}
	struct session *session =
		session_add(&daemon->sessions, PORT_UPLINK, routing_id, daemon->router.hub_name);
	if (!session)
		return;
	session->kind = SESSION_HUB;
	session->grants = policy_find(&daemon->policy, daemon->router.hub_name);
	session->call_credit = welcome->call_credit;
	/* As our Hello said. */
	session->calls_granted = daemon->uplink.call_credit;
	session->publishes_granted = daemon->limits.publish_credit * LINK_CREDIT_SCALE;
	utf8_copy(session->software, sizeof(session->software), welcome->software.data,
		  welcome->software.len);
	daemon->router.hub = session;
	uplink_welcomed(&daemon->uplink);
	begin_link(daemon, session, true);
}

void greeting_take(struct daemon *daemon, uint32_t port, struct span routing_id,
		   const char *identity, const struct packet *packet)
{
	if (port == PORT_UPLINK) {
		if (packet->kind == PACKET_WELCOME) {
			welcomed(daemon, routing_id, &packet->welcome);
		} else if (packet->kind == PACKET_GOODBYE &&
			   daemon->uplink.state == UPLINK_GREETING) {
			char text[160];
			utf8_copy(text, sizeof(text), packet->goodbye.text.data,
				  packet->goodbye.text.len);
			uplink_lost(&daemon->uplink, text);
		}
		return;
	}
	if (packet->kind == PACKET_HELLO)
		hello(daemon, port, routing_id, identity, &packet->hello);
	else if (packet->kind != PACKET_GOODBYE)
		greeting_refuse(daemon, port, routing_id, GOODBYE_NO_SESSION,
				"this connection has no session here: say Hello");
}
