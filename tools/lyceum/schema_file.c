/* `lyceum schema`: FileDescriptorSet files without a daemon, for who writes a plugin. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "input.h"
#include "outcome.h"
#include "resolve.h"
#include "schema/diff.h"
#include "schema/embed.h"

/* Compile a file; an error names it. Returns an exit code. */
static int load(const char *path, struct schema **ret_schema)
{
	struct lyc_error error = {0};
	struct buf set = {0};
	int code = OUTCOME_OK;
	if (input_read(path, &set, &error) != LYC_OK)
		code = outcome_error(&error);
	else if (schema_new(set.data, set.len, ret_schema, &error) != LYC_OK)
		code = outcome_say(OUTCOME_REFUSED, "%s: %s%s%s", path, error.field,
				   *error.field ? ": " : "", error.text);
	buf_fini(&set);
	return code;
}

static int check(int count, char **paths)
{
	int worst = OUTCOME_OK;
	for (int i = 0; i < count; i++) {
		struct schema *schema = NULL;
		int code = load(paths[i], &schema);
		if (code == OUTCOME_OK)
			printf("%s: %zu messages, %zu services, schema %016" PRIx64 "\n", paths[i],
			       schema_message_count(schema), schema_service_count(schema),
			       schema_id(schema));
		else
			worst = code;
		schema_unref(schema);
	}
	return worst;
}

static void write_all(const struct schema *schema, struct buf *to)
{
	for (size_t i = 0; i < schema_service_count(schema); i++)
		buf_add_format(to, "service %s\n", schema_service_at(schema, i)->full_name);
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		if (!message->is_map_entry &&
		    strncmp(message->full_name, "google.protobuf.", 16) != 0)
			buf_add_format(to, "message %s\n", message->full_name);
	}
	for (size_t i = 0; i < schema_enum_count(schema); i++) {
		const struct schema_enum *enumeration = schema_enum_at(schema, i);
		if (strncmp(enumeration->full_name, "google.protobuf.", 16) != 0)
			buf_add_format(to, "enum %s\n", enumeration->full_name);
	}
}

static int describe(const char *path, const char *name, bool with_below)
{
	struct lyc_error error = {0};
	struct schema *schema = NULL;
	struct buf text = {0};
	struct buf full_name = {0};
	int code = load(path, &schema);
	if (code != OUTCOME_OK)
		return code;
	struct session session = {.schemas = &schema, .schema_count = 1};
	if (!name)
		write_all(schema, &text);
	else if (!resolve_any(&session, name, &full_name, &error))
		code = outcome_error(&error);
	else if (describe_write(schema, buf_text(&full_name), with_below, &text) != LYC_OK)
		code = outcome_say(OUTCOME_NOT_FOUND, "%s has no %s", path, name);
	fwrite(text.data ? (char *)text.data : "", 1, text.len, stdout);
	buf_fini(&full_name);
	buf_fini(&text);
	schema_unref(schema);
	return code;
}

static int embed(const char *path, const char *name, const char *prefix)
{
	struct lyc_error error = {0};
	struct schema *schema = NULL;
	if (!name || !prefix)
		return outcome_say(OUTCOME_USAGE,
				   "usage: lyceum schema embed FILE --name NAME --out PREFIX");
	/* A plugin with a faulty schema should fail here, not when it is started. */
	int code = load(path, &schema);
	schema_unref(schema);
	if (code == OUTCOME_OK && embed_file(path, name, prefix, &error) != LYC_OK)
		code = outcome_error(&error);
	return code;
}

static int write_rules(void)
{
	for (const struct diff_rule *rule = diff_rules; rule->name; rule++)
		printf("%-44s %s\n", rule->name, rule->help);
	return OUTCOME_OK;
}

/* Exit code 1 is the verdict here: whatever else goes wrong is 2. */
static int diff(const char *older_path, const char *newer_path)
{
	struct lyc_error error = {0};
	struct schema *older = NULL;
	struct schema *newer = NULL;
	struct diff diff = {0};
	struct buf text = {0};
	int code = OUTCOME_USAGE;
	if (load(older_path, &older) != OUTCOME_OK || load(newer_path, &newer) != OUTCOME_OK)
		goto out;
	if (diff_new(older, newer, NULL, &diff, &error) != LYC_OK) {
		outcome_error(&error);
		goto out;
	}
	for (size_t i = 0; i < diff.count; i++) {
		diff_write(&diff.breaks[i], &text);
		buf_add_byte(&text, '\n');
	}
	fwrite(text.data ? (char *)text.data : "", 1, text.len, stdout);
	code = diff.count > 0 ? OUTCOME_REFUSED : OUTCOME_OK;
out:
	buf_fini(&text);
	diff_fini(&diff);
	schema_unref(older);
	schema_unref(newer);
	return code;
}

struct conversion {
	const char *to; /* "json", "binary", or NULL: what the input is not */
	bool with_rules;
	bool is_pretty;
};

/* A body never begins with a brace: that would be the start of a group. */
static bool wants_json(const struct conversion *how, struct span input)
{
	if (how->to)
		return strcmp(how->to, "json") == 0;
	return input.len == 0 || input.data[0] != '{';
}

static enum lyc_status convert_bytes(const struct schema_message *message,
				     const struct conversion *how, struct span input,
				     struct buf *to, struct lyc_error *error)
{
	if (wants_json(how, input)) {
		struct json_options options = {.is_pretty = how->is_pretty};
		enum lyc_status status = schema_check(message, input, how->with_rules, error);
		if (status == LYC_OK)
			status = json_write(message, input, &options, to, error);
		buf_add_byte(to, '\n');
		return status;
	}
	enum lyc_status status = json_read(message, (const char *)input.data, input.len, to, error);
	if (status == LYC_OK)
		status = schema_check(message, span_of(to->data, to->len), how->with_rules, error);
	return status;
}

static int convert(const char *path, const char *type, const char *input_path,
		   const struct conversion *how)
{
	struct lyc_error error = {0};
	struct schema *schema = NULL;
	struct buf input = {0};
	struct buf output = {0};
	if (how->to && strcmp(how->to, "json") != 0 && strcmp(how->to, "binary") != 0)
		return outcome_say(OUTCOME_USAGE, "--to is json or binary, not '%s'", how->to);
	int code = load(path, &schema);
	if (code != OUTCOME_OK)
		return code;
	struct session session = {.schemas = &schema, .schema_count = 1};
	const struct schema_message *message = resolve_message(&session, type, &error);
	if (!message)
		code = outcome_error(&error);
	else if (input_read(input_path, &input, &error) != LYC_OK)
		code = outcome_fault(OUTCOME_USAGE, &error);
	else if (convert_bytes(message, how, span_of(input.data, input.len), &output, &error) !=
		 LYC_OK)
		code = outcome_fault(OUTCOME_REFUSED, &error);
	else
		fwrite(output.data ? (char *)output.data : "", 1, output.len, stdout);
	buf_fini(&input);
	buf_fini(&output);
	schema_unref(schema);
	return code;
}

int schema_run(struct session *session, const struct command *command, int argc, char **argv)
{
	bool with_below = false;
	const char *name = NULL;
	const char *prefix = NULL;
	bool only_rules = false;
	struct conversion how = {0};
	const struct option options[] = {
		{"all", OPTION_FLAG, &with_below, NULL,
		 "describe: also the messages and enums that it uses"},
		{"rules", OPTION_FLAG, &only_rules, NULL, "diff: list the rules, a line each"},
		{"to", OPTION_TEXT, &how.to, "FORM",
		 "convert: json or binary; what the input is not when left out"},
		{"check", OPTION_FLAG, &how.with_rules, NULL,
		 "convert: refuse what breaks the field rules, too"},
		{"pretty", OPTION_FLAG, &how.is_pretty, NULL, "convert: JSON on many lines"},
		{"name", OPTION_TEXT, &name, "NAME", "embed: the C array's name"},
		{"out", OPTION_TEXT, &prefix, "PREFIX", "embed: writes PREFIX.c and PREFIX.h"},
		{0},
	};
	int code = command_read(session, command, options, 1, 1000, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (strcmp(argv[0], "diff") == 0 && argc == 1 && only_rules)
		return write_rules();
	if (strcmp(argv[0], "diff") == 0 && argc == 3 && !only_rules)
		return diff(argv[1], argv[2]);
	if (strcmp(argv[0], "convert") == 0 && (argc == 3 || argc == 4))
		return convert(argv[1], argv[2], argc == 4 ? argv[3] : "-", &how);
	if (strcmp(argv[0], "check") == 0 && argc >= 2)
		return check(argc - 1, argv + 1);
	if (strcmp(argv[0], "embed") == 0 && argc == 2)
		return embed(argv[1], name, prefix);
	if (strcmp(argv[0], "describe") == 0 && (argc == 2 || argc == 3))
		return describe(argv[1], argc == 3 ? argv[2] : NULL, with_below);
	return outcome_say(OUTCOME_USAGE, "usage: lyceum %s %s", command->name, command->arguments);
}
