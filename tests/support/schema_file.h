/* A descriptor set that the build compiled, read and made into a schema. */
#ifndef LYC_TESTS_SUPPORT_SCHEMA_FILE_H
#define LYC_TESTS_SUPPORT_SCHEMA_FILE_H

#include "base/buf.h"
#include "schema/schema.h"

/* The bytes of the file; aborts the test program when it cannot be read. The caller frees. */
struct buf schema_file_read(const char *path);
/* A schema of them with `more` (may be NULL) behind. */
struct schema *schema_file_compile(const char *path, const char *more);
/* The schema as it was before a message within a message had its last field: "Notice", "Part",
 * "label". Aborts when there is no such field. */
struct schema *schema_file_before(const char *path, const char *outer, const char *inner,
				  const char *field);

#endif
