/* The configuration file. Everything about single fields is checked by the schema's rules; here is
 * what concerns several of them, and paths. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "io/endpoint.h"
#include "io/keyfile.h"
#include "schema/core.h"

#define MAX_CONFIG_LEN (4u * 1024 * 1024)

static enum lyc_status read_file(const char *path, struct buf *to, struct lyc_error *error)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return error_set(error, LYC_NOT_FOUND, "%s: %s", path, strerror(errno));
	char chunk[16384];
	size_t len;
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0 && to->len < MAX_CONFIG_LEN)
		buf_add(to, chunk, len);
	bool has_failed = ferror(file) != 0;
	fclose(file);
	if (has_failed || to->has_failed || to->len >= MAX_CONFIG_LEN)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "%s cannot be read as a configuration", path);
	return LYC_OK;
}

/* Make a path absolute: a relative one counts from the configuration's folder. */
static void resolve(char **path, const char *folder)
{
	if ((*path)[0] == '\0' || (*path)[0] == '/')
		return;
	struct buf text = {0};
	buf_add_format(&text, "%s/%s", folder, *path);
	char *whole = mem_dup(buf_text(&text));
	buf_fini(&text);
	free(*path);
	*path = whole;
}

static char *folder_of(const char *path)
{
	char *whole = realpath(path, NULL);
	if (!whole)
		return mem_dup(".");
	char *slash = strrchr(whole, '/');
	if (slash && slash != whole)
		*slash = '\0';
	return whole;
}

static bool is_port_of_loopback(const char *endpoint)
{
	return strncmp(endpoint, "tcp://127.0.0.1:", 16) == 0;
}

/* One fault at the field "LIST[INDEX].NAME". */
static enum lyc_status fault_at(struct lyc_error *error, const char *list, size_t index,
				const char *name, const char *format, ...) LYC_PRINTF(5, 6);
static enum lyc_status fault_at(struct lyc_error *error, const char *list, size_t index,
				const char *name, const char *format, ...)
{
	char field[64];
	char text[200];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(field, sizeof(field), "%s[%zu].%s", list, index, name);
	return error_set_field(error, LYC_INVALID_ARGUMENT, field, "%s: %s", field, text);
}

static enum lyc_status check_listeners(const Lyceum__V1__Config *config, struct lyc_error *error)
{
	struct lyc_error reason;
	for (size_t i = 0; i < config->n_listen; i++) {
		const Lyceum__V1__Listener *listener = config->listen[i];
		const char *endpoint = listener->endpoint;
		if (listener->plain && !is_port_of_loopback(endpoint))
			return fault_at(error, "listen", i, "plain",
					"'%s' may not be plain: peers without keys are let in on "
					"tcp://127.0.0.1 only",
					endpoint);
		if (endpoint_check_text(endpoint, true, &reason) != LYC_OK)
			return fault_at(error, "listen", i, "endpoint", "%s", reason.text);
		bool has_own_port = strcmp(endpoint + strlen(endpoint) - 2, ":0") != 0;
		for (size_t j = 0; j < i && has_own_port; j++) {
			if (strcmp(config->listen[j]->endpoint, endpoint) == 0)
				return fault_at(error, "listen", i, "endpoint",
						"'%s' is listed twice", endpoint);
		}
	}
	return LYC_OK;
}

static enum lyc_status check_plugins(const Lyceum__V1__Config *config, struct lyc_error *error)
{
	for (size_t i = 0; i < config->n_plugins; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(config->plugins[i]->name, config->plugins[j]->name) == 0)
				return fault_at(error, "plugins", i, "name", "'%s' is listed twice",
						config->plugins[i]->name);
		}
		bool is_thread =
			config->plugins[i]->host == LYCEUM__V1__PLUGIN_CONFIG__HOST__THREAD;
		if (is_thread && config->plugins[i]->confinement ==
					 LYCEUM__V1__PLUGIN_CONFIG__CONFINEMENT__REQUIRED)
			return fault_at(error, "plugins", i, "confinement",
					"a thread of the daemon cannot be confined: leave out "
					"`host: THREAD` or the confinement");
	}
	return LYC_OK;
}

static enum lyc_status check_uplink(const Lyceum__V1__Config *config, struct lyc_error *error)
{
	const Lyceum__V1__Uplink *uplink = config->uplink;
	struct lyc_error reason;
	if (!uplink)
		return LYC_OK;
	if (strcmp(uplink->name, config->name) == 0)
		return error_set_field(error, LYC_INVALID_ARGUMENT, "uplink.name",
				       "uplink.name: '%s' cannot be its own hub", config->name);
	if (endpoint_check_text(uplink->endpoint, false, &reason) != LYC_OK)
		return error_set_field(error, LYC_INVALID_ARGUMENT, "uplink.endpoint",
				       "uplink.endpoint: %.180s", reason.text);
	if (!keyfile_is_key(uplink->server_key))
		return error_set_field(error, LYC_INVALID_ARGUMENT, "uplink.server_key",
				       "uplink.server_key: is not a key: 40 characters of Z85, as "
				       "`lyceum keygen` prints them");
	return LYC_OK;
}

static enum lyc_status check_key(const Lyceum__V1__PeerKey *key, size_t index,
				 struct lyc_error *error)
{
	bool is_anonymous = strcmp(key->name, "anonymous") == 0;
	if (is_anonymous && key->public_key[0])
		return fault_at(error, "keys", index, "public_key",
				"'anonymous' stands for peers without a key and takes none");
	if (!is_anonymous && !key->public_key[0])
		return fault_at(error, "keys", index, "name", "the key '%s' has no public_key",
				key->name);
	if (!is_anonymous && !keyfile_is_key(key->public_key))
		return fault_at(error, "keys", index, "public_key",
				"is not a key: 40 characters of Z85, as `lyceum keygen` prints "
				"them");
	if ((int)key->role < LYCEUM__V1__ROLE__ROLE_UNSPECIFIED ||
	    (int)key->role > LYCEUM__V1__ROLE__OPERATOR)
		return fault_at(error, "keys", index, "role", "%d is no role", (int)key->role);
	return LYC_OK;
}

/* Entries in the order of their texts, to find two that are the same. */
struct entry {
	const char *text;
	size_t index;
};

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left;
	const struct entry *b = right;
	int order = strcmp(a->text, b->text);
	return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* The second of two that are the same; NULL when there are none. */
static const struct entry *find_twice(struct entry *entries, size_t count)
{
	qsort(entries, count, sizeof(*entries), compare_entries);
	for (size_t i = 1; i < count; i++) {
		if (entries[i].text[0] && strcmp(entries[i].text, entries[i - 1].text) == 0)
			return &entries[i];
	}
	return NULL;
}

static enum lyc_status check_keys(const Lyceum__V1__Config *config, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; i < config->n_keys && status == LYC_OK; i++)
		status = check_key(config->keys[i], i, error);
	if (status != LYC_OK)
		return status;
	struct entry *entries = mem_get((config->n_keys + 1) * sizeof(*entries));
	for (size_t i = 0; i < config->n_keys; i++)
		entries[i] = (struct entry){config->keys[i]->name, i};
	const struct entry *twice = find_twice(entries, config->n_keys);
	if (twice) {
		status = fault_at(error, "keys", twice->index, "name",
				  "the key '%s' is listed twice", twice->text);
		goto out;
	}
	for (size_t i = 0; i < config->n_keys; i++)
		entries[i] = (struct entry){config->keys[i]->public_key, i};
	twice = find_twice(entries, config->n_keys);
	if (twice)
		status = fault_at(error, "keys", twice->index, "public_key",
				  "'%s' and '%s' have the same key",
				  config->keys[twice[-1].index]->name,
				  config->keys[twice->index]->name);
out:
	free(entries);
	return status;
}

static enum lyc_status check(const Lyceum__V1__Config *config, struct lyc_error *error)
{
	enum lyc_status status = check_listeners(config, error);
	if (status == LYC_OK)
		status = check_plugins(config, error);
	if (status == LYC_OK)
		status = check_uplink(config, error);
	if (status == LYC_OK)
		status = check_keys(config, error);
	return status;
}

/* The daemon's own socket lies in its data folder, whose path counts. */
static enum lyc_status check_data(const Lyceum__V1__Config *config, struct lyc_error *error)
{
	char endpoint[PATH_MAX + 40];
	if (config->n_listen > 0)
		return LYC_OK;
	snprintf(endpoint, sizeof(endpoint), "ipc://%.*s/lyceum.sock", PATH_MAX, config->data);
	if (endpoint_check_text(endpoint, true, NULL) == LYC_OK)
		return LYC_OK;
	return error_set_field(error, LYC_INVALID_ARGUMENT, "data",
			       "data: the path %.80s... is too long for a socket in it: 107 bytes "
			       "with /lyceum.sock",
			       config->data);
}

static void resolve_all(Lyceum__V1__Config *config, const char *path)
{
	char *folder = folder_of(path);
	resolve(&config->data, folder);
	resolve(&config->key_file, folder);
	for (size_t i = 0; i < config->n_plugins; i++) {
		resolve(&config->plugins[i]->path, folder);
		resolve(&config->plugins[i]->config_file, folder);
	}
	free(folder);
}

enum lyc_status config_read(const char *path, config_check_fn also, const void *arg,
			    Lyceum__V1__Config **ret_config, struct lyc_error *error)
{
	struct buf text = {0};
	struct buf body = {0};
	struct schema *core = NULL;
	Lyceum__V1__Config *config = NULL;
	enum lyc_status status = read_file(path, &text, error);
	if (status != LYC_OK)
		goto out;
	status = core_schema_get(&core);
	if (status != LYC_OK) {
		error_set(error, status, "out of memory");
		goto out;
	}
	const struct schema_message *message = schema_find_message(core, "lyceum.v1.Config");
	struct lyc_error fault = {0};
	status = yaml_read(message, (const char *)text.data, text.len, &body, &fault);
	if (status == LYC_OK)
		status = schema_check(message, span_of(body.data, body.len), true, &fault);
	if (status == LYC_OK) {
		config = lyceum__v1__config__unpack(NULL, body.len, body.data);
		status = config ? check(config, &fault)
				: error_set(&fault, LYC_RESOURCE_EXHAUSTED, "out of memory");
	}
	if (status == LYC_OK) {
		resolve_all(config, path);
		status = check_data(config, &fault);
		if (status == LYC_OK && also)
			status = also(config, arg, &fault);
	}
	if (status != LYC_OK) {
		/* YAML faults say their line themselves; the rules know only the field. */
		unsigned line = 0;
		if (fault.field[0] && strncmp(fault.text, "line ", 5) != 0)
			line = yaml_line(message, (const char *)text.data, text.len, fault.field);
		if (!fault.field[0] && fault.text[0] == '/')
			error_set(error, status, "%s", fault.text);
		else if (line > 0)
			error_set_field(error, status, fault.field, "%s: line %u: %.180s", path,
					line, fault.text);
		else
			error_set_field(error, status, fault.field, "%s: %.190s", path, fault.text);
		goto out;
	}
	*ret_config = config;
	config = NULL;
out:
	config_free(config);
	schema_unref(core);
	buf_fini(&text);
	buf_fini(&body);
	return status;
}

void config_free(Lyceum__V1__Config *config)
{
	if (config)
		lyceum__v1__config__free_unpacked(config, NULL);
}

/* Read by the test as it stands here. */
static const char example[] =
	"# A node of the hub `hub`, for one person, with one plugin. Relative paths count from "
	"this\n"
	"# file; a key is what `lyceum keygen` prints, in quotes.\n"
	"name: wales\n"
	"data: data                  # the log, the keys and the plugins' own files\n"
	"listen:\n"
	"  - endpoint: tcp://127.0.0.1:7701    # 0.0.0.0: at every address of the machine\n"
	"uplink:                     # a hub has none\n"
	"  name: hub\n"
	"  endpoint: tcp://hub.example.org:7700\n"
	"  server_key: \"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\"\n"
	"keys:                       # who may connect; a hub lists its nodes here, role: NODE\n"
	"  - name: ann\n"
	"    public_key: \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"\n"
	"    groups: [policy]\n"
	"plugins:\n"
	"  - name: experts\n"
	"log:\n"
	"  level: NOTICE\n"
	"\n"
	"# Every setting, as the message that the file is read into:\n"
	"\n";

enum lyc_status config_manual(char **ret_text)
{
	struct schema *core = NULL;
	struct buf text = {0};
	enum lyc_status status = core_schema_get(&core);
	if (status != LYC_OK)
		return status;
	buf_add_text(&text, example);
	status = describe_write(core, "lyceum.v1.Config", true, &text);
	schema_unref(core);
	if (status == LYC_OK)
		*ret_text = buf_text(&text);
	else
		buf_fini(&text);
	return status;
}
