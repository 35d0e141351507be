/* The check at a plugin's follow. */
#include "node/views.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "stream/outgoing.h"
#include "stream/retention.h"

#define STOP_GRACE_MS 2000

/* As lyc_follow asks. A place under a durable name is a reader's, who has what it has consumed. */
static bool is_view(const struct session *session, const struct packet_subscribe *subscribe)
{
	return session->kind == SESSION_PLUGIN && subscribe->records_only &&
	       subscribe->start == SUBSCRIBE_SEQ && subscribe->durable.len == 0;
}

bool views_admit(struct daemon *daemon, struct session *session,
		 const struct packet_subscribe *subscribe)
{
	const struct env *env = &daemon->env;
	struct plugin *plugin =
		is_view(session, subscribe) ? host_find(&daemon->host, session->identity) : NULL;
	struct lyc_error error = {0};
	char who[80];
	if (!plugin)
		return true;
	snprintf(who, sizeof(who), "the plugin '%s'", plugin->name);
	enum lyc_status status = retention_rules_admit(retention_rules_of(daemon->stream.retention),
						       subscribe->pattern, who, &error);
	if (status == LYC_OK) {
		struct buf key = {0};
		buf_add_format(&key, VIEWS_KEY_PREFIX "%s", plugin->name);
		env->save(env->world, buf_text(&key), subscribe->pattern);
		buf_fini(&key);
		return true;
	}
	outgoing_refuse(&daemon->stream, session, subscribe->id, status, error.text);
	host_refused(&daemon->host, plugin, error.text);
	env->plugin_stop(env->world, plugin, STOP_GRACE_MS);
	return false;
}
