/*
 * What a request is refused for before its body is read: framing that two servers might read in two
 * ways, a host that is not ours (DNS rebinding), another site's page, too many requests. And whose
 * session it carries.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "exchange.h"

struct framing {
	unsigned hosts;
	unsigned lengths;
	unsigned encodings;
	unsigned origins;
	bool is_plain_chunked;
	bool has_bad_length;
};

static enum MHD_Result look_at_header(void *cls, enum MHD_ValueKind kind, const char *name,
				      const char *value)
{
	struct framing *framing = cls;
	(void)kind;
	if (!value)
		value = "";
	if (strcasecmp(name, "Host") == 0) {
		framing->hosts++;
	} else if (strcasecmp(name, "Content-Length") == 0) {
		framing->lengths++;
		framing->has_bad_length |= value[0] == '\0' || strlen(value) > 15 ||
					   strspn(value, "0123456789") != strlen(value);
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		framing->encodings++;
		framing->is_plain_chunked = strcasecmp(value, "chunked") == 0;
	} else if (strcasecmp(name, "Origin") == 0) {
		framing->origins++;
	}
	return MHD_YES;
}

static bool is_own_host(const struct settings *settings, const char *host)
{
	for (size_t i = 0; i < settings->host_count; i++) {
		size_t len = strlen(settings->hosts[i]);
		/* "https://lyceum.example/" may have been written with its slash. */
		if (len > 0 && settings->hosts[i][len - 1] == '/')
			len--;
		if (strlen(host) == len && strncasecmp(host, settings->hosts[i], len) == 0)
			return true;
	}
	return false;
}

static bool is_own_origin(const struct exchange *exchange)
{
	const char *origin = exchange_header(exchange, "Origin");
	const char *site = exchange_header(exchange, "Sec-Fetch-Site");
	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return false;
	if (!origin)
		return true;
	if (strncmp(origin, "http://", 7) == 0)
		origin += 7;
	else if (strncmp(origin, "https://", 8) == 0)
		origin += 8;
	else
		return false;
	return is_own_host(&exchange->web->settings, origin);
}

static const char *check_framing(const struct exchange *exchange, const char *version)
{
	struct framing framing = {0};
	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, look_at_header, &framing);
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return "this server speaks HTTP/1.1";
	if (framing.lengths > 1 || framing.encodings > 1 || framing.has_bad_length ||
	    (framing.lengths && framing.encodings) ||
	    (framing.encodings && !framing.is_plain_chunked) ||
	    (framing.encodings && strcmp(version, "HTTP/1.0") == 0))
		return "the length of the body is said in a way that is not clear";
	if (framing.hosts != 1 || framing.origins > 1)
		return "a request has one Host, and at most one Origin";
	return NULL;
}

const char *guard_own_page(const struct exchange *exchange)
{
	const char *own = exchange_header(exchange, "Lyceum-Request");
	return own && strcmp(own, "1") == 0
		       ? NULL
		       : "a signed-in request needs the header Lyceum-Request: 1";
}

void guard_sign_in(struct exchange *exchange)
{
	const char *token =
		MHD_lookup_connection_value(exchange->connection, MHD_COOKIE_KIND, SESSION_COOKIE);
	const struct pass *session =
		token ? users_session(&exchange->web->users, token, web_wall_ms()) : NULL;
	if (!session)
		return;
	snprintf(exchange->user, sizeof(exchange->user), "%s", session->user);
	snprintf(exchange->session_id, sizeof(exchange->session_id), "%s", session->id);
	sign_in_prolong(exchange, session, token);
}

const char *guard_check(struct exchange *exchange, const char *method, const char *version,
			unsigned *ret_http, enum lyc_status *ret_status)
{
	struct web *web = exchange->web;
	uint64_t now_ms = web_now_ms();
	*ret_http = MHD_HTTP_BAD_REQUEST;
	*ret_status = LYC_INVALID_ARGUMENT;
	const char *reason = check_framing(exchange, version);
	if (reason)
		return reason;
	if (!is_own_host(&web->settings, exchange_header(exchange, "Host"))) {
		web->counters.refused_host++;
		*ret_http = MHD_HTTP_MISDIRECTED_REQUEST;
		return "this server is not called so: its configuration lists its names in "
		       "public_url and hosts";
	}
	if (!rate_take(&web->per_address, exchange->address, now_ms)) {
		web->counters.refused_rate++;
		*ret_http = 0;
		*ret_status = LYC_RESOURCE_EXHAUSTED;
		return "too many requests from this address: try again in a second";
	}
	exchange->is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	if (!exchange->is_get && strcmp(method, "POST") != 0) {
		*ret_http = MHD_HTTP_METHOD_NOT_ALLOWED;
		return "only GET, HEAD and POST are known here";
	}
	if (strlen(exchange->path) + 1 >= sizeof(exchange->path)) {
		*ret_http = MHD_HTTP_URI_TOO_LONG;
		return "the path is too long";
	}
	if (!exchange->is_get && !is_own_origin(exchange)) {
		*ret_http = MHD_HTTP_FORBIDDEN;
		*ret_status = LYC_PERMISSION_DENIED;
		return "another site's page may not send anything here";
	}
	guard_sign_in(exchange);
	if (exchange->user[0] && !rate_take(&web->per_session, exchange->session_id, now_ms)) {
		web->counters.refused_rate++;
		*ret_http = 0;
		*ret_status = LYC_RESOURCE_EXHAUSTED;
		return "too many requests in this session: try again in a second";
	}
	return NULL;
}
