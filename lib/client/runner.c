/*
 * A plugin's life: load, configure, connect, start, catch up with the log, register, serve, stop.
 * One loop on one thread: timers and deadlines, then packets, then sleep until the next of either.
 */
#include "client/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "client/channel_transport.h"
#include "client/context.h"
#include "io/clock.h"

#define CALL_CREDIT (8 * 1024 * 1024)
/* How long a lost daemon may stay away. */
#define LOST_MS 10000
#define MAX_SLEEP_MS 1000
/* How long a daemon may take to say that it has heard of our end. */
#define LET_GO_MS 2000
/* How long it may take until its last words have left. */
#define LAST_WORDS_MS 1000
/* Between two looks whether it has finished. */
#define BUSY_MS 20

static void on_welcome(struct lyc_client *client, void *arg)
{
	(void)client;
	struct lyc_plugin_context *context = arg;
	context->is_lost = false;
	context->metrics.has_news = context->metrics.count > 0;
	context->is_registered = false;
}

static void on_lost(struct lyc_client *client, const struct lyc_error *why, void *arg)
{
	(void)client;
	struct lyc_plugin_context *context = arg;
	context->is_lost = true;
	context->lost_ms = mono_ms();
	context->lost_why = *why;
	context->is_registered = false;
	served_forget(context);
}

static void on_call(struct lyc_client *client, const struct packet_call *call, size_t packet_len,
		    void *arg)
{
	(void)client;
	(void)packet_len;
	served_receive(arg, call);
}

static bool on_cancel(struct lyc_client *client, uint64_t id, void *arg)
{
	(void)client;
	return served_cancel(arg, id);
}

static void on_credit(struct lyc_client *client, uint64_t id, uint64_t bytes, void *arg)
{
	(void)client;
	served_credit(arg, id, bytes);
}

static enum lyc_status connect_daemon(struct lyc_plugin_context *context,
				      const struct runner_options *options,
				      const struct transport *transport, struct lyc_error *error)
{
	char software[96];
	snprintf(software, sizeof(software), "plugin %.30s %.30s", options->name,
		 context->image.plugin->version ? context->image.plugin->version : "");
	struct connection_options connection = {
		.transport = transport,
		.endpoint = "the other end of its channel",
		.software = software,
		.call_credit = CALL_CREDIT,
	};
	struct peer_hooks hooks = {
		.on_welcome = on_welcome,
		.on_lost = on_lost,
		.on_call = on_call,
		.on_cancel = on_cancel,
		.on_credit = on_credit,
		.check_publish = context_check_publish,
		.check_subscribe = context_check_subscribe,
		.arg = context,
	};
	enum lyc_status status = client_open_with(&connection, &hooks, &context->client, error);
	if (status != LYC_OK)
		return status;
	if (options->stop_fd >= 0)
		status = client_wake_on(context->client, options->stop_fd, error);
	if (status != LYC_OK)
		return status;
	const struct lyc_welcome *welcome = lyc_client_welcome(context->client);
	context->node_name = mem_dup_try(welcome->daemon, strlen(welcome->daemon));
	context->epoch = welcome->epoch;
	if (!context->node_name)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for the plugin.");
	return LYC_OK;
}

static enum lyc_status start_plugin(struct lyc_plugin_context *context, struct lyc_error *error)
{
	struct lyc_error reason = {0};
	enum lyc_status status = context->image.plugin->start(context, &context->state, &reason);
	if (status != LYC_OK)
		return error_set(error, status, "The plugin \"%s\" does not start: %s",
				 context->image.plugin->name,
				 reason.text[0] ? reason.text : lyc_status_name(status));
	context->is_started = true;
	return LYC_OK;
}

static enum lyc_status register_services(struct lyc_plugin_context *context,
					 struct lyc_error *error)
{
	struct span services[WIRE_MAX_SERVICES];
	struct span publishes[WIRE_MAX_SERVICES];
	size_t publish_count = 0;
	size_t count = 0;
	const struct lyc_plugin *plugin = context->image.plugin;
	for (ProtobufCService *const *at = plugin->services; *at; at++) {
		if (count == WIRE_MAX_SERVICES)
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "The plugin \"%s\" has more than %d services.",
					 plugin->name, WIRE_MAX_SERVICES);
		const char *name = (*at)->descriptor->name;
		services[count++] = span_of(name, strlen(name));
	}
	/* plugin_load has counted them. */
	for (const char *const *at = plugin->publishes; at && *at; at++)
		publishes[publish_count++] = span_of(*at, strlen(*at));
	context->is_registered = true;
	const struct packet_register reg = {
		.services = services,
		.service_count = count,
		.schema = span_of(plugin->schema, plugin->schema_len),
		.publishes = publishes,
		.publish_count = publish_count,
		.speaks_for_people = plugin_speaks_for_people(plugin),
	};
	enum lyc_status status = client_register(context->client, &reg, error);
	if (status != LYC_OK)
		context->is_registered = false;
	return status;
}

/* What is due; then sleep until something comes, and let it happen. */
static void turn(struct lyc_plugin_context *context)
{
	uint64_t now = mono_ms();
	timers_run(context, now);
	watches_run(context);
	metrics_tell(context, now);
	served_expire(context, now);
	served_write(context);
	now = mono_ms();
	uint64_t next = list_is_empty(&context->served.writable) ? now + MAX_SLEEP_MS : now;
	uint64_t due = timers_next(context);
	next = due < next ? due : next;
	due = served_next(context);
	next = due < next ? due : next;
	if (context->is_finishing) {
		if (plugin_tells_busy(context->image.plugin) && next > now + BUSY_MS)
			next = now + BUSY_MS;
		client_run_on(context->client, next > now ? (uint32_t)(next - now) : 0);
		return;
	}
	/* Sends what they queued, too. Ends as soon as something was handled: it may be what
	 * `serve` waits for. */
	(void)lyc_client_run(context->client, next > now ? (int)(next - now) : 0);
}

/* Has the daemon gone for good? OK: no. ret_is_over: yes, and rightly so. */
static enum lyc_status check_session(struct lyc_plugin_context *context, bool *ret_is_over,
				     struct lyc_error *error)
{
	*ret_is_over = false;
	if (context->is_lost) {
		if (client_is_told_to_end(context->client)) {
			*ret_is_over = true;
			return LYC_OK;
		}
		if (mono_ms() - context->lost_ms > LOST_MS)
			return error_set(error, LYC_UNAVAILABLE, "The daemon is lost: %s",
					 context->lost_why.text);
		return LYC_OK;
	}
	if (context->view.has_ended) {
		if (error)
			*error = context->view.why;
		return context->view.why.status;
	}
	if (!client_is_open(context->client))
		return LYC_OK;
	const struct lyc_welcome *welcome = lyc_client_welcome(context->client);
	if (welcome->epoch != context->epoch || strcmp(welcome->daemon, context->node_name) != 0)
		return error_set(error, LYC_UNAVAILABLE,
				 "The daemon came back as %s, epoch %llu: the view has to be built "
				 "anew.",
				 welcome->daemon, (unsigned long long)welcome->epoch);
	return LYC_OK;
}

/* Half a view would say that there is not what the log holds. */
static bool may_register(const struct lyc_plugin_context *context)
{
	const struct view *view = &context->view;
	return !context->is_registered && !context->is_lost && client_is_open(context->client) &&
	       (!view->is_followed || view->is_caught_up);
}

/* Asked even while calls are under way: it takes nothing new from the first time on. */
static bool is_busy(const struct lyc_plugin_context *context)
{
	return context->is_started && plugin_is_busy(context->image.plugin, context->state);
}

/* Told to stop: no more calls, and an end when those that came have been answered. Whoever tells it
 * says how long that may take. */
static void finish(struct lyc_plugin_context *context)
{
	context->is_finishing = true;
	if (context->is_lost || !client_is_open(context->client))
		return;
	if (context->is_registered && client_let_go(context->client, LET_GO_MS) != LYC_OK)
		return;
	while (!context->is_lost && (is_busy(context) || served_is_waited_for(context)))
		turn(context);
	/* The last replies. */
	client_run_on(context->client, 0);
}

static enum lyc_status serve(struct lyc_plugin_context *context, struct lyc_error *error)
{
	while (!client_is_woken(context->client)) {
		bool is_over;
		enum lyc_status status = check_session(context, &is_over, error);
		if (status != LYC_OK || is_over)
			return status;
		if (may_register(context)) {
			status = register_services(context, error);
			if (status != LYC_OK && !context->is_lost)
				return status;
			/* The session may have ended meanwhile. */
			continue;
		}
		turn(context);
	}
	finish(context);
	return LYC_OK;
}

enum lyc_status runner_run(const struct runner_options *options, struct lyc_error *error)
{
	struct lyc_plugin_context *context = mem_try(sizeof(*context));
	struct channel *channel = NULL;
	struct transport over_channel;
	const struct transport *transport = options->transport;
	if (!transport) {
		channel = channel_new(options->channel_fd);
		over_channel = channel_transport(channel);
		transport = &over_channel;
	}
	if (!context || (!channel && !options->transport)) {
		channel_free(channel);
		free(context);
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for the plugin.");
	}
	list_init(&context->timers);
	watches_init(&context->watches);
	list_init(&context->metrics.all);
	list_init(&context->view.waiting);
	served_init(&context->served);
	context->on_log = options->on_log;
	context->log_arg = options->log_arg;
	enum lyc_status status =
		options->plugin
			? plugin_take(options->plugin, options->name, &context->image, error)
			: plugin_load(options->path, options->name, &context->image, error);
	if (status != LYC_OK)
		goto out;
	context->data_folder = mem_dup_try(options->data_folder, strlen(options->data_folder));
	if (!context->data_folder) {
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for the plugin.");
		goto out;
	}
	status = context_configure(context, options->config_file, error);
	if (status == LYC_OK)
		status = connect_daemon(context, options, transport, error);
	if (status == LYC_OK)
		status = start_plugin(context, error);
	if (status == LYC_OK)
		status = serve(context, error);
	served_fini(context);
	/* Whoever waits for an ack or a reply has state that `stop` frees. */
	if (context->client)
		client_abandon(context->client);
	if (context->is_started)
		context->image.plugin->stop(context->state);
	lyc_client_close(context->client);
	timers_fini(context);
	watches_fini(&context->watches);
	metrics_fini(&context->metrics);
out:
	if (channel)
		channel_transport_linger(channel, LAST_WORDS_MS);
	channel_free(channel);
	context_fini(context);
	free(context);
	return status;
}
