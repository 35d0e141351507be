/*
 * /openapi.json: every method as OpenAPI 3.1, made from the schemas that the daemon holds. Made
 * once for each generation of types.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

#define REF "#/components/schemas/"

static void set(json_t *object, const char *name, json_t *value)
{
	(void)!json_object_set_new(object, name, value);
}

static json_t *ref_to(const char *type)
{
	return json_pack("{s:s+}", "$ref", REF, type);
}

static json_t *content(const char *media, json_t *schema)
{
	return json_pack("{s:{s:o}}", media, "schema", schema);
}

static json_t *responses(const struct lyc_method *method, const char *media, json_t *schema)
{
	json_t *all = json_object();
	json_t *good = json_object();
	json_t *bad = json_object();
	set(good, "description",
	    json_string(method->streams ? "A stream of events: `data` is one reply each; the last, "
					  "`event: end`, has its status."
					: "The reply."));
	set(good, "content", content(media, schema));
	set(bad, "description", json_string("A status, a sentence, and the field at fault."));
	set(bad, "content", content("application/json", ref_to("Error")));
	set(all, "200", good);
	set(all, "default", bad);
	return all;
}

static json_t *operation(const struct lyc_service *service, const struct lyc_method *method,
			 const char *suffix)
{
	char id[320];
	json_t *made = json_object();
	json_t *tags = json_array();
	snprintf(id, sizeof(id), "%s.%s%s", service->name, method->name, suffix);
	json_array_append_new(tags, json_string(service->name));
	set(made, "operationId", json_string(id));
	set(made, "tags", tags);
	if (method->help[0]) {
		size_t first = strcspn(method->help, "\n");
		set(made, "summary", json_stringn(method->help, first));
		if (method->help[first])
			set(made, "description", json_string(method->help));
	}
	if (service->served_here && method->web_open)
		set(made, "security", json_array());
	return made;
}

static json_t *parameter(const char *name, const char *in, bool is_required, const char *help)
{
	json_t *made = json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", name, "in", in, "required",
				 is_required, "schema", "type", "string");
	if (help)
		set(made, "description", json_string(help));
	return made;
}

static void add_post(json_t *paths, const struct lyc_service *service,
		     const struct lyc_method *method)
{
	char path[320];
	json_t *made = operation(service, method, "");
	json_t *body = json_object();
	json_t *parameters = json_array();
	static const char *const refs[] = {
		"#/components/parameters/request", "#/components/parameters/at",
		"#/components/parameters/timeout", "#/components/parameters/after"};
	snprintf(path, sizeof(path), "/v1/%s", method->full_name);
	for (size_t i = 0; i < sizeof(refs) / sizeof(refs[0]); i++)
		json_array_append_new(parameters, json_pack("{s:s}", "$ref", refs[i]));
	set(body, "content", content("application/json", ref_to(method->input)));
	set(made, "parameters", parameters);
	set(made, "requestBody", body);
	set(made, "responses",
	    responses(method, method->streams ? "text/event-stream" : "application/json",
		      method->streams ? json_pack("{s:s}", "type", "string")
				      : ref_to(method->output)));
	set(paths, path, json_pack("{s:o}", "post", made));
}

/* Words in braces are its parameters; OpenAPI has them in the same form. */
static void add_route(json_t *paths, const struct lyc_service *service,
		      const struct lyc_method *method, const char *route, const char *verb)
{
	char path[320];
	if (!route[0] || strlen(route) >= sizeof(path))
		return;
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(route, "?"), route);
	json_t *made = operation(service, method, verb);
	json_t *parameters = json_array();
	for (const char *at = strchr(path, '{'); at; at = strchr(at + 1, '{')) {
		char name[100];
		size_t len = strcspn(at + 1, "}");
		if (len >= sizeof(name))
			break;
		memcpy(name, at + 1, len);
		name[len] = '\0';
		json_array_append_new(parameters, parameter(name, "path", true, NULL));
	}
	set(made, "parameters", parameters);
	char media[120];
	snprintf(media, sizeof(media), "%.*s", (int)strcspn(method->web_content_type, ";"),
		 method->web_content_type);
	set(made, "responses",
	    responses(method, media[0] ? media : "application/json",
		      method->web_body[0] ? json_pack("{s:s}", "type", "string")
					  : ref_to(method->output)));
	json_t *there = json_object_get(paths, path);
	if (there)
		set(there, verb, made);
	else
		set(paths, path, json_pack("{s:o}", verb, made));
}

static json_t *shared_parameters(void)
{
	json_t *all = json_object();
	set(all, "request",
	    parameter("Lyceum-Request", "header", false,
		      "1: shows that the request is the page's own; needed with a session."));
	set(all, "at", parameter("Lyceum-At", "header", false, "The node that should answer."));
	set(all, "timeout",
	    parameter("Lyceum-Timeout-Ms", "header", false, "How long the call may take."));
	set(all, "after",
	    parameter("Lyceum-After", "header", false,
		      "origin:epoch:seq, ...: the answer has to know these records."));
	set(all, "traceparent",
	    parameter("traceparent", "header", false,
		      "W3C trace context; comes back with the answer."));
	return all;
}

static json_t *error_schema(void)
{
	return json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}, s:[s, s]}", "type",
			 "object", "properties", "status", "type", "string", "text", "type",
			 "string", "field", "type", "string", "refusal", "type", "string",
			 "required", "status", "text");
}

/* The types of all methods, and what they use. */
static json_t *schemas(struct web *web)
{
	size_t count = 0;
	char *text = NULL;
	struct lyc_error error = {0};
	for (size_t i = 0; i < lyc_service_count(web->types); i++)
		count += lyc_service_at(web->types, i)->method_count * 2;
	const char **names = calloc(count + 1, sizeof(*names));
	count = 0;
	for (size_t i = 0; names && i < lyc_service_count(web->types); i++) {
		const struct lyc_service *service = lyc_service_at(web->types, i);
		for (size_t j = 0; j < service->method_count; j++) {
			names[count++] = service->methods[j].input;
			names[count++] = service->methods[j].output;
		}
	}
	json_t *all = NULL;
	if (names && lyc_types_json_schema(web->types, names, count, REF, &text, &error) == LYC_OK)
		all = json_loads(text, 0, NULL);
	free(text);
	free(names);
	return all ? all : json_object();
}

static char *make(struct web *web)
{
	json_t *paths = json_object();
	json_t *tags = json_array();
	for (size_t i = 0; i < lyc_service_count(web->types); i++) {
		const struct lyc_service *service = lyc_service_at(web->types, i);
		json_array_append_new(tags, json_pack("{s:s, s:s}", "name", service->name,
						      "description", service->help));
		for (size_t j = 0; j < service->method_count; j++) {
			const struct lyc_method *method = &service->methods[j];
			add_post(paths, service, method);
			if (!service->served_here)
				continue;
			if (!method->appends)
				add_route(paths, service, method, method->web_get, "get");
			add_route(paths, service, method, method->web_post, "post");
		}
	}
	json_t *all_schemas = schemas(web);
	set(all_schemas, "Error", error_schema());
	json_t *all = json_pack(
		"{s:s, s:{s:s+, s:s, s:s}, s:[{s:s}], s:o, s:o, s:[{s:[]}], s:{s:o, s:o, "
		"s:{s:{s:s, s:s, s:s}}}}",
		"openapi", "3.1.0", "info", "title", "Lyceum at ", lyc_node_name(web->context),
		"version", LYCEUM_VERSION, "description",
		"Every method that this node can reach, made from the schemas that it holds.",
		"servers", "url", "/", "tags", tags, "paths", paths, "security", "session",
		"components", "schemas", all_schemas, "parameters", shared_parameters(),
		"securitySchemes", "session", "type", "apiKey", "in", "cookie", "name",
		SESSION_COOKIE);
	char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	json_decref(all);
	return text;
}

void openapi_answer(struct exchange *exchange)
{
	struct web *web = exchange->web;
	if (!web->is_loaded && !web->openapi) {
		exchange_fail(exchange, 0, LYC_UNAVAILABLE, "", "the node is starting");
		return;
	}
	if (!web->openapi || web->openapi_generation != lyc_types_generation(web->types)) {
		free(web->openapi);
		web->openapi_generation = lyc_types_generation(web->types);
		web->openapi = make(web);
	}
	if (!web->openapi)
		exchange_fail(exchange, 0, LYC_RESOURCE_EXHAUSTED, "", "there is no memory");
	else
		exchange_answer(exchange, MHD_HTTP_OK, "application/json", web->openapi,
				strlen(web->openapi), NULL);
}
