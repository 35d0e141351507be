/*
 * The node's web server: every method of every plugin over HTTP, for the people whom the operator
 * has invited, and the page that they use. The descriptor, the configuration, start and stop.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "http_schema.h"
#include "lyceum/http/v1/config.pb-c.h"

#define RECORDS "lyceum.http.v1.>"

static uint32_t or_else(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

static void read_limits(struct web *web, const Lyceum__Http__V1__Limits *from)
{
	static const Lyceum__Http__V1__Limits none = LYCEUM__HTTP__V1__LIMITS__INIT;
	struct settings *settings = &web->settings;
	if (!from)
		from = &none;
	settings->body = or_else(from->body, 1024 * 1024);
	settings->connections = or_else(from->connections, 256);
	settings->connections_per_address = or_else(from->connections_per_address, 64);
	settings->request_seconds = or_else(from->request_seconds, 20);
	settings->session_days = or_else(from->session_days, 30);
	web->per_address.per_second = or_else(from->rate_per_address, 100);
	web->per_session.per_second = or_else(from->rate_per_session, 50);
}

static bool read_config(struct web *web)
{
	static const Lyceum__Http__V1__HttpConfig none = LYCEUM__HTTP__V1__HTTP_CONFIG__INIT;
	struct settings *settings = &web->settings;
	const Lyceum__Http__V1__HttpConfig *config =
		(const Lyceum__Http__V1__HttpConfig *)(const void *)lyc_config(
			web->context, &lyceum__http__v1__http_config__descriptor);
	if (!config)
		config = &none;
	snprintf(settings->listen, sizeof(settings->listen), "%s",
		 config->listen[0] ? config->listen : "127.0.0.1:7780");
	snprintf(settings->public_url, sizeof(settings->public_url), "%s", config->public_url);
	settings->is_https = strncmp(config->public_url, "https://", 8) == 0;
	settings->behind_proxy = config->behind_proxy;
	settings->open_metrics = config->open_metrics;
	for (size_t i = 0; i < config->n_hosts; i++) {
		settings->hosts[settings->host_count] = strdup(config->hosts[i]);
		if (!settings->hosts[settings->host_count++])
			return false;
	}
	read_limits(web, config->limits);
	return true;
}

static void on_record(void *state, const struct lyc_delivery *record)
{
	struct web *web = state;
	users_apply(&web->users, record);
}

static bool is_busy(void *state)
{
	return server_is_busy(state);
}

static void stop(void *state)
{
	struct web *web = state;
	server_stop(web);
	lyc_types_free(web->types);
	users_fini(&web->users);
	rate_fini(&web->per_address);
	rate_fini(&web->per_session);
	for (size_t i = 0; i < web->settings.host_count; i++)
		free(web->settings.hosts[i]);
	free(web->openapi);
	free(web);
}

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	struct web *web = sodium_init() >= 0 ? calloc(1, sizeof(*web)) : NULL;
	if (!web)
		return LYC_RESOURCE_EXHAUSTED;
	web->context = context;
	web->client = lyc_context_client(context);
	web->timer_fd = web->bound_fd = web->port_lock = web->next_lock = -1;
	enum lyc_status status = LYC_RESOURCE_EXHAUSTED;
	if (read_config(web) && users_init(&web->users, lyc_node_name(context)))
		status = lyc_types_new(web->client, &web->types);
	if (status == LYC_OK)
		status = lyc_follow(context, RECORDS, 1, on_record, error);
	if (status == LYC_OK)
		status = server_start(web, error);
	if (status != LYC_OK) {
		stop(web);
		return status;
	}
	*ret_state = web;
	return LYC_OK;
}

static const char *const publishes[] = {"lyceum.http.v1.User.>", "lyceum.http.v1.Invitation.>",
					"lyceum.http.v1.Session.>", NULL};
static const char *const reads[] = {RECORDS, NULL};

static const char *const reach[] = {"listen tcp", NULL};

LYC_PLUGIN = {
	.abi = LYC_PLUGIN_ABI,
	.size = sizeof(struct lyc_plugin),
	.name = "http",
	.version = LYCEUM_VERSION,
	.config_type = "lyceum.http.v1.HttpConfig",
	.services = users_services,
	.schema = http_schema,
	.schema_len = sizeof(http_schema),
	.publishes = publishes,
	.reads = reads,
	.start = start,
	.stop = stop,
	.speaks_for_people = true,
	.reach = reach,
	.is_busy = is_busy,
};
