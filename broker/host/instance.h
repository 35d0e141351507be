/*
 * One running instance of a plugin: a process of lyceum-plugin, or a thread of this daemon. Starts
 * it, passes on what it says line by line, stops it, tells once how it ended. Whether to start
 * another is the host's decision. All callbacks come from the loop.
 */
#ifndef LYC_HOST_INSTANCE_H
#define LYC_HOST_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include <lyceum/status.h>

struct instance;

/* Of a process, once and before any of the plugin's code has run: how it is confined, in words. */
#define INSTANCE_CONFINED 0
/* level as for lyc_log, or INSTANCE_CONFINED; one line, without its end. Of more than 200 lines in
 * a second the others are counted, and the count is said. */
typedef void (*instance_line_fn)(int level, const char *text, void *arg);
/* It has ended: clean when it was told to (instance_stop, Goodbye) and did; otherwise text says in
 * a sentence what happened. The last callback: the instance is freed when it returns. */
typedef void (*instance_exit_fn)(bool clean, const char *text, void *arg);

/* Strings are borrowed until instance_start returns. */
struct instance_options {
	/* In the configuration, and in the descriptor; the .so's path. */
	const char *name;
	const char *path;
	const char *data_folder;
	/* NULL: none. */
	const char *config_file;
	/* Bytes, of a process; 0: the default. */
	uint64_t memory_limit;

	/* Its end of the channel whose other one the caller has; taken, whatever comes of it. */
	int channel_fd;
	/* A thread of this daemon; otherwise a process of `runner`, the lyceum-plugin executable.
	 */
	bool as_thread;
	const char *runner;
	/* What the process is held to: "asked", "required" or "none", and what is added to what the
	 * plugin asks for; confine NULL: "asked". */
	const char *confine;
	char *const *reach;
	size_t reach_count;

	instance_line_fn on_line;
	instance_exit_fn on_exit;
	void *arg;
};

/* Start it. OK means that it runs, not that it serves: it registers when it is ready. After a
 * failure there are no callbacks. */
LYC_MUST_USE enum lyc_status instance_start(uv_loop_t *loop, const struct instance_options *options,
					    struct instance **ret_instance,
					    struct lyc_error *error);
/* Ask it to stop. A process that has not ended after grace_ms is killed, and what it forked with
 * it. A thread cannot be: after grace_ms it is reported as hung, and left alone. A second call can
 * only shorten the grace. */
void instance_stop(struct instance *instance, uint32_t grace_ms);
/* In on_exit: it refused to start, so starting it again unchanged is no use. */
bool instance_was_refused(const struct instance *instance);
/* In on_exit: it did not stop, and its thread was left behind. */
bool instance_was_given_up(const struct instance *instance);
/* The process, 0 for a thread: for the daemon's status. */
int instance_pid(const struct instance *instance);

#endif
