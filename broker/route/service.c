/* Who serves what. Offers of one service take turns. */
#include "route/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void services_init(struct services *services)
{
	*services = (struct services){.change_count = 1};
}

static void forget(struct services *services, struct service_entry *entry)
{
	services->change_count++;
	HASH_DELETE(by_name, services->by_name, entry);
	free(entry->name);
	free(entry);
}

void services_fini(struct services *services)
{
	struct service_entry *entry;
	struct service_entry *next;
	HASH_ITER (by_name, services->by_name, entry, next)
		forget(services, entry);
}

static bool is_of_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

bool service_name_is_valid(struct span name)
{
	bool is_in_word = false;
	if (name.len > WIRE_MAX_SERVICE_NAME)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (!is_of_word(name.data[i]) && (name.data[i] != '.' || !is_in_word))
			return false;
		is_in_word = name.data[i] != '.';
	}
	return is_in_word;
}

struct service_entry *services_find(const struct services *services, struct span name)
{
	struct service_entry *entry;
	HASH_FIND(by_name, services->by_name, name.data, name.len, entry);
	return entry;
}

struct service_entry *services_of_method(const struct services *services,
					 struct method_entry *method)
{
	if (method->found_at_change != services->change_count) {
		const char *name = method->service->full_name;
		method->found = services_find(services, span_of(name, strlen(name)));
		method->found_at_change = services->change_count;
	}
	return method->found;
}

static struct service_entry *entry_of(struct services *services, struct span name)
{
	struct service_entry *entry = services_find(services, name);
	if (entry)
		return entry;
	entry = mem_new(struct service_entry);
	entry->name = mem_dup_try((const char *)name.data, name.len);
	list_init(&entry->here);
	list_init(&entry->abroad);
	HASH_ADD_KEYPTR(by_name, services->by_name, entry->name, name.len, entry);
	services->change_count++;
	return entry;
}

void services_offer(struct services *services, struct session *session, struct span name,
		    struct span node)
{
	struct service_entry *entry = entry_of(services, name);
	struct offer *offer = mem_new(struct offer);
	offer->session = session;
	offer->service = entry;
	size_t len = node.len < sizeof(offer->node) ? node.len : sizeof(offer->node) - 1;
	if (len > 0)
		memcpy(offer->node, node.data, len);
	list_add_last(node.len > 0 ? &entry->abroad : &entry->here, &offer->of_service);
	list_add_last(&session->offers, &offer->of_session);
}

bool services_withdraw(struct services *services, struct session *session)
{
	bool had_any = !list_is_empty(&session->offers);
	list_each_safe (node, &session->offers) {
		struct offer *offer = list_entry(node, struct offer, of_session);
		list_remove(&offer->of_service);
		list_remove(&offer->of_session);
		offer->service->closed_count -= offer->is_closed;
		if (list_is_empty(&offer->service->here) &&
		    list_is_empty(&offer->service->abroad) && offer->service->closed_count == 0)
			forget(services, offer->service);
		free(offer);
	}
	return had_any;
}

void services_close(struct services *services, struct session *session)
{
	(void)services;
	list_each (node, &session->offers) {
		struct offer *offer = list_entry(node, struct offer, of_session);
		list_remove(&offer->of_service);
		offer->service->closed_count += !offer->is_closed;
		offer->is_closed = true;
	}
	/* Its schema does not count as one that is served here. */
	session->schema = 0;
}

static struct offer *take_turn(struct list *offers, struct offer *offer)
{
	list_remove(&offer->of_service);
	list_add_last(offers, &offer->of_service);
	return offer;
}

struct offer *services_pick_here(struct service_entry *service)
{
	if (list_is_empty(&service->here))
		return NULL;
	struct list *first = service->here.next;
	if (first->next == &service->here)
		return list_entry(first, struct offer, of_service);
	return take_turn(&service->here, list_entry(first, struct offer, of_service));
}

struct offer *services_pick_abroad(struct service_entry *service, struct span node,
				   const struct session *from)
{
	list_each (at, &service->abroad) {
		struct offer *offer = list_entry(at, struct offer, of_service);
		if (offer->session != from && (node.len == 0 || span_is(node, offer->node)))
			return take_turn(&service->abroad, offer);
	}
	return NULL;
}
