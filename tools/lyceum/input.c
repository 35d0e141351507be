/* Reads files, standard input and "@FILE" words, up to INPUT_MAX bytes. */
#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static enum lyc_status read_all(FILE *file, const char *name, struct buf *to,
				struct lyc_error *error)
{
	size_t start = to->len;
	for (;;) {
		if (!buf_reserve(to, 65536))
			return error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory to read %s",
					 name);
		size_t len = fread(to->data + to->len, 1, 65536, file);
		to->len += len;
		if (to->len - start > INPUT_MAX)
			return error_set(error, LYC_INVALID_ARGUMENT, "%s is larger than 64 MiB",
					 name);
		if (len > 0)
			continue;
		if (ferror(file))
			return error_set(error, LYC_INVALID_ARGUMENT, "cannot read %s: %s", name,
					 strerror(errno));
		return LYC_OK;
	}
}

enum lyc_status input_read(const char *path, struct buf *to, struct lyc_error *error)
{
	if (strcmp(path, "-") == 0)
		return read_all(stdin, "standard input", to, error);
	FILE *file = fopen(path, "rb");
	if (!file)
		return error_set(error, errno == ENOENT ? LYC_NOT_FOUND : LYC_INVALID_ARGUMENT,
				 "cannot read %s: %s", path, strerror(errno));
	enum lyc_status status = read_all(file, path, to, error);
	fclose(file);
	return status;
}

enum lyc_status input_word(const char *word, struct buf *to, struct lyc_error *error)
{
	if (word[0] == '@' && word[1] != '@')
		return input_read(word + 1, to, error);
	buf_add_text(to, word[0] == '@' ? word + 1 : word);
	return LYC_OK;
}

enum lyc_status input_body(const struct schema_message *message, const char *word, struct buf *to,
			   struct lyc_error *error)
{
	struct buf json = {0};
	enum lyc_status status = strcmp(word, "-") == 0 ? input_read("-", &json, error)
							: input_word(word, &json, error);
	if (status == LYC_OK)
		status = json_read(message, json.data ? (const char *)json.data : "", json.len, to,
				   error);
	buf_fini(&json);
	return status;
}
