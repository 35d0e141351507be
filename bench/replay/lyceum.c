/* Lyceum: a subscription that follows the log from its first record, by the public library. */
#include <stdlib.h>
#include <time.h>

#include <lyceum/client.h>

#include "kit/daemon.h"
#include "kit/process.h"
#include "replay/replay.h"
#include "replay/tape.h"
#include "topic/reading.h"

#define OUTSTANDING 1024
#define CREDIT (8 * 1024 * 1024)
#define WAIT_S 60
#define TYPE_WAIT_MS 20000

/* ---- filling ---- */

/* What went wrong with it: every round says so. */
static struct measure filled;

struct filling {
	struct lyc_client *client;
	struct tape tape;
	size_t outstanding;
	enum lyc_status status; /* of what was refused */
	bool has_failed;
};

static void on_ack(const struct lyc_ack *ack, void *arg)
{
	struct filling *filling = arg;
	filling->outstanding--;
	filling->status = ack->status;
	if (ack->status == LYC_OK || filling->has_failed)
		return;
	filling->has_failed = true;
	contest_fail(&filled, "%s", ack->text);
}

static void put(struct filling *filling, const char *subject, const uint8_t *body)
{
	static const struct lyc_publish_options options = {.durable = true};
	filling->outstanding++;
	if (lyc_client_publish_start(filling->client, subject, body, filling->tape.len, &options,
				     on_ack, filling) == LYC_OK)
		return;
	filling->has_failed = true;
	contest_fail(&filled, "a publish could not begin");
}

/* The first one alone, again and again: the plugin that brings its type may still be starting. */
static void put_first(struct filling *filling)
{
	const uint8_t *body;
	const char *subject;
	struct timespec pause = {.tv_nsec = 20000000};
	uint64_t until_ns = now_ns() + (uint64_t)TYPE_WAIT_MS * 1000000;
	if (!tape_next(&filling->tape, &body, &subject))
		return;
	do {
		filling->has_failed = false;
		filled = (struct measure){0};
		put(filling, subject, body);
		while (filling->outstanding > 0 && now_ns() < until_ns)
			(void)lyc_client_run(filling->client, 100);
		if (filling->status == LYC_NOT_FOUND)
			nanosleep(&pause, NULL);
	} while (filling->status == LYC_NOT_FOUND && now_ns() < until_ns);
}

static void fill(struct contestant *self, const struct workload *work)
{
	struct filling filling = {0};
	const uint8_t *body;
	const char *subject;
	tape_init(&filling.tape, work);
	if (!daemon_open(self, &filling.client, &filled))
		return;
	put_first(&filling);
	bool has_more = true;
	while ((has_more || filling.outstanding > 0) && !filling.has_failed) {
		while (has_more && filling.outstanding < OUTSTANDING) {
			has_more = tape_next(&filling.tape, &body, &subject);
			if (!has_more)
				break;
			put(&filling, subject, body);
		}
		(void)lyc_client_run(filling.client, 100);
	}
	lyc_client_close(filling.client);
}

void lyceum_replay_before(struct contestant *self, const struct setting *setting,
			  const struct workload *work)
{
	static bool is_filled;
	(void)setting;
	if (!is_filled)
		fill(self, work);
	is_filled = true;
}

/* ---- reading ---- */

static void on_delivery(const struct lyc_delivery *delivery, void *arg)
{
	struct tape *tape = arg;
	if (delivery->subject)
		tape_read(tape, delivery->body, delivery->body_len);
	else if (delivery->missed > 0 || delivery->status != LYC_OK)
		tape->wrong++;
}

void lyceum_replay_round(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, struct measure *ret_measure)
{
	static const struct lyc_subscribe_options options = {
		.start = LYC_START_SEQ, .from = 1, .records_only = true, .credit = CREDIT};
	struct lyc_client *client;
	struct lyc_error error;
	struct tape tape;
	(void)setting;
	tape_init(&tape, work);
	if (filled.fault[0])
		contest_fail(ret_measure, "filling: %s", filled.fault);
	if (ret_measure->fault[0] || !daemon_open(self, &client, ret_measure))
		return;
	tape_begin(&tape, self);
	if (lyc_client_subscribe(client, READING_TYPE ".>", &options, on_delivery, &tape, NULL,
				 &error) != LYC_OK)
		contest_fail(ret_measure, "%s", error.text);
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_S * 1000000000;
	while (!tape_is_read(&tape) && !ret_measure->fault[0] && now_ns() < until_ns)
		(void)lyc_client_run(client, 100);
	tape_end(&tape, self, ret_measure);
	lyc_client_close(client);
}
