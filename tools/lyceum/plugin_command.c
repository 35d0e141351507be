/* `lyceum plugin VERB`: for whoever writes or runs one. */
#include "commands.h"

#include <string.h>

#include "outcome.h"
#include "plugin_verbs.h"

static const struct {
	const char *name;
	int (*run)(struct session *session, const struct command *command, int argc, char **argv);
} verbs[] = {
	{"new", plugin_new_run},         {"run", plugin_run_run},         {"test", plugin_test_run},
	{"inspect", plugin_inspect_run}, {"restart", plugin_restart_run},
};

int plugin_run(struct session *session, const struct command *command, int argc, char **argv)
{
	if (argc > 0 && strcmp(argv[0], "--help") != 0 && strcmp(argv[0], "-h") != 0) {
		for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
			if (strcmp(argv[0], verbs[i].name) == 0)
				return verbs[i].run(session, command, argc - 1, argv + 1);
		}
		return outcome_say(OUTCOME_USAGE,
				   "`lyceum plugin` has no verb '%s'; see lyceum plugin --help",
				   argv[0]);
	}
	int code = command_read(session, command, NULL, 1, 1, &argc, argv);
	return code == COMMAND_GO_ON ? OUTCOME_USAGE : code;
}
