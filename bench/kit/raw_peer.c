/* The few packets that a subscriber needs. */
#include "kit/raw_peer.h"

#include <poll.h>
#include <string.h>

#include "base/buf.h"
#include "kit/process.h"
#include "kit/zmtp.h"

#define CREDIT (1024 * 1024)
#define TURN_MS 100
#define WAIT_MS 20000
#define SYNC_ID 77

bool raw_peer_put(struct raw_peer *peer, const struct packet *packet)
{
	static struct buf frame;
	frame.len = 0;
	packet_write(&frame, packet);
	zmtp_put(&peer->line, frame.data, frame.len);
	return line_flush(&peer->line);
}

static void return_credit(struct raw_peer *peer, const struct packet *packet)
{
	uint64_t *owed = &peer->owed[packet->deliver.id];
	*owed += packet->len;
	if (*owed < CREDIT / 2)
		return;
	struct packet credit = {.kind = PACKET_CREDIT,
				.credit = {.id = packet->deliver.id, .value = *owed}};
	*owed = 0;
	(void)raw_peer_put(peer, &credit);
}

static void on_frame(struct line *line, const uint8_t *frame, size_t len, void *arg)
{
	static struct frame_reader reader;
	struct raw_peer *peer = arg;
	struct packet packet;
	enum frame_result result;
	(void)line;
	frame_start(&reader, (struct span){.data = frame, .len = len});
	while ((result = frame_next(&reader, &packet)) > FRAME_END) {
		if (result == FRAME_UNKNOWN)
			continue;
		if (packet.kind == PACKET_WELCOME) {
			peer->is_welcome = true;
			peer->heartbeat_ms = packet.welcome.heartbeat_ms;
			peer->publish_credit = packet.welcome.publish_credit;
		} else if (packet.kind == PACKET_CREDIT) {
			peer->publish_credit += packet.credit.value;
		} else if (packet.kind == PACKET_GOODBYE) {
			peer->is_welcome = false;
		} else if (packet.kind == PACKET_PING) {
			struct packet pong = {.kind = PACKET_PONG, .pong.id = packet.ping.id};
			(void)raw_peer_put(peer, &pong);
		}
		if (peer->on_packet)
			peer->on_packet(&packet, peer->arg);
		if (packet.kind == PACKET_DELIVER && packet.deliver.id < RAW_PEER_MAX_SUBSCRIPTIONS)
			return_credit(peer, &packet);
	}
}

bool raw_peer_turn(struct raw_peer *peer)
{
	return zmtp_turn(&peer->line, on_frame, peer) && peer->is_welcome;
}

bool raw_peer_drain(struct raw_peer *peer)
{
	struct pollfd item = {.fd = peer->line.fd, .events = POLLIN};
	return poll(&item, 1, 0) <= 0 || raw_peer_turn(peer);
}

bool raw_peer_open(struct raw_peer *peer, const char *endpoint, size_t size, raw_peer_fn on_packet,
		   void *arg)
{
	struct packet hello = {.kind = PACKET_HELLO,
			       .hello = {.version = WIRE_VERSION,
					 .software = span_of("bench", 5),
					 .call_credit = CREDIT}};
	memset(peer, 0, sizeof(*peer));
	if (!zmtp_open(&peer->line, endpoint, size) || !raw_peer_put(peer, &hello))
		return false;
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_MS * 1000000;
	line_set_wait(&peer->line, TURN_MS);
	while (!peer->is_welcome) {
		if (!zmtp_turn(&peer->line, on_frame, peer) || now_ns() > until_ns)
			return false;
	}
	peer->on_packet = on_packet;
	peer->arg = arg;
	peer->said_ns = now_ns();
	return true;
}

void raw_peer_close(struct raw_peer *peer)
{
	struct packet goodbye = {.kind = PACKET_GOODBYE, .goodbye = {.reason = GOODBYE_SHUTDOWN}};
	(void)raw_peer_put(peer, &goodbye);
	line_close(&peer->line);
}

bool raw_peer_subscribe(struct raw_peer *peer, unsigned number, const char *pattern)
{
	struct packet packet = {.kind = PACKET_SUBSCRIBE,
				.subscribe = {.id = number,
					      .pattern = span_of(pattern, strlen(pattern)),
					      .credit = CREDIT}};
	return raw_peer_put(peer, &packet);
}

struct sync {
	bool has_come;
	raw_peer_fn on_packet;
	void *arg;
};

static void on_pong(const struct packet *packet, void *arg)
{
	struct sync *sync = arg;
	if (packet->kind == PACKET_PONG && packet->pong.id == SYNC_ID)
		sync->has_come = true;
	else if (sync->on_packet)
		sync->on_packet(packet, sync->arg);
}

bool raw_peer_sync(struct raw_peer *peer)
{
	struct sync sync = {.on_packet = peer->on_packet, .arg = peer->arg};
	struct packet ping = {.kind = PACKET_PING, .ping.id = SYNC_ID};
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_MS * 1000000;
	bool is_fine = raw_peer_put(peer, &ping);
	peer->on_packet = on_pong;
	peer->arg = &sync;
	while (is_fine && !sync.has_come)
		is_fine = raw_peer_turn(peer) && now_ns() < until_ns;
	peer->on_packet = sync.on_packet;
	peer->arg = sync.arg;
	return is_fine;
}

bool raw_peer_tick(struct raw_peer *peer, uint64_t now_ns)
{
	struct packet ping = {.kind = PACKET_PING, .ping.id = 1};
	if (now_ns - peer->said_ns < (uint64_t)peer->heartbeat_ms * 1000000)
		return true;
	peer->said_ns = now_ns;
	return raw_peer_put(peer, &ping);
}
