/*
 * lyceum-plugin: runs one plugin in a process of its own, which first gives up whatever the plugin
 * did not ask for. The daemon starts it and holds the other end of descriptor 3; log lines go to
 * stderr, SIGTERM stops it, and it does not outlive the daemon.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "client/exit_code.h"
#include "client/limits.h"
#include "client/plugin_config.h"
#include "client/runner.h"
#include "base/buf.h"
#include "base/error.h"
#include "config_path.h"
#include "confine.h"
#include "inspect.h"
#include "probe.h"

static int stop_fd = -1;

struct arguments {
	struct runner_options runner;
	bool is_inspection;
	bool is_check;
	uint64_t memory; /* bytes; 0: the default */
	/* Of the confinement: none at all, all of it, and what the operator adds. */
	bool is_free;
	bool is_required;
	const char *reach[REACH_MAX_COUNT];
	size_t reach_count;
};

static void ask_stop(int signal_number)
{
	(void)signal_number;
	uint64_t one = 1;
	/* There is nothing to be done about a failure here. */
	if (write(stop_fd, &one, sizeof(one)) < 0)
		return;
}

static void usage(FILE *to)
{
	fputs("usage: lyceum-plugin --so FILE --name NAME --data FOLDER [--config FILE]\n"
	      "                     [--confine asked|required|none] [--reach ENTRY]...\n"
	      "                     [--memory BYTES]\n"
	      "       lyceum-plugin --inspect --so FILE\n"
	      "       lyceum-plugin --check --so FILE --name NAME [--config FILE]\n"
	      "\n"
	      "Runs one plugin for the daemon that starts it, over the pair of sockets whose one\n"
	      "end is descriptor 3. The process reaches what the plugin asks for and what --reach "
	      "adds; with --confine required it does "
	      "not\n"
	      "run where the kernel cannot refuse the rest, with none nothing is refused.\n"
	      "With --check it only says whether the file and its configuration would do.\n"
	      "With --inspect it prints what the plugin says of itself, as JSON.\n"
	      "Exit status: 0 told to stop, 2 wrong arguments, 10 the plugin cannot run,\n"
	      "11 the daemon is lost.\n",
	      to);
}

static bool take_confinement(struct arguments *arguments, const char *word)
{
	arguments->is_free = strcmp(word, "none") == 0;
	arguments->is_required = strcmp(word, "required") == 0;
	return arguments->is_free || arguments->is_required || strcmp(word, "asked") == 0;
}

static bool take_reach(struct arguments *arguments, const char *text)
{
	struct reach reach;
	if (arguments->reach_count == REACH_MAX_COUNT || !reach_parse(text, &reach))
		return false;
	arguments->reach[arguments->reach_count++] = text;
	return true;
}

/* 0, -1 for --help, or the exit code of what is wrong. */
static int parse(int argc, char **argv, struct arguments *arguments)
{
	static const struct option names[] = {
		{"so", required_argument, NULL, 's'},
		{"name", required_argument, NULL, 'n'},
		{"data", required_argument, NULL, 'd'},
		{"config", required_argument, NULL, 'c'},
		{"confine", required_argument, NULL, 'f'},
		{"reach", required_argument, NULL, 'r'},
		{"inspect", no_argument, NULL, 'i'},
		{"check", no_argument, NULL, 'x'},
		{"memory", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct runner_options *options = &arguments->runner;
	int option;
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		bool is_good = true;
		switch (option) {
		case 's':
			options->path = optarg;
			break;
		case 'n':
			options->name = optarg;
			break;
		case 'd':
			options->data_folder = optarg;
			break;
		case 'c':
			options->config_file = optarg;
			break;
		case 'f':
			is_good = take_confinement(arguments, optarg);
			break;
		case 'r':
			is_good = take_reach(arguments, optarg);
			break;
		case 'i':
			arguments->is_inspection = true;
			break;
		case 'x':
			arguments->is_check = true;
			break;
		case 'm':
			arguments->memory = strtoull(optarg, NULL, 10);
			break;
		case 'h':
			usage(stdout);
			return -1;
		default:
			is_good = false;
		}
		if (!is_good)
			return PLUGIN_EXIT_USAGE;
	}
	bool is_complete = options->path && optind == argc;
	if (arguments->is_check)
		is_complete = is_complete && options->name;
	else if (!arguments->is_inspection)
		is_complete = is_complete && options->name && options->data_folder;
	return is_complete ? 0 : PLUGIN_EXIT_USAGE;
}

static void catch_signals(void)
{
	struct sigaction stop = {.sa_handler = ask_stop};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static int exit_code(enum lyc_status status)
{
	switch (status) {
	case LYC_OK:
		return PLUGIN_EXIT_STOPPED;
	case LYC_UNAVAILABLE:
	case LYC_RESOURCE_EXHAUSTED:
	case LYC_DEADLINE_EXCEEDED:
	case LYC_ABORTED:
		return PLUGIN_EXIT_LOST;
	default:
		return PLUGIN_EXIT_REFUSED;
	}
}

/* One entry, whoever asks for it, with a path of the configuration in place of its field. */
static enum lyc_status add_reach(const struct arguments *arguments,
				 const Lyceum__V1__PluginDescription *description, const char *text,
				 struct confinement *to, struct reach *list,
				 struct lyc_error *error)
{
	struct reach reach;
	char *path = NULL;
	if (!reach_parse(text, &reach) || to->reach_count == 2 * REACH_MAX_COUNT)
		return error_set(
			error, LYC_INVALID_ARGUMENT,
			"\"%.100s\" is nothing that a plugin can reach: it takes " REACH_WORDS ".",
			text);
	if (reach.kind == REACH_READ_CONFIG) {
		enum lyc_status status = config_path(description, arguments->runner.config_file,
						     reach.what, &path, error);
		if (status != LYC_OK || !path)
			return status;
		/* Kept until the process ends. */
		reach = (struct reach){REACH_READ, path};
	}
	list[to->reach_count++] = reach;
	return LYC_OK;
}

static enum lyc_status confine_to(const struct arguments *arguments,
				  const Lyceum__V1__PluginDescription *description,
				  struct lyc_error *error)
{
	static struct reach list[2 * REACH_MAX_COUNT];
	struct confinement confinement = {
		.plugin_file = arguments->runner.path,
		.data_folder = arguments->runner.data_folder,
		.config_file = arguments->runner.config_file,
		.reach = list,
		.is_required = arguments->is_required,
	};
	struct buf text = {0};
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; i < description->n_reach && status == LYC_OK; i++)
		status = add_reach(arguments, description, description->reach[i], &confinement,
				   list, error);
	for (size_t i = 0; i < arguments->reach_count && status == LYC_OK; i++)
		status = add_reach(arguments, description, arguments->reach[i], &confinement, list,
				   error);
	if (status == LYC_OK)
		status = confine(&confinement, &text, error);
	/* The daemon believes the first line: no code of the plugin has run in this process. */
	if (status == LYC_OK)
		fprintf(stderr, "%c %s\n", PLUGIN_CONFINEMENT_MARK, buf_text(&text));
	buf_fini(&text);
	return status;
}

static enum lyc_status prepare(const struct arguments *arguments, struct lyc_error *error)
{
	Lyceum__V1__PluginDescription *description = NULL;
	if (arguments->is_free) {
		fprintf(stderr, "%c not confined: so configured\n", PLUGIN_CONFINEMENT_MARK);
		return LYC_OK;
	}
	enum lyc_status status =
		probe(arguments->runner.path, arguments->runner.name, &description, error);
	if (status != LYC_OK)
		return status;
	status = description->refusal[0]
			 ? error_set(error, LYC_FAILED_PRECONDITION, "%s", description->refusal)
			 : confine_to(arguments, description, error);
	lyceum__v1__plugin_description__free_unpacked(description, NULL);
	return status;
}

static enum lyc_status run(struct arguments *arguments, struct lyc_error *error)
{
	enum lyc_status status = limits_set(arguments->memory, error);
	if (status == LYC_OK)
		status = prepare(arguments, error);
	return status == LYC_OK ? runner_run(&arguments->runner, error) : status;
}

/* What a start would refuse. */
static int check(const struct runner_options *options)
{
	Lyceum__V1__PluginDescription *description = NULL;
	struct schema *schema = NULL;
	struct lyc_error error = {0};
	struct buf config = {0};
	enum lyc_status status = probe(options->path, options->name, &description, &error);
	if (status == LYC_OK && description->refusal[0])
		status = error_set(&error, LYC_FAILED_PRECONDITION, "%s", description->refusal);
	if (status == LYC_OK && !description->config_type[0] && options->config_file)
		status = error_set(&error, LYC_INVALID_ARGUMENT,
				   "The plugin \"%s\" takes no configuration, but %s is given.",
				   options->name, options->config_file);
	if (status == LYC_OK && description->config_type[0]) {
		status = schema_new(description->schema.data, description->schema.len, &schema,
				    &error);
		if (status == LYC_OK)
			status = plugin_config_read(
				schema_find_message(schema, description->config_type),
				options->config_file, &config, &error);
	}
	if (status != LYC_OK)
		fprintf(stderr, "1 %s\n", error.text);
	schema_unref(schema);
	buf_fini(&config);
	if (description)
		lyceum__v1__plugin_description__free_unpacked(description, NULL);
	return status == LYC_OK ? 0 : PLUGIN_EXIT_REFUSED;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct lyc_error error = {0};
	int code = parse(argc, argv, &arguments);
	if (code != 0) {
		if (code > 0)
			usage(stderr);
		return code > 0 ? code : 0;
	}
	if (arguments.is_inspection)
		return inspect(arguments.runner.path);
	if (arguments.is_check)
		return check(&arguments.runner);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_range(PLUGIN_CHANNEL_FD + 1, ~0u, 0);
	arguments.runner.channel_fd = PLUGIN_CHANNEL_FD;
	/* Programs that the plugin runs do not speak for it. */
	(void)fcntl(PLUGIN_CHANNEL_FD, F_SETFD, FD_CLOEXEC);
	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	arguments.runner.stop_fd = stop_fd;
	catch_signals();
	enum lyc_status status = run(&arguments, &error);
	if (status != LYC_OK)
		fprintf(stderr, "1 %s\n", error.text);
	return exit_code(status);
}
