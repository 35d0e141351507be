/* Reading options by table: global ones into the session, a command's own into its variables. */
#include "command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "age.h"
#include "base/mem.h"
#include "outcome.h"
#include "usage.h"

#define GLOBAL_COUNT 10

static const char *const global_names[] = {"config",          "at",   "as",   "timeout",  "after",
					   "idempotency-key", "json", "meta", "no-color", "help",
					   "version",         NULL};

static void fill_globals(struct session *session, bool *is_plain, const char **after,
			 struct option options[GLOBAL_COUNT])
{
	struct session_options *to = &session->options;
	struct session_output *output = &session->output;
	const struct option table[GLOBAL_COUNT] = {
		{"config", OPTION_TEXT, &to->config, "FILE",
		 "a daemon's or a client's YAML; LYCEUM_CONFIG, or /etc/lyceum/lyceum.yaml"},
		{"at", OPTION_TEXT, &to->at, "NODE", "the node that should run the call"},
		{"as", OPTION_TEXT, &to->principal, "PRINCIPAL", "on whose behalf: ann@wales"},
		{"timeout", OPTION_DURATION, &to->timeout_ms, "TIME",
		 "what the call may take: 5s, 2min"},
		{"after", OPTION_TEXT, after, "POSITION",
		 "read what is at least this new: origin:epoch:seq, several with commas"},
		{"idempotency-key", OPTION_TEXT, &to->idempotency_key, "KEY",
		 "run it once however often it is asked: the same call gets the same reply"},
		{"json", OPTION_FLAG, &output->is_json, NULL, "print JSON"},
		{"meta", OPTION_FLAG, &output->with_meta, NULL,
		 "with --json: {\"reply\": ..., \"meta\": who served it, position, age, time}"},
		{"no-color", OPTION_FLAG, is_plain, NULL, "no colours; so does NO_COLOR=1"},
		{0},
	};
	memcpy(options, table, sizeof(table));
}

const char *const *command_global_names(void)
{
	return global_names;
}

void command_offer(struct suggest *suggest)
{
	for (const struct command *command = commands; command->name; command++)
		suggest_offer(suggest, command->name);
}

static void write_option(const struct option *option, struct buf *to)
{
	char flag[60];
	snprintf(flag, sizeof(flag), "--%s%s%s", option->name, option->value_name ? " " : "",
		 option->value_name ? option->value_name : "");
	usage_write_entry(flag, option->help, 22, to);
}

void command_write_global_help(struct buf *to)
{
	struct session session = {0};
	struct option options[GLOBAL_COUNT];
	bool is_plain;
	const char *after;
	fill_globals(&session, &is_plain, &after, options);
	buf_add_text(to, "Options of every command:\n");
	for (const struct option *option = options; option->name; option++)
		write_option(option, to);
	usage_write_entry("--help", "what the command does and takes", 22, to);
}

/* 1: the option stands at argv[*at] and was taken; 0: it is another; -1: its value is wrong. */
static int take(const struct option *option, int argc, char **argv, int *at)
{
	const char *word = argv[*at] + 2;
	size_t len = strcspn(word, "=");
	const char *value = word[len] ? word + len + 1 : NULL;
	if (strlen(option->name) != len || strncmp(option->name, word, len) != 0)
		return 0;
	if (option->kind == OPTION_FLAG) {
		if (value) {
			outcome_say(OUTCOME_USAGE, "--%s takes no value", option->name);
			return -1;
		}
		*(bool *)option->to = true;
		return 1;
	}
	if (!value && *at + 1 < argc)
		value = argv[++*at];
	if (!value) {
		outcome_say(OUTCOME_USAGE, "--%s needs a value: --%s %s", option->name,
			    option->name, option->value_name);
		return -1;
	}
	if (option->kind == OPTION_TEXT) {
		*(const char **)option->to = value;
	} else if (option->kind == OPTION_NUMBER) {
		char *end = NULL;
		errno = 0;
		unsigned long long number = strtoull(value, &end, 10);
		if (*value < '0' || *value > '9' || *end || errno) {
			outcome_say(OUTCOME_USAGE, "--%s takes a whole number, not \"%s\"",
				    option->name, value);
			return -1;
		}
		*(uint64_t *)option->to = number;
	} else {
		uint64_t ms;
		if (!age_read(value, &ms) || ms == 0 || ms > UINT32_MAX) {
			outcome_say(OUTCOME_USAGE,
				    "--%s takes a time such as 500ms, 5s or 2min, not \"%s\"",
				    option->name, value);
			return -1;
		}
		*(uint32_t *)option->to = (uint32_t)ms;
	}
	return 1;
}

/* "wales:3:118,nhsa:1:20". The names live as long as the process. */
static int read_after(struct session_options *options, const char *text)
{
	while (*text) {
		char origin[80];
		unsigned long long epoch, seq;
		int len = 0;
		if (options->after_count == SESSION_MAX_AFTER ||
		    sscanf(text, "%79[^:]:%llu:%llu%n", origin, &epoch, &seq, &len) != 3 ||
		    (text[len] && text[len] != ',')) {
			outcome_say(OUTCOME_USAGE,
				    "--after takes origin:epoch:seq as --meta prints it, up to %d "
				    "of them",
				    SESSION_MAX_AFTER);
			return -1;
		}
		options->after[options->after_count++] = (struct lyc_position){
			.origin = mem_dup(origin), .epoch = epoch, .seq = seq};
		text += len + (text[len] == ',');
	}
	return 1;
}

int command_take_global(struct session *session, int argc, char **argv, int *at)
{
	struct option options[GLOBAL_COUNT];
	bool is_plain = false;
	const char *after = NULL;
	int taken = 0;
	fill_globals(session, &is_plain, &after, options);
	for (const struct option *option = options; option->name && taken == 0; option++)
		taken = take(option, argc, argv, at);
	if (taken == 1 && after)
		taken = read_after(&session->options, after);
	if (is_plain) {
		session->output.has_colour = false;
		outcome_set_colour(false);
	}
	if (session->output.with_meta)
		session->output.is_json = true;
	return taken;
}

static int print_help(const struct command *command, const struct option *options)
{
	struct buf text = {0};
	buf_add_format(&text, "%s.\n\nUsage: lyceum %s%s%s\n", command->summary, command->name,
		       *command->arguments ? " " : "", command->arguments);
	if (command->help)
		buf_add_format(&text, "\n%s\n", command->help);
	if (options && options->name)
		buf_add_text(&text, "\nOptions:\n");
	for (const struct option *option = options; option && option->name; option++)
		write_option(option, &text);
	buf_add_byte(&text, '\n');
	command_write_global_help(&text);
	fputs(buf_text(&text), stdout);
	buf_fini(&text);
	return OUTCOME_OK;
}

static int say_unknown(const struct command *command, const struct option *options,
		       const char *word)
{
	struct suggest suggest;
	struct buf text = {0};
	char name[80];
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	suggest_start(&suggest, name);
	for (const struct option *option = options; option && option->name; option++)
		suggest_offer(&suggest, option->name);
	for (size_t i = 0; global_names[i]; i++)
		suggest_offer(&suggest, global_names[i]);
	suggest_write(&suggest, "--", &text);
	outcome_say(OUTCOME_USAGE, "%s has no option --%s%s", command->name, name,
		    text.len ? buf_text(&text) : ": --help lists them");
	buf_fini(&text);
	return OUTCOME_USAGE;
}

int command_read(struct session *session, const struct command *command,
		 const struct option *options, int min_count, int max_count, int *argc, char **argv)
{
	int count = 0;
	bool is_option_allowed = true;
	for (int i = 0; i < *argc; i++) {
		char *word = argv[i];
		if (is_option_allowed && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0))
			return print_help(command, options);
		if (is_option_allowed && strcmp(word, "--") == 0) {
			is_option_allowed = false;
			continue;
		}
		if (!is_option_allowed || word[0] != '-' || !word[1]) {
			argv[count++] = word;
			continue;
		}
		int taken = 0;
		if (strncmp(word, "--", 2) != 0)
			return outcome_say(OUTCOME_USAGE, "%s has no option %s: --help lists them",
					   command->name, word);
		for (const struct option *option = options; option && option->name && !taken;
		     option++)
			taken = take(option, *argc, argv, &i);
		if (taken == 0)
			taken = command_take_global(session, *argc, argv, &i);
		if (taken < 0)
			return OUTCOME_USAGE;
		if (taken == 0)
			return say_unknown(command, options, word);
	}
	*argc = count;
	if (count < min_count || count > max_count)
		return outcome_say(
			OUTCOME_USAGE, "%s: usage: lyceum %s%s%s",
			count < min_count ? "something is missing" : "too many arguments",
			command->name, *command->arguments ? " " : "", command->arguments);
	return COMMAND_GO_ON;
}
