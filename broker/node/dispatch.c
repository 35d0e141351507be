/* The one dispatcher: every packet of every kind of peer comes through here. */
#include "node/dispatch.h"
#include "node/views.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/pb.h"
#include "base/utf8.h"
#include "host/reply.h"
#include "log.h"
#include "node/barred.h"
#include "node/handover.h"
#include "schema/schema.h"
#include "stream/kept.h"
#include "wire/packet.h"
#include "wire/subject.h"

#define LOG_TOPIC "session"
#define FLOOD_CUT_MS 20
/* It becomes a record together with the names of its services. */
#define MAX_SCHEMA_LEN (WIRE_MAX_BODY - 64 * 1024)

static const char ack_means[] =
	"written and synced (fdatasync) to this daemon's own disk; other daemons get it afterwards";

static void send_stray_goodbye(struct daemon *daemon, uint32_t port, struct span routing_id,
			       enum goodbye_reason reason, const char *text)
{
	struct packet packet = {.kind = PACKET_GOODBYE};
	packet.goodbye = (struct packet_goodbye){.reason = (uint32_t)reason,
						 .text = span_of(text, strlen(text))};
	daemon->counters.strangers++;
	session_send_stray(&daemon->sessions, port, routing_id, &packet);
}

/* A session or what it wants to serve was refused. `session` may be NULL: there is none. */
static void note_refusal(struct daemon *daemon, const char *identity, const struct session *session,
			 enum journal_kind kind, enum journal_rule rule, enum lyc_status status,
			 const char *text)
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

/* ---- the beginning ---- */

static void welcome(struct daemon *daemon, struct session *session)
{
	static const char software[] = "lyceumd " LYCEUM_VERSION;
	uint64_t scale = session_is_link(session) ? LINK_CREDIT_SCALE : 1;
	struct packet packet = {.kind = PACKET_WELCOME};
	session->calls_granted = daemon->limits.call_credit * scale;
	session->publishes_granted = daemon->limits.publish_credit * scale;
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
	if (is_person) {
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
			  "comes back with lyceumd --restore, which begins a new epoch";
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
		note_refusal(daemon, identity, NULL, JOURNAL_SESSION, RULE_RIGHT,
			     LYC_PERMISSION_DENIED, refusal);
		send_stray_goodbye(daemon, port, routing_id, reason, refusal);
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

static void no_session(struct daemon *daemon, uint32_t port, struct span routing_id,
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
		send_stray_goodbye(daemon, port, routing_id, GOODBYE_NO_SESSION,
				   "this connection has no session here: say Hello");
}

/* ---- Register ---- */

static void keep_schema(struct daemon *daemon, const struct schema *schema,
			const struct packet_register *reg)
{
	struct buf subject = {0};
	struct buf body = {0};
	char id[20];
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)schema_id(schema));
	buf_add_format(&subject, "lyceum.v1.SchemaVersion.%s.%s", daemon->name, id);
	struct span name = span_of(subject.data, subject.len);
	if (daemon->env.last_of(daemon->env.world, name) == 0) {
		pb_write_text(&body, 1, daemon->name);
		pb_write_text(&body, 2, id);
		struct span set = schema_bytes(schema);
		pb_write_bytes(&body, 3, set.data, set.len);
		size_t label = pb_begin(&body, 4);
		pb_write_uint(&body, 2, 1); /* PUBLIC */
		pb_end(&body, label);
		for (size_t i = 0; i < reg->service_count; i++)
			pb_write_message(&body, 5, reg->services[i]);
		kept_append(&daemon->stream, name, span_of(body.data, body.len));
	}
	buf_fini(&subject);
	buf_fini(&body);
}

/* Two plugins of different names may not both serve one service here. */
static bool is_taken(struct daemon *daemon, struct session *session, struct span service)
{
	struct service_entry *entry = services_find(&daemon->services, service);
	const struct plugin *own = host_find(&daemon->host, session->identity);
	if (!entry)
		return false;
	list_each (node, &entry->here) {
		const struct offer *offer = list_entry(node, struct offer, of_service);
		const struct plugin *other = host_find(&daemon->host, offer->session->identity);
		if (offer->session != session &&
		    (!own || !other || strcmp(own->name, other->name) != 0))
			return true;
	}
	return false;
}

static enum lyc_status check_register(struct daemon *daemon, struct session *session,
				      const struct packet_register *reg, struct schema **ret_schema,
				      struct lyc_error *error)
{
	if (session->kind != SESSION_PLUGIN && session->grants->role != ROLE_OPERATOR)
		return error_set(error, LYC_PERMISSION_DENIED,
				 "'%s' is not a plugin of this daemon and may not serve anything",
				 session->identity);
	enum lyc_status status = LYC_OK;
	if (reg->schema.len > MAX_SCHEMA_LEN)
		status = error_set(error, LYC_INVALID_ARGUMENT,
				   "the schema has %zu bytes, and at most %d are allowed",
				   reg->schema.len, MAX_SCHEMA_LEN);
	else if (reg->schema.len > 0)
		status = schema_new(reg->schema.data, reg->schema.len, ret_schema, error);
	for (size_t i = 0; i < reg->publish_count && status == LYC_OK; i++) {
		if (!subject_pattern_is_valid(reg->publishes[i]))
			status =
				error_set(error, LYC_INVALID_ARGUMENT,
					  "publishes: the pattern %zu of %zu is not valid: tokens "
					  "joined with dots, `*` for one, a final `>` for the rest",
					  i + 1, reg->publish_count);
	}
	for (size_t i = 0; i < reg->service_count && status == LYC_OK; i++) {
		char name[WIRE_MAX_SERVICE_NAME + 1];
		if (!service_name_is_valid(reg->services[i]))
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "a service's name is dotted and has at most %d bytes",
					 WIRE_MAX_SERVICE_NAME);
		snprintf(name, sizeof(name), "%.*s", (int)reg->services[i].len,
			 (const char *)reg->services[i].data);
		bool is_defined = *ret_schema ? schema_find_service(*ret_schema, name) != NULL
					      : types_defining(&daemon->types, name) != NULL;
		if (strncmp(name, "lyceum.v1.", 10) == 0)
			status = error_set(error, LYC_PERMISSION_DENIED,
					   "the package lyceum.v1 is the daemon's own");
		else if (!is_defined)
			status = error_set(error, LYC_INVALID_ARGUMENT,
					   "the schema does not define the service %s", name);
		else if (is_taken(daemon, session, reg->services[i]))
			status = error_set(error, LYC_ALREADY_EXISTS,
					   "another plugin here serves %s already", name);
	}
	return status;
}

static void answer_register(struct daemon *daemon, struct session *session, uint64_t id,
			    enum lyc_status status, const char *text)
{
	struct packet packet = {.kind = PACKET_REGISTERED};
	packet.registered = (struct packet_registered){
		.id = id, .status = (uint32_t)status, .text = span_of(text, strlen(text))};
	session_send(&daemon->sessions, session, &packet);
}

void daemon_register(struct daemon *daemon, struct session *session,
		     const struct packet_register *reg)
{
	struct lyc_error error = {0};
	struct schema *schema = NULL;
	struct plugin *plugin = host_find(&daemon->host, session->identity);
	/* A plugin always brings a schema: without one it says that it takes no more calls. */
	if (plugin && reg->service_count == 0 && reg->schema.len == 0) {
		handover_let_go(daemon, plugin);
		answer_register(daemon, session, reg->id, LYC_OK, "");
		return;
	}
	if (plugin && plugin->is_retiring) {
		answer_register(daemon, session, reg->id, LYC_ABORTED,
				"another instance has taken its place");
		return;
	}
	enum lyc_status status = check_register(daemon, session, reg, &schema, &error);
	if (status == LYC_OK && schema)
		status = types_check_services(&daemon->types, schema, reg->services,
					      reg->service_count, &error);
	if (status == LYC_OK && plugin && handover_waits(daemon, plugin, reg)) {
		schema_unref(schema);
		return;
	}
	if (status == LYC_OK && schema)
		status = types_add(&daemon->types, schema, true, &error);
	if (status == LYC_OK) {
		services_withdraw(&daemon->services, session);
		session_set_publishes(session, reg->publishes, reg->publish_count);
		session->speaks_for_people = reg->speaks_for_people;
		session->schema = schema ? schema_id(schema) : 0;
		for (size_t i = 0; i < reg->service_count; i++)
			services_offer(&daemon->services, session, reg->services[i],
				       span_of(NULL, 0));
		if (schema)
			keep_schema(daemon, schema, reg);
		if (plugin)
			host_registered(&daemon->host, plugin, session);
		if (plugin && reg->speaks_for_people)
			log_notice("plugin speaks for people of this node", "plugin",
				   plugin->title);
		links_announce(&daemon->links);
	} else if (plugin) {
		host_refused(&daemon->host, plugin, error.text);
	}
	schema_unref(schema);
	if (status != LYC_OK)
		note_refusal(daemon, session->identity, session, JOURNAL_REGISTRATION,
			     status == LYC_PERMISSION_DENIED ? RULE_RIGHT : RULE_SCHEMA, status,
			     error.text);
	answer_register(daemon, session, reg->id, status, error.text);
}

/* ---- credit ---- */

/* True when the packet goes beyond what the session was granted. */
static bool is_beyond_credit(const struct session *session, const struct packet *packet)
{
	if (packet->kind == PACKET_CALL)
		return session->calls_made_len + packet->len > session->calls_granted;
	if (packet->kind == PACKET_PUBLISH && packet->publish.durable)
		return session->publishes_len + packet->len > session->publishes_granted;
	return false;
}

static void flood(struct daemon *daemon, struct session *session)
{
	struct packet packet = {.kind = PACKET_GOODBYE};
	static const char text[] = "more was sent than the credit that Welcome gave";
	packet.goodbye = (struct packet_goodbye){.reason = GOODBYE_FLOOD,
						 .text = span_of(text, sizeof(text) - 1)};
	session_send(&daemon->sessions, session, &packet);
	session->is_flooding = true;
	session->flood_since_ms = daemon->env.now_ms(daemon->env.world);
	daemon->counters.floods++;
	note_refusal(daemon, session->identity, session, JOURNAL_SESSION, RULE_CREDIT,
		     LYC_RESOURCE_EXHAUSTED, text);
	log_warning("peer sends beyond its credit and is cut", "peer", session->identity);
}

/* A flooding peer is ignored; 20 ms later, so that it has had our Goodbye, its next message ends
 * the connection. */
static bool ignore_flood(struct daemon *daemon, struct session *session)
{
	if (!session->is_flooding)
		return false;
	uint64_t now = daemon->env.now_ms(daemon->env.world);
	if (now - session->flood_since_ms >= FLOOD_CUT_MS) {
		if (session->fd >= 0)
			daemon->env.cut(daemon->env.world, session->fd);
		daemon_end_session(daemon, session, "sent beyond its credit");
	}
	return true;
}

/* ---- the dispatcher ---- */

static void handle_link(struct daemon *daemon, struct link *link, const struct packet *packet,
			struct span bytes)
{
	switch (packet->kind) {
	case PACKET_FOLLOW:
		link_follow(link, &packet->follow);
		break;
	case PACKET_COPY:
		link_copy(link, &packet->copy);
		break;
	case PACKET_HEADS:
		link_heads(link, &packet->heads, bytes);
		break;
	case PACKET_GAP:
		link_gap(link, &packet->gap);
		break;
	case PACKET_WANT:
		healing_wanted(daemon, link, &packet->want);
		break;
	case PACKET_FOUND:
		healing_found(daemon, link, &packet->copy);
		break;
	default:
		break;
	}
}

/* On a link a status says that the peer refuses a subscription of ours; its own have numbers of
 * their own. */
static void unsubscribe(struct daemon *daemon, struct session *session,
			const struct packet_unsubscribe *unsubscribe)
{
	if (!session_is_link(session) || unsubscribe->status == 0)
		stream_unsubscribe(&daemon->stream, session, unsubscribe->id, unsubscribe->forget);
	else if (session->owner)
		link_refused(session->owner, unsubscribe);
}

/* False when the session has ended. */
static bool handle(struct daemon *daemon, struct session *session, const struct packet *packet,
		   struct span bytes)
{
	struct packet pong = {.kind = PACKET_PONG};
	switch (packet->kind) {
	case PACKET_CALL:
		router_call(&daemon->router, session, &packet->call, packet->len);
		break;
	case PACKET_REPLY:
		reply_take(&daemon->router, session, &packet->reply);
		break;
	case PACKET_CANCEL:
		router_cancel(&daemon->router, session, packet->cancel.id);
		break;
	case PACKET_PUBLISH:
		stream_publish(&daemon->stream, session, &packet->publish, (uint32_t)packet->len);
		break;
	case PACKET_SUBSCRIBE:
		if (!views_admit(daemon, session, &packet->subscribe))
			break;
		daemon->stream.subscribing = &packet->subscribe;
		stream_subscribe(&daemon->stream, session, &packet->subscribe);
		daemon->stream.subscribing = NULL;
		break;
	case PACKET_UNSUBSCRIBE:
		unsubscribe(daemon, session, &packet->unsubscribe);
		break;
	case PACKET_CONSUMED:
		stream_consumed(&daemon->stream, session, packet->consumed.id,
				packet->consumed.value);
		break;
	case PACKET_CREDIT:
		if (packet->credit.call)
			reply_grant(&daemon->router, session, packet->credit.call,
				      packet->credit.value);
		else
			stream_credit(&daemon->stream, session, packet->credit.id,
				      packet->credit.value);
		break;
	case PACKET_REGISTER:
		if (!session_is_link(session))
			daemon_register(daemon, session, &packet->reg);
		else if (session->owner)
			link_register(session->owner, &packet->reg);
		break;
	case PACKET_PING:
		pong.pong.id = packet->ping.id;
		session_send(&daemon->sessions, session, &pong);
		break;
	case PACKET_GOODBYE:
		daemon_end_session(daemon, session,
				   session->kind == SESSION_HUB ? "the hub said goodbye"
								: "the peer said goodbye");
		return false;
	case PACKET_HELLO:
		/* The peer has begun anew on the same connection. */
		daemon_end_session(daemon, session, "the peer began anew");
		return false;
	case PACKET_FOLLOW:
	case PACKET_COPY:
	case PACKET_HEADS:
	case PACKET_GAP:
	case PACKET_WANT:
	case PACKET_FOUND:
		if (session_is_link(session) && session->owner)
			handle_link(daemon, session->owner, packet, bytes);
		break;
	case PACKET_WELCOME:
	case PACKET_PONG:
	case PACKET_REGISTERED:
	case PACKET_ACK:
	case PACKET_DELIVER:
	default:
		break;
	}
	return true;
}

static void malformed(struct daemon *daemon, uint32_t port, struct span routing_id)
{
	static const char text[] = "a frame is not a run of length-delimited packets";
	struct session *session = session_find(&daemon->sessions, port, routing_id);
	daemon->counters.malformed++;
	if (session)
		daemon_dismiss(daemon, session, GOODBYE_MALFORMED, text);
	else if (port != PORT_UPLINK)
		send_stray_goodbye(daemon, port, routing_id, GOODBYE_MALFORMED, text);
}

void daemon_frame(struct daemon *daemon, uint32_t port, struct span routing_id,
		  const char *identity, int fd, struct span frame)
{
	struct frame_reader *reader = &daemon->reader;
	struct packet packet;
	enum frame_result result;
	daemon->counters.frames++;
	if (barred_ignore(daemon, port, routing_id, fd))
		return;
	struct session *session = session_find(&daemon->sessions, port, routing_id);
	if (session && port != PORT_UPLINK && strcmp(session->identity, identity) != 0) {
		daemon_end_session(daemon, session, "the connection changed its key");
		session = NULL;
	}
	if (session) {
		session->last_heard_ms = daemon->env.now_ms(daemon->env.world);
		session->fd = fd;
		if (ignore_flood(daemon, session))
			return;
	}
	frame_start(reader, frame);
	const uint8_t *before = reader->at;
	while ((result = frame_next(reader, &packet)) > 0) {
		struct span bytes = span_of(before, (size_t)(reader->at - before));
		before = reader->at;
		if (result == FRAME_UNKNOWN)
			continue;
		daemon->counters.packets++;
		if (session && is_beyond_credit(session, &packet)) {
			flood(daemon, session);
			break;
		}
		if (session && handle(daemon, session, &packet, bytes))
			continue;
		if (!session || packet.kind == PACKET_HELLO)
			no_session(daemon, port, routing_id, identity, &packet);
		session = session_find(&daemon->sessions, port, routing_id);
		if (!session && packet.kind != PACKET_HELLO)
			break;
	}
	if (result == FRAME_MALFORMED)
		malformed(daemon, port, routing_id);
	session = session_find(&daemon->sessions, port, routing_id);
	if (session)
		session->fd = -1;
}
