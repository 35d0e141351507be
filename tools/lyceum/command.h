/*
 * The options that every command takes, those of one command, and its --help: one table of options
 * gives both the reading and the help.
 */
#ifndef LYC_TOOLS_COMMAND_H
#define LYC_TOOLS_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "session.h"
#include "suggest.h"

enum option_kind {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char * */
	OPTION_NUMBER,   /* uint64_t */
	OPTION_DURATION, /* uint32_t, milliseconds */
};

/* `to` points to the variable of that kind. A table ends with a zeroed entry. */
struct option {
	const char *name;
	enum option_kind kind;
	void *to;
	const char *value_name;
	const char *help;
};

struct command {
	const char *name;
	/* "TYPE JSON [--durable]", after the name. */
	const char *arguments;
	/* One line, for the list of commands. */
	const char *summary;
	/* More, for --help; may be NULL. */
	const char *help;
	int (*run)(struct session *session, const struct command *command, int argc, char **argv);
};

/* Every command but the verbs of plugins; ends with a zeroed entry. In main.c. */
extern const struct command commands[];
void command_offer(struct suggest *suggest);

/* No answer yet: the command should go on. */
#define COMMAND_GO_ON (-1)

/* Take one global option at argv[*at], moving *at to the last word taken. 1: taken, 0: not a global
 * one, -1: wrong, and said so. */
int command_take_global(struct session *session, int argc, char **argv, int *at);
/* The names of the global options, ended by NULL. */
const char *const *command_global_names(void);
/* Append the global options' help. */
void command_write_global_help(struct buf *to);

/* Take the options out of argv and leave the arguments, at least min_count and at most max_count of
 * them. COMMAND_GO_ON, or an exit code: --help was printed, or what is wrong. `options` may be
 * NULL. */
int command_read(struct session *session, const struct command *command,
		 const struct option *options, int min_count, int max_count, int *argc,
		 char **argv);

#endif
