/* Joins the import to a session with a daemon. */
#include "import/import.h"

#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "session.h"

struct target {
	struct session *session;
	const struct schema_method *method;
};

static enum lyc_status send_call(void *arg, struct span request_body, struct buf *ret_reply,
				 struct lyc_error *error)
{
	struct target *target = arg;
	struct session_reply reply = {0};
	struct session_options *options = &target->session->options;
	const char *key = options->idempotency_key;
	char batch_key[160];
	/* Each batch has a key of its own: the same file imported again repeats none of them. */
	snprintf(batch_key, sizeof(batch_key), "%s.%08x", key ? key : "",
		 crc32c(0, request_body.data, request_body.len));
	options->idempotency_key = key ? batch_key : NULL;
	enum lyc_status status = session_call(target->session, target->method->full_name,
					      request_body, &reply, error);
	options->idempotency_key = key;
	if (!status) {
		*ret_reply = reply.body;
		reply.body = (struct buf){0};
	}
	session_reply_fini(&reply);
	return status;
}

int import_run(struct session *session, const struct schema_method *method, int argc, char **argv)
{
	struct target target = {.session = session, .method = method};
	struct import_sink sink = {.send = send_call, .arg = &target};
	char *arguments[1024];
	/* --json may have stood before the verb. */
	if (!session->output.is_json || argc + 1 > (int)(sizeof(arguments) / sizeof(arguments[0])))
		return import_run_to(&sink, method, argc, argv, stdout, stderr);
	arguments[0] = (char[]){"--json"};
	if (argc > 0)
		memcpy(arguments + 1, argv, (size_t)argc * sizeof(*argv));
	return import_run_to(&sink, method, argc + 1, arguments, stdout, stderr);
}
