/* Which fields are about a person: what is remembered or logged of a message leaves them out. */
#include <string.h>

#include "schema/schema.h"

bool schema_path_is_personal(const struct schema_message *message, const char *path)
{
	while (message && *path) {
		size_t len = strcspn(path, ".[");
		const struct schema_field *field = schema_field_by_name(message, path, len);
		if (!field)
			return false;
		if (field->is_personal)
			return true;
		message = field->message;
		path += strcspn(path, ".");
		path += *path == '.';
	}
	return false;
}

bool schema_key_is_personal(const struct schema_message *message)
{
	for (size_t i = 0; i < message->key_count; i++) {
		if (message->keys[i]->is_personal)
			return true;
	}
	return false;
}
