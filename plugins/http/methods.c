/*
 * Every method as POST /v1/package.Service/Method, and those with a web route at its path. The
 * request is given to the daemon in the name of the person who is signed in.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flight.h"

#define DEFAULT_TIMEOUT_MS 15000
#define MAX_TIMEOUT_MS 120000
#define MAX_AFTER 16

/* ---- What the headers say of the call ---- */

struct call_words {
	char principal[140];
	char after_text[1024];
	struct lyc_position after[MAX_AFTER];
	struct lyc_call_options options;
};

/* "wales:12:34, cork:1:2": origin, epoch, seq. */
static bool read_after(const char *header, struct call_words *words)
{
	char *rest = NULL;
	if (strlen(header) >= sizeof(words->after_text))
		return false;
	strcpy(words->after_text, header);
	for (char *item = strtok_r(words->after_text, ", ", &rest); item;
	     item = strtok_r(NULL, ", ", &rest)) {
		char *epoch = strchr(item, ':');
		char *seq = epoch ? strchr(epoch + 1, ':') : NULL;
		char *end = NULL;
		if (!seq || words->options.after_count == MAX_AFTER)
			return false;
		*epoch++ = '\0';
		*seq++ = '\0';
		struct lyc_position *position = &words->after[words->options.after_count++];
		*position = (struct lyc_position){.origin = item,
						  .epoch = strtoull(epoch, NULL, 10),
						  .seq = strtoull(seq, &end, 10)};
		if (end == seq || *end)
			return false;
	}
	words->options.after = words->after;
	return true;
}

/* Where it runs: as a header says for those who are signed in. What is at our own paths and what is
 * open to everybody is this node's own business and goes nowhere else. */
static bool read_at(struct exchange *exchange, bool is_route, struct call_words *words)
{
	const char *at = exchange_header(exchange, "Lyceum-At");
	words->options.at = at && at[0] ? at : NULL;
	if (words->options.at && (is_route || !exchange->user[0])) {
		exchange_fail(exchange, 0, LYC_PERMISSION_DENIED, "",
			      is_route ? "Lyceum-At is for methods under /v1/"
				       : "Lyceum-At is for those who are signed in");
		return false;
	}
	if (is_route || !exchange->user[0])
		words->options.at = lyc_node_name(exchange->web->context);
	return true;
}

static bool read_words(struct exchange *exchange, bool is_route, struct call_words *words)
{
	const char *timeout = exchange_header(exchange, "Lyceum-Timeout-Ms");
	const char *after = exchange_header(exchange, "Lyceum-After");
	const struct user *user =
		exchange->user[0] ? users_find(&exchange->web->users, exchange->user) : NULL;
	unsigned long timeout_ms = timeout ? strtoul(timeout, NULL, 10) : DEFAULT_TIMEOUT_MS;
	/* Removed while the request came: not even as somebody without a name. */
	if (exchange->user[0] && !user) {
		exchange_fail(exchange, 0, LYC_UNAUTHENTICATED, "",
			      "you are not known here any more");
		return false;
	}
	if (timeout_ms == 0 || timeout_ms > MAX_TIMEOUT_MS) {
		exchange_fail(exchange, 0, LYC_INVALID_ARGUMENT, "",
			      "Lyceum-Timeout-Ms is a number from 1 to %d", MAX_TIMEOUT_MS);
		return false;
	}
	words->options.timeout_ms = (uint32_t)timeout_ms;
	if (!read_at(exchange, is_route, words))
		return false;
	words->options.want_as_of = true;
	/* What is no traceparent counts as none. */
	const char *trace = exchange_header(exchange, "traceparent");
	if (lyc_trace_is_valid(trace) && strlen(trace) < sizeof(exchange->trace)) {
		snprintf(exchange->trace, sizeof(exchange->trace), "%s", trace);
		words->options.trace = exchange->trace;
	}
	words->options.idempotency_key = exchange_header(exchange, "Idempotency-Key");
	if (after && !read_after(after, words)) {
		exchange_fail(exchange, 0, LYC_INVALID_ARGUMENT, "",
			      "Lyceum-After is a list of origin:epoch:seq, at most %d", MAX_AFTER);
		return false;
	}
	if (user) {
		snprintf(words->principal, sizeof(words->principal), "%s@%s", user->name,
			 lyc_node_name(exchange->web->context));
		words->options.principal = words->principal;
		words->options.groups = (const char *const *)user->groups;
		words->options.group_count = user->group_count;
	}
	return true;
}

/* ---- Replies ---- */

static json_t *json_of_number(uint64_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return json_string(text);
}

static char *as_of_text(const struct lyc_reply *reply)
{
	json_t *all = json_array();
	for (size_t i = 0; i < reply->as_of_count; i++) {
		const struct lyc_position *position = &reply->as_of[i];
		json_t *one = json_object();
		json_object_set_new(one, "origin", json_string(position->origin));
		json_object_set_new(one, "epoch", json_of_number(position->epoch));
		json_object_set_new(one, "seq", json_of_number(position->seq));
		json_object_set_new(one, "ageMs", json_of_number(position->age_ms));
		json_array_append_new(all, one);
	}
	char *text = json_dumps(all, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(all);
	return text;
}

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			return false;
	}
	return true;
}

static void answer_reply(struct exchange *exchange, const struct lyc_reply *reply, const char *json)
{
	char position[160] = "";
	const char *headers[8] = {0};
	size_t count = 0;
	char *as_of = as_of_text(reply);
	if (reply->position.origin[0] && is_printable(reply->position.origin)) {
		snprintf(position, sizeof(position), "%s:%llu:%llu", reply->position.origin,
			 (unsigned long long)reply->position.epoch,
			 (unsigned long long)reply->position.seq);
		headers[count++] = "Lyceum-Position";
		headers[count++] = position;
	}
	if (as_of) {
		headers[count++] = "Lyceum-As-Of";
		headers[count++] = as_of;
	}
	if (reply->served_by[0] && is_printable(reply->served_by)) {
		headers[count++] = "Lyceum-Served-By";
		headers[count++] = reply->served_by;
	}
	const uint8_t *text = NULL;
	size_t len = 0;
	struct lyc_error error = {0};
	if (!exchange->web_body[0])
		exchange_answer(exchange, MHD_HTTP_OK, "application/json", json ? json : "{}",
				json ? strlen(json) : 2, headers);
	else if (lyc_body_text(exchange->web->types, exchange->output, reply->body, reply->body_len,
			       exchange->web_body, &text, &len, &error) == LYC_OK)
		exchange_answer(exchange, MHD_HTTP_OK,
				exchange->web_content_type[0] ? exchange->web_content_type
							      : "text/plain; charset=utf-8",
				len ? (const void *)text : "", len, headers);
	else
		exchange_fail(exchange, 0, LYC_INTERNAL, error.field, "%s", error.text);
	free(as_of);
}

static void note_refusal(struct exchange *exchange, const struct lyc_reply *reply)
{
	if (reply->refusal && is_printable(reply->served_by))
		snprintf(exchange->refusal, sizeof(exchange->refusal), "%.63s/r%llu",
			 reply->served_by, (unsigned long long)reply->refusal);
}

static void on_reply(const struct lyc_reply *reply, const char *json, void *arg)
{
	struct flight *flight = arg;
	struct exchange *exchange = flight->exchange;
	flight_end(flight);
	if (!exchange)
		return;
	note_refusal(exchange, reply);
	if (reply->status == LYC_OK)
		answer_reply(exchange, reply, json);
	else
		exchange_fail(exchange, 0, reply->status, reply->field, "%s", reply->text);
}

/* The end of a stream: how it ended. */
static void end_stream(struct exchange *exchange, enum lyc_status status, const char *text,
		       const char *field)
{
	json_t *json = json_object();
	json_object_set_new(json, "status", json_string(lyc_status_name(status)));
	if (text && text[0])
		json_object_set_new(json, "text", json_string(text));
	if (field && field[0])
		json_object_set_new(json, "field", json_string(field));
	char *data = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	exchange_event(exchange, "end", data ? data : "{}");
	free(data);
	exchange_end(exchange);
}

static void on_event(const struct lyc_reply *reply, const char *json, void *arg)
{
	struct flight *flight = arg;
	struct exchange *exchange = flight->exchange;
	bool is_last = !reply->more;
	bool is_taken = true;
	if (exchange && json && reply->status == LYC_OK)
		is_taken = exchange_event(exchange, NULL, json);
	if (exchange && !is_taken) {
		flight_abandon(exchange);
		exchange_end(exchange);
		exchange = NULL;
	}
	if (!is_last)
		return;
	flight_end(flight);
	if (exchange)
		end_stream(exchange, reply->status, reply->text, reply->field);
}

/* ---- The call ---- */

static void call(struct exchange *exchange, const struct lyc_method *method, const char *json,
		 size_t len, bool is_route)
{
	struct web *web = exchange->web;
	struct lyc_error error = {0};
	struct call_words words = {0};
	if (!read_words(exchange, is_route, &words))
		return;
	struct flight *flight = flight_new(exchange);
	if (!flight) {
		exchange_fail(exchange, 0, LYC_RESOURCE_EXHAUSTED, "", "there is no memory");
		return;
	}
	snprintf(exchange->output, sizeof(exchange->output), "%s", method->output);
	flight->is_call = true;
	enum lyc_status status = lyc_json_call_start(
		web->types, method->full_name, json, len, &words.options,
		method->streams ? on_event : on_reply, flight, &flight->call_id, &error);
	if (status != LYC_OK) {
		flight_end(flight);
		exchange_fail(exchange, 0, status, error.field, "%s", error.text);
	} else if (method->streams) {
		exchange_stream(exchange);
	}
}

/* A path with the method's name is called by our page's script, which says so in a header; a form
 * has at least an Origin, which was looked at. */
static bool may_call(struct exchange *exchange, const struct lyc_method *method, bool is_open,
		     bool is_form)
{
	if (!exchange->user[0] && !is_open) {
		exchange_fail(exchange, 0, LYC_UNAUTHENTICATED, "",
			      "nobody is signed in: ask the operator of this node for a link");
		return false;
	}
	bool is_proven = exchange->is_get || (is_form && exchange_header(exchange, "Origin"));
	const char *reason = exchange->user[0] && !is_proven ? guard_own_page(exchange) : NULL;
	if (reason) {
		exchange_fail(exchange, 0, LYC_PERMISSION_DENIED, "", "%s", reason);
		return false;
	}
	const struct user *user =
		exchange->user[0] ? users_find(&exchange->web->users, exchange->user) : NULL;
	if (user && method && !is_open && !users_may_call(user, method->full_name)) {
		exchange_fail(exchange, 0, LYC_PERMISSION_DENIED, "",
			      "you may not call %.200s here: the operator of this node says what "
			      "you may",
			      method->full_name);
		return false;
	}
	return true;
}

/* What another node says of its methods, that they are open or have a path, does not count here. */
static bool is_open_here(const struct lyc_types *types, const char *name)
{
	const struct lyc_method *method = lyc_method_find(types, name);
	for (size_t i = 0; method && i < lyc_service_count(types); i++) {
		const struct lyc_service *service = lyc_service_at(types, i);
		if (method >= service->methods && method < service->methods + service->method_count)
			return service->served_here && method->web_open;
	}
	return false;
}

bool methods_wait(struct exchange *exchange)
{
	if (exchange->has_tried_types)
		return false;
	exchange->has_tried_types = true;
	site_refresh(exchange->web, true);
	return exchange->web->is_loading;
}

void methods_post(struct exchange *exchange, const char *name)
{
	const struct lyc_method *method = lyc_method_find(exchange->web->types, name);
	const char *type = exchange_header(exchange, "Content-Type");
	if (!method && exchange->user[0] && methods_wait(exchange))
		return;
	if (!may_call(exchange, method, is_open_here(exchange->web->types, name), false))
		return;
	if (!method)
		exchange_fail(exchange, 0, LYC_NOT_FOUND, "",
			      "there is no method %.100s, or nobody serves it", name);
	else if (!type || strncmp(type, "application/json", 16) != 0)
		exchange_fail(exchange, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, LYC_INVALID_ARGUMENT, "",
			      "a request is JSON: Content-Type: application/json");
	else
		call(exchange, method, exchange->body, exchange->body_len, false);
}

void methods_types_came(struct exchange *exchange)
{
	if (strncmp(exchange->path, "/v1/", 4) == 0)
		methods_post(exchange, exchange->path + 4);
	else if (!methods_route(exchange))
		exchange_fail(exchange, 0, LYC_NOT_FOUND, "", "there is nothing at this path");
}

/* ---- Web routes ---- */

/* A method that appends is reached by POST only: programs follow links, too. */
static const char *route_of(const struct exchange *exchange, const struct lyc_method *method)
{
	if (method->streams || (exchange->is_get && method->appends))
		return "";
	return exchange->is_get ? method->web_get : method->web_post;
}

static void call_route(struct exchange *exchange, const struct lyc_method *method,
		       struct fields *fields)
{
	struct lyc_error error = {0};
	char *json = NULL;
	const char *type = exchange_header(exchange, "Content-Type");
	bool is_form = type && strncmp(type, "application/x-www-form-urlencoded", 33) == 0;
	if (!may_call(exchange, method, method->web_open, true))
		return;
	bool is_read = exchange_read_query(exchange, fields);
	if (is_read && !exchange->is_get && exchange->body_len > 0)
		is_read = is_form && fields_read_form(fields, exchange->body, exchange->body_len);
	if (!is_read) {
		exchange_fail(exchange, 0, LYC_INVALID_ARGUMENT, "",
			      "the form cannot be read, or has more than %d fields", FIELDS_MAX);
		return;
	}
	enum lyc_status status = lyc_pairs_to_json(exchange->web->types, method->input,
						   fields->items, fields->count, &json, &error);
	if (status != LYC_OK) {
		exchange_fail(exchange, 0, status, error.field, "%s", error.text);
		return;
	}
	snprintf(exchange->web_body, sizeof(exchange->web_body), "%s", method->web_body);
	snprintf(exchange->web_content_type, sizeof(exchange->web_content_type), "%s",
		 method->web_content_type);
	call(exchange, method, json, strlen(json), true);
	free(json);
}

bool methods_route(struct exchange *exchange)
{
	const struct lyc_types *types = exchange->web->types;
	for (size_t i = 0; i < lyc_service_count(types); i++) {
		const struct lyc_service *service = lyc_service_at(types, i);
		for (size_t j = 0; service->served_here && j < service->method_count; j++) {
			const struct lyc_method *method = &service->methods[j];
			const char *route = route_of(exchange, method);
			struct fields fields = {.count = 0};
			bool is_it = route[0] == '/' &&
				     fields_match_path(&fields, route, exchange->path);
			if (is_it)
				call_route(exchange, method, &fields);
			fields_fini(&fields);
			if (is_it)
				return true;
		}
	}
	return false;
}
