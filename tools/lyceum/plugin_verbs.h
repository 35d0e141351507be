/* The verbs of `lyceum plugin`; argv begins after the verb. */
#ifndef LYC_TOOLS_PLUGIN_VERBS_H
#define LYC_TOOLS_PLUGIN_VERBS_H

#include "command.h"

int plugin_new_run(struct session *session, const struct command *command, int argc, char **argv);
int plugin_run_run(struct session *session, const struct command *command, int argc, char **argv);
int plugin_test_run(struct session *session, const struct command *command, int argc, char **argv);
int plugin_inspect_run(struct session *session, const struct command *command, int argc,
		       char **argv);

int plugin_restart_run(struct session *session, const struct command *command, int argc,
		       char **argv);

#endif
