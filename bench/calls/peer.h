/*
 * Who is measured: a broker with somebody behind it that echoes, and a client. `start` brings up
 * the processes, `run` is the client, in a process of its own for each round.
 */
#ifndef LYC_BENCH_PEER_H
#define LYC_BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "calls/load.h"

#define PEER_MAX_PROCESSES 4

/* What the bench was asked for, and where it works. */
struct setting {
	char build[400];
	char folder[200];
	size_t body_len;
	unsigned rounds;
	uint64_t round_ms;
};

struct peer {
	const char *name;
	bool (*start)(struct peer *peer, const struct setting *setting);
	void (*run)(const struct peer *peer, struct load *load, const struct setting *setting);
	/* Which of a daemon's ways in: the line of its file of endpoints. */
	int listener;
	bool has_keys;
	bool in_thread;
	/* Another peer's daemon is used. */
	struct peer *shared;

	/* Filled by start. */
	pid_t broker;
	pid_t others[PEER_MAX_PROCESSES];
	char endpoint[256];
	char server_key[41];
	char public_key[41];
	char secret_key[41];
	/* Why it is not measured; empty: it is. */
	char missing[300];
};

bool zproxy_start(struct peer *peer, const struct setting *setting);
void zproxy_run(const struct peer *peer, struct load *load, const struct setting *setting);
bool nats_start(struct peer *peer, const struct setting *setting);
void nats_run(const struct peer *peer, struct load *load, const struct setting *setting);
bool daemon_start(struct peer *peer, const struct setting *setting);
void daemon_run(const struct peer *peer, struct load *load, const struct setting *setting);

#endif
