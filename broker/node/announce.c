/* What daemons tell each other of services: a node what it serves, the hub what can be reached
 * through it. */
#include "node/link.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "log.h"

#define LOG_TOPIC "link"

/* At most WIRE_MAX_SERVICES, which is what a Register packet holds. */
void link_register(struct link *link, const struct packet_register *reg)
{
	struct links *links = link->links;
	size_t dropped = 0;
	services_withdraw(links->services, link->session);
	for (size_t i = 0; i < reg->service_count; i++) {
		struct span name = reg->services[i];
		struct span node = span_of(link->peer, strlen(link->peer));
		const uint8_t *at = memchr(name.data, '@', name.len);
		if (at && link->is_hub) {
			node = span_of(at + 1, name.len - (size_t)(at - name.data) - 1);
			name.len = (size_t)(at - name.data);
		}
		if (!service_name_is_valid(name) || node.len == 0 || node.len >= sizeof(link->peer))
			dropped++;
		else if (!span_is(node, links->stream->name))
			services_offer(links->services, link->session, name, node);
	}
	if (dropped > 0)
		log_warning("names that cannot be services were dropped", "peer", link->peer,
			    "count", log_number(dropped));
	if (!link->is_hub)
		links_announce(links);
}

void link_announce(struct link *link)
{
	struct links *links = link->links;
	struct span names[WIRE_MAX_SERVICES];
	struct buf texts = {0};
	size_t offsets[WIRE_MAX_SERVICES + 1];
	size_t count = 0;
	struct service_entry *service;
	struct service_entry *next;
	HASH_ITER (by_name, links->services->by_name, service, next) {
		if (!list_is_empty(&service->here) && count < WIRE_MAX_SERVICES) {
			offsets[count++] = texts.len;
			buf_add_text(&texts, service->name);
		}
		list_each (node, &service->abroad) {
			const struct offer *offer = list_entry(node, struct offer, of_service);
			if (link->is_hub || offer->session == link->session ||
			    count == WIRE_MAX_SERVICES)
				continue;
			offsets[count++] = texts.len;
			buf_add_format(&texts, "%s@%s", service->name, offer->node);
		}
	}
	offsets[count] = texts.len;
	for (size_t i = 0; i < count; i++)
		names[i] = span_of(texts.data + offsets[i], offsets[i + 1] - offsets[i]);
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){.services = names, .service_count = count};
	session_send(links->sessions, link->session, &packet);
	buf_fini(&texts);
}

void links_announce(struct links *links)
{
	list_each (node, &links->all) {
		struct link *link = list_entry(node, struct link, node);
		if (link->session)
			link_announce(link);
	}
}
