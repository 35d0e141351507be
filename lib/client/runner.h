/*
 * Runs one instance of a plugin on the calling thread: loads it, connects, starts it, registers its
 * services and serves until told to stop. The same in a process of its own and in a thread of the
 * daemon; only the options differ.
 */
#ifndef LYC_CLIENT_RUNNER_H
#define LYC_CLIENT_RUNNER_H

#include <lyceum/status.h>

struct lyc_plugin;
struct transport;

/* level 1 error, 2 warning, 3 notice, 4 info, 5 debug; one line. On the runner's thread. */
typedef void (*runner_log_fn)(int level, const char *text, void *arg);

/* Strings are borrowed until runner_run returns. */
struct runner_options {
	/* The .so, and the name that its descriptor has to carry. A descriptor that is linked in
	 * may stand for the .so. */
	const char *path;
	const struct lyc_plugin *plugin;
	const char *name;

	/* Our end of the channel whose other one the daemon has; taken, whatever comes of it. */
	int channel_fd;
	/* NULL: that channel. Otherwise what carries the frames. */
	const struct transport *transport;

	/* The plugin's own folder; exists. */
	const char *data_folder;
	/* YAML; NULL: every value of the configuration is its default. */
	const char *config_file;

	/* NULL: one line "<level> text" each on stderr. */
	runner_log_fn on_log;
	void *log_arg;

	/* Readable: stop. An eventfd or a pipe; -1: none. */
	int stop_fd;
};

/* Serve until stop_fd is readable or the daemon says Goodbye: LYC_OK. Otherwise error says why it
 * could not start (FAILED_PRECONDITION, INVALID_ARGUMENT: trying again is no use) or go on
 * (UNAVAILABLE: the daemon is lost). Blocks. One at a time on a thread. */
LYC_MUST_USE enum lyc_status runner_run(const struct runner_options *options,
					struct lyc_error *error);

#endif
