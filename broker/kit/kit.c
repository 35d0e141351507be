/* The world of a plugin's test: daemons, the plugin in them, and time. */
#include "kit/kit.h"

#include <dlfcn.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"
#include "client/plugin_load.h"

#define START_MS 10000
#define ANSWER_MS 60000
#define TICK_MS 10
/* Of long stretches: heartbeats are counted in seconds. */
#define LONG_MS 10000
#define LONG_TICK_MS 1000

void kit_fail(const struct lyc_test *test, struct lyc_error *error, enum lyc_status status,
	      const char *field, const char *format, ...)
{
	struct lyc_error reason = {.status = status};
	va_list args;
	va_start(args, format);
	vsnprintf(reason.text, sizeof(reason.text), format, args);
	va_end(args);
	snprintf(reason.field, sizeof(reason.field), "%s", field);
	if (error) {
		*error = reason;
		return;
	}
	fprintf(stderr, "%s%s%s (%s)\n%s", field, field[0] ? ": " : "", reason.text,
		lyc_status_name(status), test ? lyc_test_lines(test) : "");
	abort();
}

/* ---- hooks of the daemons ---- */

static bool runs_at(const struct lyc_test *test, const struct fake_node *node)
{
	return strcmp(node->name, "hub") != 0 &&
	       (test->runs_everywhere || node == test->regions[0] || test->region_count == 0);
}

static void configure(struct fake_node *node, Lyceum__V1__Config *config)
{
	struct lyc_test *test = node->world->hooks.arg;
	config->limits->call_credit = 8 * 1024 * 1024;
	config->limits->publish_credit = 8 * 1024 * 1024;
	if (!runs_at(test, node))
		return;
	config->plugins = test->plugin_configs;
	config->n_plugins = 1;
}

static void prepare(struct fake_node *node)
{
	policy_grant(&node->daemon.policy, "operator", "", ROLE_OPERATOR);
}

static void on_line(int level, const char *text, void *arg)
{
	struct lyc_test *test = arg;
	buf_add_format(&test->lines, "%d %s\n", level, text);
}

static enum lyc_status plugin_start(struct fake_node *node, struct plugin *plugin,
				    struct lyc_error *error)
{
	struct lyc_test *test = node->world->hooks.arg;
	const struct fake_plugin_options options = {.linked = test->plugin,
						    .data_folder = test->folder,
						    .config_file = test->config_path,
						    .on_line = on_line,
						    .arg = test};
	return fake_plugin_start(node, plugin, &options, error);
}

static void plugin_stop(struct fake_node *node, struct plugin *plugin, uint32_t grace_ms)
{
	(void)node;
	(void)grace_ms;
	fake_plugin_stop(plugin);
}

/* ---- time ---- */

void kit_step(struct lyc_test *test, uint64_t ms)
{
	fake_tick(test->world, ms);
	fake_settle(test->world);
}

void lyc_test_pass_ms(struct lyc_test *test, uint64_t ms)
{
	uint64_t until_ms = test->world->now_ms + ms;
	uint64_t most = ms > LONG_MS ? LONG_TICK_MS : TICK_MS;
	fake_settle(test->world);
	while (test->world->now_ms < until_ms) {
		uint64_t step = until_ms - test->world->now_ms;
		uint64_t due_ms = fake_plugins_due(test->world);
		step = step < most ? step : most;
		if (due_ms > test->world->now_ms && due_ms - test->world->now_ms < step)
			step = due_ms - test->world->now_ms;
		kit_step(test, step);
	}
}

int64_t lyc_test_wall_ms(const struct lyc_test *test)
{
	return (int64_t)test->world->now_ms + test->world->wall_offset_ms;
}

void lyc_test_set_wall_ms(struct lyc_test *test, int64_t wall_ms)
{
	test->world->wall_offset_ms = wall_ms - (int64_t)test->world->now_ms;
}

/* Until the plugin runs, or will not; in every region that has it. */
static enum lyc_status wait_for_plugin(struct lyc_test *test, struct fake_node *node,
				       struct lyc_error *error)
{
	struct plugin *plugin = host_find(&node->daemon.host, test->plugin->name);
	for (uint64_t waited = 0; plugin && waited < START_MS; waited += TICK_MS) {
		kit_step(test, TICK_MS);
		if (plugin->state == PLUGIN_RUNNING)
			return LYC_OK;
		if (plugin->state == PLUGIN_FAILED || plugin->restarts > 0)
			break;
	}
	return error_set(error, LYC_FAILED_PRECONDITION, "%s",
			 plugin && plugin->text[0] ? plugin->text : "The plugin does not start.");
}

static enum lyc_status wait_for_all(struct lyc_test *test, struct lyc_error *error)
{
	for (size_t i = 0; i < test->region_count; i++) {
		if (!runs_at(test, test->regions[i]))
			continue;
		enum lyc_status status = wait_for_plugin(test, test->regions[i], error);
		if (status != LYC_OK)
			return status;
	}
	/* Links: what each serves, and where their logs end. */
	if (test->region_count > 1)
		lyc_test_pass_ms(test, 2000);
	return LYC_OK;
}

void lyc_test_restart(struct lyc_test *test, const char *region)
{
	struct lyc_error error = {0};
	struct fake_node *node = kit_region(test, region, NULL);
	fake_node_restart(node);
	if (wait_for_all(test, &error) != LYC_OK)
		kit_fail(test, NULL, error.status, "", "%s", error.text);
}

void lyc_test_cut(struct lyc_test *test, const char *region, bool is_cut)
{
	struct fake_node *node = kit_region(test, region, NULL);
	node->is_refused = is_cut;
	if (is_cut) {
		fake_cut(node);
		daemon_uplink_cut(&node->daemon);
		fake_settle(test->world);
		return;
	}
	/* A link that has failed is tried again after a while that grows. */
	for (uint64_t waited = 0; waited < ANSWER_MS && !node->is_open; waited += LONG_TICK_MS)
		lyc_test_pass_ms(test, LONG_TICK_MS);
	lyc_test_pass_ms(test, 2000);
}

void lyc_test_hold(struct lyc_test *test, const char *region, bool is_held)
{
	kit_region(test, region, NULL)->is_held = is_held;
	fake_settle(test->world);
}

/* ---- peers ---- */

struct fake_node *kit_region(const struct lyc_test *test, const char *name, struct lyc_error *error)
{
	for (size_t i = 0; i < test->region_count; i++) {
		if (!name || strcmp(test->regions[i]->name, name) == 0)
			return test->regions[i];
	}
	kit_fail(test, error, LYC_NOT_FOUND, "", "This test has no region \"%.60s\".", name);
	return NULL;
}

struct fake_client *kit_client(struct fake_node *node, const char *identity)
{
	struct fake_client *client = fake_client_new(node, identity);
	fake_hello(client);
	const struct packet *welcome = fake_next(client);
	ensure(welcome && welcome->kind == PACKET_WELCOME);
	return client;
}

const struct packet *kit_next(struct lyc_test *test, struct fake_client *client)
{
	fake_settle(test->world);
	for (uint64_t waited = 0; waited < ANSWER_MS; waited += TICK_MS) {
		const struct packet *packet;
		while ((packet = fake_next(client))) {
			if (packet->kind != PACKET_PING)
				return packet;
			struct packet pong = {.kind = PACKET_PONG, .pong = packet->ping};
			fake_send(client, &pong);
		}
		kit_step(test, TICK_MS);
	}
	return NULL;
}

void kit_keep(struct lyc_test *test, ProtobufCMessage *message, char *text)
{
	struct kept *kept = mem_new(struct kept);
	*kept = (struct kept){.next = test->kept, .message = message, .text = text};
	test->kept = kept;
}

const char *lyc_test_lines(const struct lyc_test *test)
{
	return test->lines.len ? buf_text((struct buf *)&test->lines) : "";
}

/* ---- beginning and end ---- */

const struct lyc_plugin *lyc_test_load(const char *path, struct lyc_error *error)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct lyc_plugin *plugin = handle ? dlsym(handle, "lyc_plugin") : NULL;
	if (error)
		*error = (struct lyc_error){0};
	if (!handle)
		kit_fail(NULL, error, LYC_NOT_FOUND, "", "The plugin cannot be loaded: %s.",
			 dlerror());
	else if (!plugin)
		kit_fail(NULL, error, LYC_FAILED_PRECONDITION, "",
			 "%s is not a plugin: it exports no `lyc_plugin`.", path);
	return plugin;
}

static enum lyc_status write_config(struct lyc_test *test, const char *config,
				    struct lyc_error *error)
{
	struct buf path = {0};
	const char *base = getenv("TMPDIR");
	snprintf(test->folder, sizeof(test->folder), "%.40s/lyceum-test-XXXXXX",
		 base && strlen(base) < 40 ? base : "/tmp");
	if (!mkdtemp(test->folder))
		return error_set(error, LYC_UNAVAILABLE, "No folder can be made below /tmp.");
	if (!config)
		return LYC_OK;
	buf_add_format(&path, "%s/config.yaml", test->folder);
	test->config_path = buf_text(&path);
	FILE *file = fopen(test->config_path, "we");
	if (!file)
		return error_set(error, LYC_UNAVAILABLE, "%s cannot be written.",
				 test->config_path);
	fputs(config, file);
	fclose(file);
	return LYC_OK;
}

static enum lyc_status add_regions(struct lyc_test *test, const char *const *names,
				   struct lyc_error *error)
{
	static const char *const one[] = {"wales", NULL};
	size_t count = 0;
	names = names && names[0] ? names : one;
	while (names[count])
		count++;
	if (count > KIT_MAX_REGIONS)
		return error_set(error, LYC_INVALID_ARGUMENT, "A test has at most %d regions.",
				 KIT_MAX_REGIONS);
	struct fake_node *hub = count > 1 ? fake_node_add(test->world, "hub", NULL) : NULL;
	for (size_t i = 0; i < count; i++) {
		test->regions[i] = fake_node_add(test->world, names[i], hub);
		test->region_count = i + 1;
	}
	return LYC_OK;
}

static enum lyc_status begin(struct lyc_test *test, const struct lyc_test_options *options,
			     struct lyc_error *error)
{
	const struct lyc_plugin *plugin = test->plugin;
	const struct fake_hooks hooks = {.configure = configure,
					 .prepare = prepare,
					 .plugin_start = plugin_start,
					 .plugin_stop = plugin_stop,
					 .arg = test};
	struct plugin_image image = {0};
	enum lyc_status status =
		plugin_take(plugin, plugin->name ? plugin->name : "", &image, error);
	if (status != LYC_OK)
		return status;
	test->world = fake_world_make(options->seed, &hooks);
	/* Also where the plugin does not run: records of its types come from there. */
	test->world->schema = schema_ref(image.schema);
	plugin_image_fini(&image);
	lyceum__v1__plugin_config__init(&test->plugin_config);
	test->plugin_config.name = (char *)plugin->name;
	test->plugin_configs[0] = &test->plugin_config;
	test->runs_everywhere = options->runs_everywhere;
	status = write_config(test, options->config, error);
	if (status == LYC_OK)
		status = add_regions(test, options->regions, error);
	return status == LYC_OK ? wait_for_all(test, error) : status;
}

struct lyc_test *lyc_test_new(const struct lyc_plugin *plugin,
			      const struct lyc_test_options *options, struct lyc_error *error)
{
	static const struct lyc_test_options none = {0};
	struct lyc_error reason = {0};
	struct lyc_test *test = mem_new(struct lyc_test);
	test->plugin = plugin;
	if (error)
		*error = (struct lyc_error){0};
	if (begin(test, options ? options : &none, &reason) == LYC_OK)
		return test;
	kit_fail(test, error, reason.status, reason.field, "%s", reason.text);
	lyc_test_free(test);
	return NULL;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *walk)
{
	(void)stat;
	(void)kind;
	(void)walk;
	return remove(path);
}

void lyc_test_free(struct lyc_test *test)
{
	if (!test)
		return;
	kit_calls_free(test);
	if (test->world)
		fake_world_free(test->world);
	while (test->kept) {
		struct kept *kept = test->kept;
		test->kept = kept->next;
		if (kept->message)
			protobuf_c_message_free_unpacked(kept->message, NULL);
		free(kept->text);
		free(kept);
	}
	for (size_t i = 0; i < test->person_count; i++) {
		free(test->people[i].name);
		for (size_t k = 0; k < test->people[i].group_count; k++)
			free(test->people[i].groups[k]);
	}
	if (test->folder[0])
		nftw(test->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(test->config_path);
	buf_fini(&test->lines);
	free(test);
}
