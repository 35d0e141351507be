/*
 * The configuration read anew while the daemon runs, by SIGHUP or Node/Reload. The reading and the
 * looking at plugins happen on a thread of libuv's; on the loop it is then taken as a whole or not
 * at all: what can fail, new listeners, comes first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "log.h"
#include "node/reload.h"
#include "world/parts.h"
#include "world/plugin_check.h"

#define LOG_TOPIC "lyceumd"

struct reload {
	uv_work_t work;
	struct world *world;
	uint64_t call_id; /* 0: nobody waits for the answer */
	bool is_check;
	Lyceum__V1__Config *config;
	struct lyc_error error;
};

void world_configure_log(const Lyceum__V1__Config *config)
{
	const Lyceum__V1__LogConfig *log = config->log;
	log_configure(log ? (enum log_format)log->format : LOG_AUTO,
		      log && log->level ? (enum log_level)log->level : LOG_NOTICE, config->name);
}

/* ---- listeners ---- */

static struct port *find_port(struct world *world, const Lyceum__V1__Listener *listener)
{
	for (uint32_t i = 0; i < world->port_count; i++) {
		struct port *port = world->ports[i];
		if (port->zsock && port->configured &&
		    (strcmp(port->configured, listener->endpoint) == 0 ||
		     strcmp(zsock_endpoint(port->zsock), listener->endpoint) == 0) &&
		    port->is_plain == (bool)listener->plain && !port->is_kept)
			return port;
	}
	return NULL;
}

/* Those that stay are marked; those that are new are opened. */
static enum lyc_status open_new(struct world *world, const Lyceum__V1__Config *config,
				struct buf *changes, struct lyc_error *error)
{
	char own[440];
	Lyceum__V1__Listener local = LYCEUM__V1__LISTENER__INIT;
	Lyceum__V1__Listener *only[] = {&local};
	Lyceum__V1__Listener **listen = config->n_listen > 0 ? config->listen : only;
	size_t count = config->n_listen > 0 ? config->n_listen : 1;
	enum lyc_status status = LYC_OK;
	snprintf(own, sizeof(own), "ipc://%s/lyceum.sock", world->data);
	local.endpoint = own;
	for (size_t i = 0; i < count && status == LYC_OK; i++) {
		struct port *port = find_port(world, listen[i]);
		if (port) {
			port->is_kept = true;
			continue;
		}
		uint32_t before = world->port_count;
		status = port_listen(world, listen[i]->endpoint,
				     listen[i]->plain ? WAY_PLAIN : WAY_CURVE, error);
		if (world->port_count > before) {
			world->ports[before]->is_kept = status == LYC_OK;
			world->ports[before]->is_new = status == LYC_OK;
		}
		if (status == LYC_OK)
			buf_add_format(changes, "listen: %s is open\n", listen[i]->endpoint);
	}
	return status;
}

static void close_former(struct world *world, struct buf *changes)
{
	for (uint32_t i = 0; i < world->port_count; i++) {
		struct port *port = world->ports[i];
		if (!port->zsock || !port->configured || port->is_kept)
			continue;
		buf_add_format(changes, "listen: %s is closed; its peers were told\n",
			       port->configured);
		daemon_close_port(&world->daemon, port->number);
		port_close(port);
	}
}

/* With one of them failed none of the new ones stays. */
static void forget_marks(struct world *world, bool has_failed)
{
	for (uint32_t i = 0; i < world->port_count; i++) {
		struct port *port = world->ports[i];
		if (has_failed && port->is_new)
			port_close(port);
		port->is_kept = false;
		port->is_new = false;
	}
}

/* ---- apply ---- */

static uint64_t *list_stamps(const struct world *world, const Lyceum__V1__Config *config)
{
	uint64_t *stamps = mem_get((config->n_plugins + 1) * sizeof(*stamps));
	for (size_t i = 0; i < config->n_plugins; i++) {
		const Lyceum__V1__PluginConfig *plugin = config->plugins[i];
		struct buf path = {0};
		if (plugin->path[0])
			buf_add_text(&path, plugin->path);
		else
			buf_add_format(&path, "%s/%s.so", world->options->plugin_folder,
				       plugin->name);
		stamps[i] = plugin_check_stamp(buf_text(&path), plugin->config_file);
		buf_fini(&path);
	}
	return stamps;
}

static bool is_same_log(const Lyceum__V1__Config *a, const Lyceum__V1__Config *b)
{
	static const Lyceum__V1__LogConfig none = LYCEUM__V1__LOG_CONFIG__INIT;
	const Lyceum__V1__LogConfig *left = a->log ? a->log : &none;
	const Lyceum__V1__LogConfig *right = b->log ? b->log : &none;
	return left->format == right->format && left->level == right->level;
}

static enum lyc_status apply(struct world *world, struct reload *reload, struct buf *changes)
{
	struct lyc_error *error = &reload->error;
	struct lyc_error reason;
	Lyceum__V1__Config *config = reload->config;
	enum lyc_status status = reload_check(world->config, config, error);
	if (status == LYC_OK)
		status = open_new(world, config, changes, error);
	if (status != LYC_OK) {
		forget_marks(world, true);
		error->status = LYC_FAILED_PRECONDITION;
		return error->status;
	}
	if (!is_same_log(world->config, config)) {
		world_configure_log(config);
		buf_add_text(changes, "log: changed\n");
	}
	uint64_t *stamps = list_stamps(world, config);
	reload_apply(&world->daemon, world->config, config, world->options->plugin_folder, stamps,
		     changes);
	free(stamps);
	close_former(world, changes);
	forget_marks(world, false);
	if (identities_publish(world, &reason) != LYC_OK)
		log_error("the keys stay as they were", "reason", reason.text);
	if (ports_write_endpoints(world, &reason) != LYC_OK)
		log_error("the endpoints are not written down", "reason", reason.text);
	world_free_config(world->config_read_anew);
	world->config_read_anew = config;
	world->config = config;
	reload->config = NULL;
	return LYC_OK;
}

/* ---- the answer ---- */

static void tell_log(const struct lyc_error *error, struct span changes)
{
	if (error->status != LYC_OK) {
		log_error("the configuration was not taken", "reason", error->text);
		return;
	}
	const char *at = (const char *)changes.data;
	const char *end = at + changes.len;
	for (const char *line = at; line && line < end;) {
		char text[300];
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		snprintf(text, sizeof(text), "%.*s", (int)(stop - line), line);
		log_notice("configuration changed", "what", text);
		line = stop + 1;
	}
	if (changes.len == 0)
		log_notice("the configuration is as it was");
}

static void answer(const struct reload *reload, struct span changes)
{
	struct buf reply = {0};
	const uint8_t *end = span_end(changes);
	for (const uint8_t *line = changes.data; line && line < end;) {
		const uint8_t *stop = memchr(line, '\n', (size_t)(end - line));
		pb_write_bytes(&reply, 1, line, (size_t)(stop - line));
		line = stop + 1;
	}
	if (reload->call_id)
		router_builtin_done(&reload->world->daemon.router, reload->call_id,
				    span_of(reply.data, reply.len), &reload->error);
	buf_fini(&reply);
}

static void read_all(uv_work_t *work)
{
	struct reload *reload = work->data;
	const struct world_options *options = reload->world->options;
	reload->error.status = options->read_again(options, &reload->config, &reload->error);
}

static void take(uv_work_t *work, int canceled)
{
	struct reload *reload = work->data;
	struct world *world = reload->world;
	struct buf changes = {0};
	world->is_reloading = false;
	if (canceled || world->stop_at_ms)
		error_set(&reload->error, LYC_UNAVAILABLE, "the daemon is stopping");
	else if (reload->error.status == LYC_OK && reload->is_check)
		reload->error.status = reload_check(world->config, reload->config, &reload->error);
	else if (reload->error.status == LYC_OK)
		reload->error.status = apply(world, reload, &changes);
	if (reload->error.status != LYC_OK)
		buf_clear(&changes);
	if (!reload->is_check)
		tell_log(&reload->error, span_of(changes.data, changes.len));
	answer(reload, span_of(changes.data, changes.len));
	if (!world->stop_at_ms)
		daemon_turn(&world->daemon);
	buf_fini(&changes);
	world_free_config(reload->config);
	free(reload);
}

enum lyc_status world_reload(void *arg, uint64_t call_id, bool is_check, struct lyc_error *error)
{
	struct world *world = arg;
	if (world->is_reloading)
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "the configuration is being read already: try again");
	struct reload *reload = mem_new(struct reload);
	reload->world = world;
	reload->call_id = call_id;
	reload->is_check = is_check;
	reload->work.data = reload;
	if (uv_queue_work(&world->loop, &reload->work, read_all, take) != 0) {
		free(reload);
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "no thread to read with");
	}
	world->is_reloading = true;
	return LYC_OK;
}
