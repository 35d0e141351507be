/*
 * `lyceum plugin inspect NAME|FILE`: what a plugin's file says of itself, and, for one that the
 * daemon runs, what its process can reach and what holds it to that. The file is read by
 * lyceum-plugin, in a process that reaches nothing.
 */
#include "plugin_verbs.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "client/sibling.h"
#include "contract.h"
#include "io/program.h"
#include "lyceum/v1/node.pb-c.h"
#include "outcome.h"

#define MAX_ANSWER (4u << 20)
#define PATIENCE_MS 15000

/* What lyceum-plugin --inspect prints; nothing of the file is run here. */
static enum lyc_status ask_runner(const char *file, struct buf *to, struct lyc_error *error)
{
	char runner[PATH_MAX + 64];
	int code = 0;
	sibling_find("lyceum-plugin", runner, sizeof(runner));
	char *words[] = {runner, (char *)(uintptr_t) "--inspect", (char *)(uintptr_t) "--so",
			 (char *)(uintptr_t)file, NULL};
	const struct program program = {.path = runner,
					.words = words,
					.fd = STDOUT_FILENO,
					.max_len = MAX_ANSWER,
					.timeout_ms = PATIENCE_MS};
	enum lyc_status status = program_run(&program, to, &code, error);
	if (status == LYC_OK && code != 0)
		status = error_set(error, LYC_FAILED_PRECONDITION, "%s cannot be inspected", file);
	return status;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* A plugin's author chose these characters, and they go to a terminal. */
static void add_safe(struct buf *to, const char *text)
{
	for (; *text; text++)
		buf_add_byte(to, (uint8_t)*text < ' ' || *text == 127 ? '?' : (uint8_t)*text);
}

static void add_row(struct buf *to, const char *name, const char *text)
{
	buf_add_format(to, "  %-12s ", name);
	add_safe(to, text);
	buf_add_byte(to, '\n');
}

static void add_list(struct buf *to, const char *name, const json_t *list, const char *none)
{
	size_t i;
	json_t *item;
	if (json_array_size(list) == 0)
		add_row(to, name, none);
	json_array_foreach((json_t *)list, i, item)
	{
		add_row(to, i == 0 ? name : "",
			json_string_value(item) ? json_string_value(item) : "");
	}
}

static void write_file(const json_t *about, const char *file, struct buf *to)
{
	add_safe(to, text_of(about, "name"));
	buf_add_byte(to, ' ');
	add_safe(to, text_of(about, "version"));
	buf_add_byte(to, '\n');
	add_row(to, "file", file);
	add_list(to, "methods", json_object_get(about, "method"), "none");
	add_list(to, "appends", json_object_get(about, "publishes"), "nothing");
	add_list(to, "follows", json_object_get(about, "reads"), "nothing");
	add_row(to, "configured",
		text_of(about, "config_type")[0] ? text_of(about, "config_type") : "not at all");
	if (json_is_true(json_object_get(about, "speaks_for_people")))
		add_row(to, "speaks for",
			"people: it may name any person of its node as the caller");
	add_list(to, "asks for", json_object_get(about, "reach"), "nothing beyond its own folder");
}

static void write_running(const Lyceum__V1__Plugin *plugin, struct buf *to)
{
	buf_add_format(to, "%s, %s", plugin->name, plugin->in_thread ? "a thread" : "a process");
	if (plugin->pid > 0)
		buf_add_format(to, " (%" PRId64 ")", plugin->pid);
	buf_add_byte(to, '\n');
	add_row(to, "confinement",
		plugin->confinement[0] ? plugin->confinement : "nothing is known: it does not run");
}

/* "experts" is experts and experts.2. */
static bool is_instance_of(const char *identity, const char *name)
{
	size_t len = strlen(name);
	return strncmp(identity, name, len) == 0 && (identity[len] == '\0' || identity[len] == '.');
}

static enum lyc_status find_running(struct session *session, const char *name,
				    Lyceum__V1__StatusReply **ret_reply, const char **ret_file,
				    struct lyc_error *error)
{
	Lyceum__V1__StatusRequest request = LYCEUM__V1__STATUS_REQUEST__INIT;
	struct buf json = {0};
	ProtobufCMessage *reply = NULL;
	enum lyc_status status =
		contract_call(session, "lyceum.v1.Node/Status", &request.base,
			      &lyceum__v1__status_reply__descriptor, &reply, &json, error);
	buf_fini(&json);
	if (status != LYC_OK)
		return status;
	*ret_reply = (Lyceum__V1__StatusReply *)reply;
	for (size_t i = 0; i < (*ret_reply)->n_plugin && !*ret_file; i++) {
		if (is_instance_of((*ret_reply)->plugin[i]->name, name))
			*ret_file = (*ret_reply)->plugin[i]->path;
	}
	if (!*ret_file)
		return error_set(error, LYC_NOT_FOUND,
				 "this daemon has no plugin '%s'; a file is named with its folder: "
				 "./%s.so",
				 name, name);
	if (!**ret_file)
		return error_set(error, LYC_PERMISSION_DENIED,
				 "where its plugins lie is told to the operator of a daemon only");
	return LYC_OK;
}

static void print_text(const json_t *about, const char *file, const char *name,
		       const Lyceum__V1__StatusReply *reply)
{
	struct buf text = {0};
	write_file(about, file, &text);
	for (size_t i = 0; reply && i < reply->n_plugin; i++) {
		if (is_instance_of(reply->plugin[i]->name, name))
			write_running(reply->plugin[i], &text);
	}
	fwrite(text.data, 1, text.len, stdout);
	buf_fini(&text);
}

static void print_json(json_t *about, const char *file, const char *name,
		       const Lyceum__V1__StatusReply *reply)
{
	json_t *running = json_array();
	for (size_t i = 0; reply && i < reply->n_plugin; i++) {
		const Lyceum__V1__Plugin *plugin = reply->plugin[i];
		if (is_instance_of(plugin->name, name))
			json_array_append_new(running,
					      json_pack("{s:s,s:b,s:I,s:s}", "name", plugin->name,
							"inThread", plugin->in_thread, "pid",
							(json_int_t)plugin->pid, "confinement",
							plugin->confinement));
	}
	json_object_set_new(about, "file", json_string(file));
	json_object_set_new(about, "running", running);
	char *text = json_dumps(about, JSON_COMPACT);
	if (text)
		puts(text);
	free(text);
}

int plugin_inspect_run(struct session *session, const struct command *command, int argc,
		       char **argv)
{
	Lyceum__V1__StatusReply *reply = NULL;
	struct lyc_error error = {0};
	struct buf answer = {0};
	json_t *about = NULL;
	const char *file = NULL;
	int code = command_read(session, command, NULL, 1, 1, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (strchr(argv[0], '/'))
		file = argv[0];
	enum lyc_status status =
		file ? LYC_OK : find_running(session, argv[0], &reply, &file, &error);
	if (status == LYC_OK)
		status = ask_runner(file, &answer, &error);
	if (status == LYC_OK) {
		about = json_loadb((const char *)answer.data, answer.len, 0, NULL);
		if (!about)
			status = error_set(&error, LYC_INTERNAL, "%s says nothing of itself", file);
		else if (text_of(about, "refusal")[0])
			status = error_set(&error, LYC_FAILED_PRECONDITION, "%.240s",
					   text_of(about, "refusal"));
	}
	code = OUTCOME_OK;
	if (status != LYC_OK)
		code = session_fail(session, &error);
	else if (session->output.is_json)
		print_json(about, file, argv[0], reply);
	else
		print_text(about, file, argv[0], reply);
	json_decref(about);
	buf_fini(&answer);
	if (reply)
		lyceum__v1__status_reply__free_unpacked(reply, NULL);
	return code;
}
