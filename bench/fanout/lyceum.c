/*
 * Lyceum: eight subscribers by the public client library, a thousand on bare sockets; the publisher
 * by the library. Each message is typed, its body checked, the publisher's right and each
 * subscriber's sight of its label judged. Before each round a message is published that nobody may
 * see: who gets it counts it as one that has gone wrong.
 */
#include <poll.h>
#include <stdlib.h>

#include <lyceum/client.h>

#include "fanout/fan.h"
#include "fanout/fanout.h"
#include "kit/daemon.h"
#include "kit/process.h"
#include "kit/raw_peer.h"
#include "kit/refusals.h"
#include "topic/reading.h"

#define CREDIT (8 * 1024 * 1024)
#define PEER_SIZE (64 * 1024)

/* ---- a subscriber by the library ---- */

struct subscriber {
	struct lyc_client *client;
	struct raw_peer peer;
	struct fan *fan;
	unsigned index;
};

static void on_delivery(const struct lyc_delivery *delivery, void *arg)
{
	struct subscriber *subscriber = arg;
	if (delivery->subject)
		fan_received(subscriber->fan, subscriber->index, delivery->body,
			     delivery->body_len);
	else if (delivery->missed > 0 || delivery->status != LYC_OK)
		atomic_fetch_add(&subscriber->fan->wrong, 1);
}

/* The subscription stands when the daemon has answered a call that came after it. */
static void subscribe_one(struct subscriber *subscriber, const struct contestant *self,
			  const struct workload *work)
{
	struct lyc_subscribe_options options = {.credit = CREDIT};
	struct lyc_error error;
	struct measure measure = {0};
	uint8_t *reply;
	size_t len;
	char pattern[100];
	fan_pattern(pattern, sizeof(pattern), work, 0, READING_TYPE, '.', "*", ">");
	if (!daemon_open(self, &subscriber->client, &measure) ||
	    lyc_client_subscribe(subscriber->client, pattern, &options, on_delivery, subscriber,
				 NULL, &error) != LYC_OK)
		return;
	/* A refusal is an answer, too. */
	if (lyc_client_call(subscriber->client, "lyceum.v1.Node/Status", "", 0, NULL, &reply, &len,
			    &error) == LYC_OK)
		free(reply);
	fan_is_ready(subscriber->fan);
	while (!atomic_load_explicit(&subscriber->fan->stop, memory_order_relaxed))
		(void)lyc_client_run(subscriber->client, 100);
	lyc_client_close(subscriber->client);
}

/* ---- many subscribers, on bare lines ---- */

static void on_packet(const struct packet *packet, void *arg)
{
	struct subscriber *subscriber = arg;
	if (packet->kind == PACKET_DELIVER)
		fan_received(subscriber->fan, subscriber->index, packet->deliver.body.data,
			     packet->deliver.body.len);
	else if (packet->kind == PACKET_GAP || packet->kind == PACKET_UNSUBSCRIBE ||
		 packet->kind == PACKET_GOODBYE)
		atomic_fetch_add(&subscriber->fan->wrong, 1);
}

static bool connect_one(struct subscriber *subscriber, const struct contestant *self,
			const struct workload *work)
{
	if (!raw_peer_open(&subscriber->peer, self->endpoint, PEER_SIZE, on_packet, subscriber))
		return false;
	for (unsigned i = 0; i < fan_pattern_count(work); i++) {
		char pattern[100];
		fan_pattern(pattern, sizeof(pattern), work, i, READING_TYPE, '.', "*", ">");
		if (!raw_peer_subscribe(&subscriber->peer, i, pattern))
			return false;
	}
	return raw_peer_sync(&subscriber->peer);
}

static void turn_all(struct subscriber *subscribers, struct pollfd *items, unsigned count)
{
	uint64_t now = now_ns();
	for (unsigned i = 0; i < count; i++) {
		bool is_fine = raw_peer_tick(&subscribers[i].peer, now);
		if (items[i].revents)
			is_fine = raw_peer_turn(&subscribers[i].peer) && is_fine;
		if (!is_fine)
			items[i].fd = -1;
	}
}

static void subscribe(const struct contestant *self, struct fan *fan, unsigned first,
		      unsigned count, const struct workload *work)
{
	struct subscriber *subscribers = calloc(count, sizeof(*subscribers));
	struct pollfd *items = calloc(count, sizeof(*items));
	for (unsigned i = 0; i < count; i++) {
		subscribers[i].fan = fan;
		subscribers[i].index = first + i;
	}
	if (count == 1) {
		subscribe_one(subscribers, self, work);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		if (!connect_one(&subscribers[i], self, work))
			return;
		items[i] = (struct pollfd){.fd = subscribers[i].peer.line.fd, .events = POLLIN};
		fan_is_ready(fan);
	}
	while (!atomic_load_explicit(&fan->stop, memory_order_relaxed)) {
		(void)poll(items, count, 100);
		turn_all(subscribers, items, count);
	}
	/* Else they would be delivered to in the next round, too. */
	for (unsigned i = 0; i < count; i++)
		raw_peer_close(&subscribers[i].peer);
}

/* ---- the publisher ---- */

static void *open_publisher(const struct contestant *self, struct measure *measure)
{
	struct lyc_client *client;
	return daemon_open(self, &client, measure) && refusals_of_publishes(client, measure)
		       ? client
		       : NULL;
}

static bool put(void *publisher, const char *subject, const uint8_t *body, size_t len)
{
	return lyc_client_publish_start(publisher, subject, body, len, NULL, NULL, NULL) == LYC_OK;
}

static bool flush(void *publisher)
{
	return lyc_client_run(publisher, 0) != LYC_UNAVAILABLE;
}

static void close_publisher(void *publisher)
{
	lyc_client_close(publisher);
}

void lyceum_fanout_round(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, struct measure *ret_measure)
{
	static const struct fan_parts parts = {subscribe, open_publisher,  put,
					       flush,     close_publisher, '.'};
	fan_round(self, setting, work, &parts, ret_measure);
}
