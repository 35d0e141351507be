/* `lyceum call`: any method by name, JSON in, JSON out; a stream prints one line a reply. */
#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "input.h"
#include "outcome.h"
#include "render.h"
#include "resolve.h"

struct printer {
	const struct session *session;
	const struct schema_message *message;
	enum lyc_status status;
	struct lyc_error *error;
};

static void print_reply(const struct lyc_reply *reply, void *arg)
{
	struct printer *printer = arg;
	if (printer->status == LYC_OK)
		printer->status =
			render_json(printer->session, printer->message,
				    span_of(reply->body, reply->body_len), false, printer->error);
	fflush(stdout);
}

static enum lyc_status call(struct session *session, const struct schema_method *method,
			    struct span body, struct lyc_error *error)
{
	enum lyc_status status;
	if (method->is_server_streaming) {
		struct printer printer = {
			.session = session, .message = method->output, .error = error};
		status = session_stream(session, method->full_name, body, print_reply, &printer,
					error);
		return status == LYC_OK ? printer.status : status;
	}
	struct session_reply reply = {0};
	bool is_json = session->output.is_json;
	status = session_call(session, method->full_name, body, &reply, error);
	session->output.is_json = true;
	if (status == LYC_OK)
		status = render_reply(session, method, &reply, error);
	session->output.is_json = is_json;
	session_reply_fini(&reply);
	return status;
}

int call_run(struct session *session, const struct command *command, int argc, char **argv)
{
	const struct option options[] = {{0}};
	struct lyc_error error = {0};
	struct buf body = {0};
	int code = command_read(session, command, options, 1, 2, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	enum lyc_status status = session_load(session, &error);
	const struct schema_method *method =
		status == LYC_OK ? resolve_method(session, argv[0], &error) : NULL;
	if (!method) {
		code = session_fail(session, &error);
		goto out;
	}
	if (argc > 1 && input_body(method->input, argv[1], &body, &error) != LYC_OK) {
		code = outcome_fault(OUTCOME_USAGE, &error);
		goto out;
	}
	status = call(session, method, span_of(body.data, body.len), &error);
	code = status == LYC_OK ? OUTCOME_OK : session_fail(session, &error);
out:
	buf_fini(&body);
	return code;
}
