/*
 * A peer of a lyceumd on a bare line, where thousands are wanted: says Hello, subscribes, returns
 * credit, gives signs of life. On a plain listener only.
 */
#ifndef LYC_BENCH_RAW_PEER_H
#define LYC_BENCH_RAW_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/line.h"
#include "wire/packet.h"

#define RAW_PEER_MAX_SUBSCRIPTIONS 16

typedef void (*raw_peer_fn)(const struct packet *packet, void *arg);

struct raw_peer {
	struct line line;
	bool is_welcome;
	/* Bytes of each subscription that go back with the next Credit. */
	uint64_t owed[RAW_PEER_MAX_SUBSCRIPTIONS];
	uint64_t said_ns;
	uint32_t heartbeat_ms;
	uint64_t publish_credit; /* what is left of it; transient publishes are taken off by hand */
	raw_peer_fn on_packet;
	void *arg;
};

/* Returns when the daemon has said Welcome. `size`: memory each way. on_packet gets Deliver, Gap,
 * Reply and what is like them. */
bool raw_peer_open(struct raw_peer *peer, const char *endpoint, size_t size, raw_peer_fn on_packet,
		   void *arg);
/* With Goodbye: without it the daemon holds the session until no sign of life has come for long. */
void raw_peer_close(struct raw_peer *peer);
/* Numbers from 0. */
bool raw_peer_subscribe(struct raw_peer *peer, unsigned number, const char *pattern);
/* Ask, and wait for the answer: all that was said before has been handled. */
bool raw_peer_sync(struct raw_peer *peer);
/* Send one packet. */
bool raw_peer_put(struct raw_peer *peer, const struct packet *packet);
/* Read once. False when the session has ended. */
bool raw_peer_turn(struct raw_peer *peer);
/* The same without waiting for anything to come. */
bool raw_peer_drain(struct raw_peer *peer);
/* A sign of life, when it is time. */
bool raw_peer_tick(struct raw_peer *peer, uint64_t now_ns);

#endif
