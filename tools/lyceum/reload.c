/* `lyceum reload` and `lyceum plugin restart`: changes to a daemon that goes on running. */
#include "commands.h"

#include <stdio.h>

#include "contract.h"
#include "lyceum/v1/node.pb-c.h"
#include "outcome.h"
#include "plugin_verbs.h"

/* Plugins are loaded, and calls finish: more than a call has by itself. */
#define PATIENCE_MS 90000u

/* The reply has one repeated string: a line each; `none` where it is empty. */
static int run(struct session *session, const char *method, const ProtobufCMessage *request,
	       const ProtobufCMessageDescriptor *reply_type, const char *format, const char *none)
{
	struct lyc_error error = {0};
	struct buf json = {0};
	ProtobufCMessage *reply = NULL;
	int code = OUTCOME_OK;
	if (session->options.timeout_ms == 0)
		session->options.timeout_ms = PATIENCE_MS;
	if (contract_call(session, method, request, reply_type, &reply, &json, &error) != LYC_OK) {
		code = session_fail(session, &error);
	} else if (session->output.is_json) {
		puts(buf_text(&json));
	} else {
		const ProtobufCFieldDescriptor *field = &reply_type->fields[0];
		size_t count = *(size_t *)(void *)((char *)reply + field->quantifier_offset);
		char **lines = *(char ***)(void *)((char *)reply + field->offset);
		for (size_t i = 0; i < count; i++)
			printf(format, lines[i]);
		if (count == 0)
			puts(none);
	}
	if (reply)
		protobuf_c_message_free_unpacked(reply, NULL);
	buf_fini(&json);
	return code;
}

int reload_run(struct session *session, const struct command *command, int argc, char **argv)
{
	Lyceum__V1__ReloadRequest request = LYCEUM__V1__RELOAD_REQUEST__INIT;
	bool is_check = false;
	const struct option options[] = {
		{"check", OPTION_FLAG, &is_check, NULL, "only look at the file; change nothing"},
		{0},
	};
	int code = command_read(session, command, options, 0, 0, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	request.check = is_check;
	return run(session, "lyceum.v1.Node/Reload", &request.base,
		   &lyceum__v1__reload_reply__descriptor, "%s\n",
		   is_check ? "The configuration could be taken."
			    : "The configuration is as it was.");
}

int plugin_restart_run(struct session *session, const struct command *command, int argc,
		       char **argv)
{
	Lyceum__V1__RestartPluginRequest request = LYCEUM__V1__RESTART_PLUGIN_REQUEST__INIT;
	int code = command_read(session, command, NULL, 1, 1, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	request.name = argv[0];
	return run(session, "lyceum.v1.Node/RestartPlugin", &request.base,
		   &lyceum__v1__restart_plugin_reply__descriptor,
		   "%s: a new instance has taken over.\n", "");
}
