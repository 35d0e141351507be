/*
 * A plugin's shared object, opened and looked over before any of its code runs. Whatever is wrong
 * with it is said in one sentence here, rather than by a crash later.
 */
#ifndef LYC_CLIENT_PLUGIN_LOAD_H
#define LYC_CLIENT_PLUGIN_LOAD_H

#include <stddef.h>

#include <lyceum/plugin.h>

#include "schema/schema.h"

/* One method that it serves. */
struct plugin_method {
	/* "lyceum.echo.v1.Echo/Say"; the schema's, as is what follows from it. */
	const char *name;
	const struct schema_method *schema;
	ProtobufCService *service;
	unsigned index;
	const ProtobufCMessageDescriptor *input;
	const ProtobufCMessageDescriptor *output;
};

struct plugin_image {
	const struct lyc_plugin *plugin;
	struct schema *schema;
	/* In order of name. */
	struct plugin_method *methods;
	size_t method_count;
	/* NULL: it takes no configuration. */
	const struct schema_message *config;
};

/* Open the file and check its descriptor: ABI, size, name (NULL: any), services, schema.
 * FAILED_PRECONDITION when it is no plugin for this daemon, INVALID_ARGUMENT when it contradicts
 * itself. The code stays mapped for ever, also after a failure: unmapping code that may have
 * started threads or registered handlers is not safe. ret_image: plugin_image_fini. */
LYC_MUST_USE enum lyc_status plugin_load(const char *path, const char *name,
					 struct plugin_image *ret_image, struct lyc_error *error);
/* The same with a descriptor that is part of this program. */
LYC_MUST_USE enum lyc_status plugin_take(const struct lyc_plugin *plugin, const char *name,
					 struct plugin_image *ret_image, struct lyc_error *error);
/* Does its descriptor have that field, and set? */
bool plugin_speaks_for_people(const struct lyc_plugin *plugin);
const char *const *plugin_reach(const struct lyc_plugin *plugin);
/* Does it say when it has finished; and has it not? */
bool plugin_tells_busy(const struct lyc_plugin *plugin);
bool plugin_is_busy(const struct lyc_plugin *plugin, void *state);
/* The method of that full name; NULL. */
const struct plugin_method *plugin_find_method(const struct plugin_image *image, struct span name);
/* Accepts a zeroed one. */
void plugin_image_fini(struct plugin_image *image);

#endif
