/* /metrics: the daemon's counters and gauges and the gateway's own, as Prometheus reads them
 * (0.0.4). */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flight.h"

struct page {
	char *text;
	size_t len;
	size_t cap;
	bool has_failed;
};

static void add(struct page *page, const char *format, ...) LYC_PRINTF(2, 3);
static void add(struct page *page, const char *format, ...)
{
	char line[600];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line))
		return;
	if (page->len + (size_t)len >= page->cap) {
		size_t cap = page->cap * 2 + 4096;
		char *grown = realloc(page->text, cap);
		page->has_failed |= !grown;
		if (!grown)
			return;
		page->text = grown;
		page->cap = cap;
	}
	memcpy(page->text + page->len, line, (size_t)len + 1);
	page->len += (size_t)len;
}

/* A name is letters, digits, _ and :, and does not begin with a digit. */
static bool is_name(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:";
	return text && text[0] && !(text[0] >= '0' && text[0] <= '9') &&
	       strspn(text, letters) == strlen(text);
}

static void add_head(struct page *page, const char *name, const char *help)
{
	char clean[300];
	size_t len = 0;
	for (; help && *help && len + 1 < sizeof(clean); help++)
		clean[len++] = *help == '\n' || *help == '\\' ? ' ' : *help;
	clean[len] = '\0';
	size_t name_len = strlen(name);
	bool is_counter = name_len > 6 && strcmp(name + name_len - 6, "_total") == 0;
	add(page, "# HELP %s %s\n# TYPE %s %s\n", name, clean, name,
	    is_counter ? "counter" : "gauge");
}

static void add_one(struct page *page, const char *name, const char *help, double value)
{
	add_head(page, name, help);
	add(page, "%s %.17g\n", name, value);
}

static void add_daemon(struct page *page, const char *json)
{
	json_t *reply = json ? json_loads(json, 0, NULL) : NULL;
	json_t *all = json_object_get(reply, "metric");
	json_t *metric;
	size_t index;
	json_array_foreach(all, index, metric)
	{
		const char *name = json_string_value(json_object_get(metric, "name"));
		const char *help = json_string_value(json_object_get(metric, "help"));
		if (is_name(name))
			add_one(page, name, help ? help : "",
				json_number_value(json_object_get(metric, "value")));
	}
	json_decref(reply);
}

static void add_own(struct page *page, const struct web *web)
{
	const struct counters *counters = &web->counters;
	add_head(page, "lyceum_http_requests_total", "requests answered, by the class of status");
	for (int i = 1; i < 6; i++)
		add(page, "lyceum_http_requests_total{class=\"%dxx\"} %llu\n", i,
		    (unsigned long long)counters->requests[i]);
	add_one(page, "lyceum_http_rate_refused_total", "requests refused for their number",
		(double)counters->refused_rate);
	add_one(page, "lyceum_http_host_refused_total", "requests for a host that is not ours",
		(double)counters->refused_host);
	add_one(page, "lyceum_http_late_requests_total", "connections ended for sending too slowly",
		(double)counters->late_requests);
	add_one(page, "lyceum_http_entered_total", "people who entered by a link",
		(double)counters->entered);
	add_one(page, "lyceum_http_connections", "connections that are open",
		(double)web->peer_count);
	add_one(page, "lyceum_http_requests_open", "requests that are being answered",
		(double)web->exchange_count);
	add_one(page, "lyceum_http_held_bytes", "bytes of bodies and events in memory",
		(double)web->held_len);
	add_one(page, "lyceum_http_users", "people who are known here",
		(double)HASH_CNT(by_name, web->users.all));
	add_one(page, "lyceum_http_sessions", "browsers that are signed in",
		(double)HASH_CNT(by_id, web->users.sessions));
}

static void on_metrics(const struct lyc_reply *reply, const char *json, void *arg)
{
	struct flight *flight = arg;
	struct exchange *exchange = flight->exchange;
	struct page page = {0};
	flight_end(flight);
	if (!exchange)
		return;
	if (reply->status == LYC_OK)
		add_daemon(&page, json);
	add_own(&page, exchange->web);
	if (reply->status != LYC_OK)
		exchange_fail(exchange, 0, reply->status, "", "%s", reply->text);
	else if (page.has_failed)
		exchange_fail(exchange, 0, LYC_RESOURCE_EXHAUSTED, "", "there is no memory");
	else
		exchange_answer(exchange, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
				page.text, page.len, NULL);
	free(page.text);
}

void prometheus_answer(struct exchange *exchange)
{
	struct lyc_error error = {0};
	struct lyc_call_options options = {.timeout_ms = 5000};
	struct flight *flight = flight_new(exchange);
	if (!flight) {
		exchange_fail(exchange, 0, LYC_RESOURCE_EXHAUSTED, "", "there is no memory");
		return;
	}
	flight->is_call = true;
	/* Known since the types were loaded; before that nothing is served. */
	enum lyc_status status =
		lyc_method_find(exchange->web->types, "lyceum.v1.Node/Metrics")
			? lyc_json_call_start(exchange->web->types, "lyceum.v1.Node/Metrics", NULL,
					      0, &options, on_metrics, flight, &flight->call_id,
					      &error)
			: LYC_UNAVAILABLE;
	if (status == LYC_OK)
		return;
	flight_end(flight);
	exchange_fail(exchange, 0, status, "", "%s",
		      error.text[0] ? error.text : "the node is starting: try again in a second");
}
