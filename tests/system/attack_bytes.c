/* Attacks on the transport: what is not even ZeroMQ, or only half of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attack.h"
#include "base/ensure.h"
#include "base/rng.h"
#include "raw_peer.h"

#define MAX_OPEN 300

void verdict_set(struct verdict *verdict, bool is_right, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	verdict->is_right = is_right;
	vsnprintf(verdict->text, sizeof(verdict->text), format, args);
	va_end(args);
}

static int dial(const char *endpoint)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port =
					      htons((uint16_t)atoi(strrchr(endpoint, ':') + 1))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ensure(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Everything that comes until the other side ends it or is silent for so long; true when it ended
 * it. */
static bool is_ended(int fd, int silence_ms)
{
	char bytes[4096];
	struct pollfd item = {.fd = fd, .events = POLLIN};
	while (poll(&item, 1, silence_ms) > 0) {
		if (recv(fd, bytes, sizeof(bytes), 0) <= 0)
			return true;
	}
	return false;
}

static void throw_rubbish(const struct target *target, struct verdict *ret_verdict)
{
	const char *const endpoints[] = {target->plain, target->node->listen_tcp};
	int count = target->is_short ? 20 : 200;
	int ended = 0;
	struct rng rng;
	rng_init(&rng, 7);
	for (int i = 0; i < count; i++) {
		uint8_t bytes[600];
		int fd = dial(endpoints[i % 2]);
		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)rng_next(&rng);
		/* Every other one begins well. */
		if (i % 4 < 2)
			memcpy(bytes, "\xff\0\0\0\0\0\0\0\x01\x7f\x03", 11);
		send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
		ended += is_ended(fd, 300);
		close(fd);
	}
	/* What looks like the beginning of an older ZMTP may be waited for. */
	verdict_set(ret_verdict, ended >= count * 9 / 10, "%d of %d connections cut", ended, count);
}

static void hold_half_open(const struct target *target, struct verdict *ret_verdict)
{
	int fds[MAX_OPEN];
	int count = target->is_short ? 50 : MAX_OPEN;
	int made = 0;
	for (; made < count; made++) {
		fds[made] = dial(made % 2 ? target->plain : target->node->listen_tcp);
		if (fds[made] < 0)
			break;
		if (made % 3 == 0)
			send(fds[made], "\xff\0\0\0", 4, MSG_NOSIGNAL);
	}
	/* An honest newcomer still gets in. */
	struct packet packet;
	struct raw_peer *peer = raw_peer_new(target->plain, NULL, NULL);
	bool is_in = raw_peer_greet(peer, &packet);
	raw_peer_free(peer);
	for (int i = 0; i < made; i++)
		close(fds[i]);
	verdict_set(ret_verdict, is_in && made == count, "%d silent ones held, a newcomer %s", made,
		    is_in ? "got in" : "was kept out");
}

static void connect_with_unknown_keys(const struct target *target, struct verdict *ret_verdict)
{
	int count = target->is_short ? 5 : 40;
	int welcomed = 0;
	struct raw_peer *peers[40];
	struct keypair keys;
	struct lyc_error error;
	struct packet packet;
	struct packet hello = {.kind = PACKET_HELLO, .hello = {.version = WIRE_VERSION}};
	for (int i = 0; i < count; i++) {
		ensure(keyfile_make(&keys, &error) == LYC_OK);
		peers[i] = raw_peer_new(target->node->listen_tcp, target->node->keys.public_key,
					&keys);
		raw_peer_send(peers[i], &hello);
	}
	for (int i = 0; i < count; i++) {
		welcomed += raw_peer_receive(peers[i], &packet, i == 0 ? 500 : 10);
		raw_peer_free(peers[i]);
	}
	verdict_set(ret_verdict, welcomed == 0, "%d of %d got any answer", welcomed, count);
}

static bool receive_at_least(int fd, size_t len)
{
	uint8_t bytes[512];
	struct pollfd item = {.fd = fd, .events = POLLIN};
	size_t got = 0;
	while (got < len && poll(&item, 1, 5000) > 0) {
		ssize_t more = recv(fd, bytes, len - got, 0);
		if (more <= 0)
			break;
		got += (size_t)more;
	}
	return got == len;
}

/* ZMTP 3.1 by hand, without keys. */
static int dial_zmtp(const char *endpoint)
{
	uint8_t greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1, 'N', 'U', 'L', 'L'};
	static const char ready[] = "\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06"
				    "DEALER";
	int fd = dial(endpoint);
	send(fd, greeting, sizeof(greeting), MSG_NOSIGNAL);
	/* Its greeting, and its READY after ours. */
	receive_at_least(fd, 64);
	send(fd, ready, sizeof(ready) - 1, MSG_NOSIGNAL);
	ensure(receive_at_least(fd, 20));
	return fd;
}

/* Fill the daemon's queue, put a ZMTP PING behind, and be gone: libzmq 4.3.4 has an assertion on
 * that way. */
static void ping_and_vanish(const struct target *target, struct verdict *ret_verdict)
{
	static const char ping[] = "\x04\x07\x04PING\0\x0a";
	int count = target->is_short ? 10 : 300;
	uint8_t frames[4 * 1500];
	size_t len = 0;
	/* A Ping packet each: 03 is its length, 1a its tag, and an empty message. */
	while (len + 4 <= sizeof(frames)) {
		memcpy(frames + len, "\x00\x02\x01\x1a", 4);
		len += 4;
	}
	for (int i = 0; i < count; i++) {
		int fd = dial_zmtp(target->plain);
		struct linger reset = {.l_onoff = 1, .l_linger = 0};
		for (int j = 0; j < 3; j++) {
			send(fd, frames, len, MSG_NOSIGNAL);
			send(fd, ping, sizeof(ping) - 1, MSG_NOSIGNAL);
		}
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	verdict_set(ret_verdict, true, "%d connections filled and reset", count);
}

static void announce_giant_frames(const struct target *target, struct verdict *ret_verdict)
{
	static const char giants[][9] = {{2, 0x7f, -1, -1, -1, -1, -1, -1, -1},
					 {2, 0, 0, 0, 0, 0x10, 0, 0, 0},
					 {2, -1, -1, -1, -1, -1, -1, -1, -1}};
	int ended = 0;
	for (int i = 0; i < 3; i++) {
		int fd = dial_zmtp(target->plain);
		send(fd, giants[i], 9, MSG_NOSIGNAL);
		ended += is_ended(fd, 2000);
		close(fd);
	}
	verdict_set(ret_verdict, ended == 3, "%d of 3 connections cut", ended);
}

const struct attack attacks_of_bytes[] = {
	{"rubbish instead of ZeroMQ", throw_rubbish},
	{"connections that say nothing", hold_half_open},
	{"keys that nobody knows", connect_with_unknown_keys},
	{"frames announced with up to 2^64 bytes", announce_giant_frames},
	{"full queue, PING, reset", ping_and_vanish},
	{NULL, NULL},
};
