/*
 * Lyceum: a real lyceumd with the echo plugin, called through the public client library. Every call
 * is typed, both bodies are checked by the schema and its rules, its caller's right is taken from
 * the key's list. The plugin unpacks the request and packs a reply. Before each round a wrong body
 * and a missing right have to be refused on the same connection.
 */
#include <lyceum/client.h>

#include "calls/calls.h"
#include "calls/load.h"
#include "io/clock.h"
#include "kit/daemon.h"
#include "kit/refusals.h"

#define METHOD "lyceum.echo.v1.Echo/Say"
#define SHARED_MS 1100

struct caller {
	struct lyc_client *client;
	struct load load;
};

struct slot {
	struct caller *caller;
	size_t number;
};

static void on_reply(const struct lyc_reply *reply, void *arg);

static void call(struct slot *slot)
{
	struct load *load = &slot->caller->load;
	enum lyc_status status =
		lyc_client_call_start(slot->caller->client, METHOD, load_body(load, slot->number),
				      load->body_len, NULL, on_reply, slot, NULL);
	if (status != LYC_OK)
		contest_fail(load->measure, "%s", lyc_status_name(status));
}

static void on_reply(const struct lyc_reply *reply, void *arg)
{
	struct slot *slot = arg;
	struct load *load = &slot->caller->load;
	if (reply->status != LYC_OK) {
		contest_fail(load->measure, "%s", reply->text);
		return;
	}
	if (load_received(load, slot->number, reply->body, reply->body_len))
		call(slot);
}

/* Another contestant has just called the same plugin, and may still be connected: for a second it
 * counts as shared, and each caller has its turn. */
static void be_alone(struct lyc_client *client)
{
	uint64_t until_ms = mono_ms() + SHARED_MS;
	while (mono_ms() < until_ms)
		(void)lyc_client_run(client, (int)(until_ms - mono_ms()));
}

void lyceum_calls_round(const struct contestant *self, const struct setting *setting,
			const struct workload *work, struct measure *ret_measure)
{
	static struct caller caller;
	static struct slot slots[LOAD_MAX_WINDOW];
	struct load *load = &caller.load;
	load_init(load, self, work, ret_measure);
	if (!daemon_open(self, &caller.client, ret_measure) ||
	    !daemon_await(caller.client, METHOD, load_body(load, 0), load->body_len, ret_measure) ||
	    !refusals_of_calls(caller.client, ret_measure))
		return;
	if (self->shared)
		be_alone(caller.client);
	load_begin(load, setting);
	for (size_t i = 0; i < load->window; i++) {
		slots[i] = (struct slot){.caller = &caller, .number = i};
		load_sent(load, i);
		call(&slots[i]);
	}
	while (!load_is_over(load))
		(void)lyc_client_run(caller.client, 100);
	/* What did not come ends now; it has been counted as lost. */
	load_end(load);
	lyc_client_close(caller.client);
}
