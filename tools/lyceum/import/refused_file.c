/* Writes refused rows: UTF-8 with a byte order mark, as Excel wants it, in the input's separator.
 */
#include "import/refused_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "import/mapping.h"

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t end_len = strlen(end);
	return len > end_len && strncasecmp(text + len - end_len, end, end_len) == 0;
}

static char *default_path(const char *input_path)
{
	static const char *const endings[] = {".csv", ".tsv", ".txt", ".tab", ".jsonl", ".ndjson"};
	struct buf path = {0};
	const char *slash = strrchr(input_path, '/');
	const char *name = slash ? slash + 1 : input_path;
	size_t folder_len = (size_t)(name - input_path);
	if (strcmp(input_path, "-") == 0)
		name = "stdin.csv";
	size_t len = strlen(name);
	if (ends_with(name, len, ".gz"))
		len -= 3;
	const char *ending = ".csv";
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (ends_with(name, len, endings[i])) {
			ending = endings[i];
			len -= strlen(ending);
			break;
		}
	}
	char *folder = mem_dup_try(folder_len ? input_path : ".", folder_len ? folder_len : 1);
	ensure(folder);
	if (folder_len && access(folder, W_OK) == 0)
		buf_add(&path, input_path, folder_len);
	free(folder);
	buf_add(&path, name, len);
	buf_add_format(&path, ".refused%s", ending);
	char *text = mem_dup(buf_text(&path));
	buf_fini(&path);
	return text;
}

void refused_file_init(struct refused_file *refused, const char *path, const char *input_path)
{
	*refused = (struct refused_file){.separator = ',', .is_quoted = true};
	refused->path = path ? mem_dup(path) : default_path(input_path);
}

/* Bytes that are not UTF-8 become U+FFFD; the rest as it is. */
static void write_text(FILE *file, struct span text)
{
	const uint8_t *at = text.data;
	const uint8_t *end = span_end(text);
	if (utf8_check(text.data, text.len, NULL)) {
		fwrite(text.data, 1, text.len, file);
		return;
	}
	while (at < end) {
		uint8_t bytes[4];
		uint32_t code = utf8_next(&at, end);
		fwrite(bytes, 1, utf8_put(bytes, code), file);
	}
}

static void write_cell(const struct refused_file *refused, const char *text)
{
	char special[] = {refused->separator, '"', '\n', '\r', '\0'};
	bool is_quoted = refused->is_quoted && strpbrk(text, special);
	if (is_quoted)
		fputc('"', refused->file);
	for (const char *at = text; *at; at++) {
		bool is_break = *at == '\n' || *at == '\r' || *at == '\t' ||
				(!refused->is_quoted && *at == refused->separator);
		if (is_quoted && *at == '"')
			fputc('"', refused->file);
		fputc(is_break ? ' ' : *at, refused->file);
	}
	if (is_quoted)
		fputc('"', refused->file);
}

static void write_json_text(FILE *file, const char *text)
{
	fputc('"', file);
	for (const uint8_t *at = (const uint8_t *)text; *at; at++) {
		if (*at == '"' || *at == '\\')
			fprintf(file, "\\%c", *at);
		else if (*at < 0x20)
			fprintf(file, "\\u%04x", *at);
		else
			fputc(*at, file);
	}
	fputc('"', file);
}

/* An object gets two members more; what is not an object stays as it is, behind a line that says
 * why. */
static void write_json_line(FILE *file, struct span raw, uint64_t line, const char *reason)
{
	struct span object = cell_trim(raw);
	bool is_object = object.len >= 2 && object.data[0] == '{' &&
			 object.data[object.len - 1] == '}' &&
			 !memmem(object.data, object.len, MAPPING_REFUSED_LINE,
				 strlen(MAPPING_REFUSED_LINE));
	struct span inside = {0};
	if (is_object) {
		inside = cell_trim(span_of(object.data + 1, object.len - 2));
		fputc('{', file);
		write_text(file, inside);
		if (inside.len > 0)
			fputs(", ", file);
	} else {
		fputc('{', file);
	}
	fprintf(file, "\"" MAPPING_REFUSED_LINE "\": %llu, \"" MAPPING_REFUSED_REASON "\": ",
		(unsigned long long)line);
	write_json_text(file, reason);
	fputs("}\n", file);
	if (!is_object) {
		write_text(file, object);
		fputc('\n', file);
	}
}

static enum lyc_status cannot_write(const struct refused_file *refused, struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED,
			 "the file of refused rows, %.100s, cannot be written: %s", refused->path,
			 strerror(errno));
}

static enum lyc_status start(struct refused_file *refused, struct lyc_error *error)
{
	if (access(refused->path, F_OK) == 0) {
		struct buf kept = {0};
		buf_add_format(&kept, "%s~", refused->path);
		bool has_failed = !buf_text(&kept) || rename(refused->path, (char *)kept.data) != 0;
		buf_fini(&kept);
		if (has_failed)
			return cannot_write(refused, error);
	}
	refused->file = fopen(refused->path, "we");
	if (!refused->file)
		return cannot_write(refused, error);
	if (refused->separator == 0)
		return LYC_OK;
	fputs("\xEF\xBB\xBF", refused->file);
	write_text(refused->file, refused->header);
	fprintf(refused->file, "%c%s%c%s\r\n", refused->separator, MAPPING_REFUSED_LINE,
		refused->separator, MAPPING_REFUSED_REASON);
	return LYC_OK;
}

enum lyc_status refused_file_add(struct refused_file *refused, struct span raw, uint64_t line,
				 const char *reason, struct lyc_error *error)
{
	enum lyc_status status = refused->file ? LYC_OK : start(refused, error);
	if (status)
		return status;
	if (refused->separator == 0) {
		write_json_line(refused->file, raw, line, reason);
	} else {
		write_text(refused->file, raw);
		fprintf(refused->file, "%c%llu%c", refused->separator, (unsigned long long)line,
			refused->separator);
		write_cell(refused, reason);
		fputs("\r\n", refused->file);
	}
	refused->row_count++;
	return ferror(refused->file) ? cannot_write(refused, error) : LYC_OK;
}

enum lyc_status refused_file_close(struct refused_file *refused, struct lyc_error *error)
{
	FILE *file = refused->file;
	refused->file = NULL;
	if (file && fclose(file) != 0)
		return cannot_write(refused, error);
	return LYC_OK;
}

void refused_file_fini(struct refused_file *refused)
{
	if (refused->file)
		fclose(refused->file);
	free(refused->path);
	*refused = (struct refused_file){0};
}
