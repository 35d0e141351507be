/*
 * A file as a C array: how a plugin carries its schema. `lyceum schema embed` and this tree's own
 * build use it.
 */
#ifndef LYC_SCHEMA_EMBED_H
#define LYC_SCHEMA_EMBED_H

#include <stddef.h>

#include <lyceum/status.h>

/* Write <prefix>.c and <prefix>.h, which define `const unsigned char <name>[len]` and `const size_t
 * <name>_len`; sizeof(<name>) is a constant, too. INVALID_ARGUMENT when `name` is no C identifier
 * or there are no bytes; UNAVAILABLE with the file and the reason when it cannot be written. */
LYC_MUST_USE enum lyc_status embed_write(const void *bytes, size_t len, const char *name,
					 const char *prefix, struct lyc_error *error);
/* The same of a file with a FileDescriptorSet, without the comments of Google's own files in it.
 * NOT_FOUND when it cannot be read. */
LYC_MUST_USE enum lyc_status embed_file(const char *path, const char *name, const char *prefix,
					struct lyc_error *error);

#endif
