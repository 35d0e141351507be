/* Keys, limits, the hub and the plugins of a new configuration, each compared with what there is.
 */
#include "node/reload.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "host/upgrade.h"
#include "lyceum/v1/config.pb-c.h"
#include "node/barred.h"
#include "stream/outgoing.h"

static void note(struct buf *to, const char *format, ...) LYC_PRINTF(2, 3);
static void note(struct buf *to, const char *format, ...)
{
	char text[300];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_add_text(to, text);
	buf_add_byte(to, '\n');
}

static bool is_same(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
	if (!a || !b)
		return a == b;
	size_t len = protobuf_c_message_get_packed_size(a);
	if (len != protobuf_c_message_get_packed_size(b))
		return false;
	uint8_t *bytes = mem_get(2 * len + 1);
	protobuf_c_message_pack(a, bytes);
	protobuf_c_message_pack(b, bytes + len);
	bool is_same = memcmp(bytes, bytes + len, len) == 0;
	free(bytes);
	return is_same;
}

/* ---- what takes a restart ---- */

static enum lyc_status refuse(struct lyc_error *error, const char *name)
{
	return error_set_field(error, LYC_FAILED_PRECONDITION, name,
			       "%s: takes effect with a restart of the daemon only; nothing was "
			       "changed",
			       name);
}

/* Whatever can be changed is taken out of both; what is left has to be the same. */
static const char *find_other(const Lyceum__V1__Config *old, const Lyceum__V1__Config *config)
{
	const ProtobufCMessageDescriptor *type = &lyceum__v1__config__descriptor;
	static const char *const changeable[] = {"listen",  "keys",   "uplink",
						 "plugins", "limits", "log"};
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		bool is_changeable = false;
		for (size_t j = 0; j < sizeof(changeable) / sizeof(changeable[0]); j++)
			is_changeable = is_changeable || strcmp(field->name, changeable[j]) == 0;
		if (is_changeable)
			continue;
		/* Of each message only this field. */
		Lyceum__V1__Config left = LYCEUM__V1__CONFIG__INIT;
		Lyceum__V1__Config right = LYCEUM__V1__CONFIG__INIT;
		bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
		size_t size = is_list || field->type == PROTOBUF_C_TYPE_STRING ||
					      field->type == PROTOBUF_C_TYPE_MESSAGE
				      ? sizeof(void *)
				      : sizeof(uint64_t);
		memcpy((char *)&left + field->offset, (const char *)old + field->offset, size);
		memcpy((char *)&right + field->offset, (const char *)config + field->offset, size);
		if (is_list) {
			memcpy((char *)&left + field->quantifier_offset,
			       (const char *)old + field->quantifier_offset, sizeof(size_t));
			memcpy((char *)&right + field->quantifier_offset,
			       (const char *)config + field->quantifier_offset, sizeof(size_t));
		}
		if (!is_same(&left.base, &right.base))
			return field->name;
	}
	return NULL;
}

enum lyc_status reload_check(const Lyceum__V1__Config *old, const Lyceum__V1__Config *config,
			     struct lyc_error *error)
{
	const char *name = find_other(old, config);
	return name ? refuse(error, name) : LYC_OK;
}

/* ---- keys ---- */

struct keys_change {
	struct daemon *daemon;
	struct buf *changes;
};

static void on_key(const struct grants *grants, enum policy_change change, void *arg)
{
	struct keys_change *keys = arg;
	struct daemon *daemon = keys->daemon;
	static const char *const texts[] = {
		[POLICY_ADDED] = "keys: '%s' is let in",
		[POLICY_REVOKED] = "keys: '%s' is not let in any more; its connections were cut",
		[POLICY_CHANGED] = "keys: the rights of '%s' are others",
		[POLICY_REPLACED] = "keys: '%s' has another key or role; its connections were cut",
	};
	char text[200];
	snprintf(text, sizeof(text), texts[change], grants->name);
	note(keys->changes, "%s", text);
	list_each_safe (node, &daemon->sessions.all) {
		struct session *session = list_entry(node, struct session, all);
		if (session->grants != grants)
			continue;
		if (change == POLICY_REVOKED || change == POLICY_REPLACED)
			barred_add(daemon, session, "its key was taken back");
	}
}

/* What it may not subscribe to any more ends. */
static void look_at_subscriptions(struct daemon *daemon)
{
	list_each (node, &daemon->sessions.all) {
		struct session *session = list_entry(node, struct session, all);
		list_each_safe (at, &session->subscriptions) {
			struct subscription *subscription =
				list_entry(at, struct subscription, of_session);
			uint64_t id = subscription->id;
			const char *pattern = subscription->pattern;
			if (policy_may_subscribe(session->grants,
						 span_of(pattern, strlen(pattern))))
				continue;
			stream_unsubscribe(&daemon->stream, session, id, false);
			outgoing_refuse(&daemon->stream, session, id, LYC_PERMISSION_DENIED,
					"the key's `subscribe` list does not have this pattern "
					"any more");
		}
	}
}

static void apply_keys(struct daemon *daemon, const Lyceum__V1__Config *config, struct buf *changes)
{
	struct keys_change change = {.daemon = daemon, .changes = changes};
	struct lyc_error error;
	/* Whoever read it has checked it: policy_check. */
	if (policy_update(&daemon->policy, config, on_key, &change, &error) != LYC_OK)
		note(changes, "keys: left as they were: %s", error.text);
	look_at_subscriptions(daemon);
}

/* ---- limits ---- */

#define MEMORY_LEN (1ull << 30)

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
	return value ? value : otherwise;
}

/* No person takes all sessions, and all persons together leave some. */
static void set_session_limits(struct limits *limits, uint32_t of_one)
{
	uint32_t eighth = limits->sessions / 8;
	limits->sessions_kept = eighth < 64 ? eighth : 64;
	limits->sessions_of_one = of_one ? of_one : eighth > 64 ? eighth : 64;
}

/* As config.proto says. */
static void set_memory(struct daemon *daemon, uint64_t memory)
{
	struct router *router = &daemon->router;
	size_t calls = memory / 8 / sizeof(struct call);
	daemon->sessions.max_waiting = memory / 4;
	daemon->stream.max_appends_len = memory / 2;
	router->waiting.max_held = memory / 8;
	router->calls.max_count = calls < CALL_MAX_COUNT ? calls : CALL_MAX_COUNT;
}

void reload_limits(struct daemon *daemon, const Lyceum__V1__Limits *limits)
{
	static const Lyceum__V1__Limits none = LYCEUM__V1__LIMITS__INIT;
	if (!limits)
		limits = &none;
	daemon->limits = (struct limits){
		.call_credit = or_default(limits->call_credit, 8u * 1024 * 1024),
		.publish_credit = or_default(limits->publish_credit, 8u * 1024 * 1024),
		.sessions = (uint32_t)or_default(limits->sessions, 4096),
		.heartbeat_ms = (uint32_t)or_default(limits->heartbeat_ms, 5000),
	};
	set_session_limits(&daemon->limits, limits->sessions_of_one);
	journal_resize(&daemon->journal, or_default(limits->journal, JOURNAL_LEN));
	if (limits->backlog)
		daemon->sessions.max_backlog = limits->backlog;
	else
		daemon->sessions.max_backlog = SESSION_MAX_BACKLOG;
	set_memory(daemon, or_default(limits->memory, MEMORY_LEN));
	daemon->stream.max_subscriptions = (size_t)or_default(limits->subscriptions, 1024);
	daemon->router.default_timeout_ms = (uint32_t)or_default(limits->default_timeout_ms, 10000);
	uint64_t keys = or_default(limits->idempotency_keys, 65536);
	daemon->router.once.remembered.limits = (struct remembered_limits){
		.keep_ms = 1000 * or_default(limits->idempotency_s, 24 * 60 * 60),
		.max_keys = keys,
		.max_keys_of_one = (keys + 3) / 4,
		.max_len = or_default(limits->idempotency_bytes, 64u << 20),
	};
	daemon->uplink.call_credit = daemon->limits.call_credit * LINK_CREDIT_SCALE;
}

static void apply_limits(struct daemon *daemon, const Lyceum__V1__Config *old,
			 const Lyceum__V1__Config *config, struct buf *changes)
{
	static const Lyceum__V1__Limits none = LYCEUM__V1__LIMITS__INIT;
	const Lyceum__V1__Limits *before = old->limits ? old->limits : &none;
	const Lyceum__V1__Limits *now = config->limits ? config->limits : &none;
	if (is_same(&before->base, &now->base))
		return;
	reload_limits(daemon, now);
	if (before->journal != now->journal)
		note(changes, "limits.journal: takes effect with a restart of the daemon");
	note(changes, "limits: changed; credit is given to sessions that begin from now on");
}

/* ---- the hub ---- */

static bool is_same_hub(const Lyceum__V1__Config *old, const Lyceum__V1__Config *config)
{
	const Lyceum__V1__Uplink *before = old->uplink;
	const Lyceum__V1__Uplink *now = config->uplink;
	return before && now ? is_same(&before->base, &now->base) : before == now;
}

static void apply_uplink(struct daemon *daemon, const Lyceum__V1__Config *old,
			 const Lyceum__V1__Config *config, struct buf *changes)
{
	const Lyceum__V1__Uplink *before = old->uplink;
	const Lyceum__V1__Uplink *now = config->uplink;
	if (is_same_hub(old, config))
		return;
	if (now)
		daemon_join_hub(daemon, now);
	if (before && now)
		note(changes, "uplink: the hub is '%s' at %s; connecting anew", now->name,
		     now->endpoint);
	else if (now)
		note(changes, "uplink: the hub is '%s' at %s", now->name, now->endpoint);
	else
		note(changes, "uplink: '%s' is not the hub any more", before->name);
}

/* ---- plugins ---- */

static const Lyceum__V1__PluginConfig *find_plugin(const Lyceum__V1__Config *config,
						   const char *name)
{
	for (size_t i = 0; i < config->n_plugins; i++) {
		if (strcmp(config->plugins[i]->name, name) == 0)
			return config->plugins[i];
	}
	return NULL;
}

static uint32_t instances_of(const Lyceum__V1__PluginConfig *config)
{
	return config->instances ? config->instances : 1;
}

/* But for the number of instances. */
static bool has_changed(const Lyceum__V1__PluginConfig *before, const Lyceum__V1__PluginConfig *now)
{
	Lyceum__V1__PluginConfig left = *before;
	Lyceum__V1__PluginConfig right = *now;
	left.instances = right.instances = 1;
	return !is_same(&left.base, &right.base);
}

/* Those beyond what is configured; all with 0. */
static size_t retire_beyond(struct host *host, const char *name, uint32_t instances)
{
	struct plugin *surplus[64];
	size_t count = 0;
	list_each (node, &host->plugins) {
		struct plugin *plugin = list_entry(node, struct plugin, node);
		const char *dot = strrchr(plugin->title, '.');
		uint32_t number = dot ? (uint32_t)strtoul(dot + 1, NULL, 10) : 1;
		if (strcmp(plugin->name, name) == 0 && plugin_entry_is_shown(plugin) &&
		    number > instances && count < 64)
			surplus[count++] = plugin;
	}
	for (size_t i = 0; i < count; i++)
		upgrade_retire(host, surplus[i]);
	return count;
}

static void apply_plugin(struct daemon *daemon, const Lyceum__V1__PluginConfig *before,
			 const Lyceum__V1__PluginConfig *now, const char *folder, uint64_t stamp,
			 struct buf *changes)
{
	struct host *host = &daemon->host;
	bool is_other = before && has_changed(before, now);
	bool has_other_files = false;
	size_t added = 0;
	for (uint32_t number = 1; number <= instances_of(now); number++) {
		struct plugin *next = plugin_entry_new(now, number, folder);
		struct plugin *plugin = host_find_title(host, next->title);
		bool is_stale = plugin && stamp && plugin->stamp && plugin->stamp != stamp;
		has_other_files = has_other_files || is_stale;
		if (plugin && (is_other || is_stale)) {
			upgrade_begin(host, plugin, next);
		} else if (plugin) {
			plugin_entry_free(next);
		} else {
			list_add_last(&host->plugins, &next->node);
			added++;
		}
	}
	size_t removed = retire_beyond(host, now->name, instances_of(now));
	if (!before)
		note(changes, "plugins: '%s' is started", now->name);
	else if (is_other)
		note(changes, "plugins: '%s' is replaced: it is configured otherwise", now->name);
	else if (has_other_files)
		note(changes, "plugins: '%s' is replaced: its files have changed", now->name);
	if (before && added + removed > 0)
		note(changes, "plugins: '%s' has %u instance%s", now->name, instances_of(now),
		     instances_of(now) == 1 ? "" : "s");
}

static void apply_plugins(struct daemon *daemon, const Lyceum__V1__Config *old,
			  const Lyceum__V1__Config *config, const char *folder,
			  const uint64_t *stamps, struct buf *changes)
{
	for (size_t i = 0; i < old->n_plugins; i++) {
		const char *name = old->plugins[i]->name;
		if (find_plugin(config, name))
			continue;
		retire_beyond(&daemon->host, name, 0);
		note(changes, "plugins: '%s' is stopped", name);
	}
	for (size_t i = 0; i < config->n_plugins; i++) {
		const Lyceum__V1__PluginConfig *now = config->plugins[i];
		apply_plugin(daemon, find_plugin(old, now->name), now, folder, stamps[i], changes);
	}
}

void reload_apply(struct daemon *daemon, const Lyceum__V1__Config *old,
		  const Lyceum__V1__Config *config, const char *plugin_folder,
		  const uint64_t *stamps, struct buf *ret_changes)
{
	/* First, so that its name may be a key's from now on. */
	if (old->uplink && !is_same_hub(old, config))
		daemon_leave_hub(daemon);
	apply_keys(daemon, config, ret_changes);
	apply_limits(daemon, old, config, ret_changes);
	apply_uplink(daemon, old, config, ret_changes);
	apply_plugins(daemon, old, config, plugin_folder, stamps, ret_changes);
}
