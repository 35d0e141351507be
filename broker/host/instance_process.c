/*
 * An instance in a process of its own. Its end of the channel is descriptor 3; what it says comes
 * line by line from its stderr. Its end is told when the process has ended; what lies in the pipe
 * by then is read first, and a child of its own that holds stderr open is not waited for.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "client/exit_code.h"
#include "client/reach.h"
#include "host/instance_kind.h"

#define MAX_LINE 1024
#define MAX_ARGS (20 + 2 * REACH_MAX_COUNT)
#define MAX_LAST_READS 64
/* What is read of an instance in one second: who writes more waits. */
#define MAX_BYTES_A_SECOND (1024u * 1024)

struct process {
	struct instance base;
	uv_process_t process;
	uv_pipe_t out;
	bool has_exited;
	bool was_killed;
	bool has_spoken;
	char room[4096];
	char line[MAX_LINE + 1];
	size_t line_len;
	/* Reading rests when a second's bytes have been read. */
	uv_timer_t rest;
	uint64_t second;
	size_t byte_count;
};

static struct process *process_of(struct instance *instance)
{
	return (struct process *)(void *)instance;
}

/* ---- Lines ---- */

static void end_line(struct process *process)
{
	char *line = process->line;
	line[process->line_len] = '\0';
	bool has_level = line[0] >= '1' && line[0] <= '5' && line[1] == ' ';
	/* Only what came first was said by lyceum-plugin itself. */
	if (!process->has_spoken && line[0] == PLUGIN_CONFINEMENT_MARK && line[1] == ' ') {
		instance_say(&process->base, INSTANCE_CONFINED, line + 2);
		process->line_len = 0;
	}
	process->has_spoken = true;
	/* What is not from lyc_log is from a library that complains. */
	if (process->line_len > 0)
		instance_say(&process->base, has_level ? line[0] - '0' : 2,
			     has_level ? line + 2 : line);
	process->line_len = 0;
}

static void close_all(struct process *process)
{
	struct instance *base = &process->base;
	instance_close((uv_handle_t *)&process->process);
	instance_close((uv_handle_t *)&process->out);
	instance_close((uv_handle_t *)&process->rest);
	instance_close_base(base);
}

static void give_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	(void)size;
	struct process *process = handle->data;
	*buf = uv_buf_init(process->room, sizeof(process->room));
}

static void read_on(uv_timer_t *timer);

static void rest_if_due(struct process *process, size_t len)
{
	uint64_t now = uv_now(process->rest.loop);
	if (now / 1000 != process->second) {
		process->second = now / 1000;
		process->byte_count = 0;
	}
	process->byte_count += len;
	if (process->byte_count < MAX_BYTES_A_SECOND || uv_is_closing((uv_handle_t *)&process->out))
		return;
	uv_read_stop((uv_stream_t *)&process->out);
	uv_timer_start(&process->rest, read_on, 1000 - now % 1000, 0);
}

static void read_lines(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct process *process = stream->data;
	if (len > 0)
		rest_if_due(process, (size_t)len);
	for (ssize_t i = 0; i < len; i++) {
		if (buf->base[i] == '\n' || process->line_len == MAX_LINE)
			end_line(process);
		if (buf->base[i] != '\n')
			process->line[process->line_len++] = buf->base[i];
	}
	if (len >= 0)
		return;
	end_line(process);
	uv_read_stop(stream);
	instance_close((uv_handle_t *)&process->out);
}

static void read_on(uv_timer_t *timer)
{
	struct process *process = timer->data;
	if (!uv_is_closing((uv_handle_t *)&process->out))
		uv_read_start((uv_stream_t *)&process->out, give_room, read_lines);
}

/* ---- The end ---- */

static void describe_end(struct process *process, int64_t code, int signal_number)
{
	struct instance *base = &process->base;
	const char *last = base->last_error;
	if (process->was_killed)
		instance_end(base, false, "it did not stop within %u ms and was killed",
			     base->grace_ms);
	else if (signal_number == SIGTERM && base->is_stopping)
		instance_end(base, true, "it was stopped");
	else if (signal_number != 0)
		instance_end(base, false, "it was ended by signal %d (%s)%s%s", signal_number,
			     strsignal(signal_number),
			     strcmp(last, PLUGIN_MEMORY_LINE) == 0 ? ": " : "",
			     strcmp(last, PLUGIN_MEMORY_LINE) == 0 ? last : "");
	else if (code == PLUGIN_EXIT_STOPPED)
		instance_end(base, true, "it has stopped");
	else if (last[0] && (code == PLUGIN_EXIT_REFUSED || code == PLUGIN_EXIT_LOST))
		instance_end(base, false, "%s", last);
	else
		instance_end(base, false, "it ended with exit status %d", (int)code);
}

static void has_exited(uv_process_t *handle, int64_t code, int signal_number)
{
	struct process *process = handle->data;
	process->has_exited = true;
	/* What it forked goes with it: its group outlives it for as long as there are any. */
	kill(-process->base.pid, SIGKILL);
	process->base.is_refused =
		signal_number == 0 && (code == PLUGIN_EXIT_REFUSED || code == PLUGIN_EXIT_USAGE);
	/* Whatever is in the pipe by now was written before: at most what a pipe holds. */
	if (!uv_is_closing((uv_handle_t *)&process->out)) {
		ssize_t len;
		uv_os_fd_t fd;
		if (uv_fileno((uv_handle_t *)&process->out, &fd) == 0) {
			for (int i = 0; i < MAX_LAST_READS; i++) {
				len = read(fd, process->room, sizeof(process->room));
				if (len <= 0)
					break;
				uv_buf_t buf = uv_buf_init(process->room, (unsigned)len);
				read_lines((uv_stream_t *)&process->out, len, &buf);
			}
		}
		end_line(process);
	}
	describe_end(process, code, signal_number);
	close_all(process);
}

static void ask(struct instance *instance)
{
	uv_process_kill(&process_of(instance)->process, SIGTERM);
}

static void give_up(struct instance *instance)
{
	struct process *process = process_of(instance);
	if (process->has_exited)
		return;
	process->was_killed = true;
	kill(-instance->pid, SIGKILL);
}

static void process_free(struct instance *instance)
{
	free(process_of(instance));
}

/* ---- The start ---- */

static int spawn(uv_loop_t *loop, struct process *process, const struct instance_options *options)
{
	char *args[MAX_ARGS];
	size_t count = 0;
	char memory[24];
	snprintf(memory, sizeof(memory), "%llu", (unsigned long long)options->memory_limit);
	const char *const pairs[][2] = {
		{"--so", options->path},
		{"--name", options->name},
		{"--data", options->data_folder},
		{"--config", options->config_file},
		{"--memory", options->memory_limit > 0 ? memory : NULL},
		{"--confine", options->confine},
	};
	args[count++] = (char *)options->runner;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (!pairs[i][1])
			continue;
		args[count++] = (char *)pairs[i][0];
		args[count++] = (char *)pairs[i][1];
	}
	for (size_t i = 0; i < options->reach_count && i < REACH_MAX_COUNT; i++) {
		args[count++] = (char *)"--reach";
		args[count++] = options->reach[i];
	}
	args[count] = NULL;
	uv_stdio_container_t stdio[4] = {
		{.flags = UV_IGNORE},
		{.flags = UV_IGNORE},
		{.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
		 .data.stream = (uv_stream_t *)&process->out},
		{.flags = UV_INHERIT_FD, .data.fd = options->channel_fd},
	};
	uv_process_options_t how = {
		.exit_cb = has_exited,
		/* A session of its own: its children can be ended with it. */
		.flags = UV_PROCESS_DETACHED,
		.file = options->runner,
		.args = args,
		.stdio_count = 4,
		.stdio = stdio,
	};
	return uv_spawn(loop, &process->process, &how);
}

static const struct instance_kind kind = {.ask = ask, .give_up = give_up, .free = process_free};

enum lyc_status instance_start_process(uv_loop_t *loop, const struct instance_options *options,
				       struct instance **ret_instance, struct lyc_error *error)
{
	struct process *process = mem_new(struct process);
	struct instance *base = &process->base;
	instance_init(base, loop, &kind, options->arg);
	uv_timer_init(loop, &process->rest);
	uv_pipe_init(loop, &process->out, 0);
	instance_handle(base, (uv_handle_t *)&process->rest);
	instance_handle(base, (uv_handle_t *)&process->out);
	int rc = spawn(loop, process, options);
	close(options->channel_fd);
	/* Also after a failure libuv wants it closed. */
	instance_handle(base, (uv_handle_t *)&process->process);
	if (rc != 0) {
		close_all(process);
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "The plugin \"%s\" cannot be started with %s: %s.", options->name,
				 options->runner, uv_strerror(rc));
	}
	base->on_line = options->on_line;
	base->on_exit = options->on_exit;
	base->pid = uv_process_get_pid(&process->process);
	uv_read_start((uv_stream_t *)&process->out, give_room, read_lines);
	*ret_instance = base;
	return LYC_OK;
}
