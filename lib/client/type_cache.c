/*
 * Types by name: fetched from the daemon when they are first asked for, or all at once, and kept as
 * compiled schemas. A schema whose bytes are held already is not compiled again.
 */
#include "client/type_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"

#define SCHEMA_METHOD "lyceum.v1.Node/Schema"
#define SERVICES_METHOD "lyceum.v1.Node/Services"
#define CORE_PACKAGE "lyceum.v1."

struct type_load {
	/* NULL: they were freed meanwhile. */
	struct lyc_types *types;
	lyc_types_fn on_done;
	void *arg;
};

static enum lyc_status no_memory(struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED, "there is no memory for types");
}

enum lyc_status lyc_types_new(struct lyc_client *client, struct lyc_types **ret_types)
{
	struct lyc_types *types = mem_try(sizeof(*types));
	if (!types)
		return LYC_RESOURCE_EXHAUSTED;
	types->client = client;
	*ret_types = types;
	return LYC_OK;
}

static void free_services(struct lyc_types *types)
{
	for (size_t i = 0; i < types->service_count; i++)
		free((void *)(uintptr_t)types->services[i].methods);
	free(types->services);
	types->services = NULL;
	types->service_count = 0;
}

static void free_schemas(struct schema **schemas, size_t count)
{
	for (size_t i = 0; i < count; i++)
		schema_unref(schemas[i]);
	free(schemas);
}

void lyc_types_free(struct lyc_types *types)
{
	if (!types)
		return;
	if (types->loading)
		types->loading->types = NULL;
	free_services(types);
	free_schemas(types->schemas, types->schema_count);
	told_services_fini(&types->served);
	free(types);
}

uint64_t lyc_types_generation(const struct lyc_types *types)
{
	return types->generation;
}

/* ---- What is held ---- */

static const struct schema *schema_of(const struct lyc_types *types, uint64_t id)
{
	for (size_t i = 0; i < types->schema_count; i++) {
		if (schema_id(types->schemas[i]) == id)
			return types->schemas[i];
	}
	return NULL;
}

/* Anybody in the network may tell a schema with a service of this name: where the daemon has said
 * which one counts, no other does. */
static const struct schema_service *find_service(const struct lyc_types *types, const char *name)
{
	const struct told_service *served = told_services_find(&types->served, name);
	const struct schema_service *best = NULL;
	if (served && served->schema) {
		const struct schema *schema = schema_of(types, served->schema);
		return schema ? schema_find_service(schema, name) : NULL;
	}
	for (size_t i = 0; i < types->schema_count; i++) {
		const struct schema_service *service = schema_find_service(types->schemas[i], name);
		if (service && (!best || service->method_count > best->method_count))
			best = service;
	}
	return best;
}

static const struct schema_method *find_method(const struct lyc_types *types, const char *full_name)
{
	const char *slash = strchr(full_name, '/');
	char *name = slash ? mem_dup_try(full_name, (size_t)(slash - full_name)) : NULL;
	const struct schema_service *service = name ? find_service(types, name) : NULL;
	free(name);
	for (size_t i = 0; service && i < service->method_count; i++) {
		if (strcmp(service->methods[i].name, slash + 1) == 0)
			return &service->methods[i];
	}
	return NULL;
}

/* "lyceum.experts.v1" of "lyceum.experts.v1.Experts". */
static bool is_of_package(const char *service, const char *package)
{
	size_t len = strlen(package);
	return strncmp(service, package, len) == 0 && service[len] == '.' &&
	       !strchr(service + len + 1, '.');
}

/* As the schema has it that counts for a service of its package that runs here. */
static const struct schema_message *find_message_here(const struct lyc_types *types,
						      const char *name)
{
	for (size_t i = 0; i < types->served.count; i++) {
		const struct told_service *served = &types->served.items[i];
		const struct schema *schema =
			served->is_here && served->schema ? schema_of(types, served->schema) : NULL;
		const struct schema_message *message =
			schema ? schema_find_message(schema, name) : NULL;
		if (message && is_of_package(served->name, message->package))
			return message;
	}
	return NULL;
}

static const struct schema_message *find_message(const struct lyc_types *types, const char *name)
{
	const struct schema_message *best = find_message_here(types, name);
	bool is_settled = best != NULL;
	for (size_t i = 0; !is_settled && i < types->schema_count; i++) {
		const struct schema_message *message = schema_find_message(types->schemas[i], name);
		if (message && (!best || message->field_count > best->field_count))
			best = message;
	}
	return best;
}

/* ---- The list of services ---- */

static struct lyc_method method_of(const struct schema_method *method)
{
	return (struct lyc_method){
		.name = method->name,
		.full_name = method->full_name,
		.help = method->comment,
		.input = method->input->full_name,
		.output = method->output->full_name,
		.verb = method->command.verb,
		.appends = method->appends,
		.streams = method->is_server_streaming,
		.web_get = method->web.get,
		.web_post = method->web.post,
		.web_body = method->web.body,
		.web_content_type = method->web.content_type,
		.web_open = method->web.is_open,
	};
}

static int compare_services(const void *a, const void *b)
{
	return strcmp(((const struct lyc_service *)a)->name, ((const struct lyc_service *)b)->name);
}

static bool add_service(struct lyc_types *types, const struct schema_service *service, bool is_here)
{
	struct lyc_method *methods = mem_try((service->method_count + 1) * sizeof(*methods));
	if (!methods)
		return false;
	for (size_t i = 0; i < service->method_count; i++)
		methods[i] = method_of(&service->methods[i]);
	types->services[types->service_count++] = (struct lyc_service){
		.name = service->full_name,
		.noun = service->noun,
		.help = service->comment,
		.is_core = strncmp(service->full_name, CORE_PACKAGE, strlen(CORE_PACKAGE)) == 0,
		.served_here = is_here,
		.methods = methods,
		.method_count = service->method_count,
	};
	return true;
}

/* Those of `served` whose schema is held. */
static enum lyc_status list_services(struct lyc_types *types)
{
	free_services(types);
	types->services = mem_try((types->served.count + 1) * sizeof(*types->services));
	if (!types->services)
		return LYC_RESOURCE_EXHAUSTED;
	for (size_t i = 0; i < types->served.count; i++) {
		const struct told_service *served = &types->served.items[i];
		const struct schema_service *service = find_service(types, served->name);
		if (service && !add_service(types, service, served->is_here))
			return LYC_RESOURCE_EXHAUSTED;
	}
	if (types->service_count > 1)
		qsort(types->services, types->service_count, sizeof(*types->services),
		      compare_services);
	return LYC_OK;
}

size_t lyc_service_count(const struct lyc_types *types)
{
	return types->service_count;
}

const struct lyc_service *lyc_service_at(const struct lyc_types *types, size_t index)
{
	return index < types->service_count ? &types->services[index] : NULL;
}

const struct lyc_method *lyc_method_find(const struct lyc_types *types, const char *full_name)
{
	for (size_t i = 0; i < types->service_count; i++) {
		const struct lyc_service *service = &types->services[i];
		size_t len = strlen(service->name);
		if (strncmp(full_name, service->name, len) != 0 || full_name[len] != '/')
			continue;
		for (size_t j = 0; j < service->method_count; j++) {
			if (strcmp(service->methods[j].name, full_name + len + 1) == 0)
				return &service->methods[j];
		}
	}
	return NULL;
}

/* ---- Taking what the daemon says ---- */

static struct schema *held_schema(const struct lyc_types *types, struct span set)
{
	for (size_t i = 0; i < types->schema_count; i++) {
		if (span_equal(schema_bytes(types->schemas[i]), set))
			return types->schemas[i];
	}
	return NULL;
}

/* One Schema of a SchemaReply; one that does not compile here, as a newer daemon's might not, is
 * passed over. */
static enum lyc_status take_schema(const struct lyc_types *types, struct span item,
				   struct schema **to, size_t *count)
{
	struct pb_reader reader = pb_reader_of(item);
	struct pb_field part;
	while (pb_read_field(&reader, &part)) {
		struct schema *schema = NULL;
		if (part.number != 2 || part.wire != PB_LEN)
			continue;
		struct schema *held = held_schema(types, part.bytes);
		if (held)
			schema = schema_ref(held);
		else if (schema_new(part.bytes.data, part.bytes.len, &schema, NULL) ==
			 LYC_RESOURCE_EXHAUSTED)
			return LYC_RESOURCE_EXHAUSTED;
		if (schema)
			to[(*count)++] = schema;
	}
	return reader.has_failed ? LYC_INTERNAL : LYC_OK;
}

static bool is_same(const struct lyc_types *types, struct schema **schemas, size_t count)
{
	return count == types->schema_count &&
	       (count == 0 || memcmp(schemas, types->schemas, count * sizeof(*schemas)) == 0);
}

/* In the place of what is held, or, for one that was asked for by name, before it. */
static enum lyc_status take_schemas(struct lyc_types *types, struct span reply, bool is_all)
{
	struct pb_reader reader = pb_reader_of(reply);
	struct pb_field field;
	size_t most = types->schema_count;
	size_t count = 0;
	while (pb_read_field(&reader, &field))
		most += field.number == 1;
	struct schema **schemas = mem_try((most + 1) * sizeof(*schemas));
	if (reader.has_failed || !schemas) {
		free(schemas);
		return reader.has_failed ? LYC_INTERNAL : LYC_RESOURCE_EXHAUSTED;
	}
	enum lyc_status status = LYC_OK;
	reader = pb_reader_of(reply);
	while (status == LYC_OK && pb_read_field(&reader, &field)) {
		if (field.number == 1 && field.wire == PB_LEN)
			status = take_schema(types, field.bytes, schemas, &count);
	}
	for (size_t i = 0; status == LYC_OK && !is_all && i < types->schema_count; i++)
		schemas[count++] = schema_ref(types->schemas[i]);
	if (status != LYC_OK || is_same(types, schemas, count)) {
		free_schemas(schemas, count);
		return status;
	}
	free_services(types);
	free_schemas(types->schemas, types->schema_count);
	types->schemas = schemas;
	types->schema_count = count;
	types->generation++;
	return list_services(types);
}

static enum lyc_status take_services(struct lyc_types *types, struct span reply)
{
	struct told_services served = {0};
	enum lyc_status status = told_services_read(reply, &served);
	if (status != LYC_OK || told_services_equal(&types->served, &served)) {
		told_services_fini(&served);
		return status;
	}
	told_services_fini(&types->served);
	types->served = served;
	types->generation++;
	return list_services(types);
}

static enum lyc_status say(struct lyc_error *error, enum lyc_status status, const char *method)
{
	if (status == LYC_INTERNAL)
		return error_set(error, status, "the daemon's answer to %s is malformed", method);
	return status == LYC_OK ? LYC_OK : no_memory(error);
}

/* ---- Waiting ---- */

static enum lyc_status fetch(struct lyc_types *types, const char *name, struct lyc_error *error)
{
	struct buf request = {0};
	uint8_t *body = NULL;
	size_t len = 0;
	if (name)
		pb_write_text(&request, 1, name);
	enum lyc_status status =
		request.has_failed ? no_memory(error)
				   : lyc_client_call(types->client, SCHEMA_METHOD, request.data,
						     request.len, NULL, &body, &len, error);
	if (status == LYC_OK)
		status = say(error, take_schemas(types, span_of(body, len), !name), SCHEMA_METHOD);
	buf_fini(&request);
	free(body);
	return status;
}

enum lyc_status lyc_types_load(struct lyc_types *types, struct lyc_error *error)
{
	uint8_t *body = NULL;
	size_t len = 0;
	enum lyc_status status = fetch(types, NULL, error);
	if (status == LYC_OK)
		status = lyc_client_call(types->client, SERVICES_METHOD, NULL, 0, NULL, &body, &len,
					 error);
	if (status == LYC_OK)
		status = say(error, take_services(types, span_of(body, len)), SERVICES_METHOD);
	free(body);
	return status;
}

enum lyc_status type_cache_message(struct lyc_types *types, const char *name,
				   const struct schema_message **ret_message,
				   struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	*ret_message = find_message(types, name);
	if (!*ret_message)
		status = fetch(types, name, error);
	if (!*ret_message && status == LYC_OK)
		*ret_message = find_message(types, name);
	if (status == LYC_OK && !*ret_message)
		return error_set(error, LYC_NOT_FOUND, "there is no message type %.120s", name);
	return status;
}

enum lyc_status type_cache_method(struct lyc_types *types, const char *full_name,
				  const struct schema_method **ret_method, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	*ret_method = find_method(types, full_name);
	if (!*ret_method && !strchr(full_name, '/'))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "a method is named \"package.Service/Method\", not \"%.120s\"",
				 full_name);
	if (!*ret_method)
		status = fetch(types, full_name, error);
	if (!*ret_method && status == LYC_OK)
		*ret_method = find_method(types, full_name);
	if (status == LYC_OK && !*ret_method)
		return error_set(error, LYC_NOT_FOUND, "there is no method %.120s", full_name);
	return status;
}

/* ---- Without waiting: schemas, then services ---- */

static void end_load(struct type_load *load, enum lyc_status status, const char *text)
{
	struct lyc_types *types = load->types;
	lyc_types_fn on_done = load->on_done;
	void *arg = load->arg;
	free(load);
	if (!types)
		return;
	types->loading = NULL;
	if (on_done)
		on_done(status, text, arg);
}

static void on_services(const struct lyc_reply *reply, void *arg)
{
	struct type_load *load = arg;
	struct lyc_error error = {.status = reply->status};
	enum lyc_status status = reply->status;
	if (load->types && status == LYC_OK)
		status = say(&error,
			     take_services(load->types, span_of(reply->body, reply->body_len)),
			     SERVICES_METHOD);
	end_load(load, status, reply->status == LYC_OK ? error.text : reply->text);
}

static void on_schemas(const struct lyc_reply *reply, void *arg)
{
	struct type_load *load = arg;
	struct lyc_error error = {.status = reply->status};
	enum lyc_status status = reply->status;
	if (!load->types) {
		end_load(load, status, "");
		return;
	}
	if (status == LYC_OK)
		status = say(&error,
			     take_schemas(load->types, span_of(reply->body, reply->body_len), true),
			     SCHEMA_METHOD);
	else
		error_set(&error, status, "%s", reply->text);
	if (status == LYC_OK) {
		status = lyc_client_call_start(load->types->client, SERVICES_METHOD, NULL, 0, NULL,
					       on_services, load, NULL);
		if (status == LYC_OK)
			return;
		error_set(&error, status, "the services could not be asked for");
	}
	end_load(load, status, error.text);
}

enum lyc_status lyc_types_load_start(struct lyc_types *types, lyc_types_fn on_done, void *arg)
{
	if (types->loading)
		return LYC_FAILED_PRECONDITION;
	struct type_load *load = mem_try(sizeof(*load));
	if (!load)
		return LYC_RESOURCE_EXHAUSTED;
	*load = (struct type_load){.types = types, .on_done = on_done, .arg = arg};
	enum lyc_status status = lyc_client_call_start(types->client, SCHEMA_METHOD, NULL, 0, NULL,
						       on_schemas, load, NULL);
	if (status != LYC_OK) {
		free(load);
		return status;
	}
	types->loading = load;
	return LYC_OK;
}
