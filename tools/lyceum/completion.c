/*
 * `lyceum completion bash`, and `lyceum __complete WORD...`, which the script asks: the possible
 * next words, one a line, from the same tables as everything else.
 */
#include "completion.h"

#include <stdio.h>
#include <string.h>

#include "choice.h"
#include "commands.h"
#include "flags.h"
#include "noun.h"
#include "outcome.h"

static const char script[] =
	"_lyceum()\n"
	"{\n"
	"\tlocal IFS=$'\\n'\n"
	"\tlocal current=\"${COMP_WORDS[COMP_CWORD]}\"\n"
	"\tCOMPREPLY=($(compgen -W \"$(lyceum __complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
	"2>/dev/null)\" -- \"$current\"))\n"
	"}\n"
	"complete -o default -F _lyceum lyceum\n";

int completion_run(struct session *session, const struct command *command, int argc, char **argv)
{
	int code = command_read(session, command, NULL, 1, 1, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (strcmp(argv[0], "bash") != 0)
		return outcome_say(OUTCOME_USAGE, "there is a script for bash only, not for %s",
				   argv[0]);
	fputs(script, stdout);
	return OUTCOME_OK;
}

static void print_noun(const struct schema_service *service, const struct schema_method *method,
		       void *arg)
{
	const char **former = arg;
	const char *noun = noun_of(service, method);
	if (!*noun)
		noun = method->command.verb;
	if (!*former || strcmp(*former, noun) != 0)
		puts(noun);
	*former = noun;
}

static void print_verb(const struct schema_service *service, const struct schema_method *method,
		       void *arg)
{
	(void)service;
	(void)arg;
	puts(method->command.verb);
}

static void print_flags(const struct schema_method *method)
{
	for (size_t i = 0; i < method->input->field_count; i++) {
		if (!method->input->fields[i].cli_positional)
			printf("--%s\n", method->input->fields[i].cli_flag);
	}
}

static void print_globals(void)
{
	for (const char *const *name = command_global_names(); *name; name++)
		printf("--%s\n", *name);
}

/* The values of the enum that the flag before the current word takes. */
static bool print_choices(const struct schema_method *method, const char *flag)
{
	const struct schema_field *field =
		strncmp(flag, "--", 2) == 0 ? flags_find(method->input, flag + 2, strlen(flag + 2))
					    : NULL;
	if (!field || field->type == SCHEMA_BOOL)
		return false;
	for (size_t i = 0; field->enumeration && i < field->enumeration->value_count; i++) {
		struct buf text = {0};
		if (choice_is_unspecified(&field->enumeration->values[i]))
			continue;
		choice_write_value(field->enumeration, &field->enumeration->values[i], &text);
		puts(buf_text(&text));
		buf_fini(&text);
	}
	return true;
}

static void print_methods(const struct session *session)
{
	for (size_t i = 0; i < session->schema_count; i++) {
		for (size_t j = 0; j < schema_service_count(session->schemas[i]); j++) {
			const struct schema_service *service =
				schema_service_at(session->schemas[i], j);
			for (size_t k = 0; k < service->method_count; k++)
				puts(service->methods[k].full_name);
		}
	}
}

int completion_answer(struct session *session, int argc, char **argv)
{
	struct lyc_error error;
	/* Somebody waits with a finger on the tab key. */
	session->options.timeout_ms = 700;
	const char *former = NULL;
	bool is_loaded = session_load(session, &error) == LYC_OK;
	if (argc <= 1) {
		for (const struct command *command = commands; command->name; command++)
			puts(command->name);
		if (is_loaded)
			noun_each(session, NULL, print_noun, &former);
		return OUTCOME_OK;
	}
	if (is_loaded && argc == 2)
		noun_each(session, argv[0], print_verb, NULL);
	if (is_loaded && argc == 2 &&
	    (strcmp(argv[0], "call") == 0 || strcmp(argv[0], "describe") == 0))
		print_methods(session);
	const struct schema_method *method = is_loaded ? noun_find(session, "", argv[0]) : NULL;
	if (!method && is_loaded && argc > 2)
		method = noun_find(session, argv[0], argv[1]);
	if (method) {
		if (print_choices(method, argv[argc - 2]))
			return OUTCOME_OK;
		print_flags(method);
	}
	print_globals();
	return OUTCOME_OK;
}
