/*
 * `lyceum plugin run` and `lyceum plugin test`, in a plugin's own folder: both build it first, with
 * meson. The one starts a daemon that lasts as long as the command, in a folder of its own.
 */
#include "plugin_verbs.h"

#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "client/sibling.h"
#include "outcome.h"

#define READY_TRIES 500
#define READY_US 20000

static pid_t child;

static void pass_on(int signal_number)
{
	(void)signal_number;
	if (child > 0)
		kill(child, SIGTERM);
}

/* Start a program; its output goes where ours goes, or nowhere. */
static void start(char *const *words, bool is_quiet)
{
	/* What has been printed comes before what it prints. */
	fflush(stdout);
	child = fork();
	if (child != 0)
		return;
	if (is_quiet && !freopen("/dev/null", "w", stdout))
		_exit(127);
	execvp(words[0], words);
	fprintf(stderr, "lyceum: %s cannot be started: %s\n", words[0], strerror(errno));
	_exit(127);
}

/* Its exit code; 1 when it did not end by itself. */
static int wait_end(void)
{
	int code = 0;
	while (waitpid(child, &code, 0) < 0 && errno == EINTR)
		continue;
	child = 0;
	return WIFEXITED(code) ? WEXITSTATUS(code) : 1;
}

static int run(char *const *words, bool is_quiet)
{
	start(words, is_quiet);
	return child < 0 ? 1 : wait_end();
}

/* The plugin that was built: "build/notes.so", "notes". */
struct built {
	char path[PATH_MAX];
	char name[64];
};

static enum lyc_status find_built(struct built *ret_built, struct lyc_error *error)
{
	glob_t found = {0};
	enum lyc_status status = LYC_OK;
	char whole[PATH_MAX];
	if (glob("build/*.so", 0, NULL, &found) != 0 || found.gl_pathc != 1 ||
	    !realpath(found.gl_pathv[0], whole))
		status = error_set(error, LYC_FAILED_PRECONDITION,
				   "the folder build has %zu plugins, and there has to be one",
				   found.gl_pathc);
	if (status == LYC_OK) {
		const char *base = strrchr(whole, '/') + 1;
		snprintf(ret_built->path, sizeof(ret_built->path), "%s", whole);
		snprintf(ret_built->name, sizeof(ret_built->name), "%.*s", (int)strcspn(base, "."),
			 base);
	}
	globfree(&found);
	return status;
}

static enum lyc_status build(struct built *ret_built, struct lyc_error *error)
{
	char *const set_up[] = {"meson", "setup", "build", NULL};
	char *const compile[] = {"meson", "compile", "-C", "build", NULL};
	if (access("meson.build", R_OK) != 0)
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "this folder has no meson.build: go to a plugin's folder, or make "
				 "one with `lyceum plugin new NAME`");
	if (access("build/build.ninja", R_OK) != 0 && run(set_up, true) != 0)
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "`meson setup build` failed: run it to see why");
	if (run(compile, true) != 0) {
		/* Once more, to be seen. */
		run(compile, false);
		return error_set(error, LYC_FAILED_PRECONDITION, "the plugin does not build");
	}
	return find_built(ret_built, error);
}

/* ---- test ---- */

int plugin_test_run(struct session *session, const struct command *command, int argc, char **argv)
{
	const char *older = NULL;
	const struct option options[] = {
		{"against", OPTION_TEXT, &older, "FILE", "The FileDescriptorSet of an older one."},
		{0},
	};
	struct lyc_error error = {0};
	struct built built;
	char checker[PATH_MAX + 64];
	int code = command_read(session, command, options, 0, 0, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (build(&built, &error) != LYC_OK)
		return outcome_fault(OUTCOME_USAGE, &error);
	char *const tests[] = {"meson", "test", "-C", "build", "--print-errorlogs", NULL};
	if (run(tests, true) != 0) {
		run(tests, false);
		return outcome_say(OUTCOME_REFUSED, "a test of the plugin \"%s\" fails",
				   built.name);
	}
	sibling_find("lyceum-plugin-check", checker, sizeof(checker));
	char *const check[] = {checker, built.path, (char *)older, NULL};
	if (run(check, false) != 0)
		return OUTCOME_REFUSED;
	printf("The tests of the plugin \"%s\" pass, and it stands what every plugin should.\n",
	       built.name);
	return OUTCOME_OK;
}

/* ---- run ---- */

static enum lyc_status write_config(const char *folder, const struct built *built,
				    struct lyc_error *error)
{
	char path[PATH_MAX];
	char own[PATH_MAX];
	snprintf(path, sizeof(path), "%s/node.yaml", folder);
	FILE *file = fopen(path, "we");
	if (!file)
		return error_set(error, LYC_UNAVAILABLE, "%s cannot be written: %s", path,
				 strerror(errno));
	fprintf(file, "name: here\ndata: %s/data\nplugins:\n  - name: %s\n    path: %s\n", folder,
		built->name, built->path);
	if (realpath("config.yaml", own))
		fprintf(file, "    config_file: %s\n", own);
	return fclose(file) == 0 ? LYC_OK
				 : error_set(error, LYC_UNAVAILABLE, "%s cannot be written", path);
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *walk)
{
	(void)stat;
	(void)kind;
	(void)walk;
	return remove(path);
}

/* Until the daemon listens, or has ended. */
static bool wait_ready(const char *folder)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/data/lyceum.sock", folder);
	for (int try = 0; try < READY_TRIES; try++) {
		if (access(path, F_OK) == 0)
			return true;
		siginfo_t info = {0};
		if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid == child)
			return false;
		usleep(READY_US);
	}
	return false;
}

static int run_daemon(const char *folder, const struct built *built)
{
	char daemon[PATH_MAX + 64];
	char config[PATH_MAX];
	const struct sigaction pass = {.sa_handler = pass_on};
	sigaction(SIGINT, &pass, NULL);
	sigaction(SIGTERM, &pass, NULL);
	sibling_find("lyceumd", daemon, sizeof(daemon));
	snprintf(config, sizeof(config), "%s/node.yaml", folder);
	char *const words[] = {daemon, "--config", config, NULL};
	start(words, false);
	if (child < 0)
		return 1;
	if (wait_ready(folder)) {
		printf("The plugin \"%s\" runs until Ctrl-C. In another terminal:\n\n"
		       "  export LYCEUM_CONFIG=%s\n  lyceum %s --help\n\n",
		       built->name, config, built->name);
		fflush(stdout);
	}
	return wait_end();
}

int plugin_run_run(struct session *session, const struct command *command, int argc, char **argv)
{
	struct lyc_error error = {0};
	struct built built;
	char folder[] = "/tmp/lyceum-run-XXXXXX";
	int code = command_read(session, command, NULL, 0, 0, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (build(&built, &error) != LYC_OK)
		return outcome_fault(OUTCOME_USAGE, &error);
	if (!mkdtemp(folder))
		return outcome_say(OUTCOME_REFUSED, "no folder can be made in /tmp: %s",
				   strerror(errno));
	if (write_config(folder, &built, &error) == LYC_OK)
		code = run_daemon(folder, &built) == 0 ? OUTCOME_OK : OUTCOME_REFUSED;
	else
		code = outcome_fault(OUTCOME_REFUSED, &error);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return code;
}
