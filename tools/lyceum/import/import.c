/*
 * The command line of an import: its options, its files one after another, its exit code. Scalars
 * of the request other than the items are options, too, under the flags that the schema gives them.
 */
#include "import/import.h"

#include <string.h>

#include "base/error.h"
#include "import/cell_value.h"
#include "import/importer.h"

#define MAX_FILES 1000

struct command_line {
	struct import_options options;
	const char *files[MAX_FILES];
	size_t file_count;
	bool wants_help;
};

/* "--name VALUE" or "--name=VALUE"; moves *at over the value. NULL: it has none. */
static const char *value_of(int argc, char **argv, int *at, const char *equals)
{
	if (equals)
		return equals + 1;
	return *at + 1 < argc ? argv[++*at] : NULL;
}

static const struct schema_field *request_field(const struct schema_method *method,
						const char *flag, size_t len)
{
	for (size_t i = 0; i < method->input->field_count; i++) {
		const struct schema_field *field = &method->input->fields[i];
		bool is_scalar = field->type != SCHEMA_MESSAGE && field->type != SCHEMA_GROUP &&
				 field->type != SCHEMA_BYTES;
		if (is_scalar && !field->is_repeated && strlen(field->cli_flag) == len &&
		    memcmp(field->cli_flag, flag, len) == 0 && strcmp(field->name, "dry_run") != 0)
			return field;
	}
	return NULL;
}

static enum lyc_status add_request_field(struct buf *prefix, const struct schema_field *field,
					 const char *text, struct lyc_error *error)
{
	struct cell_value value = {0};
	struct lyc_error reason = {0};
	enum lyc_status status =
		cell_value_read(field, span_of(text, strlen(text)), &value, &reason);
	if (status) {
		error_set(error, status, "--%.60s: %.160s", field->cli_flag, reason.text);
	} else if (!value.is_default || field->has_presence) {
		pb_write_varint(prefix, (uint64_t)field->number << 3 | (unsigned)value.wire);
		if (value.wire == PB_LEN)
			pb_write_varint(prefix, value.payload.len);
		buf_add(prefix, value.payload.data, value.payload.len);
	}
	buf_fini(&value.payload);
	return status;
}

static enum lyc_status parse_option(struct command_line *line, const struct schema_method *method,
				    struct buf *prefix, int argc, char **argv, int *at,
				    struct lyc_error *error)
{
	struct import_options *options = &line->options;
	const char *name = argv[*at] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct schema_field *field = NULL;
	const char **text = NULL;
	if (strcmp(name, "dry-run") == 0)
		options->is_dry_run = true;
	else if (strcmp(name, "json") == 0)
		options->is_json = true;
	else if (strcmp(name, "help") == 0)
		line->wants_help = true;
	else if (len == 3 && memcmp(name, "map", len) == 0)
		text = &options->map_path;
	else if (len == 8 && memcmp(name, "save-map", len) == 0)
		text = &options->save_map_path;
	else if (len == 7 && memcmp(name, "refused", len) == 0)
		text = &options->refused_path;
	else if ((field = request_field(method, name, len)) == NULL)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "there is no option --%.*s here; --help lists them",
				 (int)(len < 60 ? len : 60), name);
	if (!text && !field)
		return LYC_OK;
	bool is_switch = field && field->type == SCHEMA_BOOL && !equals;
	const char *value = is_switch ? "true" : value_of(argc, argv, at, equals);
	if (!value || !value[0])
		return error_set(error, LYC_INVALID_ARGUMENT, "--%.*s needs a value",
				 (int)(len < 60 ? len : 60), name);
	if (field)
		return add_request_field(prefix, field, value, error);
	*text = value;
	return LYC_OK;
}

static enum lyc_status parse(struct command_line *line, const struct schema_method *method,
			     struct buf *prefix, int argc, char **argv, struct lyc_error *error)
{
	bool has_ended = false;
	for (int i = 0; i < argc; i++) {
		if (!has_ended && strcmp(argv[i], "--") == 0) {
			has_ended = true;
		} else if (!has_ended && strncmp(argv[i], "--", 2) == 0) {
			enum lyc_status status =
				parse_option(line, method, prefix, argc, argv, &i, error);
			if (status)
				return status;
		} else if (!has_ended && strcmp(argv[i], "-h") == 0) {
			line->wants_help = true;
		} else if (!has_ended && argv[i][0] == '-' && argv[i][1]) {
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "there is no option %.60s here; --help lists them",
					 argv[i]);
		} else if (line->file_count == MAX_FILES) {
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "more than %d files at once; import them in parts",
					 MAX_FILES);
		} else {
			line->files[line->file_count++] = argv[i];
		}
	}
	if (line->wants_help)
		return LYC_OK;
	if (line->file_count == 0)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "name a file to import, or \"-\" for standard input");
	if (line->file_count > 1 && (line->options.save_map_path || line->options.refused_path))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "--save-map and --refused are for one file at a time");
	return LYC_OK;
}

static void print_help(const struct schema_method *method, FILE *out)
{
	if (method->comment[0])
		fprintf(out, "%s\n\n", method->comment);
	fprintf(out, "Usage: %s FILE... [OPTIONS]\n\n", method->command.verb);
	fputs("FILE is CSV, TSV or JSON Lines, plain or gzip, in UTF-8, UTF-16 or Windows-1252;\n"
	      "\"-\" is standard input. The first line has the headings.\n\n"
	      "  --dry-run         show where columns go and what would be refused; change "
	      "nothing\n"
	      "  --map FILE        take \"heading: field.path\" from a file (\"-\" leaves one "
	      "out)\n"
	      "  --save-map FILE   write what was guessed as such a file\n"
	      "  --refused FILE    where refused rows go; NAME.refused.csv otherwise\n"
	      "  --json            print the summary as JSON\n",
	      out);
	for (size_t i = 0; i < method->input->field_count; i++) {
		const struct schema_field *field = &method->input->fields[i];
		if (request_field(method, field->cli_flag, strlen(field->cli_flag)))
			fprintf(out, "  --%-15s %s\n", field->cli_flag, field->comment);
	}
}

static int exit_code(enum lyc_status status)
{
	switch (status) {
	case LYC_OK:
		return IMPORT_EXIT_OK;
	case LYC_UNAVAILABLE:
		return IMPORT_EXIT_UNREACHABLE;
	case LYC_DEADLINE_EXCEEDED:
		return IMPORT_EXIT_DEADLINE;
	default:
		return IMPORT_EXIT_REFUSED;
	}
}

static bool is_about_file(enum lyc_status status)
{
	return status == LYC_INVALID_ARGUMENT || status == LYC_NOT_FOUND;
}

/* All files; a file that cannot be read does not keep the others out. */
static int run_files(struct importer *importer, const struct command_line *line, FILE *err)
{
	int code = IMPORT_EXIT_OK;
	for (size_t i = 0; i < line->file_count; i++) {
		struct lyc_error error = {0};
		enum lyc_status status = importer_run(importer, line->files[i], &error);
		if (!status)
			continue;
		if (is_about_file(status)) {
			fprintf(err, "lyceum: %s: %s\n", line->files[i], error.text);
			code = IMPORT_EXIT_USAGE;
			continue;
		}
		snprintf(importer->report.stopped, sizeof(importer->report.stopped), "%s",
			 error.text[0] ? error.text : lyc_status_name(status));
		return exit_code(status);
	}
	if (code == IMPORT_EXIT_OK && importer->report.refused_rows > 0)
		code = IMPORT_EXIT_REFUSED;
	return code;
}

int import_run_to(const struct import_sink *sink, const struct schema_method *method, int argc,
		  char **argv, FILE *out, FILE *err)
{
	struct command_line line = {0};
	struct importer importer = {0};
	struct buf prefix = {0};
	struct lyc_error error = {0};
	int code = IMPORT_EXIT_USAGE;
	if (parse(&line, method, &prefix, argc, argv, &error)) {
		fprintf(err, "lyceum: %s\n", error.text);
		goto out;
	}
	if (line.wants_help) {
		print_help(method, out);
		code = IMPORT_EXIT_OK;
		goto out;
	}
	if (importer_init(&importer, sink, method, &line.options, out, err, &error)) {
		fprintf(err, "lyceum: %s\n", error.text);
		code = IMPORT_EXIT_REFUSED;
		goto out;
	}
	buf_add(&importer.batch.prefix, prefix.data, prefix.len);
	code = run_files(&importer, &line, err);
	if (line.options.is_json)
		report_print_json(&importer.report, out);
	else if (importer.report.row_count > 0 || code != IMPORT_EXIT_USAGE)
		report_print(&importer.report, out);
out:
	importer_fini(&importer);
	buf_fini(&prefix);
	return code;
}
