/* Reading a descriptor set. */
#include "schema_file.h"

#include <stdio.h>

#include "base/ensure.h"

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
