/* lyceum.v1.Node: what every daemon answers about itself. */
#include "node/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "host/report.h"
#include "lyceum/v1/node.pb-c.h"
#include "node/erase.h"
#include "node/restart.h"
#include "node/backups.h"
#include "node/service_schema.h"
#include "node/why.h"
#include "stream/retention.h"

#define MAX_LISTED 1000
#define MAX_LOST 200
#define MAX_ERASURES 100
#define MAX_SCHEMA_REPLY (900u * 1024)

static void pack(const ProtobufCMessage *message, struct buf *to)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	if (buf_reserve(to, len)) {
		protobuf_c_message_pack(message, to->data + to->len);
		to->len += len;
	}
}

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

/* Pointers to the elements of an array, as protobuf-c wants repeated messages. */
static void *point(void *items, size_t size, size_t count)
{
	char **pointers = mem_get((count + 1) * sizeof(char *));
	for (size_t i = 0; i < count; i++)
		pointers[i] = (char *)items + i * size;
	return pointers;
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

/* Where things lie on this machine, and who is connected, is for the operator only. */
static void status_reply(struct daemon *daemon, bool is_operator, struct buf *to)
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
	storage.stream = point(streams, sizeof(*streams), storage.n_stream);
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
	reply.node = point(links, sizeof(*links), reply.n_node);

	size_t origin_count = daemon->stream.origins.count;
	Lyceum__V1__AsOf *origins = mem_get((origin_count + 1) * sizeof(*origins));
	for (; reply.n_origin < origin_count; reply.n_origin++)
		fill_origin(daemon, &daemon->stream.origins.items[reply.n_origin],
			    &origins[reply.n_origin]);
	reply.origin = point(origins, sizeof(*origins), reply.n_origin);

	Lyceum__V1__Plugin *plugins =
		mem_get((list_len(&daemon->host.plugins) + 1) * sizeof(*plugins));
	list_each (node, &daemon->host.plugins) {
		struct plugin *plugin = list_entry(node, struct plugin, node);
		if (plugin_entry_is_shown(plugin))
			fill_plugin(daemon, plugin, is_operator, &plugins[reply.n_plugin++]);
	}
	reply.plugin = point(plugins, sizeof(*plugins), reply.n_plugin);

	Lyceum__V1__Session *sessions = mem_get(MAX_LISTED * sizeof(*sessions));
	list_each (node, &daemon->sessions.all) {
		if (!is_operator || reply.n_session == MAX_LISTED)
			break;
		fill_session(daemon, list_entry(node, struct session, all),
			     &sessions[reply.n_session++]);
	}
	reply.session = point(sessions, sizeof(*sessions), reply.n_session);

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
	reply.held = point(held, sizeof(*held), reply.n_held);

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
	reply.erasure = point(erasures, sizeof(*erasures), reply.n_erasure);

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
	reply.lost = point(lost, sizeof(*lost), reply.n_lost);

	pack(&reply.base, to);
	free(reply.lost);
	free(lost_lines);
	free(lost);
	erase_free_list(erasures, reply.n_erasure);
	free(erasures);
	free(reply.erasure);
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

/* ---- Services ---- */

static void add_text(char ***items, size_t *count, const char *text)
{
	char **grown = realloc(*items, (*count + 1) * sizeof(char *));
	if (!grown)
		return;
	*items = grown;
	grown[(*count)++] = (char *)(uintptr_t)text;
}

static void fill_service(struct daemon *daemon, const struct schema *schema,
			 const struct schema_service *service, Lyceum__V1__ServiceInfo *info)
{
	lyceum__v1__service_info__init(info);
	info->name = (char *)(uintptr_t)service->full_name;
	info->help = (char *)(uintptr_t)service->comment;
	info->schema = schema_id(schema);
	for (size_t i = 0; i < service->method_count; i++)
		add_text(&info->method, &info->n_method, service->methods[i].name);
	struct service_entry *entry = services_find(
		&daemon->services, span_of(service->full_name, strlen(service->full_name)));
	if (service_is_core(service->full_name)) {
		add_text(&info->at, &info->n_at, daemon->name);
		info->by = daemon->name;
	}
	if (!entry)
		return;
	if (!list_is_empty(&entry->here)) {
		add_text(&info->at, &info->n_at, daemon->name);
		info->by =
			list_entry(entry->here.next, struct offer, of_service)->session->identity;
	}
	list_each (node, &entry->abroad)
		add_text(&info->at, &info->n_at, list_entry(node, struct offer, of_service)->node);
}

static bool is_listed(const Lyceum__V1__ServicesReply *reply, const Lyceum__V1__ServiceInfo *infos,
		      const char *name)
{
	for (size_t i = 0; i < reply->n_service; i++) {
		if (strcmp(infos[i].name, name) == 0)
			return true;
	}
	return false;
}

/* Each service once, as it is here; only those that somebody serves. */
static void services_reply(struct daemon *daemon, struct buf *to)
{
	Lyceum__V1__ServicesReply reply = LYCEUM__V1__SERVICES_REPLY__INIT;
	Lyceum__V1__ServiceInfo *infos = mem_get(MAX_LISTED * sizeof(*infos));
	const struct types *types = &daemon->types;
	for (size_t i = types->schema_count; i-- > 0;) {
		const struct schema *schema = types->schemas[i];
		for (size_t j = 0; j < schema_service_count(schema); j++) {
			const char *name = schema_service_at(schema, j)->full_name;
			if (reply.n_service == MAX_LISTED || !service_is_served(daemon, name) ||
			    is_listed(&reply, infos, name))
				continue;
			const struct schema *by = service_schema(daemon, name);
			if (!by)
				continue;
			fill_service(daemon, by, schema_find_service(by, name),
				     &infos[reply.n_service]);
			if (infos[reply.n_service].n_at > 0)
				reply.n_service++;
			else
				free(infos[reply.n_service].method);
		}
	}
	reply.service = point(infos, sizeof(*infos), reply.n_service);
	pack(&reply.base, to);
	for (size_t i = 0; i < reply.n_service; i++) {
		free(infos[i].at);
		free(infos[i].method);
	}
	free(infos);
	free(reply.service);
}

/* ---- Schema ---- */

static enum lyc_status schema_reply(struct daemon *daemon, const Lyceum__V1__SchemaRequest *request,
				    struct buf *to, struct lyc_error *error)
{
	const struct types *types = &daemon->types;
	const struct schema *one = NULL;
	if (request->name[0])
		one = service_defining(daemon, request->name);
	else if (request->id)
		one = types_schema(types, request->id);
	if (!one && (request->name[0] || request->id))
		return error_set(error, LYC_NOT_FOUND, "no schema that is held here defines '%s'",
				 request->name[0] ? request->name : "that number");
	Lyceum__V1__SchemaReply reply = LYCEUM__V1__SCHEMA_REPLY__INIT;
	Lyceum__V1__Schema *schemas = mem_get((types->schema_count + 1) * sizeof(*schemas));
	size_t len = 0;
	/* Of what runs here, then the others, the newest first, as far as the reply has room. */
	for (size_t i = types->schema_count * 2; i-- > 0;) {
		bool is_first = i >= types->schema_count;
		const struct schema *schema = types->schemas[i % types->schema_count];
		struct span bytes = schema_bytes(schema);
		bool is_left_out =
			one ? schema != one || !is_first
			    : service_is_aside(types, schema) ||
					service_schema_is_here(daemon, schema) != is_first;
		if (is_left_out || len + bytes.len > MAX_SCHEMA_REPLY)
			continue;
		Lyceum__V1__Schema *item = &schemas[reply.n_schema++];
		lyceum__v1__schema__init(item);
		item->id = schema_id(schema);
		item->descriptor_set.data = (uint8_t *)(uintptr_t)bytes.data;
		item->descriptor_set.len = bytes.len;
		len += bytes.len;
	}
	reply.schema = point(schemas, sizeof(*schemas), reply.n_schema);
	pack(&reply.base, to);
	free(schemas);
	free(reply.schema);
	return LYC_OK;
}

/* ---- Metrics ---- */

static uint64_t plugins_in(const struct daemon *daemon, enum plugin_state state)
{
	uint64_t count = 0;
	list_each (node, &daemon->host.plugins)
		count += list_entry(node, struct plugin, node)->state == state;
	return count;
}

static uint64_t copies_sent(const struct links *links)
{
	uint64_t sum = 0;
	list_each (node, &links->all)
		sum += list_entry(node, const struct link, node)->copied_count;
	return sum;
}

static void metrics_reply(struct daemon *daemon, struct buf *to)
{
	const struct router_counters *router = &daemon->router.counters;
	const struct daemon_counters *counters = &daemon->counters;
	const struct link *uplink = daemon->uplink.link;
	struct store_stats stats = {0};
	const char *folder = "";
	uint64_t free_bytes = 0;
	daemon->storage(daemon->env.world, &stats, &folder, &free_bytes);
	const struct {
		const char *name;
		const char *unit;
		const char *help;
		uint64_t value;
	} table[] = {
		{"lyceum_frames_total", "1", "frames received", counters->frames},
		{"lyceum_packets_total", "1", "packets received", counters->packets},
		{"lyceum_malformed_total", "1", "frames refused as malformed", counters->malformed},
		{"lyceum_strangers_total", "1", "packets from connections without a session",
		 counters->strangers},
		{"lyceum_refused_keys_total", "1", "connections refused for their key",
		 counters->refused_keys},
		{"lyceum_floods_total", "1", "peers cut for sending beyond their credit",
		 counters->floods},
		{"lyceum_calls_total", "1", "calls received", router->calls},
		{"lyceum_replies_total", "1", "replies passed on", router->replies},
		{"lyceum_calls_refused_total", "1", "calls ended by this daemon with a status",
		 router->refused},
		{"lyceum_calls_expired_total", "1", "calls that reached their deadline",
		 router->expired},
		{"lyceum_late_replies_total", "1", "replies to calls that had ended",
		 router->late_replies},
		{"lyceum_bad_replies_total", "1", "replies that their schema refuses",
		 router->bad_replies},
		{"lyceum_cut_replies_total", "1",
		 "replies from which labelled parts had to be cut: a plugin's fault",
		 router->cut_parts},
		{"lyceum_calls_outstanding", "1", "calls that wait for their reply",
		 daemon->router.calls.count},
		{"lyceum_sessions", "1", "peers connected", daemon->sessions.count},
		{"lyceum_subscriptions", "1", "subscriptions", daemon->topics.count},
		{"lyceum_log_last_seq", "1", "last sequence of the log", daemon->stream.last_seq},
		{"lyceum_held_types", "1", "types of which records are held without their schema",
		 daemon->stream.held.count},
		{"lyceum_copies_sent_total", "1", "records sent to other daemons",
		 copies_sent(&daemon->links)},
		{"lyceum_refused_copies_total", "1", "copied records that were refused",
		 daemon->links.refused_copies},
		{"lyceum_free_bytes", "bytes", "left on the file system of the log", free_bytes},
		{"lyceum_uplink_up", "1", "1 while the link to the hub is up",
		 uplink && uplink->session ? 1 : 0},
		{"lyceum_outbox_records", "1", "own records that the hub has not confirmed",
		 uplink ? uplink->outbox_count : 0},
		{"lyceum_plugins_running", "1", "plugin instances that run",
		 plugins_in(daemon, PLUGIN_RUNNING)},
		{"lyceum_plugins_failed", "1", "plugin instances that were refused or given up",
		 plugins_in(daemon, PLUGIN_FAILED)},
	};
	const size_t count = sizeof(table) / sizeof(table[0]);
	Lyceum__V1__MetricsReply reply = LYCEUM__V1__METRICS_REPLY__INIT;
	struct report_item *items = mem_get(MAX_LISTED * sizeof(*items));
	size_t item_count = report_list(&daemon->host, items, MAX_LISTED);
	Lyceum__V1__Metric *metrics = mem_get((count + item_count) * sizeof(*metrics));
	for (size_t i = 0; i < count; i++) {
		lyceum__v1__metric__init(&metrics[i]);
		metrics[i].name = (char *)(uintptr_t)table[i].name;
		metrics[i].unit = (char *)(uintptr_t)table[i].unit;
		metrics[i].help = (char *)(uintptr_t)table[i].help;
		metrics[i].value = (double)table[i].value;
	}
	for (size_t i = 0; i < item_count; i++) {
		lyceum__v1__metric__init(&metrics[count + i]);
		metrics[count + i].name = items[i].name;
		metrics[count + i].unit = items[i].unit;
		metrics[count + i].help = items[i].help;
		metrics[count + i].value = items[i].value;
	}
	reply.n_metric = count + item_count;
	reply.metric = point(metrics, sizeof(metrics[0]), count + item_count);
	pack(&reply.base, to);
	free(reply.metric);
	free(metrics);
	free(items);
}

static enum lyc_status must_be_operator(const struct session *caller, struct lyc_error *error)
{
	if (caller->grants->role == ROLE_OPERATOR)
		return LYC_OK;
	return error_set(error, LYC_PERMISSION_DENIED,
			 "this takes an operator's key of this daemon, and '%s' is none",
			 caller->identity);
}

static enum lyc_status reload_call(struct daemon *daemon, const struct call *call, struct span body,
				   struct lyc_error *error)
{
	Lyceum__V1__ReloadRequest *request =
		lyceum__v1__reload_request__unpack(NULL, body.len, body.data);
	if (!request)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory");
	bool is_check = request->check;
	lyceum__v1__reload_request__free_unpacked(request, NULL);
	if (!daemon->reload)
		return error_set(error, LYC_UNIMPLEMENTED, "this daemon was not read from a file");
	router_builtin_later(&daemon->router);
	return daemon->reload(daemon->env.world, call_id(call), is_check, error);
}

enum lyc_status builtin_call(const char *method, const struct call *call, struct span body,
			     struct buf *ret_reply, struct lyc_error *error, void *arg)
{
	struct daemon *daemon = arg;
	const struct session *caller = call->caller;
	const char *name = strchr(method, '/');
	name = name ? name + 1 : "";
	if (strcmp(name, "Status") == 0) {
		status_reply(daemon, caller->grants->role == ROLE_OPERATOR, ret_reply);
	} else if (strcmp(name, "Services") == 0) {
		services_reply(daemon, ret_reply);
	} else if (strcmp(name, "Why") == 0) {
		return why_call(daemon, call, body, ret_reply, error);
	} else if (strcmp(name, "Metrics") == 0) {
		metrics_reply(daemon, ret_reply);
	} else if (strcmp(name, "Report") == 0) {
		/* A plugin may carry the calls of people: theirs are not its own word. */
		if (strcmp(call->principal, daemon->name) != 0)
			return error_set(error, LYC_PERMISSION_DENIED,
					 "metrics are told by a plugin itself, not for '%s'",
					 call->principal);
		return report_take(&daemon->host, caller, body, error);
	} else if (strcmp(name, "RestartPlugin") == 0) {
		enum lyc_status status = must_be_operator(caller, error);
		return status == LYC_OK ? restart_call(daemon, call, body, error) : status;
	} else if (strcmp(name, "Backup") == 0) {
		return backups_call(daemon, call, body, error);
	} else if (strcmp(name, "Erase") == 0) {
		return erase_call(daemon, call, body, error);
	} else if (strcmp(name, "Reload") == 0) {
		enum lyc_status status = must_be_operator(caller, error);
		return status == LYC_OK ? reload_call(daemon, call, body, error) : status;
	} else if (strcmp(name, "Schema") == 0) {
		Lyceum__V1__SchemaRequest *request =
			lyceum__v1__schema_request__unpack(NULL, body.len, body.data);
		if (!request)
			return error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory");
		enum lyc_status status = schema_reply(daemon, request, ret_reply, error);
		lyceum__v1__schema_request__free_unpacked(request, NULL);
		return status;
	} else {
		return error_set(error, LYC_UNIMPLEMENTED, "lyceum.v1.Node has no method '%s'",
				 name);
	}
	return LYC_OK;
}
