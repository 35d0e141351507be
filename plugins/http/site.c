/* Which path leads where; files; the types that the daemon holds, kept fresh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "page_files.h"

/* How often the daemon is asked for its types; and, where one is missing, at most. */
#define REFRESH_MS 3000
#define URGENT_MS 300

/* ---- Types ---- */

static void on_types(enum lyc_status status, const char *text, void *arg)
{
	struct web *web = arg;
	web->is_loading = false;
	if (status != LYC_OK && web->is_loaded)
		lyc_log(web->context, 2, "the daemon's types cannot be read: %s", text);
	web->is_loaded = status == LYC_OK;
	if (status == LYC_OK)
		web->loaded_ms = web_now_ms();
	exchanges_types_came(web);
}

void site_refresh(struct web *web, bool is_urgent)
{
	uint64_t now_ms = web_now_ms();
	if (web->load_begun_ms &&
	    now_ms - web->load_begun_ms < (uint64_t)(is_urgent ? URGENT_MS : REFRESH_MS) &&
	    (is_urgent || web->is_loaded))
		return;
	if (!web->is_loading && lyc_types_load_start(web->types, on_types, web) == LYC_OK) {
		web->is_loading = true;
		web->load_begun_ms = now_ms;
	}
}

/* ---- Files ---- */

static const char *type_of(const char *path)
{
	static const char *const types[][2] = {
		{".html", "text/html; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".mjs", "text/javascript; charset=utf-8"},
		{".json", "application/json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".ico", "image/x-icon"},
		{".woff2", "font/woff2"},
		{".txt", "text/plain; charset=utf-8"},
		{".webmanifest", "application/manifest+json"},
	};
	const char *end = strrchr(path, '.');
	for (size_t i = 0; end && i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(end, types[i][0]) == 0)
			return types[i][1];
	}
	return "application/octet-stream";
}

static const struct page_file *find_file(const char *path)
{
	if (strcmp(path, "/") == 0)
		path = "/index.html";
	for (size_t i = 0; i < page_file_count; i++) {
		if (strcmp(page_files[i].path, path) == 0)
			return &page_files[i];
	}
	return NULL;
}

static void answer_file(struct exchange *exchange, const struct page_file *file)
{
	const char *known = exchange_header(exchange, "If-None-Match");
	const char *encoding = exchange_header(exchange, "Accept-Encoding");
	bool is_gzipped = encoding && strstr(encoding, "gzip") && file->gzipped_len < file->len;
	/* Asked for each time, but sent only when it has changed. */
	const char *const headers[] = {"ETag",
				       file->etag,
				       "Cache-Control",
				       "no-cache",
				       "Vary",
				       "Accept-Encoding",
				       is_gzipped ? "Content-Encoding" : NULL,
				       "gzip",
				       NULL};
	if (known && strstr(known, file->etag))
		exchange_answer_static(exchange, MHD_HTTP_NOT_MODIFIED, NULL, "", 0,
				       (const char *const[]){"ETag", file->etag, "Cache-Control",
							     "no-cache", "Vary", "Accept-Encoding",
							     NULL});
	else
		exchange_answer_static(exchange, MHD_HTTP_OK, type_of(file->path),
				       is_gzipped ? file->gzipped : file->bytes,
				       is_gzipped ? file->gzipped_len : file->len, headers);
}

/* ---- Paths ---- */

static void answer_health(struct exchange *exchange)
{
	struct web *web = exchange->web;
	char text[160];
	bool is_well = web->is_loaded && web_knows_people(web);
	snprintf(text, sizeof(text), "{\"status\":\"%s\",\"node\":\"%s\"}",
		 is_well ? "OK" : "UNAVAILABLE", lyc_node_name(web->context));
	exchange_answer(exchange, is_well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
			"application/json", text, strlen(text), NULL);
}

/* True when the path is one of ours; `is_get` false: for POST. */
static bool needs_method(struct exchange *exchange, bool is_get)
{
	if (exchange->is_get == is_get)
		return true;
	exchange_fail(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, LYC_INVALID_ARGUMENT, "",
		      "this path takes %s only", is_get ? "GET" : "POST");
	return false;
}

static bool needs_session(struct exchange *exchange)
{
	if (exchange->user[0])
		return true;
	exchange_fail(exchange, 0, LYC_UNAUTHENTICATED, "",
		      "nobody is signed in: ask the operator of this node for a link");
	return false;
}

/* Paths of the gateway itself; false when it is none of them. */
static bool answer_own(struct exchange *exchange, const char *path)
{
	if (strcmp(path, "/healthz") == 0) {
		if (needs_method(exchange, true))
			answer_health(exchange);
	} else if (strcmp(path, "/enter") == 0) {
		if (exchange->is_get)
			sign_in_page(exchange);
		else
			sign_in_enter(exchange);
	} else if (strcmp(path, "/me") == 0) {
		if (needs_method(exchange, true) && needs_session(exchange))
			sign_in_me(exchange);
	} else if (strcmp(path, "/leave") == 0) {
		if (needs_method(exchange, false) && needs_session(exchange))
			sign_in_leave(exchange);
	} else if (strcmp(path, "/openapi.json") == 0) {
		if (needs_method(exchange, true) && needs_session(exchange))
			openapi_answer(exchange);
	} else if (strcmp(path, "/metrics") == 0) {
		if (needs_method(exchange, true) &&
		    (exchange->web->settings.open_metrics || needs_session(exchange)))
			prometheus_answer(exchange);
	} else if (strncmp(path, "/v1/", 4) == 0) {
		if (needs_method(exchange, false))
			methods_post(exchange, path + 4);
	} else {
		return false;
	}
	return true;
}

void site_answer(struct exchange *exchange)
{
	const struct page_file *file = exchange->is_get ? find_file(exchange->path) : NULL;
	/* Who is known is not known yet. */
	if (!file && !web_knows_people(exchange->web) && strcmp(exchange->path, "/healthz") != 0) {
		exchange_fail(exchange, 0, LYC_UNAVAILABLE, "",
			      "the node is starting: try again in a second");
		return;
	}
	if (answer_own(exchange, exchange->path))
		return;
	if (file)
		answer_file(exchange, file);
	else if (!methods_route(exchange) && !methods_wait(exchange))
		exchange_fail(exchange, 0, LYC_NOT_FOUND, "", "there is nothing at this path");
}
