/*
 * The replies to Node/Services and Node/Schema. By which schema a service is understood is
 * service_schema.h's.
 */
#include "node/services_reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "node/reply_pack.h"
#include "node/service_schema.h"

#define MAX_SERVICES 1000
#define MAX_SCHEMA_REPLY (900u * 1024)

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

void services_reply(struct daemon *daemon, struct buf *to)
{
	Lyceum__V1__ServicesReply reply = LYCEUM__V1__SERVICES_REPLY__INIT;
	Lyceum__V1__ServiceInfo *infos = mem_get(MAX_SERVICES * sizeof(*infos));
	const struct types *types = &daemon->types;
	for (size_t i = types->schema_count; i-- > 0;) {
		const struct schema *schema = types->schemas[i];
		for (size_t j = 0; j < schema_service_count(schema); j++) {
			const char *name = schema_service_at(schema, j)->full_name;
			if (reply.n_service == MAX_SERVICES || !service_is_served(daemon, name) ||
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
	reply.service = reply_point(infos, sizeof(*infos), reply.n_service);
	reply_pack(&reply.base, to);
	for (size_t i = 0; i < reply.n_service; i++) {
		free(infos[i].at);
		free(infos[i].method);
	}
	free(infos);
	free(reply.service);
}

/* ---- Schema ---- */

enum lyc_status schema_reply(struct daemon *daemon, const Lyceum__V1__SchemaRequest *request,
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
	reply.schema = reply_point(schemas, sizeof(*schemas), reply.n_schema);
	reply_pack(&reply.base, to);
	free(schemas);
	free(reply.schema);
	return LYC_OK;
}
