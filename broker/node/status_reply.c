/*
 * The reply to Node/Status. Everything in it lies in the daemon while it is packed; only the arrays
 * are made for it.
 */
#include "node/status_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lyceum/v1/node.pb-c.h"
#include "node/erase.h"
#include "node/reply_pack.h"
#include "node/values.h"
#include "stream/retention.h"

#define MAX_SESSIONS 1000
#define MAX_LOST 200
#define MAX_ERASURES 100
#define MAX_DAMAGED 100

/* ---- Status ---- */

static uint64_t now_of(const struct daemon *daemon)
{
	return daemon->env.now_ms(daemon->env.world);
}

static void fill_link(struct daemon *daemon, struct link *link, bool is_operator,
		      Lyceum__V1__Link *ret_link)
{
	uint64_t now = now_of(daemon);
	lyceum__v1__link__init(ret_link);
	ret_link->peer = link->peer;
	ret_link->is_up = link->session != NULL;
	ret_link->since_ms = now - link->since_ms;
	ret_link->outbox = link->outbox_count;
	if (is_operator)
		ret_link->endpoint = link->endpoint;
	ret_link->text = link->text;
	if (link->is_hub && !link->session)
		ret_link->retry_ms = link->retry_at_ms > now ? link->retry_at_ms - now : 0;
}

static void fill_plugin(struct daemon *daemon, struct plugin *plugin, bool is_operator,
			Lyceum__V1__Plugin *ret_plugin)
{
	lyceum__v1__plugin__init(ret_plugin);
	ret_plugin->name = plugin->title;
	ret_plugin->state = (Lyceum__V1__Plugin__State)plugin->state;
	ret_plugin->in_thread = plugin->in_thread;
	ret_plugin->restarts = plugin->restarts;
	ret_plugin->faults = plugin->faults;
	if (is_operator) {
		ret_plugin->last_fault = plugin->last_fault;
		ret_plugin->text = plugin->text;
		ret_plugin->pid = plugin->pid;
		ret_plugin->path = plugin->path;
		ret_plugin->confinement = plugin->in_thread
						  ? (char *)"not confined: a thread of the daemon"
						  : plugin->confined;
	}
	if (plugin->session) {
		ret_plugin->version = plugin->session->software;
		ret_plugin->behind = stream_behind(&daemon->stream, plugin->session);
	}
}

static void fill_session(struct daemon *daemon, struct session *session,
			 Lyceum__V1__Session *ret_session)
{
	lyceum__v1__session__init(ret_session);
	ret_session->identity = session->identity;
	ret_session->software = session->software;
	ret_session->since_ms = now_of(daemon) - session->since_ms;
	ret_session->calls_outstanding = session->calls_made_count;
	ret_session->subscriptions = session->subscription_count;
}

static void fill_origin(struct daemon *daemon, struct origin *origin, Lyceum__V1__AsOf *ret_as_of)
{
	lyceum__v1__as_of__init(ret_as_of);
	bool is_own = strcmp(origin->name, daemon->name) == 0;
	ret_as_of->origin = origin->name;
	ret_as_of->epoch = origin->epoch;
	ret_as_of->seq = is_own ? daemon->stream.last_seq : origin->seq;
	if (!is_own)
		ret_as_of->age_ms = origin_age_ms(origin, now_of(daemon),
						  daemon->env.wall_ms(daemon->env.world));
}

static size_t list_len(const struct list *head)
{
	size_t count = 0;
	list_each (node, head)
		count++;
	return count;
}

static void fill_streams(struct daemon *daemon, Lyceum__V1__StreamState *streams, size_t *ret_count)
{
	const struct retention *retention = daemon->stream.retention;
	for (size_t i = 0; i < retention_count(retention); i++) {
		struct retention_state state = retention_state(retention, i);
		if (state.is_own)
			continue;
		Lyceum__V1__StreamState *to = &streams[(*ret_count)++];
		lyceum__v1__stream_state__init(to);
		to->name = (char *)(uintptr_t)state.name;
		to->records = state.record_count;
		to->bytes = state.bytes;
		to->removed = state.removed_count;
	}
}

static const char *refusal_of(enum lyc_status status)
{
	if (status == LYC_OK)
		return "";
	return status == LYC_RESOURCE_EXHAUSTED ? "the disk is full"
						: "the disk failed; a restart opens the log again";
}

void status_reply(struct daemon *daemon, bool is_operator, struct buf *to)
{
	Lyceum__V1__StatusReply reply = LYCEUM__V1__STATUS_REPLY__INIT;
	Lyceum__V1__Storage storage = LYCEUM__V1__STORAGE__INIT;
	Lyceum__V1__Link uplink;
	char software[] = "lyceumd " LYCEUM_VERSION;
	reply.name = daemon->name;
	reply.software = software;
	reply.epoch = daemon->stream.epoch;
	reply.uptime_ms = now_of(daemon) - daemon->started_ms;

	struct store_stats stats = {0};
	const char *folder = "";
	daemon->storage(daemon->env.world, &stats, &folder, &storage.free_bytes);
	if (is_operator)
		storage.folder = (char *)(uintptr_t)folder;
	storage.first_seq = stats.first_seq;
	storage.last_seq = stats.last_seq;
	storage.subject_count = stats.subject_count;
	storage.bytes = stats.bytes;
	storage.segment_count = stats.segment_count;
	storage.lost = stats.lost_count;
	storage.damaged_files = stats.aside_count;
	Lyceum__V1__StreamState *streams =
		mem_get(retention_count(daemon->stream.retention) * sizeof(*streams));
	fill_streams(daemon, streams, &storage.n_stream);
	storage.stream = reply_point(streams, sizeof(*streams), storage.n_stream);
	struct damaged_value *damaged = mem_get(MAX_DAMAGED * sizeof(*damaged));
	Lyceum__V1__DamagedValue *values = mem_get(MAX_DAMAGED * sizeof(*values));
	storage.n_damaged_value = is_operator ? values_list(daemon, damaged, MAX_DAMAGED) : 0;
	for (size_t i = 0; i < storage.n_damaged_value; i++) {
		lyceum__v1__damaged_value__init(&values[i]);
		values[i].file = damaged[i].file;
		values[i].text = damaged[i].text;
	}
	storage.damaged_value = reply_point(values, sizeof(*values), storage.n_damaged_value);
	storage.refusal = (char *)(uintptr_t)refusal_of(stats.append_status);
	reply.storage = &storage;

	Lyceum__V1__Link *links = mem_get((list_len(&daemon->links.all) + 1) * sizeof(*links));
	list_each (node, &daemon->links.all) {
		struct link *link = list_entry(node, struct link, node);
		if (link->is_former)
			continue;
		fill_link(daemon, link, is_operator, link->is_hub ? &uplink : &links[reply.n_node]);
		if (link->is_hub)
			reply.uplink = &uplink;
		else
			reply.n_node++;
	}
	reply.node = reply_point(links, sizeof(*links), reply.n_node);

	size_t origin_count = daemon->stream.origins.count;
	Lyceum__V1__AsOf *origins = mem_get((origin_count + 1) * sizeof(*origins));
	for (; reply.n_origin < origin_count; reply.n_origin++)
		fill_origin(daemon, &daemon->stream.origins.items[reply.n_origin],
			    &origins[reply.n_origin]);
	reply.origin = reply_point(origins, sizeof(*origins), reply.n_origin);

	Lyceum__V1__Plugin *plugins =
		mem_get((list_len(&daemon->host.plugins) + 1) * sizeof(*plugins));
	list_each (node, &daemon->host.plugins) {
		struct plugin *plugin = list_entry(node, struct plugin, node);
		if (plugin_entry_is_shown(plugin))
			fill_plugin(daemon, plugin, is_operator, &plugins[reply.n_plugin++]);
	}
	reply.plugin = reply_point(plugins, sizeof(*plugins), reply.n_plugin);

	Lyceum__V1__Session *sessions = mem_get(MAX_SESSIONS * sizeof(*sessions));
	list_each (node, &daemon->sessions.all) {
		if (!is_operator || reply.n_session == MAX_SESSIONS)
			break;
		fill_session(daemon, list_entry(node, struct session, all),
			     &sessions[reply.n_session++]);
	}
	reply.session = reply_point(sessions, sizeof(*sessions), reply.n_session);

	Lyceum__V1__HeldType *held = mem_get(HELD_TYPES_MAX * sizeof(*held));
	char(*schemas)[20] = mem_get(HELD_TYPES_MAX * sizeof(*schemas));
	struct buf notes[HELD_TYPES_MAX] = {0};
	held_settle(&daemon->stream.held, &daemon->types);
	for (size_t i = 0; i < daemon->stream.held.count; i++) {
		struct held_type *type = &daemon->stream.held.types[i];
		snprintf(schemas[i], sizeof(*schemas), "%016llx", (unsigned long long)type->schema);
		held_explain(&daemon->stream.held, i, &daemon->types, &notes[i]);
		lyceum__v1__held_type__init(&held[i]);
		held[i].type = type->name;
		held[i].schema = schemas[i];
		held[i].count = type->count;
		held[i].text = buf_text(&notes[i]);
		reply.n_held++;
	}
	reply.held = reply_point(held, sizeof(*held), reply.n_held);

	Lyceum__V1__Calls calls = LYCEUM__V1__CALLS__INIT;
	const struct remembered *remembered = &daemon->router.once.remembered;
	once_prune(&daemon->router);
	calls.outstanding = daemon->router.calls.count;
	calls.remembered = remembered->count;
	calls.remembered_bytes = remembered->len;
	calls.remember_s = (uint32_t)(remembered->limits.keep_ms / 1000);
	reply.calls = &calls;
	Lyceum__V1__BackupState backup;
	char restored[300];
	backups_state(daemon, is_operator, restored, sizeof(restored), &backup);
	reply.backup = &backup;
	Lyceum__V1__Erasure *erasures = mem_get(MAX_ERASURES * sizeof(*erasures));
	if (is_operator)
		reply.n_erasure = erase_list(daemon, erasures, MAX_ERASURES);
	reply.erasure = reply_point(erasures, sizeof(*erasures), reply.n_erasure);

	Lyceum__V1__LostRecord *lost = mem_get(MAX_LOST * sizeof(*lost));
	struct lost_line *lost_lines = mem_get(MAX_LOST * sizeof(*lost_lines));
	reply.n_lost = is_operator ? healing_list(daemon, lost_lines, MAX_LOST) : 0;
	for (size_t i = 0; i < reply.n_lost; i++) {
		lyceum__v1__lost_record__init(&lost[i]);
		lost[i].first_seq = lost_lines[i].first_seq;
		lost[i].last_seq = lost_lines[i].last_seq;
		lost[i].subject = lost_lines[i].subject;
		lost[i].file = lost_lines[i].file;
		lost[i].offset = lost_lines[i].offset;
		lost[i].found_ms = lost_lines[i].found_ms;
		lost[i].text = (char *)(uintptr_t)lost_lines[i].text;
	}
	reply.lost = reply_point(lost, sizeof(*lost), reply.n_lost);

	reply_pack(&reply.base, to);
	free(reply.lost);
	free(lost_lines);
	free(lost);
	erase_free_list(erasures, reply.n_erasure);
	free(erasures);
	free(reply.erasure);
	free(storage.damaged_value);
	free(values);
	free(damaged);
	free(storage.stream);
	free(streams);
	for (size_t i = 0; i < HELD_TYPES_MAX; i++)
		buf_fini(&notes[i]);
	free(held);
	free(schemas);
	free(reply.held);
	free(links);
	free(reply.node);
	free(origins);
	free(reply.origin);
	free(plugins);
	free(reply.plugin);
	free(sessions);
	free(reply.session);
}
