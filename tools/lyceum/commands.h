/* The commands that are not a plugin's verbs; each is in the file of its noun. */
#ifndef LYC_TOOLS_COMMANDS_H
#define LYC_TOOLS_COMMANDS_H

#include "command.h"

int status_run(struct session *session, const struct command *command, int argc, char **argv);
int plugins_run(struct session *session, const struct command *command, int argc, char **argv);
int erase_run(struct session *session, const struct command *command, int argc, char **argv);
int plugin_run(struct session *session, const struct command *command, int argc, char **argv);
int services_run(struct session *session, const struct command *command, int argc, char **argv);
int metrics_run(struct session *session, const struct command *command, int argc, char **argv);
int describe_run(struct session *session, const struct command *command, int argc, char **argv);
int call_run(struct session *session, const struct command *command, int argc, char **argv);
int reload_run(struct session *session, const struct command *command, int argc, char **argv);
int publish_run(struct session *session, const struct command *command, int argc, char **argv);
int send_run(struct session *session, const struct command *command, int argc, char **argv);
int subscribe_run(struct session *session, const struct command *command, int argc, char **argv);
int log_run(struct session *session, const struct command *command, int argc, char **argv);
int backup_run(struct session *session, const struct command *command, int argc, char **argv);
int keygen_run(struct session *session, const struct command *command, int argc, char **argv);
int schema_run(struct session *session, const struct command *command, int argc, char **argv);
int completion_run(struct session *session, const struct command *command, int argc, char **argv);

#endif
