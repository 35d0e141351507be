/* Which of the schemas held here says what a service is. */
#include "node/service_schema.h"

#include <string.h>

bool service_is_core(const char *service)
{
	return strncmp(service, "lyceum.v1.", 10) == 0;
}

bool service_is_aside(const struct types *types, const struct schema *schema)
{
	for (size_t i = 0; i < types->aside_count; i++) {
		if (types->aside[i] == schema_id(schema))
			return true;
	}
	return false;
}

/* Are calls of this service judged by this schema? */
static bool judges(const struct types *types, const struct schema_service *service, bool is_own)
{
	for (size_t i = 0; i < service->method_count; i++) {
		const char *name = service->methods[i].full_name;
		const struct method_entry *entry = types_method(types, span_of(name, strlen(name)));
		if (entry && entry->service == service && entry->is_own == is_own)
			return true;
	}
	return false;
}

const struct schema *service_schema(const struct daemon *daemon, const char *name)
{
	const struct types *types = &daemon->types;
	const struct schema *own = NULL;
	const struct schema *others = NULL;
	const struct schema *any = NULL;
	struct service_entry *entry = services_find(&daemon->services, span_of(name, strlen(name)));
	if (entry && !list_is_empty(&entry->here)) {
		uint64_t id =
			list_entry(entry->here.next, struct offer, of_service)->session->schema;
		const struct schema *brought = id ? types_schema(types, id) : NULL;
		if (brought && schema_find_service(brought, name))
			return brought;
	}
	for (size_t i = types->schema_count; i-- > 0 && !own;) {
		const struct schema *schema = types->schemas[i];
		const struct schema_service *service =
			service_is_aside(types, schema) ? NULL : schema_find_service(schema, name);
		if (!service)
			continue;
		if (judges(types, service, true))
			own = schema;
		else if (!others && judges(types, service, false))
			others = schema;
		if (!any)
			any = schema;
	}
	return own ? own : others ? others : any;
}

bool service_is_served(const struct daemon *daemon, const char *name)
{
	return service_is_core(name) ||
	       services_find(&daemon->services, span_of(name, strlen(name))) != NULL;
}

const struct schema *service_defining(const struct daemon *daemon, const char *name)
{
	char service[600];
	size_t len = strcspn(name, "/");
	const struct schema *schema = NULL;
	if (len < sizeof(service)) {
		memcpy(service, name, len);
		service[len] = '\0';
		schema = service_schema(daemon, service);
	}
	if (schema && strchr(name, '/') && !schema_find_method(schema, name))
		schema = NULL;
	return schema ? schema : types_defining(&daemon->types, name);
}

bool service_schema_is_here(const struct daemon *daemon, const struct schema *schema)
{
	list_each (node, &daemon->sessions.all) {
		const struct session *session = list_entry(node, struct session, all);
		if (session->schema == schema_id(schema) && !list_is_empty(&session->offers))
			return true;
	}
	return service_schema(daemon, "lyceum.v1.Node") == schema;
}
