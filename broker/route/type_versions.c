/* How many versions of a package are known, and from which file. */
#include <string.h>

#include "route/types.h"

/* The file of the package's messages; "" when there are several, NULL when the schema has none. */
static const char *file_of(const struct schema *schema, const char *package)
{
	const char *file = NULL;
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		if (strcmp(message->package, package) != 0)
			continue;
		if (file && strcmp(file, message->file) != 0)
			return "";
		file = message->file;
	}
	return file;
}

/* Sets of different plugins may hold the same version of a package. */
static bool is_seen(const struct types *types, size_t index, const char *package)
{
	uint64_t id = schema_package_id(types->schemas[index], package);
	for (size_t i = 0; i < index; i++) {
		if (schema_package_id(types->schemas[i], package) == id)
			return true;
	}
	return false;
}

size_t types_versions(const struct types *types, const char *package, const char **ret_source)
{
	size_t count = 0;
	for (size_t i = 0; i < types->schema_count; i++) {
		const char *file = file_of(types->schemas[i], package);
		if (!file || is_seen(types, i, package))
			continue;
		const char *slash = strrchr(file, '/');
		*ret_source = !*file ? package : slash ? slash + 1 : file;
		count++;
	}
	return count;
}
