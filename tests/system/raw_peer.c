/* A blocking socket with a time limit. */
#include "raw_peer.h"

#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "network.h"

static void set_int(void *socket, int option, int value)
{
	ensure(zmq_setsockopt(socket, option, &value, sizeof(value)) == 0);
}

static struct raw_peer *make(int type)
{
	struct raw_peer *peer = mem_new(struct raw_peer);
	peer->zmq = zmq_ctx_new();
	peer->socket = zmq_socket(peer->zmq, type);
	ensure(peer->socket);
	set_int(peer->socket, ZMQ_LINGER, 0);
	set_int(peer->socket, ZMQ_SNDTIMEO, 5000);
	set_int(peer->socket, ZMQ_SNDHWM, 0);
	set_int(peer->socket, ZMQ_RCVHWM, 0);
	return peer;
}

struct raw_peer *raw_peer_new(const char *endpoint, const char *server_key,
			      const struct keypair *keys)
{
	struct raw_peer *peer = make(ZMQ_DEALER);
	if (keys) {
		ensure(zmq_setsockopt(peer->socket, ZMQ_CURVE_SERVERKEY, server_key, 41) == 0);
		ensure(zmq_setsockopt(peer->socket, ZMQ_CURVE_PUBLICKEY, keys->public_key, 41) ==
		       0);
		ensure(zmq_setsockopt(peer->socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, 41) ==
		       0);
	}
	ensure(zmq_connect(peer->socket, endpoint) == 0);
	return peer;
}

struct raw_peer *raw_peer_listen(const struct keypair *keys, char ret_endpoint[64])
{
	struct raw_peer *peer = make(ZMQ_ROUTER);
	size_t len = 64;
	peer->is_server = true;
	set_int(peer->socket, ZMQ_CURVE_SERVER, 1);
	ensure(zmq_setsockopt(peer->socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, 41) == 0);
	ensure(zmq_bind(peer->socket, "tcp://127.0.0.1:*") == 0);
	ensure(zmq_getsockopt(peer->socket, ZMQ_LAST_ENDPOINT, ret_endpoint, &len) == 0);
	return peer;
}

void raw_peer_free(struct raw_peer *peer)
{
	if (!peer)
		return;
	zmq_close(peer->socket);
	zmq_ctx_term(peer->zmq);
	buf_fini(&peer->heard);
	free(peer);
}

void raw_peer_send_bytes(struct raw_peer *peer, const void *bytes, size_t len, bool more)
{
	if (peer->is_server)
		zmq_send(peer->socket, peer->routing_id, peer->routing_id_len, ZMQ_SNDMORE);
	zmq_send(peer->socket, bytes, len, more ? ZMQ_SNDMORE : 0);
}

void raw_peer_send(struct raw_peer *peer, const struct packet *packet)
{
	struct buf frame = {0};
	packet_write(&frame, packet);
	raw_peer_send_bytes(peer, frame.data, frame.len, false);
	buf_fini(&frame);
}

static bool receive_frame(struct raw_peer *peer, int timeout_ms)
{
	set_int(peer->socket, ZMQ_RCVTIMEO, timeout_ms);
	if (peer->is_server) {
		int len = zmq_recv(peer->socket, peer->routing_id, sizeof(peer->routing_id), 0);
		if (len < 0)
			return false;
		peer->routing_id_len = (size_t)len;
	}
	int len = zmq_recv(peer->socket, peer->frame, sizeof(peer->frame), 0);
	if (len < 0)
		return false;
	buf_add(&peer->heard, peer->frame, (size_t)len);
	frame_start(&peer->reader, span_of(peer->frame, (size_t)len));
	peer->has_frame = true;
	return true;
}

bool raw_peer_receive(struct raw_peer *peer, struct packet *ret_packet, int timeout_ms)
{
	uint64_t deadline = network_now_ms() + (uint64_t)timeout_ms;
	for (;;) {
		if (peer->has_frame) {
			enum frame_result result = frame_next(&peer->reader, ret_packet);
			if (result == FRAME_PACKET)
				return true;
			peer->has_frame = result == FRAME_UNKNOWN;
			continue;
		}
		uint64_t now = network_now_ms();
		if (now >= deadline || !receive_frame(peer, (int)(deadline - now)))
			return false;
	}
}

static void answer(struct raw_peer *peer, const struct packet *packet)
{
	struct packet pong = {.kind = PACKET_PONG, .pong = {.id = packet->ping.id}};
	if (packet->kind == PACKET_PING)
		raw_peer_send(peer, &pong);
}

bool raw_peer_await(struct raw_peer *peer, enum packet_kind kind, struct packet *ret_packet,
		    int timeout_ms)
{
	uint64_t deadline = network_now_ms() + (uint64_t)timeout_ms;
	for (uint64_t now = network_now_ms(); now < deadline; now = network_now_ms()) {
		if (!raw_peer_receive(peer, ret_packet, (int)(deadline - now)))
			return false;
		if (ret_packet->kind == kind)
			return true;
		answer(peer, ret_packet);
	}
	return false;
}

bool raw_peer_greet(struct raw_peer *peer, struct packet *ret_packet)
{
	struct packet hello = {.kind = PACKET_HELLO,
			       .hello = {.version = WIRE_VERSION, .call_credit = 1024 * 1024}};
	raw_peer_send(peer, &hello);
	return raw_peer_receive(peer, ret_packet, 5000) && ret_packet->kind == PACKET_WELCOME;
}

static void welcome(struct raw_peer *peer, const char *node)
{
	struct packet packet = {.kind = PACKET_WELCOME};
	packet.welcome = (struct packet_welcome){.version = WIRE_VERSION,
						 .daemon = span_of("hub", 3),
						 .epoch = 1,
						 .identity = span_of(node, strlen(node)),
						 .call_credit = 1024 * 1024,
						 .publish_credit = 1024 * 1024,
						 .max_body = WIRE_MAX_BODY,
						 .heartbeat_ms = 5000};
	raw_peer_send(peer, &packet);
	packet = (struct packet){.kind = PACKET_FOLLOW, .follow = {.credit = 8 * 1024 * 1024}};
	raw_peer_send(peer, &packet);
}

bool raw_peer_hear_as_hub(struct raw_peer *peer, const char *node, const void *bytes, size_t len,
			  int timeout_ms)
{
	struct packet packet;
	uint64_t deadline = network_now_ms() + (uint64_t)timeout_ms;
	for (uint64_t now = network_now_ms(); now < deadline; now = network_now_ms()) {
		if (!raw_peer_receive(peer, &packet, (int)(deadline - now)))
			return false;
		if (memmem(peer->heard.data, peer->heard.len, bytes, len))
			return true;
		if (packet.kind == PACKET_HELLO)
			welcome(peer, node);
		answer(peer, &packet);
	}
	return false;
}
