/* Hand-overs between instances: a Register that waits, and its end. */
#include "node/handover.h"

#include <stdlib.h>

#include "base/mem.h"
#include "host/upgrade.h"
#include "log.h"
#include "node/registration.h"

#define LOG_TOPIC "host"

static uint64_t now_of(const struct daemon *daemon)
{
	return daemon->env.now_ms(daemon->env.world);
}

static bool has_offers(const struct plugin *plugin)
{
	return plugin->session && !list_is_empty(&plugin->session->offers);
}

bool handover_waits(struct daemon *daemon, struct plugin *next, const struct packet_register *reg)
{
	struct plugin *old = next->incumbent;
	struct packet packet = {.kind = PACKET_REGISTER, .reg = *reg};
	if (!old)
		return false;
	if (!has_offers(old) || next->pending.len > 0) {
		upgrade_complete(&daemon->host, next);
		return false;
	}
	packet_write(&next->pending, &packet);
	if (next->pending.has_failed)
		return false;
	next->pending_ms = now_of(daemon);
	upgrade_ask(&daemon->host, old);
	return true;
}

/* In one turn the one loses the services and the other gets them. */
static void complete(struct daemon *daemon, struct plugin *next)
{
	struct plugin *old = next->incumbent;
	struct session *session = next->session;
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	struct buf pending = next->pending;
	next->pending = (struct buf){0};
	if (old && old->session)
		services_close(&daemon->services, old->session);
	upgrade_complete(&daemon->host, next);
	frame_start(reader, span_of(pending.data, pending.len));
	if (session && frame_next(reader, &packet) == FRAME_PACKET)
		registration_take(daemon, session, &packet.reg);
	free(reader);
	buf_fini(&pending);
}

void handover_let_go(struct daemon *daemon, struct plugin *plugin)
{
	if (plugin->session)
		services_close(&daemon->services, plugin->session);
	if (plugin->successor && plugin->successor->pending.len > 0)
		complete(daemon, plugin->successor);
	else
		links_announce(&daemon->links);
}

void handover_tick(struct daemon *daemon)
{
	uint64_t now = now_of(daemon);
	list_each_safe (node, &daemon->host.plugins) {
		struct plugin *next = list_entry(node, struct plugin, node);
		if (next->pending.len == 0)
			continue;
		bool is_late = now - next->pending_ms >= UPGRADE_PATIENCE_MS;
		if (is_late && next->incumbent)
			log_warning("plugin does not let go, and is not waited for", "plugin",
				    next->title);
		if (is_late || !next->incumbent || !next->incumbent->session)
			complete(daemon, next);
	}
}
