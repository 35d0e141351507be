/* Opens a plugin and refuses, each with its own sentence, whatever would not work later. */
#include "client/plugin_load.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "client/plugin_file.h"
#include "client/reach.h"
#include "wire/packet.h"
#include "wire/subject.h"

#define MAX_METHODS 4096

typedef void (*method_slot)(void);

/* The descriptor as ABI 1 began: later fields stand behind, and one ends with any of them. */
#define FIRST_SIZE offsetof(struct lyc_plugin, speaks_for_people)
#define HAS_FIELD(plugin, field)                                                                   \
	((plugin)->size >= offsetof(struct lyc_plugin, field) + sizeof((plugin)->field))

static enum lyc_status open_file(const char *path, const struct lyc_plugin **ret_plugin,
				 struct lyc_error *error)
{
	void *handle;
	enum lyc_status status = plugin_file_open(path, &handle, error);
	if (status != LYC_OK)
		return status;
	const struct lyc_plugin *plugin = dlsym(handle, "lyc_plugin");
	if (!plugin)
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "%s is not a plugin: it exports no `lyc_plugin`.", path);
	*ret_plugin = plugin;
	return LYC_OK;
}

static enum lyc_status check_patterns(const char *plugin, const char *list,
				      const char *const *patterns, struct lyc_error *error)
{
	for (size_t i = 0; patterns && patterns[i]; i++) {
		if (i == WIRE_MAX_SERVICES)
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "The plugin \"%s\" has more than %d patterns in `%s`.",
					 plugin, WIRE_MAX_SERVICES, list);
		if (!subject_pattern_is_valid(span_of(patterns[i], strlen(patterns[i]))))
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "The plugin \"%s\" has \"%.100s\" in `%s`: a pattern is "
					 "a subject in which * stands for one token and a last > "
					 "for the rest.",
					 plugin, patterns[i], list);
	}
	return LYC_OK;
}

static enum lyc_status check_reach(const struct lyc_plugin *plugin, struct lyc_error *error)
{
	const char *const *list = plugin_reach(plugin);
	struct reach reach;
	for (size_t i = 0; list && list[i]; i++) {
		if (i == REACH_MAX_COUNT)
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "The plugin \"%s\" has more than %d entries in `reach`.",
					 plugin->name, REACH_MAX_COUNT);
		if (!reach_parse(list[i], &reach))
			return error_set(
				error, LYC_INVALID_ARGUMENT,
				"The plugin \"%s\" has \"%.100s\" in `reach`; it takes " REACH_WORDS
				", with absolute paths.",
				plugin->name, list[i]);
	}
	return LYC_OK;
}

static enum lyc_status check_descriptor(const struct lyc_plugin *plugin, const char *path,
					const char *name, struct lyc_error *error)
{
	if (plugin->abi != LYC_PLUGIN_ABI)
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "%s was built for plugin ABI %u; this is %u: rebuild it.", path,
				 plugin->abi, LYC_PLUGIN_ABI);
	if (plugin->size < FIRST_SIZE || plugin->size > sizeof(*plugin))
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "%s has a descriptor of %u bytes; ABI %u has %zu: rebuild it.",
				 path, plugin->size, LYC_PLUGIN_ABI, sizeof(*plugin));
	if (!plugin->name || (name && strcmp(plugin->name, name) != 0))
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "%s is the plugin \"%s\", not \"%s\".", path,
				 plugin->name ? plugin->name : "", name ? name : "named");
	name = plugin->name;
	if (!plugin->start || !plugin->stop)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The plugin \"%s\" has no `%s` function.", name,
				 plugin->start ? "stop" : "start");
	if (!plugin->services)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The plugin \"%s\" has no list of services.", name);
	if (!plugin->schema || plugin->schema_len == 0)
		return error_set(error, LYC_INVALID_ARGUMENT, "The plugin \"%s\" has no schema.",
				 name);
	enum lyc_status status = check_patterns(name, "publishes", plugin->publishes, error);
	if (status == LYC_OK)
		status = check_patterns(name, "reads", plugin->reads, error);
	return status == LYC_OK ? check_reach(plugin, error) : status;
}

/* protoc-c lays the slots, one per method, right behind the ProtobufCService. */
static bool has_slot(const ProtobufCService *service, unsigned index)
{
	method_slot slot;
	memcpy(&slot, (const char *)(service + 1) + index * sizeof(slot), sizeof(slot));
	return slot != NULL;
}

static enum lyc_status check_method(const struct plugin_image *image, ProtobufCService *service,
				    unsigned index, struct plugin_method *ret_method,
				    struct lyc_error *error)
{
	const ProtobufCMethodDescriptor *method = &service->descriptor->methods[index];
	struct buf full = {0};
	buf_add_format(&full, "%s/%s", service->descriptor->name, method->name);
	const char *full_name = buf_text(&full);
	enum lyc_status status = LYC_OK;
	const struct schema_method *schema =
		full_name ? schema_find_method(image->schema, full_name) : NULL;
	if (!full_name)
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for the methods.");
	else if (!schema)
		status = error_set(error, LYC_INVALID_ARGUMENT,
				   "The schema of the plugin \"%s\" does not define the method %s.",
				   image->plugin->name, full_name);
	else if (strcmp(schema->input->full_name, method->input->name) != 0 ||
		 strcmp(schema->output->full_name, method->output->name) != 0)
		status = error_set(
			error, LYC_INVALID_ARGUMENT,
			"The schema and the code of %s differ in its request or reply: generate "
			"both from the same file.",
			full_name);
	else if (schema->is_client_streaming)
		status = error_set(error, LYC_INVALID_ARGUMENT,
				   "The method %s streams its requests; only replies may stream.",
				   full_name);
	else if (!has_slot(service, index))
		status = error_set(error, LYC_INVALID_ARGUMENT, "The method %s has no function.",
				   full_name);
	if (status == LYC_OK)
		*ret_method = (struct plugin_method){
			.name = schema->full_name,
			.schema = schema,
			.service = service,
			.index = index,
			.input = method->input,
			.output = method->output,
		};
	buf_fini(&full);
	return status;
}

static enum lyc_status check_service(const struct plugin_image *image,
				     const ProtobufCService *service, struct lyc_error *error)
{
	const ProtobufCServiceDescriptor *descriptor = service->descriptor;
	if (!descriptor || descriptor->magic != PROTOBUF_C__SERVICE_DESCRIPTOR_MAGIC ||
	    !service->invoke)
		return error_set(
			error, LYC_INVALID_ARGUMENT,
			"A service of the plugin \"%s\" was not made with protoc-c's __INIT.",
			image->plugin->name);
	if (!schema_find_service(image->schema, descriptor->name))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The schema of the plugin \"%s\" does not define the service %s.",
				 image->plugin->name, descriptor->name);
	return LYC_OK;
}

static int compare_methods(const void *a, const void *b)
{
	return strcmp(((const struct plugin_method *)a)->name,
		      ((const struct plugin_method *)b)->name);
}

static enum lyc_status check_services(struct plugin_image *image, struct lyc_error *error)
{
	size_t count = 0;
	for (ProtobufCService *const *at = image->plugin->services; *at; at++) {
		enum lyc_status status = check_service(image, *at, error);
		if (status != LYC_OK)
			return status;
		count += (*at)->descriptor->n_methods;
	}
	if (count > MAX_METHODS)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The plugin \"%s\" has %zu methods; at most %d can be served.",
				 image->plugin->name, count, MAX_METHODS);
	image->methods = mem_try((count + 1) * sizeof(*image->methods));
	if (!image->methods)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for the methods.");
	for (ProtobufCService *const *at = image->plugin->services; *at; at++) {
		for (unsigned i = 0; i < (*at)->descriptor->n_methods; i++) {
			enum lyc_status status = check_method(
				image, *at, i, &image->methods[image->method_count], error);
			if (status != LYC_OK)
				return status;
			image->method_count++;
		}
	}
	qsort(image->methods, image->method_count, sizeof(*image->methods), compare_methods);
	return LYC_OK;
}

/* `path` is for sentences. */
static enum lyc_status look_over(const struct lyc_plugin *plugin, const char *path,
				 const char *name, struct plugin_image *ret_image,
				 struct lyc_error *error)
{
	struct plugin_image image = {.plugin = plugin};
	struct lyc_error reason = {0};
	enum lyc_status status = check_descriptor(plugin, path, name, error);
	if (status != LYC_OK)
		return status;
	status = schema_new(image.plugin->schema, image.plugin->schema_len, &image.schema, &reason);
	if (status != LYC_OK)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The schema of the plugin \"%s\" does not compile: %s",
				 image.plugin->name, reason.text);
	status = check_services(&image, error);
	if (status == LYC_OK && image.plugin->config_type) {
		image.config = schema_find_message(image.schema, image.plugin->config_type);
		if (!image.config)
			status = error_set(error, LYC_INVALID_ARGUMENT,
					   "The schema of the plugin \"%s\" does not define its "
					   "configuration, %s.",
					   image.plugin->name, image.plugin->config_type);
	}
	if (status != LYC_OK) {
		plugin_image_fini(&image);
		return status;
	}
	*ret_image = image;
	return LYC_OK;
}

enum lyc_status plugin_load(const char *path, const char *name, struct plugin_image *ret_image,
			    struct lyc_error *error)
{
	const struct lyc_plugin *plugin = NULL;
	enum lyc_status status = open_file(path, &plugin, error);
	return status == LYC_OK ? look_over(plugin, path, name, ret_image, error) : status;
}

enum lyc_status plugin_take(const struct lyc_plugin *plugin, const char *name,
			    struct plugin_image *ret_image, struct lyc_error *error)
{
	return look_over(plugin, "This program", name, ret_image, error);
}

bool plugin_speaks_for_people(const struct lyc_plugin *plugin)
{
	return HAS_FIELD(plugin, speaks_for_people) && plugin->speaks_for_people;
}

bool plugin_tells_busy(const struct lyc_plugin *plugin)
{
	return HAS_FIELD(plugin, is_busy) && plugin->is_busy;
}

bool plugin_is_busy(const struct lyc_plugin *plugin, void *state)
{
	return plugin_tells_busy(plugin) && plugin->is_busy(state);
}

const char *const *plugin_reach(const struct lyc_plugin *plugin)
{
	return HAS_FIELD(plugin, reach) ? plugin->reach : NULL;
}

static int compare_name(const void *key, const void *entry)
{
	const struct span *name = key;
	const char *other = ((const struct plugin_method *)entry)->name;
	int order = strncmp((const char *)name->data, other, name->len);
	return order ? order : -(other[name->len] != '\0');
}

const struct plugin_method *plugin_find_method(const struct plugin_image *image, struct span name)
{
	return bsearch(&name, image->methods, image->method_count, sizeof(*image->methods),
		       compare_name);
}

void plugin_image_fini(struct plugin_image *image)
{
	schema_unref(image->schema);
	free(image->methods);
	*image = (struct plugin_image){0};
}
