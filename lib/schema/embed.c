/* A file as a C array: a source and a header. */
#include "schema/embed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "schema/strip.h"

#define MAX_FILE ((size_t)64 * 1024 * 1024)

static bool is_identifier(const char *name)
{
	for (const char *c = name; *c; c++) {
		bool is_letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
		if (!is_letter && (c == name || *c < '0' || *c > '9'))
			return false;
	}
	return name[0] != '\0';
}

static enum lyc_status cannot(struct lyc_error *error, const char *path)
{
	return error_set(error, LYC_UNAVAILABLE, "%s cannot be written: %s", path, strerror(errno));
}

static enum lyc_status open_for(const char *prefix, const char *ending, char *path,
				size_t path_size, FILE **ret_file, struct lyc_error *error)
{
	int len = snprintf(path, path_size, "%s%s", prefix, ending);
	if (len < 0 || (size_t)len >= path_size)
		return error_set(error, LYC_INVALID_ARGUMENT, "the path %.80s... is too long",
				 prefix);
	FILE *file = fopen(path, "w");
	if (!file)
		return cannot(error, path);
	*ret_file = file;
	return LYC_OK;
}

static enum lyc_status finish(FILE *file, const char *path, struct lyc_error *error)
{
	bool has_failed = ferror(file) != 0;
	if (fclose(file) != 0 || has_failed)
		return cannot(error, path);
	return LYC_OK;
}

static enum lyc_status write_header(size_t len, const char *name, const char *prefix,
				    struct lyc_error *error)
{
	char path[4096];
	FILE *file = NULL;
	enum lyc_status status = open_for(prefix, ".h", path, sizeof(path), &file, error);
	if (status != LYC_OK)
		return status;
	fprintf(file,
		"/* Generated from a FileDescriptorSet; do not change. */\n"
		"#ifndef EMBEDDED_%s_H\n#define EMBEDDED_%s_H\n\n#include <stddef.h>\n\n"
		"#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
		"extern const unsigned char %s[%zu];\nextern const size_t %s_len;\n"
		"#ifdef __cplusplus\n}\n#endif\n\n#endif\n",
		name, name, name, len, name);
	return finish(file, path, error);
}

static enum lyc_status write_source(const unsigned char *bytes, size_t len, const char *name,
				    const char *prefix, struct lyc_error *error)
{
	char path[4096];
	FILE *file = NULL;
	enum lyc_status status = open_for(prefix, ".c", path, sizeof(path), &file, error);
	if (status != LYC_OK)
		return status;
	const char *slash = strrchr(prefix, '/');
	fprintf(file,
		"/* Generated from a FileDescriptorSet; do not change. */\n#include \"%s.h\"\n\n"
		"const size_t %s_len = %zu;\nconst unsigned char %s[%zu] = {",
		slash ? slash + 1 : prefix, name, len, name, len);
	for (size_t i = 0; i < len; i++)
		fprintf(file, "%s%u,", i % 20 == 0 ? "\n\t" : " ", bytes[i]);
	fprintf(file, "\n};\n");
	return finish(file, path, error);
}

enum lyc_status embed_write(const void *bytes, size_t len, const char *name, const char *prefix,
			    struct lyc_error *error)
{
	if (!is_identifier(name))
		return error_set(error, LYC_INVALID_ARGUMENT, "'%.80s' is not a C identifier",
				 name);
	if (len == 0)
		return error_set(error, LYC_INVALID_ARGUMENT, "there are no bytes to embed");
	enum lyc_status status = write_header(len, name, prefix, error);
	if (status == LYC_OK)
		status = write_source(bytes, len, name, prefix, error);
	return status;
}

enum lyc_status embed_file(const char *path, const char *name, const char *prefix,
			   struct lyc_error *error)
{
	unsigned char *bytes = NULL;
	size_t len = 0;
	size_t cap = 0;
	enum lyc_status status = LYC_OK;
	FILE *file = fopen(path, "rb");
	if (!file)
		return error_set(error, LYC_NOT_FOUND, "%s cannot be read: %s", path,
				 strerror(errno));
	while (status == LYC_OK && !feof(file)) {
		if (len == cap) {
			cap = cap > 0 ? cap * 2 : 65536;
			unsigned char *more = cap <= MAX_FILE ? realloc(bytes, cap) : NULL;
			if (!more) {
				status = error_set(error, LYC_RESOURCE_EXHAUSTED,
						   "%s is too large to embed", path);
				break;
			}
			bytes = more;
		}
		len += fread(bytes + len, 1, cap - len, file);
		if (ferror(file))
			status = error_set(error, LYC_NOT_FOUND, "%s cannot be read: %s", path,
					   strerror(errno));
	}
	struct buf stripped = {0};
	if (status == LYC_OK)
		status = strip_google_comments(span_of(bytes, len), &stripped, error);
	if (status == LYC_OK)
		status = embed_write(stripped.data, stripped.len, name, prefix, error);
	buf_fini(&stripped);
	fclose(file);
	free(bytes);
	return status;
}
