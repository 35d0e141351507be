/*
 * How the command ends: its exit codes, and the one sentence on stderr that says why. Every command
 * returns one of these codes from its main function.
 */
#ifndef LYC_TOOLS_OUTCOME_H
#define LYC_TOOLS_OUTCOME_H

#include <stdbool.h>

#include <lyceum/status.h>

enum outcome {
	OUTCOME_OK = 0,
	/* The service or the daemon refused or failed. */
	OUTCOME_REFUSED = 1,
	/* The command line, or a file that it names, is wrong. */
	OUTCOME_USAGE = 2,
	/* No daemon answers, or the one that is asked for cannot be reached. */
	OUTCOME_UNREACHABLE = 3,
	OUTCOME_NOT_FOUND = 4,
	OUTCOME_DEADLINE = 5,
};

/* --no-color. */
void outcome_set_colour(bool is_on);
/* The exit code of a status that a daemon answered. */
int outcome_of(enum lyc_status status);
/* Print "lyceum: field: sentence (STATUS)" on stderr; returns outcome_of(error->status). */
int outcome_error(const struct lyc_error *error);
/* The same for what a person typed or a file of theirs says, without the status; returns `code`. */
int outcome_fault(enum outcome code, const struct lyc_error *error);
/* Print "lyceum: sentence" on stderr; returns `code`. */
int outcome_say(enum outcome code, const char *format, ...) LYC_PRINTF(2, 3);

#endif
