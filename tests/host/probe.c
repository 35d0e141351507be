/*
 * A plugin for the runner's tests: what it does is the text that it is asked to say. It follows the
 * notes, counts them, and can be configured with one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <lyceum/plugin.h>

#include "echo_schema.h"
#include "lyceum/echo/v1/echo.pb-c.h"
#include "lyceum/v1/label.pb-c.h"

typedef Lyceum__Echo__V1__SayReply_Closure say_closure;

struct probe {
	const struct lyc_plugin_context *context;
	unsigned record_count;
	/* Those that came while the log was being read. */
	unsigned early_count;
	/* Kept until the next call: tests of what comes too late. */
	struct lyc_call *kept;
	say_closure kept_closure;
	unsigned tick_count;
	/* How often the descriptor stirred, and another one, which is full from the beginning. */
	unsigned stir_count;
	unsigned rest_count;
	int pipe[2];
	/* How far the count has come, and how the last one ended. */
	uint32_t count_next;
	uint32_t count_to;
	enum lyc_status count_status;
	unsigned count_turns;
	/* How the last append ended. */
	enum lyc_status append_status;
};

static void reply(struct lyc_call *call, say_closure closure, const char *text)
{
	Lyceum__Echo__V1__SayReply message = LYCEUM__ECHO__V1__SAY_REPLY__INIT;
	message.text = (char *)text;
	closure(&message, call);
}

static void say_view(struct lyc_call *call, say_closure closure, struct probe *probe)
{
	char text[32];
	snprintf(text, sizeof(text), "%u", probe->record_count);
	reply(call, closure, text);
}

static void say_early(struct lyc_call *call, say_closure closure, struct probe *probe)
{
	char text[32];
	snprintf(text, sizeof(text), "%u%s", probe->early_count,
		 lyc_is_caught_up(probe->context) ? "" : " and still reading");
	reply(call, closure, text);
}

static void say_config(struct lyc_call *call, say_closure closure)
{
	const Lyceum__Echo__V1__Note *note =
		(const Lyceum__Echo__V1__Note *)(const void *)lyc_config(
			lyc_call_context(call), &lyceum__echo__v1__note__descriptor);
	reply(call, closure, note ? note->text : "none");
}

static void say_may_see(struct lyc_call *call, say_closure closure)
{
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	char *audience[] = {(char *)"nordic", (char *)"wales/policy"};
	char text[8] = "";
	label.home = (char *)"alps";
	label.visibility = LYCEUM__V1__VISIBILITY__MEMBERS;
	strcat(text, lyc_call_may_see(call, &label) ? "1" : "0");
	label.visibility = LYCEUM__V1__VISIBILITY__PRIVATE;
	strcat(text, lyc_call_may_see(call, &label) ? "1" : "0");
	label.visibility = LYCEUM__V1__VISIBILITY__AUDIENCE;
	label.audience = audience;
	label.n_audience = 1;
	strcat(text, lyc_call_may_see(call, &label) ? "1" : "0");
	label.n_audience = 2;
	strcat(text, lyc_call_may_see(call, &label) ? "1" : "0");
	strcat(text, lyc_call_may_see(call, NULL) ? "1" : "0");
	reply(call, closure, text);
}

static void crash(void *state, void *arg)
{
	(void)state;
	(void)arg;
	abort();
}

static void tick(void *state, void *arg)
{
	struct probe *probe = state;
	if (++probe->tick_count == 3)
		reply(arg, probe->kept_closure, "three ticks");
}

static void on_rest(void *state, int fd, int events, void *arg)
{
	struct probe *probe = state;
	char byte;
	/* One of three each time, so it is readable thrice; and writable it is not asked for. */
	if (events == LYC_READABLE && arg == probe && read(fd, &byte, 1) == 1)
		probe->rest_count++;
}

static void on_stir(void *state, int fd, int events, void *arg)
{
	struct probe *probe = state;
	uint64_t count;
	char text[64];
	if (events != LYC_READABLE || read(fd, &count, sizeof(count)) != sizeof(count))
		abort();
	if (++probe->stir_count < 6)
		return;
	struct lyc_plugin_context *context = lyc_call_context(arg);
	snprintf(text, sizeof(text), "%u stirs, %u of the rest", probe->stir_count,
		 probe->rest_count);
	if (lyc_watch(context, fd, 0, NULL, NULL) != LYC_OK ||
	    lyc_watch(context, probe->pipe[0], 0, NULL, NULL) != LYC_OK)
		abort();
	close(fd);
	close(probe->pipe[0]);
	close(probe->pipe[1]);
	reply(arg, probe->kept_closure, text);
}

/* Nothing but the descriptors wakes the plugin: without them it sleeps a second. */
static void watch(struct lyc_call *call, say_closure closure, struct probe *probe)
{
	const struct itimerspec every = {.it_value = {.tv_nsec = 5000000},
					 .it_interval = {.tv_nsec = 5000000}};
	struct lyc_plugin_context *context = lyc_call_context(call);
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0 || timerfd_settime(fd, 0, &every, NULL) != 0 || pipe(probe->pipe) != 0 ||
	    write(probe->pipe[1], "abc", 3) != 3)
		abort();
	probe->kept_closure = closure;
	probe->stir_count = 0;
	probe->rest_count = 0;
	lyc_call_defer(call);
	/* What is watched twice counts once, as last said. */
	if (lyc_watch(context, probe->pipe[0], LYC_READABLE, on_stir, call) != LYC_OK ||
	    lyc_watch(context, probe->pipe[0], LYC_READABLE, on_rest, probe) != LYC_OK ||
	    lyc_watch(context, fd, LYC_READABLE, on_stir, call) != LYC_OK ||
	    lyc_watch(context, -1, LYC_READABLE, on_stir, call) != LYC_INVALID_ARGUMENT ||
	    lyc_watch(context, fd, 4, on_stir, call) != LYC_INVALID_ARGUMENT)
		abort();
}

static void use_kept(struct lyc_call *call, say_closure closure, struct probe *probe)
{
	char text[32];
	snprintf(text, sizeof(text), "%d %u", lyc_call_is_cancelled(probe->kept),
		 lyc_call_time_left_ms(probe->kept));
	reply(probe->kept, probe->kept_closure, "too late");
	reply(call, closure, text);
}

static void appended(const struct lyc_ack *ack, void *arg)
{
	struct lyc_call *call = arg;
	struct probe *probe = lyc_call_state(call);
	probe->append_status = ack->status;
	if (ack->status == LYC_OK)
		reply(call, probe->kept_closure, "appended");
	else
		lyc_call_fail_append(call, &lyceum__echo__v1__note__descriptor, ack);
}

/* Appends or withdraws a note, and keeps the call until that is done. */
static void use_log(struct lyc_call *call, say_closure closure, struct probe *probe, bool remove)
{
	Lyceum__Echo__V1__Note note = LYCEUM__ECHO__V1__NOTE__INIT;
	struct lyc_plugin_context *context = lyc_call_context(call);
	note.text = (char *)"x";
	probe->kept_closure = closure;
	lyc_call_defer(call);
	enum lyc_status status = remove ? lyc_withdraw(context, &note.base, NULL, appended, call)
					: lyc_append(context, &note.base, NULL, appended, call);
	if (status != LYC_OK)
		lyc_call_fail(call, status, "at once");
}

static void on_message(const struct lyc_delivery *delivery, void *arg)
{
	(void)delivery;
	(void)arg;
}

/* What the descriptor does not list. */
static void say_beyond(struct lyc_call *call, say_closure closure, const char *what)
{
	Lyceum__Echo__V1__SayReply message = LYCEUM__ECHO__V1__SAY_REPLY__INIT;
	struct lyc_plugin_context *context = lyc_call_context(call);
	struct lyc_client *client = lyc_context_client(context);
	struct lyc_error error = {0};
	uint64_t id;
	if (strcmp(what, "append beyond") == 0)
		error.status =
			lyc_append(context, (ProtobufCMessage *)&message, NULL, appended, call);
	else if (strcmp(what, "withdraw beyond") == 0)
		error.status =
			lyc_withdraw(context, (ProtobufCMessage *)&message, NULL, appended, call);
	else if (strcmp(what, "publish beyond") == 0)
		(void)!lyc_client_publish(client, "lyceum.echo.v1.Note.a", "\n\1x", 3, NULL, NULL,
					  &error);
	else
		(void)!lyc_client_subscribe(client, "lyceum.>", NULL, on_message, NULL, &id,
					    &error);
	reply(call, closure, lyc_status_name(error.status));
}

/* ---- What a plugin should not do ---- */

static void hang(void)
{
	for (;;)
		pause();
}

/* Takes memory until there is none, and uses it. Says how much it got. */
static void eat(struct lyc_plugin_context *context)
{
	const size_t piece = 1024 * 1024;
	size_t count = 0;
	for (char *got = malloc(piece); got && count < 4096; got = malloc(piece)) {
		memset(got, 1, piece);
		count++;
	}
	lyc_log(context, 3, "got %zu MiB", count);
	abort();
}

static void flood_stderr(struct lyc_plugin_context *context)
{
	for (unsigned i = 0; i < 20000; i++)
		lyc_log(context, 3, "line %u of a flood", i);
}

static void say_number(struct lyc_call *call, say_closure closure, long number)
{
	char text[32];
	snprintf(text, sizeof(text), "%ld", number);
	reply(call, closure, text);
}

static void use_up_files(struct lyc_call *call, say_closure closure)
{
	static int files[100000];
	int count = 0;
	while (count < 100000 && (files[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		count++;
	for (int i = 0; i < count; i++)
		close(files[i]);
	say_number(call, closure, count);
}

/* Children that outlive it, if they may. Says the last one's number. */
static void fork_some(struct lyc_call *call, say_closure closure)
{
	long last = -1;
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		if (pid == 0)
			hang();
		last = pid;
	}
	say_number(call, closure, last);
}

static void reply_largely(struct lyc_call *call, say_closure closure)
{
	char *text = malloc(1200001);
	if (!text)
		abort();
	memset(text, 'x', 1200000);
	text[1200000] = '\0';
	reply(call, closure, text);
	free(text);
}

/* False when it is none of these. */
static bool misbehave(const char *what, struct lyc_call *call, say_closure closure)
{
	if (strcmp(what, "hang") == 0)
		hang();
	else if (strcmp(what, "crash") == 0)
		abort();
	else if (strcmp(what, "exit") == 0)
		_exit(7);
	else if (strcmp(what, "eat") == 0)
		eat(lyc_call_context(call));
	else if (strcmp(what, "flood") == 0)
		flood_stderr(lyc_call_context(call));
	else if (strcmp(what, "files") == 0)
		use_up_files(call, closure);
	else if (strcmp(what, "fork") == 0)
		fork_some(call, closure);
	else if (strcmp(what, "not text") == 0)
		reply(call, closure, "\xff\xfe");
	else if (strcmp(what, "large") == 0)
		reply_largely(call, closure);
	else if (strcmp(what, "sleep") == 0)
		usleep(400000);
	else if (strcmp(what, "pid") == 0)
		say_number(call, closure, getpid());
	else
		return false;
	if (strcmp(what, "flood") == 0 || strcmp(what, "sleep") == 0)
		reply(call, closure, "done");
	return true;
}

static void count_on(struct lyc_call *call, void *arg)
{
	struct probe *probe = arg;
	Lyceum__Echo__V1__CountReply message = LYCEUM__ECHO__V1__COUNT_REPLY__INIT;
	enum lyc_status status = LYC_OK;
	probe->count_turns++;
	for (; probe->count_next < probe->count_to; probe->count_next++) {
		message.number = probe->count_next;
		status = lyc_call_send(call, &message.base);
		if (status == LYC_RESOURCE_EXHAUSTED) {
			lyc_call_on_writable(call, count_on, probe);
			return;
		}
		if (status != LYC_OK)
			break;
	}
	probe->count_status = status;
	if (status != LYC_OK) {
		lyc_call_end(call);
		return;
	}
	message.number = probe->count_to;
	lyc_call_send(call, &message.base);
	lyc_call_end(call);
}

/* A method that works on, and looks now and then whether anybody still waits. */
static void wait_until_cancelled(struct lyc_call *call, struct probe *probe)
{
	while (!lyc_call_is_cancelled(call))
		(void)lyc_client_run(lyc_context_client(lyc_call_context(call)), 1000);
	probe->count_status = LYC_CANCELLED;
	lyc_call_fail(call, LYC_ABORTED, "This nobody hears.");
}

static void probe_say(Lyceum__Echo__V1__Echo_Service *service,
		      const Lyceum__Echo__V1__SayRequest *request, say_closure closure,
		      void *closure_data)
{
	(void)service;
	struct lyc_call *call = closure_data;
	struct probe *probe = lyc_call_state(call);
	const char *what = request->text;
	if (strcmp(what, "nothing") == 0) {
		return;
	} else if (strcmp(what, "twice") == 0) {
		reply(call, closure, "once");
		reply(call, closure, "twice");
	} else if (strcmp(what, "fail") == 0) {
		lyc_call_fail_field(call, LYC_NOT_FOUND, "text", "There is no \"%s\".", what);
	} else if (strcmp(what, "keep") == 0 || strcmp(what, "ticks") == 0) {
		probe->kept = call;
		probe->kept_closure = closure;
		lyc_call_defer(call);
		if (what[0] == 't' && lyc_timer(lyc_call_context(call), 1, 1, tick, call) != LYC_OK)
			abort();
	} else if (strcmp(what, "watch") == 0) {
		watch(call, closure, probe);
	} else if (strcmp(what, "use kept") == 0) {
		use_kept(call, closure, probe);
	} else if (strcmp(what, "view") == 0) {
		say_view(call, closure, probe);
	} else if (strcmp(what, "early") == 0) {
		say_early(call, closure, probe);
	} else if (strcmp(what, "until cancelled") == 0) {
		wait_until_cancelled(call, probe);
	} else if (strcmp(what, "count") == 0) {
		char text[60];
		snprintf(text, sizeof(text), "%s at %u after %u",
			 lyc_status_name(probe->count_status), probe->count_next,
			 probe->count_turns);
		reply(call, closure, text);
	} else if (strcmp(what, "position") == 0) {
		lyc_call_set_position(call, 4711);
		reply(call, closure, "set");
	} else if (strcmp(what, "config") == 0) {
		say_config(call, closure);
	} else if (strcmp(what, "may see") == 0) {
		say_may_see(call, closure);
	} else if (strcmp(what, "metrics") == 0) {
		struct lyc_plugin_context *context = lyc_call_context(call);
		bool is_right =
			lyc_metric(context, "said_total", "1", "texts said", 1) == LYC_OK &&
			lyc_metric(context, "said_total", "1", "texts said", 2.5) == LYC_OK &&
			lyc_metric(context, "Said", "1", "", 1) == LYC_INVALID_ARGUMENT &&
			lyc_metric(context, "", "1", "", 1) == LYC_INVALID_ARGUMENT;
		reply(call, closure, is_right ? "kept" : "wrong");
	} else if (strcmp(what, "is it the operator") == 0) {
		reply(call, closure, lyc_call_is_operator(call) ? "yes" : "no");
	} else if (strcmp(what, "trace") == 0) {
		reply(call, closure, lyc_call_trace(call));
	} else if (strcmp(what, "who") == 0) {
		reply(call, closure, lyc_call_principal(call));
	} else if (strcmp(what, "send") == 0) {
		Lyceum__Echo__V1__SayReply message = LYCEUM__ECHO__V1__SAY_REPLY__INIT;
		reply(call, closure,
		      lyc_status_name(lyc_call_send(call, (ProtobufCMessage *)&message)));
	} else if (strcmp(what, "append") == 0 || strcmp(what, "withdraw") == 0) {
		use_log(call, closure, probe, what[0] == 'w');
	} else if (strcmp(what, "last append") == 0) {
		reply(call, closure, lyc_status_name(probe->append_status));
	} else if (strstr(what, " beyond")) {
		say_beyond(call, closure, what);
	} else if (!misbehave(what, call, closure)) {
		reply(call, closure, what);
	}
}

static void probe_count(Lyceum__Echo__V1__Echo_Service *service,
			const Lyceum__Echo__V1__CountRequest *request,
			Lyceum__Echo__V1__CountReply_Closure closure, void *closure_data)
{
	(void)service;
	(void)closure;
	struct probe *probe = lyc_call_state(closure_data);
	probe->count_next = 1;
	probe->count_to = request->to;
	probe->count_turns = 0;
	count_on(closure_data, probe);
}

static Lyceum__Echo__V1__Echo_Service echo = LYCEUM__ECHO__V1__ECHO__INIT(probe_);
static ProtobufCService *const services[] = {&echo.base, NULL};

static void on_record(void *state, const struct lyc_delivery *record)
{
	struct probe *probe = state;
	if (!record->removed)
		probe->record_count++;
	probe->early_count += !lyc_is_caught_up(probe->context);
}

/* Notes by their bare type, which has no keys. */
static const char *const publishes[] = {"lyceum.echo.v1.Note", NULL};
static const char *const reads[] = {"lyceum.echo.v1.Note.>", NULL};

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	struct probe *probe = calloc(1, sizeof(*probe));
	if (!probe)
		return LYC_RESOURCE_EXHAUSTED;
	lyc_log(context, 4, "starting at %s\nin one line", lyc_node_name(context));
	probe->context = context;
	*ret_state = probe;
	const Lyceum__Echo__V1__Note *config =
		(const Lyceum__Echo__V1__Note *)(const void *)lyc_config(
			context, &lyceum__echo__v1__note__descriptor);
	if (config && strcmp(config->text, "crash at start") == 0)
		abort();
	if (config && strcmp(config->text, "exit at start") == 0)
		_exit(7);
	if (config && strcmp(config->text, "hang at start") == 0)
		hang();
	if (config && strcmp(config->text, "crash when idle") == 0 &&
	    lyc_timer(context, 50, 0, crash, NULL) != LYC_OK)
		abort();
	return lyc_follow(context, "lyceum.echo.v1.Note.>", 1, on_record, error);
}

static void stop(void *state)
{
	free(state);
}

LYC_PLUGIN = {
	.abi = LYC_PLUGIN_ABI,
	/* As plugins were built before there was more: what stands behind is not looked at. */
	.size = offsetof(struct lyc_plugin, speaks_for_people),
	.name = "probe",
	.version = "0",
	.config_type = "lyceum.echo.v1.Note",
	.services = services,
	.schema = echo_schema,
	.schema_len = sizeof(echo_schema),
	.publishes = publishes,
	.reads = reads,
	.start = start,
	.stop = stop,
	.speaks_for_people = true,
};
