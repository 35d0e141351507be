/*
 * Lyceum as a contestant: a real lyceumd, configured as in production. Rights are loaded for a
 * thousand keys with a list each, the caller's own among them with fifty patterns; CURVE listeners
 * and a plain one stand side by side.
 */
#ifndef LYC_BENCH_DAEMON_H
#define LYC_BENCH_DAEMON_H

#include <stdbool.h>

#include <lyceum/client.h>

#include "kit/contest.h"

enum daemon_way { DAEMON_PLAIN_TCP = 0, DAEMON_CURVE_TCP = 1, DAEMON_CURVE_IPC = 2 };

struct daemon {
	/* Of its folder and configuration; NULL: no daemon of its own, the contestant is `shared`.
	 */
	const char *name;
	/* Of the daemon in its network; NULL: the same. */
	const char *node;
	enum daemon_way way;
	/* Plugins, limits, streams: text of the configuration. @ stands for the build folder. */
	const char *config;
	/* Patterns that the caller may call, publish, subscribe, in quotes and with commas. */
	const char *call;
	const char *publish;
	const char *subscribe;
};

/* contestant->kind is the struct daemon; what it `needs` is its hub. Waits until it has opened its
 * listeners. */
bool daemon_start(struct contestant *contestant, const struct setting *setting);
/* A client by the contestant's way in. */
bool daemon_open(const struct contestant *contestant, struct lyc_client **ret_client,
		 struct measure *measure);
/* Call until it is served: a plugin may still be starting. */
bool daemon_await(struct lyc_client *client, const char *method, const void *body, size_t len,
		  struct measure *measure);

#endif
