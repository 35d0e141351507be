/*
 * The verbs of plugins, `lyceum experts find ...`: whatever services the daemon's schemas define
 * with (lyceum.v1.command) is a command, with no code here.
 */
#ifndef LYC_TOOLS_VERB_H
#define LYC_TOOLS_VERB_H

#include "session.h"

/* The words after `lyceum`: noun, verb, arguments. Returns an exit code. */
int verb_run(struct session *session, int argc, char **argv);
/* Append a line per verb without a noun that the daemon itself has. */
void verb_write_own(const struct session *session, struct buf *to);
/* Append a line per noun with its verbs, for `lyceum help`; nothing when no daemon answers. */
void verb_write_nouns(const struct session *session, struct buf *to);

#endif
