/* `lyceum backup`: has the daemon make one; with --check, lyceumd reads one without a daemon. */
#include "commands.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "age.h"
#include "client/sibling.h"
#include "contract.h"
#include "lyceum/v1/node.pb-c.h"
#include "outcome.h"

/* A log may be large: as long as a call may take. */
#define BACKUP_TIMEOUT_MS (60u * 60 * 1000)

/* In this process's place. */
static int check(const char *folder)
{
	char path[PATH_MAX + 64];
	sibling_find("lyceumd", path, sizeof(path));
	execl(path, "lyceumd", "--check-backup", folder, (char *)NULL);
	return outcome_say(OUTCOME_UNREACHABLE,
			   "lyceumd, which checks backups, cannot be started as %s", path);
}

static void print_size(uint64_t bytes)
{
	if (bytes < 10 * 1024)
		printf("%" PRIu64 " B", bytes);
	else if (bytes < 10 * 1024 * 1024)
		printf("%" PRIu64 " KiB", bytes / 1024);
	else
		printf("%" PRIu64 " MiB", bytes / (1024 * 1024));
}

static void print(const Lyceum__V1__BackupReply *reply)
{
	struct buf moment = {0};
	age_write_moment(&moment, reply->time_ms);
	printf("%s: %" PRIu64 " record%s up to %" PRIu64 " of epoch %" PRIu64 ", ", reply->folder,
	       reply->record_count, reply->record_count == 1 ? "" : "s", reply->last_seq,
	       reply->epoch);
	print_size(reply->bytes);
	printf(" (");
	print_size(reply->shared_bytes);
	printf(" shared), as of %s UTC\n", buf_text(&moment));
	if (reply->has_keys)
		printf("The daemon's key is in it: keep it secret.\n");
	else
		printf("Without the daemon's key: --with-keys takes it along.\n");
	buf_fini(&moment);
}

int backup_run(struct session *session, const struct command *command, int argc, char **argv)
{
	Lyceum__V1__BackupRequest request = LYCEUM__V1__BACKUP_REQUEST__INIT;
	bool is_check = false;
	bool with_keys = false;
	const char *earlier = NULL;
	const struct option options[] = {
		{"with-keys", OPTION_FLAG, &with_keys, NULL,
		 "take the daemon's key along: the backup is then a secret"},
		{"earlier", OPTION_TEXT, &earlier, "DIR",
		 "link what has not changed since that backup, where it cannot be linked to the "
		 "log"},
		{"check", OPTION_FLAG, &is_check, NULL,
		 "read the backup DIR and check it all; no daemon is asked"},
		{0},
	};
	int code = command_read(session, command, options, 1, 1, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (is_check)
		return check(argv[0]);
	request.folder = argv[0];
	request.with_keys = with_keys;
	if (earlier)
		request.earlier = (char *)(uintptr_t)earlier;
	if (session->options.timeout_ms == 0)
		session->options.timeout_ms = BACKUP_TIMEOUT_MS;
	struct lyc_error error = {0};
	struct buf json = {0};
	ProtobufCMessage *reply = NULL;
	code = OUTCOME_OK;
	if (contract_call(session, "lyceum.v1.Node/Backup", &request.base,
			  &lyceum__v1__backup_reply__descriptor, &reply, &json, &error) != LYC_OK)
		code = session_fail(session, &error);
	else if (session->output.is_json)
		puts(buf_text(&json));
	else
		print((const Lyceum__V1__BackupReply *)reply);
	if (reply)
		protobuf_c_message_free_unpacked(reply, NULL);
	buf_fini(&json);
	return code;
}
