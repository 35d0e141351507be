/* Reading a descriptor set. */
#include "schema_file.h"

#include <stdio.h>
#include <string.h>

#include "base/ensure.h"
#include "google/protobuf/descriptor.pb-c.h"

struct buf schema_file_read(const char *path)
{
	struct buf bytes = {0};
	FILE *file = fopen(path, "rb");
	ensure(file != NULL);
	size_t len;
	do {
		ensure(buf_reserve(&bytes, 4096));
		len = fread(bytes.data + bytes.len, 1, 4096, file);
		bytes.len += len;
	} while (len > 0);
	fclose(file);
	return bytes;
}

struct schema *schema_file_compile(const char *path, const char *more)
{
	struct buf bytes = schema_file_read(path);
	struct schema *schema = NULL;
	struct lyc_error error = {0};
	if (more)
		buf_add_text(&bytes, more);
	if (schema_new(bytes.data, bytes.len, &schema, &error) != LYC_OK)
		fprintf(stderr, "%s: %s\n", path, error.text);
	ensure(schema != NULL);
	buf_fini(&bytes);
	return schema;
}

static Google__Protobuf__DescriptorProto *find(Google__Protobuf__DescriptorProto **messages,
					       size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(messages[i]->name, name) == 0)
			return messages[i];
	}
	return NULL;
}

struct schema *schema_file_before(const char *path, const char *outer, const char *inner,
				  const char *field)
{
	struct buf bytes = schema_file_read(path);
	Google__Protobuf__FileDescriptorSet *set =
		google__protobuf__file_descriptor_set__unpack(NULL, bytes.len, bytes.data);
	struct schema *schema = NULL;
	struct lyc_error error = {0};
	ensure(set != NULL);
	Google__Protobuf__FileDescriptorProto *file = set->file[set->n_file - 1];
	Google__Protobuf__DescriptorProto *message =
		find(file->message_type, file->n_message_type, outer);
	ensure(message != NULL);
	message = find(message->nested_type, message->n_nested_type, inner);
	ensure(message != NULL && strcmp(message->field[message->n_field - 1]->name, field) == 0);
	message->n_field--;
	buf_clear(&bytes);
	size_t len = google__protobuf__file_descriptor_set__get_packed_size(set);
	ensure(buf_reserve(&bytes, len));
	google__protobuf__file_descriptor_set__pack(set, bytes.data);
	ensure(schema_new(bytes.data, len, &schema, &error) == LYC_OK);
	message->n_field++;
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
	buf_fini(&bytes);
	return schema;
}
