/*
 * Requests come in piece by piece; when one is whole it is answered, or its connection is suspended
 * until it is. Each answer gets the same headers of protection.
 */
#include "exchange.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flight.h"
#include "peer.h"

/* Bodies and events of all requests together. */
#define MAX_HELD (64u * 1024 * 1024)
/* Events that one reader has not taken. */
#define MAX_EVENTS (2u * 1024 * 1024)
#define BEAT_MS 15000

/* ---- A request begins ---- */

static void set_address(struct exchange *exchange)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	const char *forwarded = exchange->web->settings.behind_proxy
					? exchange_header(exchange, "X-Forwarded-For")
					: NULL;
	if (forwarded) {
		/* The last one is what our own proxy has seen. */
		const char *comma = strrchr(forwarded, ',');
		const char *last = comma ? comma + 1 : forwarded;
		snprintf(exchange->address, sizeof(exchange->address), "%s",
			 last + strspn(last, " "));
	} else if (address && address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
			  exchange->address, sizeof(exchange->address));
	} else if (address && address->sa_family == AF_INET6) {
		struct in6_addr in6 =
			((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
		/* A network of 64 bits is one household; an IPv4 address is itself. */
		if (!IN6_IS_ADDR_V4MAPPED(&in6))
			memset(in6.s6_addr + 8, 0, 8);
		inet_ntop(AF_INET6, &in6, exchange->address, sizeof(exchange->address));
	}
}

static struct exchange *exchange_new(struct web *web, struct MHD_Connection *connection,
				     const char *url)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return NULL;
	exchange->web = web;
	exchange->connection = connection;
	snprintf(exchange->path, sizeof(exchange->path), "%s", url);
	set_address(exchange);
	exchange->next = web->exchanges;
	if (exchange->next)
		exchange->next->previous = exchange;
	web->exchanges = exchange;
	web->exchange_count++;
	return exchange;
}

static void exchange_free(struct exchange *exchange)
{
	struct web *web = exchange->web;
	if (exchange->next)
		exchange->next->previous = exchange->previous;
	if (exchange->previous)
		exchange->previous->next = exchange->next;
	else
		web->exchanges = exchange->next;
	web->exchange_count--;
	web->held_len -= exchange->body_cap + exchange->events_cap;
	if (exchange->response)
		MHD_destroy_response(exchange->response);
	free(exchange->body);
	free(exchange->events);
	free(exchange);
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

struct query {
	struct fields *fields;
	bool is_good;
};

static enum MHD_Result add_argument(void *cls, enum MHD_ValueKind kind, const char *name,
				    const char *value)
{
	struct query *query = cls;
	(void)kind;
	if (!value)
		value = "";
	query->is_good = fields_add(query->fields, name, strlen(name), value, strlen(value));
	return query->is_good ? MHD_YES : MHD_NO;
}

bool exchange_read_query(const struct exchange *exchange, struct fields *fields)
{
	struct query query = {.fields = fields, .is_good = true};
	MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, add_argument,
				  &query);
	return query.is_good;
}

/* ---- Its body ---- */

/* Room for `more` bytes; counted in what is held by all. */
static bool grow(struct web *web, char **bytes, size_t *cap, size_t needed)
{
	if (needed <= *cap)
		return true;
	size_t to = *cap ? *cap : 1024;
	while (to < needed)
		to *= 2;
	if (web->held_len + (to - *cap) > MAX_HELD)
		return false;
	char *grown = realloc(*bytes, to);
	if (!grown)
		return false;
	web->held_len += to - *cap;
	*bytes = grown;
	*cap = to;
	return true;
}

static enum MHD_Result take_body(struct exchange *exchange, const char *bytes, size_t len)
{
	size_t limit = exchange->web->settings.body;
	if (!exchange->is_refused && exchange->body_len + len <= limit &&
	    grow(exchange->web, &exchange->body, &exchange->body_cap,
		 exchange->body_len + len + 1)) {
		memcpy(exchange->body + exchange->body_len, bytes, len);
		exchange->body_len += len;
		exchange->body[exchange->body_len] = '\0';
		return MHD_YES;
	}
	/* What still comes is read for a while, so that the answer can be heard. */
	exchange->is_refused = true;
	exchange->body_len += len;
	return exchange->body_len <= 4 * limit + 65536 ? MHD_YES : MHD_NO;
}

static void refuse_size(struct exchange *exchange)
{
	exchange_fail(exchange, MHD_HTTP_CONTENT_TOO_LARGE, LYC_RESOURCE_EXHAUSTED, "",
		      "a request's body has at most %u bytes", exchange->web->settings.body);
}

/* ---- Taking and answering ---- */

static enum MHD_Result queue(struct exchange *exchange)
{
	enum MHD_Result result =
		MHD_queue_response(exchange->connection, exchange->status, exchange->response);
	exchange->web->counters.requests[exchange->status / 100 % 6]++;
	return result;
}

static void begin(struct exchange *exchange)
{
	exchange->is_begun = true;
	peer_has_request(exchange->connection);
	if (exchange->is_refused)
		refuse_size(exchange);
	else
		site_answer(exchange);
}

static enum MHD_Result take_first(struct exchange *exchange, const char *method,
				  const char *version)
{
	unsigned http = 0;
	enum lyc_status status = LYC_INVALID_ARGUMENT;
	const char *reason = guard_check(exchange, method, version, &http, &status);
	const char *length = exchange_header(exchange, "Content-Length");
	if (reason) {
		exchange->is_begun = true;
		peer_has_request(exchange->connection);
		exchange_fail(exchange, http, status, "", "%s", reason);
		return queue(exchange);
	}
	if (length && strtoull(length, NULL, 10) > exchange->web->settings.body) {
		exchange->is_begun = true;
		peer_has_request(exchange->connection);
		refuse_size(exchange);
		return queue(exchange);
	}
	return MHD_YES;
}

enum MHD_Result exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
				const char *method, const char *version, const char *upload,
				size_t *upload_len, void **state)
{
	struct web *web = cls;
	struct exchange *exchange = *state;
	if (!exchange) {
		exchange = exchange_new(web, connection, url);
		*state = exchange;
		return exchange ? take_first(exchange, method, version) : MHD_NO;
	}
	if (*upload_len > 0) {
		size_t len = *upload_len;
		*upload_len = 0;
		return take_body(exchange, upload, len);
	}
	if (!exchange->is_begun)
		begin(exchange);
	if (exchange->has_answer)
		return queue(exchange);
	exchange->is_suspended = true;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

void exchange_completed(void *cls, struct MHD_Connection *connection, void **state,
			enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *state;
	(void)cls;
	(void)code;
	*state = NULL;
	peer_awaits_request(connection);
	if (!exchange)
		return;
	exchange->is_gone = true;
	flight_abandon(exchange);
	exchange_free(exchange);
}

static void wake(struct exchange *exchange)
{
	if (!exchange->is_suspended)
		return;
	exchange->is_suspended = false;
	MHD_resume_connection(exchange->connection);
	server_stir(exchange->web);
}

/* ---- Answers ---- */

static const char *const protection[][2] = {
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	 "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
	 "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
	 "trusted-types 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	/* With "no-referrer" a browser gives its own forms the origin "null", and nobody could
	   enter. */
	{"Referrer-Policy", "same-origin"},
	{"X-Frame-Options", "DENY"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
};

/* The answer is complete: NULL for lack of memory ends the connection. */
static void give(struct exchange *exchange, unsigned status, const char *type,
		 struct MHD_Response *response, const char *const *headers)
{
	bool has_cache = false;
	if (exchange->has_answer) {
		if (response)
			MHD_destroy_response(response);
		return;
	}
	for (size_t i = 0; response && i < sizeof(protection) / sizeof(protection[0]); i++)
		MHD_add_response_header(response, protection[i][0], protection[i][1]);
	if (response && type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (; response && headers && headers[0]; headers += 2) {
		has_cache |= strcmp(headers[0], MHD_HTTP_HEADER_CACHE_CONTROL) == 0;
		MHD_add_response_header(response, headers[0], headers[1]);
	}
	if (response && exchange->cookie[0])
		MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, exchange->cookie);
	if (response && exchange->trace[0])
		MHD_add_response_header(response, "traceparent", exchange->trace);
	if (response && !has_cache)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (response && exchange->web->settings.is_https)
		MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
	exchange->has_answer = true;
	exchange->status = status;
	exchange->response = response;
	wake(exchange);
}

void exchange_answer(struct exchange *exchange, unsigned status, const char *type,
		     const void *bytes, size_t len, const char *const *headers)
{
	give(exchange, status, type,
	     MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY),
	     headers);
}

void exchange_answer_static(struct exchange *exchange, unsigned status, const char *type,
			    const void *bytes, size_t len, const char *const *headers)
{
	give(exchange, status, type,
	     MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT),
	     headers);
}

static unsigned http_of(enum lyc_status status)
{
	static const unsigned codes[] = {
		[LYC_OK] = 200,
		[LYC_CANCELLED] = 499,
		[LYC_UNKNOWN] = 500,
		[LYC_INVALID_ARGUMENT] = 400,
		[LYC_DEADLINE_EXCEEDED] = 504,
		[LYC_NOT_FOUND] = 404,
		[LYC_ALREADY_EXISTS] = 409,
		[LYC_PERMISSION_DENIED] = 403,
		[LYC_RESOURCE_EXHAUSTED] = 429,
		[LYC_FAILED_PRECONDITION] = 400,
		[LYC_ABORTED] = 409,
		[LYC_OUT_OF_RANGE] = 400,
		[LYC_UNIMPLEMENTED] = 501,
		[LYC_INTERNAL] = 500,
		[LYC_UNAVAILABLE] = 503,
		[LYC_DATA_LOSS] = 500,
		[LYC_UNAUTHENTICATED] = 401,
	};
	return (unsigned)status < sizeof(codes) / sizeof(codes[0]) ? codes[status] : 500;
}

void exchange_fail(struct exchange *exchange, unsigned http, enum lyc_status status,
		   const char *field, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_t *json = json_object();
	json_object_set_new(json, "status", json_string(lyc_status_name(status)));
	/* A sentence that was cut within a character is still said. */
	json_t *sentence = json_string(text);
	json_object_set_new(json, "text",
			    sentence ? sentence : json_string(lyc_status_name(status)));
	if (field && field[0])
		json_object_set_new(json, "field", json_string(field));
	if (exchange->refusal[0])
		json_object_set_new(json, "refusal", json_string(exchange->refusal));
	char *body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	static const char *const busy[] = {"Retry-After", "1", NULL};
	exchange_answer(exchange, http ? http : http_of(status), "application/json",
			body ? body : "{}", body ? strlen(body) : 2,
			status == LYC_RESOURCE_EXHAUSTED || status == LYC_UNAVAILABLE ? busy
										      : NULL);
	free(body);
}

/* ---- Streams ---- */

static ssize_t read_events(void *cls, uint64_t at, char *to, size_t max)
{
	struct exchange *exchange = cls;
	(void)at;
	if (exchange->events_len == 0) {
		if (exchange->has_ended)
			return MHD_CONTENT_READER_END_OF_STREAM;
		exchange->is_suspended = true;
		MHD_suspend_connection(exchange->connection);
		return 0;
	}
	size_t len = exchange->events_len < max ? exchange->events_len : max;
	memcpy(to, exchange->events, len);
	exchange->events_len -= len;
	memmove(exchange->events, exchange->events + len, exchange->events_len);
	return (ssize_t)len;
}

void exchange_stream(struct exchange *exchange)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, 32 * 1024, read_events, exchange, NULL);
	static const char *const headers[] = {"X-Accel-Buffering", "no", NULL};
	exchange->is_stream = true;
	exchange->beat_ms = web_now_ms();
	give(exchange, MHD_HTTP_OK, "text/event-stream", response, headers);
}

static bool add_event(struct exchange *exchange, const char *text)
{
	size_t len = strlen(text);
	if (exchange->events_len + len > MAX_EVENTS ||
	    !grow(exchange->web, &exchange->events, &exchange->events_cap,
		  exchange->events_len + len))
		return false;
	memcpy(exchange->events + exchange->events_len, text, len);
	exchange->events_len += len;
	exchange->beat_ms = web_now_ms();
	return true;
}

bool exchange_event(struct exchange *exchange, const char *event, const char *data)
{
	/* JSON in one line: an event's data has no line ends. */
	bool is_taken = (!event || (add_event(exchange, "event: ") && add_event(exchange, event) &&
				    add_event(exchange, "\n"))) &&
			add_event(exchange, "data: ") && add_event(exchange, data) &&
			add_event(exchange, "\n\n");
	wake(exchange);
	return is_taken;
}

void exchange_end(struct exchange *exchange)
{
	exchange->has_ended = true;
	wake(exchange);
}

void exchanges_beat(struct web *web, uint64_t now_ms)
{
	for (struct exchange *exchange = web->exchanges; exchange; exchange = exchange->next) {
		if (!exchange->is_stream || exchange->has_ended ||
		    now_ms - exchange->beat_ms < BEAT_MS)
			continue;
		/* Whoever has gone is noticed by writing. */
		if (!add_event(exchange, ":\n\n"))
			exchange->has_ended = true;
		wake(exchange);
	}
}

/* ---- All of them ---- */

void exchanges_end_user(struct web *web, const char *user)
{
	struct exchange *next;
	for (struct exchange *exchange = web->exchanges; exchange; exchange = next) {
		next = exchange->next;
		if (strcmp(exchange->user, user) != 0)
			continue;
		flight_abandon(exchange);
		if (exchange->is_stream && !exchange->has_ended) {
			exchange_event(exchange, "end",
				       "{\"status\":\"UNAUTHENTICATED\",\"text\":\"you are not "
				       "known here any more\"}");
			exchange_end(exchange);
		} else if (exchange->is_suspended) {
			exchange_fail(exchange, 0, LYC_UNAUTHENTICATED, "",
				      "you are not known here any more");
		}
	}
}

void exchanges_types_came(struct web *web)
{
	struct exchange *next;
	for (struct exchange *exchange = web->exchanges; exchange; exchange = next) {
		next = exchange->next;
		if (exchange->is_suspended && exchange->has_tried_types && !exchange->flight &&
		    !exchange->has_answer)
			methods_types_came(exchange);
	}
}

bool exchanges_are_open(const struct web *web)
{
	for (const struct exchange *exchange = web->exchanges; exchange;
	     exchange = exchange->next) {
		if (!exchange->is_stream)
			return true;
	}
	return false;
}

void exchanges_stop(struct web *web)
{
	struct exchange *next;
	for (struct exchange *exchange = web->exchanges; exchange; exchange = next) {
		next = exchange->next;
		flight_abandon(exchange);
		if (exchange->is_stream)
			exchange_end(exchange);
		else if (exchange->is_suspended)
			exchange_fail(exchange, 0, LYC_UNAVAILABLE, "", "the node is stopping");
	}
	/* Takes them out of their suspension. */
	MHD_run(web->daemon);
}
