/*
 * lyceum-plugin: runs one plugin in a process of its own. The daemon starts it; the key comes on
 * descriptor 3, log lines go to stderr, SIGTERM stops it, and it does not outlive the daemon.
 */
#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "client/exit_code.h"
#include "client/runner.h"
#include "io/keyfile.h"

static int stop_fd = -1;

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
	fputs("usage: lyceum-plugin --so FILE --name NAME --endpoint ADDRESS --data FOLDER\n"
	      "                     [--server-key KEY | --show-key] [--config FILE]\n"
	      "\n"
	      "Runs one plugin. With --server-key its own key pair is read from descriptor 3; "
	      "with\n"
	      "--show-key, too, and shown to the daemon as it is (ipc only).\n"
	      "Exit status: 0 told to stop, 2 wrong arguments, 10 the plugin cannot run,\n"
	      "11 the daemon is lost.\n",
	      to);
}

static int parse(int argc, char **argv, struct runner_options *options, bool *ret_has_key)
{
	static const struct option names[] = {
		{"so", required_argument, NULL, 's'},
		{"name", required_argument, NULL, 'n'},
		{"endpoint", required_argument, NULL, 'e'},
		{"server-key", required_argument, NULL, 'k'},
		{"show-key", no_argument, NULL, 'w'},
		{"data", required_argument, NULL, 'd'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 's':
			options->path = optarg;
			break;
		case 'n':
			options->name = optarg;
			break;
		case 'e':
			options->endpoint = optarg;
			break;
		case 'k':
			options->server_key = optarg;
			*ret_has_key = true;
			break;
		case 'w':
			*ret_has_key = true;
			break;
		case 'd':
			options->data_folder = optarg;
			break;
		case 'c':
			options->config_file = optarg;
			break;
		case 'h':
			usage(stdout);
			return -1;
		default:
			return PLUGIN_EXIT_USAGE;
		}
	}
	bool is_complete = options->path && options->name && options->endpoint &&
			   options->data_folder && optind == argc;
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

int main(int argc, char **argv)
{
	struct runner_options options = {0};
	struct lyc_error error = {0};
	struct keypair keys;
	enum lyc_status status = LYC_OK;
	bool has_key = false;
	int code = parse(argc, argv, &options, &has_key);
	if (code != 0) {
		if (code > 0)
			usage(stderr);
		return code > 0 ? code : 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_range(has_key ? PLUGIN_KEY_FD + 1 : PLUGIN_KEY_FD, ~0u, 0);
	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	options.stop_fd = stop_fd;
	catch_signals();
	if (has_key) {
		status = keyfile_read_fd(PLUGIN_KEY_FD, "on descriptor 3", &keys, &error);
		close(PLUGIN_KEY_FD);
		options.public_key = keys.public_key;
		options.secret_key = keys.secret_key;
	}
	if (status == LYC_OK)
		status = runner_run(&options, &error);
	explicit_bzero(&keys, sizeof(keys));
	if (status != LYC_OK)
		fprintf(stderr, "1 %s\n", error.text);
	return exit_code(status);
}
