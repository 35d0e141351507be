/* Lyceum: a lyceumd of its own for each round, with an empty log and the hub as its hub. */
#include <ftw.h>
#include <stdio.h>

#include <lyceum/client.h>

#include "catchup/catchup.h"
#include "kit/daemon.h"
#include "kit/process.h"
#include "replay/tape.h"
#include "topic/reading.h"

#define CREDIT (8 * 1024 * 1024)
#define WAIT_S 55

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)info;
	(void)kind;
	(void)place;
	return remove(path);
}

/* What the last round's node had: its data, and the key of a node of its own, which is made anew.
 */
static void forget(const struct contestant *self, const struct setting *setting)
{
	const struct daemon *daemon = self->kind;
	char path[300];
	snprintf(path, sizeof(path), "%s/%s.data", setting->folder, daemon->name);
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	snprintf(path, sizeof(path), "%s/%s-node.key", setting->folder, daemon->name);
	remove(path);
}

static void on_delivery(const struct lyc_delivery *delivery, void *arg)
{
	struct tape *tape = arg;
	if (delivery->subject)
		tape_read(tape, delivery->body, delivery->body_len);
	else if (delivery->missed > 0 || delivery->status != LYC_OK)
		tape->wrong++;
}

static void follow(const struct contestant *node, struct tape *tape, struct measure *ret_measure)
{
	static const struct lyc_subscribe_options options = {
		.start = LYC_START_SEQ, .from = 1, .records_only = true, .credit = CREDIT};
	struct lyc_client *client;
	struct lyc_error error;
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_S * 1000000000;
	if (!daemon_open(node, &client, ret_measure))
		return;
	if (lyc_client_subscribe(client, READING_TYPE ".>", &options, on_delivery, tape, NULL,
				 &error) != LYC_OK)
		contest_fail(ret_measure, "%s", error.text);
	while (!tape_is_read(tape) && !ret_measure->fault[0] && now_ns() < until_ns)
		(void)lyc_client_run(client, 100);
	tape_end(tape, node, ret_measure);
	lyc_client_close(client);
}

void lyceum_catchup_round(const struct contestant *self, const struct setting *setting,
			  const struct workload *work, struct measure *ret_measure)
{
	struct contestant node = *self;
	struct tape tape;
	tape_init(&tape, work);
	forget(self, setting);
	tape_begin(&tape, &node);
	if (daemon_start(&node, setting))
		follow(&node, &tape, ret_measure);
	else
		contest_fail(ret_measure, "%s",
			     node.missing[0] ? node.missing : "the node could not be started");
	process_end(node.broker);
}
