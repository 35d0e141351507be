/* `lyceum publish` and `lyceum send`: one message of any type, from JSON. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "input.h"
#include "outcome.h"
#include "resolve.h"

/* What the words said. */
struct publication {
	const char *type;
	/* NULL: a withdrawal. */
	const char *json;
	/* NULL: the type's name; the daemon adds the key. */
	const char *subject;
	struct lyc_publish_options options;
};

static bool read_visibility(const char *text, enum lyc_visibility *ret_visibility)
{
	static const struct {
		const char *name;
		enum lyc_visibility value;
	} names[] = {{"public", LYC_PUBLIC},
		     {"members", LYC_MEMBERS},
		     {"audience", LYC_AUDIENCE},
		     {"private", LYC_PRIVATE}};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcasecmp(text, names[i].name) != 0)
			continue;
		*ret_visibility = names[i].value;
		return true;
	}
	return false;
}

static void print_seq(const struct session *session, const struct publication *publication,
		      uint64_t seq)
{
	if (session->output.is_json)
		printf("{\"seq\":\"%" PRIu64 "\"}\n", seq);
	else if (publication->options.to)
		printf("Record %" PRIu64 ", kept until %s has it.\n", seq, publication->options.to);
	else if (publication->options.durable)
		printf("Record %" PRIu64 ".\n", seq);
}

static int publish(struct session *session, const struct publication *publication)
{
	struct lyc_error error = {0};
	struct buf body = {0};
	uint64_t seq = 0;
	int code = OUTCOME_OK;
	enum lyc_status status = session_load(session, &error);
	const struct schema_message *message =
		status == LYC_OK ? resolve_message(session, publication->type, &error) : NULL;
	if (!message) {
		code = session_fail(session, &error);
		goto out;
	}
	if (publication->json && input_body(message, publication->json, &body, &error) != LYC_OK) {
		code = outcome_fault(OUTCOME_USAGE, &error);
		goto out;
	}
	struct lyc_publish_options options = publication->options;
	options.trace = session->trace;
	status = lyc_client_publish(
		session->client, publication->subject ? publication->subject : message->full_name,
		body.data, body.len, &options, &seq, &error);
	session->has_asked = status != LYC_OK;
	if (status == LYC_OK)
		print_seq(session, publication, seq);
	else
		code = session_fail(session, &error);
out:
	buf_fini(&body);
	return code;
}

int publish_run(struct session *session, const struct command *command, int argc, char **argv)
{
	struct publication publication = {0};
	const char *visibility = NULL;
	uint64_t expect = UINT64_MAX;
	const struct option options[] = {
		{"durable", OPTION_FLAG, &publication.options.durable, NULL,
		 "append it to the log and wait until it is on the disk"},
		{"subject", OPTION_TEXT, &publication.subject, "SUBJECT",
		 "instead of the type's name, to which the daemon adds the key"},
		{"expect", OPTION_NUMBER, &expect, "SEQ",
		 "only if the subject's last record is this one; 0: only if there is none"},
		{"visibility", OPTION_TEXT, &visibility, "WHO",
		 "public, members, audience or private, for a type without a label of its own"},
		{"remove", OPTION_FLAG, &publication.options.remove, NULL,
		 "withdraw the subject's record; takes no JSON"},
		{0},
	};
	int code = command_read(session, command, options, 1, 2, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (publication.options.remove != (argc == 1))
		return outcome_say(
			OUTCOME_USAGE,
			argc == 1 ? "the message is missing: lyceum publish TYPE '{json}'"
				  : "--remove takes no message, only the type and --subject");
	if (visibility && !read_visibility(visibility, &publication.options.visibility))
		return outcome_say(OUTCOME_USAGE,
				   "--visibility takes public, members, audience or private, not "
				   "\"%s\"",
				   visibility);
	publication.type = argv[0];
	publication.json = argc > 1 ? argv[1] : NULL;
	publication.options.principal = session->options.principal;
	if (expect != UINT64_MAX) {
		publication.options.expect = true;
		publication.options.expect_seq = expect;
	}
	/* A withdrawal or an expectation is about the log. */
	if (publication.options.remove || publication.options.expect)
		publication.options.durable = true;
	return publish(session, &publication);
}

int send_run(struct session *session, const struct command *command, int argc, char **argv)
{
	struct publication publication = {.options = {.durable = true}};
	const struct option options[] = {
		{"subject", OPTION_TEXT, &publication.subject, "SUBJECT",
		 "instead of the type's name, to which the daemon adds the key"},
		{0},
	};
	int code = command_read(session, command, options, 3, 3, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	publication.options.to = argv[0];
	publication.options.principal = session->options.principal;
	publication.type = argv[1];
	publication.json = argv[2];
	return publish(session, &publication);
}
