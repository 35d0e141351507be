/* `lyceum erase`: has the daemon take records out of its files and everybody else's, and says where
 * they are gone. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "contract.h"
#include "lyceum/v1/node.pb-c.h"
#include "outcome.h"

static void print_names(const char *before, char *const *names, size_t count)
{
	if (count == 0)
		return;
	printf("%s", before);
	for (size_t i = 0; i < count; i++)
		printf("%s%s", i ? ", " : " ", names[i]);
	putchar('\n');
}

static void print(const Lyceum__V1__EraseReply *reply)
{
	for (size_t i = 0; i < reply->n_erasure; i++) {
		const Lyceum__V1__Erasure *erasure = reply->erasure[i];
		printf("%s: %s\n", erasure->subject,
		       erasure->is_done ? "gone from the files here"
					: "not yet gone here: look at `lyceum status`");
		print_names("  gone at", erasure->confirmed, erasure->n_confirmed);
		print_names("  not yet confirmed by", erasure->waiting, erasure->n_waiting);
		if (erasure->n_confirmed + erasure->n_waiting == 0)
			printf("  it never went to another daemon\n");
	}
	if (reply->has_more)
		printf("There is more about this person: erase again.\n");
}

int erase_run(struct session *session, const struct command *command, int argc, char **argv)
{
	Lyceum__V1__EraseRequest request = LYCEUM__V1__ERASE_REQUEST__INIT;
	const char *about = NULL;
	const struct option options[] = {
		{"about", OPTION_TEXT, &about, "PERSON",
		 "all records whose label is about this person, instead of a subject"},
		{0},
	};
	int code = command_read(session, command, options, 0, 1, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (!about == !argc)
		return outcome_say(OUTCOME_USAGE, "say either a subject or --about PERSON");
	request.subject = argc ? argv[0] : request.subject;
	if (about)
		request.about = (char *)(uintptr_t)about;
	struct lyc_error error = {0};
	struct buf json = {0};
	ProtobufCMessage *reply = NULL;
	code = OUTCOME_OK;
	if (contract_call(session, "lyceum.v1.Node/Erase", &request.base,
			  &lyceum__v1__erase_reply__descriptor, &reply, &json, &error) != LYC_OK)
		code = session_fail(session, &error);
	else if (session->output.is_json)
		puts(buf_text(&json));
	else
		print((const Lyceum__V1__EraseReply *)reply);
	if (reply)
		protobuf_c_message_free_unpacked(reply, NULL);
	buf_fini(&json);
	return code;
}
