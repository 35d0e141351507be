/* The command `lyceum`: its commands by name, and everything else a plugin's noun. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cell.h"
#include "commands.h"
#include "completion.h"
#include "outcome.h"
#include "usage.h"
#include "verb.h"

const struct command commands[] = {
	{"status", "", "Shows the daemon, its link, its plugins and what waits", NULL, status_run},
	{"plugins", "", "Lists the daemon's plugins and how they are", NULL, plugins_run},
	{"plugin", "new NAME | run | test | inspect NAME|FILE | restart NAME",
	 "Makes, runs, tests and inspects a plugin; replaces a running one",
	 "  lyceum plugin new NAME [--with-records]\n"
	 "      writes the folder NAME: a plugin that builds, passes its test and answers\n"
	 "  lyceum plugin run\n"
	 "      in a plugin's folder: builds it, and runs it in a daemon that ends with Ctrl-C\n"
	 "  lyceum plugin test [--against FILE]\n"
	 "      in a plugin's folder: builds it, runs its tests, and checks what every plugin "
	 "should\n"
	 "      stand, an older version of its contract (a FileDescriptorSet) included\n"
	 "  lyceum plugin inspect NAME|FILE\n"
	 "      a plugin of this daemon, or a .so named with its folder: methods, rights, what it "
	 "asks\n"
	 "      to reach, and what the kernel holds its process to\n"
	 "  lyceum plugin restart NAME\n"
	 "      starts each instance (or the one of this name) anew beside the former one, from "
	 "its "
	 "file\n"
	 "      as it is now; calls go on, none is lost",
	 plugin_run},
	{"reload", "", "Reads the daemon's configuration anew and applies what has changed",
	 "All of it is checked first, the plugins' own files, too; where something is wrong "
	 "nothing "
	 "is\nchanged. Prints what was. kill -HUP does the same; the daemon's log says what.",
	 reload_run},
	{"services", "", "Lists the services that can be called from here", NULL, services_run},
	{"describe", "[NAME]", "Shows the contract of a service, method, message or enum",
	 "Without a name, lists all there are. The end of a name is enough where it is unique.",
	 describe_run},
	{"call", "METHOD [JSON]", "Calls any method: Service/Method '{\"field\": 1}'",
	 "JSON may be - for standard input or @FILE. A streaming method prints one reply a line.",
	 call_run},
	{"publish", "TYPE JSON", "Publishes a message to its subscribers, or appends it to the log",
	 "JSON may be - for standard input or @FILE.", publish_run},
	{"send", "NODE TYPE JSON", "Sends a message to one node, kept until that node has it",
	 "JSON may be - for standard input or @FILE.", send_run},
	{"subscribe", "PATTERN", "Prints the messages of a subject as they come",
	 "In a pattern * stands for one token and a final > for the rest:\n"
	 "  lyceum subscribe 'lyceum.echo.v1.Note.>'",
	 subscribe_run},
	{"log", "[PATTERN]", "Prints the records of the daemon's log",
	 "A table on a terminal, one JSON object a line otherwise. Ends at the log's end.\n"
	 "Without a pattern the records that hold schemas, lyceum.v1.SchemaVersion, are left out.",
	 log_run},
	{"erase", "SUBJECT", "Takes records out of the files here and wherever copies are",
	 "For the operator of the daemon that is the subject's home. What is erased is gone for "
	 "good.\n"
	 "  lyceum erase lyceum.experts.v1.Expert.wales.ada\n"
	 "  lyceum erase --about PERSON\n"
	 "      every subject with a record whose label says that it is about PERSON\n"
	 "Says who has confirmed and who has not yet; `lyceum status` goes on saying so.",
	 erase_run},
	{"metrics", "", "Prints the daemon's counters and gauges", NULL, metrics_run},
	{"backup", "DIR", "Copies the daemon's log into a new folder while it goes on",
	 "The daemon writes it: DIR is an absolute path on its machine, new or empty.\n"
	 "  lyceum backup --check DIR    reads all of one and checks every checksum, without a "
	 "daemon\n"
	 "  lyceumd --config FILE --restore DIR    makes a data folder from one",
	 backup_run},
	{"keygen", "FILE", "Makes a key pair and prints how to let its owner in", NULL, keygen_run},
	{"schema", "check|describe|diff|convert|embed FILE...",
	 "Checks, shows, compares and converts by FileDescriptorSet files, without a daemon",
	 "FILE is what `protoc --include_imports --include_source_info --descriptor_set_out=FILE` "
	 "makes.\n\n"
	 "  lyceum schema check FILE...\n"
	 "      compile each as a daemon would; 1 when one is refused\n"
	 "  lyceum schema describe FILE [NAME] [--all]\n"
	 "      what it defines; or one message, enum, service or Service/Method as .proto text\n"
	 "  lyceum schema diff OLD NEW\n"
	 "      what breaks between two versions, \"file:line: message (RULE)\"; 1 when something "
	 "does,\n"
	 "      0 when nothing, 2 when a file cannot be read\n"
	 "  lyceum schema diff --rules\n"
	 "      the rules: those of Buf's category WIRE_JSON under their names, and LYCEUM_*\n"
	 "  lyceum schema convert FILE TYPE [INPUT] [--to json|binary] [--check] [--pretty]\n"
	 "      one message from JSON to binary or back, from INPUT or standard input\n"
	 "  lyceum schema embed FILE --name NAME --out PREFIX\n"
	 "      PREFIX.c and PREFIX.h with the file as a C array, for a plugin's descriptor",
	 schema_run},
	{"completion", "bash", "Prints a script that completes words in the shell",
	 "  source <(lyceum completion bash)", completion_run},
	{0},
};

static void find_output(struct session_output *output)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	bool is_wanted = (!no_color || !*no_color) && (!term || strcmp(term, "dumb") != 0);
	struct winsize size;
	if (isatty(STDOUT_FILENO))
		output->width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
					? size.ws_col
					: 80;
	output->has_colour = is_wanted && output->width > 0;
	output->has_error_colour = is_wanted && isatty(STDERR_FILENO);
	outcome_set_colour(output->has_error_colour);
}

static int print_help(struct session *session)
{
	struct buf text = {0};
	struct lyc_error error;
	buf_add_text(&text,
		     "Joins regional clusters into one network: asks and tells a Lyceum daemon.\n\n"
		     "Usage: lyceum COMMAND ...\n       lyceum NOUN VERB ...\n\nCommands:\n");
	for (const struct command *command = commands; command->name; command++)
		usage_write_entry(command->name, command->summary, 11, &text);
	/* The verbs of schemas where a daemon answers at once; help must not fail or wait. */
	session->options.timeout_ms = 500;
	bool is_loaded = session_load(session, &error) == LYC_OK;
	if (is_loaded)
		verb_write_own(session, &text);
	buf_add_text(&text, "\nVerbs of plugins, lyceum NOUN VERB:\n");
	if (is_loaded)
		verb_write_nouns(session, &text);
	else
		buf_add_text(&text, "  shown when a daemon answers\n");
	buf_add_byte(&text, '\n');
	command_write_global_help(&text);
	usage_write_entry("--version", "the version of this command", 22, &text);
	buf_add_text(&text,
		     "\nExit codes: 0 done, 1 refused or failed, 2 the command line is wrong, 3 no "
		     "daemon can be\nreached, 4 not found, 5 not in time.\n");
	fputs(buf_text(&text), stdout);
	buf_fini(&text);
	return OUTCOME_OK;
}

static int run(struct session *session, int argc, char **argv)
{
	int at = 1;
	for (; at < argc && strncmp(argv[at], "-", 1) == 0; at++) {
		if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
			return print_help(session);
		if (strcmp(argv[at], "--version") == 0) {
			puts("lyceum " LYCEUM_VERSION);
			return OUTCOME_OK;
		}
		int taken = strncmp(argv[at], "--", 2) == 0
				    ? command_take_global(session, argc, argv, &at)
				    : 0;
		if (taken < 0)
			return OUTCOME_USAGE;
		if (taken == 0)
			return outcome_say(OUTCOME_USAGE,
					   "there is no option %s: lyceum --help lists them",
					   argv[at]);
	}
	if (at == argc) {
		print_help(session);
		return OUTCOME_USAGE;
	}
	if (strcmp(argv[at], "help") == 0 && at + 1 == argc)
		return print_help(session);
	if (strcmp(argv[at], "help") == 0) {
		/* `lyceum help call` is `lyceum call --help`. */
		static char help[] = "--help";
		memmove(argv + at, argv + at + 1, (size_t)(argc - at - 1) * sizeof(*argv));
		argv[argc - 1] = help;
	}
	if (strcmp(argv[at], "__complete") == 0)
		return completion_answer(session, argc - at - 1, argv + at + 1);
	for (const struct command *command = commands; command->name; command++) {
		if (strcmp(command->name, argv[at]) == 0)
			return command->run(session, command, argc - at - 1, argv + at + 1);
	}
	return verb_run(session, argc - at, argv + at);
}

int main(int argc, char **argv)
{
	struct session session = {0};
	cell_start();
	find_output(&session.output);
	int code = run(&session, argc, argv);
	session_close(&session);
	if (fflush(stdout) != 0 || ferror(stdout))
		return code ? code : OUTCOME_REFUSED;
	return code;
}
