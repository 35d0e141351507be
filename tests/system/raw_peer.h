/*
 * A peer that speaks packets itself, so that it can break the rules; and the other end, a socket
 * that a daemon takes for its hub.
 */
#ifndef LYC_SYSTEM_RAW_PEER_H
#define LYC_SYSTEM_RAW_PEER_H

#include "io/keyfile.h"
#include "wire/packet.h"

struct raw_peer {
	void *zmq;
	void *socket;
	bool is_server;
	uint8_t routing_id[64]; /* of the last that spoke, for a server */
	size_t routing_id_len;
	struct frame_reader reader;
	uint8_t frame[2 * 1024 * 1024];
	bool has_frame;
	struct buf heard; /* every frame, one after the other */
};

/* A connection; keys NULL: plain. */
struct raw_peer *raw_peer_new(const char *endpoint, const char *server_key,
			      const struct keypair *keys);
/* Bound to a free port of loopback, which is written to ret_endpoint; everybody may come who knows
 * its key. */
struct raw_peer *raw_peer_listen(const struct keypair *keys, char ret_endpoint[64]);
void raw_peer_free(struct raw_peer *peer);

void raw_peer_send(struct raw_peer *peer, const struct packet *packet);
void raw_peer_send_bytes(struct raw_peer *peer, const void *bytes, size_t len, bool more);
/* The next packet within timeout_ms; valid until the next call. */
bool raw_peer_receive(struct raw_peer *peer, struct packet *ret_packet, int timeout_ms);
/* The next of this kind; Pings are answered, others passed over. */
bool raw_peer_await(struct raw_peer *peer, enum packet_kind kind, struct packet *ret_packet,
		    int timeout_ms);
/* Hello, and true at Welcome. */
bool raw_peer_greet(struct raw_peer *peer, struct packet *ret_packet);
/* Welcome a node, as its hub "hub" would, each time that it connects, and follow its records until
 * these bytes have been heard; false when timeout_ms have passed before. */
bool raw_peer_hear_as_hub(struct raw_peer *peer, const char *node, const void *bytes, size_t len,
			  int timeout_ms);

#endif
