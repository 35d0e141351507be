/* The tests' schema of every kind of field, text_types.proto. The path of its set comes from
 * meson. */
#ifndef LYC_TESTS_TEXT_TYPES_H
#define LYC_TESTS_TEXT_TYPES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "schema/schema.h"

/* The whole file; the caller frees. Exits when it cannot be read. */
static inline struct buf text_types_file(const char *path)
{
	struct buf bytes = {0};
	char part[4096];
	size_t len;
	FILE *file = fopen(path, "rb");
	if (!file) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(2);
	}
	while ((len = fread(part, 1, sizeof(part), file)) > 0)
		buf_add(&bytes, part, len);
	fclose(file);
	return bytes;
}

static inline struct schema *text_types_schema(const char *path)
{
	struct buf bytes = text_types_file(path);
	struct schema *schema = NULL;
	struct lyc_error error = {0};
	if (schema_new(bytes.data, bytes.len, &schema, &error)) {
		fprintf(stderr, "%s: %s\n", path, error.text);
		exit(2);
	}
	buf_fini(&bytes);
	return schema;
}

#endif
