/* The daemon as a whole: its parts, its ticks, its sessions' beginning and end. Packets are
 * dispatched in dispatch.c. */
#include "node/daemon.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "log.h"
#include "lyceum/v1/config.pb-c.h"
#include "node/barred.h"
#include "node/dispatch.h"
#include "node/handover.h"
#include "node/known.h"
#include "node/reload.h"
#include "node/restart.h"
#include "node/values.h"
#include "node/why.h"
#include "schema/core.h"
#include "node/erase.h"
#include "node/passed.h"
#include "stream/erasure.h"
#include "stream/retention.h"

#define LOG_TOPIC "daemon"
#define TICK_MS 50
/* A peer that owes a reply is asked for a sign of its connection as often. */
#define PROBE_MS 200
#define SAVE_HEADS_MS 5000
/* A link whose copies the log here does not take begins again after so long, not at once. */
#define LINK_REST_MS 1000
#define STOP_GRACE_MS 2000
#define DRAIN_MS 1000

static void on_commit(uint64_t seq, const struct record *record, struct span bytes, void *arg)
{
	struct daemon *daemon = arg;
	(void)bytes;
	links_committed(&daemon->links, seq, record);
	waiting_advance(&daemon->router.waiting);
}

static void on_private(uint64_t seq, const struct record *record, struct span bytes, void *arg)
{
	struct daemon *daemon = arg;
	(void)bytes;
	once_replay(&daemon->router, seq, record);
}

static void on_interest(const struct subscription *subscription, bool is_added, void *arg)
{
	struct daemon *daemon = arg;
	links_interest(&daemon->links, subscription, is_added);
}

static void on_upgraded(const struct plugin *plugin, bool is_good, const char *text, void *arg)
{
	restart_heard(arg, plugin, is_good, text);
}

static void on_hung(struct plugin *plugin, const char *text, void *arg)
{
	daemon_end_instance_sessions(arg, plugin->identity, text);
}

/* The daemon's own types and its own service. */
static enum lyc_status add_core(struct daemon *daemon)
{
	struct schema *core;
	enum lyc_status status = core_schema_get(&core);
	if (status != LYC_OK)
		return status;
	status = types_add(&daemon->types, core, true, NULL);
	struct method_entry *entry;
	struct method_entry *next;
	HASH_ITER (by_name, daemon->types.methods, entry, next)
		entry->is_builtin = true;
	schema_unref(core);
	return status;
}

static void name_hub(struct daemon *daemon, const Lyceum__V1__Uplink *uplink)
{
	struct router *router = &daemon->router;
	policy_grant(&daemon->policy, uplink->name, uplink->server_key, ROLE_HUB);
	snprintf(router->hub_name, sizeof(router->hub_name), "%s", uplink->name);
	struct link *link = links_get(&daemon->links, uplink->name, true);
	link->is_hub = true;
	link->is_former = false;
	snprintf(link->endpoint, sizeof(link->endpoint), "%s", uplink->endpoint);
	daemon->uplink.link = link;
}

void daemon_join_hub(struct daemon *daemon, const Lyceum__V1__Uplink *uplink)
{
	name_hub(daemon, uplink);
	struct link *link = daemon->uplink.link;
	/* What it has it says itself; until then, at most all of it waits. */
	link->outbox_last = daemon->stream.last_seq;
	link->outbox_count = daemon->stream.last_seq;
	uplink_start(&daemon->uplink, link);
}

void daemon_leave_hub(struct daemon *daemon)
{
	struct link *link = daemon->uplink.link;
	if (!link)
		return;
	if (daemon->router.hub)
		daemon_dismiss(daemon, daemon->router.hub, GOODBYE_UNSPECIFIED,
			       "the node has another hub now");
	daemon->env.uplink_close(daemon->env.world);
	/* What one hub has confirmed says nothing of another. */
	daemon->env.save(daemon->env.world, "confirmed", span_of(NULL, 0));
	origins_fini(&link->theirs);
	/* Copies of it may be on their way to the log: the link itself stays. */
	link->is_hub = false;
	link->is_former = true;
	policy_revoke(&daemon->policy, daemon->router.hub_name);
	daemon->router.hub_name[0] = '\0';
	daemon->uplink.link = NULL;
	daemon->uplink.state = UPLINK_NONE;
}

enum lyc_status daemon_init(struct daemon *daemon, const Lyceum__V1__Config *config,
			    const struct env *env, uint64_t epoch, const char *plugin_folder,
			    struct lyc_error *error)
{
	*daemon = (struct daemon){.env = *env};
	env = &daemon->env;
	snprintf(daemon->name, sizeof(daemon->name), "%s", config->name);
	daemon->started_ms = env->now_ms(env->world);
	enum lyc_status status = policy_init(&daemon->policy, config, error);
	daemon->policy.types = &daemon->types;
	if (status != LYC_OK) {
		daemon->env.world = NULL; /* there is no daemon */
		return status;
	}
	types_init(&daemon->types);
	services_init(&daemon->services);
	session_table_init(&daemon->sessions, env);
	pace_init(&daemon->pace);
	topics_init(&daemon->topics);
	stream_init(&daemon->stream, env, &daemon->policy, &daemon->types, &daemon->sessions,
		    &daemon->topics, config->name, epoch);
	stream_load(&daemon->stream, config->uplink != NULL);
	journal_init(&daemon->journal, env,
		     config->limits && config->limits->journal ? config->limits->journal
							       : JOURNAL_LEN);
	daemon->stream.journal = &daemon->journal;
	why_init(daemon);
	daemon->stream.is_sought = healing_seeks;
	daemon->stream.is_sought_arg = daemon;
	daemon->stream.on_commit = on_commit;
	daemon->stream.on_commit_arg = daemon;
	daemon->stream.on_private = on_private;
	daemon->stream.on_private_arg = daemon;
	daemon->stream.on_interest = on_interest;
	daemon->stream.on_interest_arg = daemon;
	daemon->router = (struct router){
		.env = env,
		.policy = &daemon->policy,
		.types = &daemon->types,
		.services = &daemon->services,
		.sessions = &daemon->sessions,
		.stream = &daemon->stream,
		.journal = &daemon->journal,
		.host = &daemon->host,
		.builtin = builtin_call,
		.builtin_arg = daemon,
	};
	snprintf(daemon->router.name, sizeof(daemon->router.name), "%s", config->name);
	router_init(&daemon->router);
	daemon->links = (struct links){.env = env,
				       .stream = &daemon->stream,
				       .router = &daemon->router,
				       .sessions = &daemon->sessions,
				       .services = &daemon->services};
	links_init(&daemon->links);
	daemon->host = (struct host){.env = env,
				     .policy = &daemon->policy,
				     .on_hung = on_hung,
				     .on_upgraded = on_upgraded,
				     .arg = daemon};
	list_init(&daemon->restarts);
	host_init(&daemon->host);
	host_configure(&daemon->host, config, plugin_folder);
	daemon->uplink = (struct uplink){.env = env, .epoch = epoch};
	reload_limits(daemon, config->limits);
	if (config->uplink) {
		name_hub(daemon, config->uplink);
		known_load_hub(daemon, daemon->uplink.link);
	}
	daemon->stream.erasures = erasures_new(&daemon->stream);
	list_init(&daemon->erase_jobs);
	struct retention_rules rules;
	status = retention_rules_read(config, &rules, error);
	if (status == LYC_OK)
		daemon->stream.retention =
			retention_new(&daemon->stream, &rules, daemon_has_passed, daemon);
	if (status == LYC_OK)
		status = add_core(daemon);
	if (status != LYC_OK) {
		daemon_fini(daemon);
		daemon->env.world = NULL;
	}
	return status;
}

void daemon_fini(struct daemon *daemon)
{
	daemon->router.once.is_closed = true;
	daemon->stream.is_ending = true;
	list_each_safe (node, &daemon->sessions.all)
		daemon_end_session(daemon, list_entry(node, struct session, all), "stopped");
	restart_fini(daemon);
	barred_fini(daemon);
	host_fini(&daemon->host);
	healing_fini(daemon);
	links_fini(&daemon->links);
	router_fini(&daemon->router);
	why_fini(daemon);
	erase_fini(daemon);
	stream_fini(&daemon->stream);
	topics_fini(&daemon->topics);
	session_table_fini(&daemon->sessions);
	services_fini(&daemon->services);
	types_fini(&daemon->types);
	policy_fini(&daemon->policy);
	journal_fini(&daemon->journal);
}

void daemon_replay(struct daemon *daemon, uint64_t seq, struct span bytes)
{
	struct record record;
	/* What the summary knew, only the outbox may have to be told again. */
	if (seq > daemon->summary.seq)
		stream_replay(&daemon->stream, seq, bytes);
	if (record_read(bytes, &record) == LYC_OK)
		links_committed(&daemon->links, seq, &record);
}

void daemon_replayed(struct daemon *daemon, uint64_t last_seq)
{
	stream_replayed(&daemon->stream, last_seq);
}

void daemon_start(struct daemon *daemon)
{
	backups_load(daemon);
	known_load(daemon);
	values_tell(daemon);
	if (daemon->uplink.link)
		uplink_start(&daemon->uplink, daemon->uplink.link);
	daemon_tick(daemon);
}

void daemon_end_session(struct daemon *daemon, struct session *session, const char *text)
{
	bool is_hub = session->kind == SESSION_HUB;
	if (session_is_link(session) && session->owner) {
		known_save(daemon);
		link_down(session->owner, text);
	}
	if (is_hub)
		daemon->router.hub = NULL;
	router_leave(&daemon->router, session);
	stream_leave(&daemon->stream, session);
	bool had_offers = services_withdraw(&daemon->services, session);
	host_session_lost(&daemon->host, session);
	session_free(&daemon->sessions, session);
	if (had_offers && !daemon->is_stopping)
		links_announce(&daemon->links);
	if (is_hub)
		uplink_lost(&daemon->uplink, text);
}

void daemon_close_port(struct daemon *daemon, uint32_t port)
{
	list_each_safe (node, &daemon->sessions.all) {
		struct session *session = list_entry(node, struct session, all);
		if (session_port(session) == port)
			daemon_dismiss(daemon, session, GOODBYE_UNSPECIFIED,
				       "this address is closed");
	}
}

void daemon_uplink_cut(struct daemon *daemon)
{
	if (daemon->router.hub)
		daemon_end_session(daemon, daemon->router.hub,
				   "the connection to the hub has ended");
}

void daemon_end_instance_sessions(struct daemon *daemon, const char *identity, const char *text)
{
	list_each_safe (node, &daemon->sessions.all) {
		struct session *session = list_entry(node, struct session, all);
		if (session->kind == SESSION_PLUGIN && strcmp(session->identity, identity) == 0)
			daemon_end_session(daemon, session, text);
	}
}

void daemon_instance_ended(struct daemon *daemon, struct plugin *plugin, bool is_final,
			   const char *text)
{
	daemon_end_instance_sessions(daemon, plugin->identity, text);
	host_exited(&daemon->host, plugin, is_final, text);
}

static void say_goodbye(struct daemon *daemon, struct session *session, enum goodbye_reason reason,
			const char *text)
{
	struct packet packet = {.kind = PACKET_GOODBYE};
	packet.goodbye = (struct packet_goodbye){.reason = (uint32_t)reason,
						 .text = span_of(text, strlen(text))};
	session_send(&daemon->sessions, session, &packet);
}

void daemon_dismiss(struct daemon *daemon, struct session *session, enum goodbye_reason reason,
		    const char *text)
{
	say_goodbye(daemon, session, reason, text);
	daemon_end_session(daemon, session, text);
}

/* A ROUTER says of a connection that has ended only that it cannot be sent to: so somebody for whom
 * others wait is sent something. */
static bool is_ping_due(const struct daemon *daemon, const struct session *session,
			const struct plugin *plugin, uint64_t now)
{
	uint64_t silent_ms = now - session->last_sent_ms;
	bool is_asked = plugin && now - session->last_heard_ms >= plugin->hang_ms / 4 &&
			silent_ms >= plugin->hang_ms / 4;
	return session->out.len == 0 &&
	       (is_asked || silent_ms >= daemon->limits.heartbeat_ms ||
		(silent_ms >= PROBE_MS && !list_is_empty(&session->calls_given)));
}

static void beat(struct daemon *daemon, uint64_t now)
{
	list_each_safe (node, &daemon->sessions.all) {
		struct session *session = list_entry(node, struct session, all);
		const struct link *link = session_is_link(session) ? session->owner : NULL;
		const struct plugin *plugin = session->kind == SESSION_PLUGIN
						      ? host_find(&daemon->host, session->identity)
						      : NULL;
		if (link && link->has_failed && !link->failure &&
		    now - link->failed_ms < LINK_REST_MS) {
			/* calls go on; the disk may have room again by then */
		} else if (link && link->has_failed) {
			daemon_dismiss(daemon, session, GOODBYE_UNSPECIFIED,
				       link->failure ? link->failure
						     : "the log here does not take records");
		} else if (session->is_stuck) {
			log_warning("peer does not read and is cut", "peer", session->identity);
			daemon_end_session(daemon, session, "it does not read what it is sent");
		} else if (session->is_gone) {
			daemon_end_session(daemon, session, "its connection has ended");
		} else if (!plugin && /* the host decides when an instance hangs */
			   now - session->last_heard_ms > 3ull * daemon->limits.heartbeat_ms) {
			daemon_dismiss(daemon, session, GOODBYE_TIMEOUT,
				       "nothing was heard for three heartbeats");
		} else if (is_ping_due(daemon, session, plugin, now)) {
			struct packet packet = {.kind = PACKET_PING};
			packet.ping.id = now;
			session_send(&daemon->sessions, session, &packet);
		}
	}
}

static void go_on_stopping(struct daemon *daemon)
{
	uint64_t now = daemon->env.now_ms(daemon->env.world);
	bool is_drained = daemon->router.calls.count == 0 || now >= daemon->drained_by_ms;
	if (daemon->has_said_goodbye || !is_drained)
		return;
	daemon->has_said_goodbye = true;
	list_each (node, &daemon->sessions.all)
		say_goodbye(daemon, list_entry(node, struct session, all), GOODBYE_SHUTDOWN,
			    "the daemon is stopping");
	host_stop(&daemon->host, STOP_GRACE_MS);
	session_flush_all(&daemon->sessions);
}

void daemon_tick(struct daemon *daemon)
{
	uint64_t now = daemon->env.now_ms(daemon->env.world);
	router_tick(&daemon->router);
	if (daemon->is_stopping)
		go_on_stopping(daemon);
	if (now < daemon->next_tick_ms)
		return;
	daemon->next_tick_ms = now + TICK_MS;
	if (!daemon->is_stopping) {
		beat(daemon, now);
		host_tick(&daemon->host);
		handover_tick(daemon);
		uplink_tick(&daemon->uplink);
		retention_tick(daemon->stream.retention);
		erasures_tick(daemon->stream.erasures);
		erase_tick(daemon);
	}
	stream_tick(&daemon->stream);
	stream_tell_links(&daemon->stream);
	if (now - daemon->heads_saved_ms > SAVE_HEADS_MS)
		known_save(daemon);
	summary_tick(daemon);
	if (!daemon->is_stopping)
		healing_tick(daemon);
}

bool daemon_turn(struct daemon *daemon)
{
	waiting_turn(&daemon->router);
	turns_turn(&daemon->router);
	links_turn(&daemon->links);
	stream_turn(&daemon->stream);
	why_turn(daemon);
	pace_turn(&daemon->pace, &daemon->sessions, daemon->env.now_ms(daemon->env.world));
	return session_flush_all(&daemon->sessions) > 0;
}

void daemon_stop(struct daemon *daemon)
{
	if (daemon->is_stopping)
		return;
	daemon->is_stopping = true;
	log_notice("stopping");
	daemon->router.is_stopping = true;
	daemon->drained_by_ms = daemon->env.now_ms(daemon->env.world) + DRAIN_MS;
	known_save(daemon);
	summary_save(daemon);
	go_on_stopping(daemon);
}

bool daemon_is_quiet(const struct daemon *daemon)
{
	return daemon->has_said_goodbye && host_running(&daemon->host) == 0 &&
	       daemon->stream.appends_pending == 0;
}
