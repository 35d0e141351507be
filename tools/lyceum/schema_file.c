/* `lyceum schema`: FileDescriptorSet files without a daemon, for who writes a plugin. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "input.h"
#include "outcome.h"
#include "resolve.h"
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

int schema_run(struct session *session, const struct command *command, int argc, char **argv)
{
	bool with_below = false;
	const char *name = NULL;
	const char *prefix = NULL;
	const struct option options[] = {
		{"all", OPTION_FLAG, &with_below, NULL,
		 "describe: also the messages and enums that it uses"},
		{"name", OPTION_TEXT, &name, "NAME", "embed: the C array's name"},
		{"out", OPTION_TEXT, &prefix, "PREFIX", "embed: writes PREFIX.c and PREFIX.h"},
		{0},
	};
	int code = command_read(session, command, options, 2, 1000, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (strcmp(argv[0], "check") == 0)
		return check(argc - 1, argv + 1);
	if (strcmp(argv[0], "embed") == 0 && argc == 2)
		return embed(argv[1], name, prefix);
	if (strcmp(argv[0], "describe") == 0 && argc <= 3)
		return describe(argv[1], argc == 3 ? argv[2] : NULL, with_below);
	return outcome_say(OUTCOME_USAGE, "usage: lyceum %s %s", command->name, command->arguments);
}
