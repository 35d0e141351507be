/*
 * The gateway's inside: one MHD daemon, driven from the plugin's thread, and the requests that are
 * being answered. server.c runs the daemon, exchange.c takes requests and sends answers, guard.c
 * refuses, site.c knows the paths; the rest answers one kind of request each.
 */
#ifndef LYC_HTTP_WEB_H
#define LYC_HTTP_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include <lyceum/msg.h>
#include <lyceum/plugin.h>
#include <microhttpd.h>

#include "rate.h"
#include "users.h"

#define SESSION_COOKIE "lyceum_session"
#define MAX_HOSTS 24
#define MAX_ADDRESS 64

/* From the configuration, with its defaults filled in. */
struct settings {
	char listen[128];
	char public_url[224];
	bool is_https;
	bool behind_proxy;
	bool open_metrics;
	/* Names under which it may be called. */
	char *hosts[MAX_HOSTS];
	size_t host_count;
	uint32_t body;
	uint32_t connections;
	uint32_t connections_per_address;
	uint32_t request_seconds;
	uint32_t session_days;
};

struct counters {
	uint64_t requests[6]; /* by the first digit of the status */
	uint64_t refused_rate;
	uint64_t refused_host;
	uint64_t late_requests;
	uint64_t entered;
};

struct exchange;
struct peer;

struct web {
	struct lyc_plugin_context *context;
	struct lyc_client *client;
	struct lyc_types *types;
	struct settings settings;
	struct users users;
	struct rate per_address;
	struct rate per_session;
	struct counters counters;

	/* server.c */
	struct MHD_Daemon *daemon;
	int timer_fd;
	/* Bound, and not listening yet: another instance of this plugin still does; -1. */
	int bound_fd;
	int family;
	/* Of files that are locked: by each instance that has bound the port, and by the one that
	 * does not listen yet; -1. */
	int port_lock;
	int next_lock;
	/* See web_knows_people. */
	bool knows_people;
	/* When it was told to stop; 0: it was not. */
	uint64_t told_ms;
	bool has_left_port;
	bool is_running;
	bool wants_run;
	struct peer *peers;
	size_t peer_count;

	/* exchange.c */
	struct exchange *exchanges;
	size_t exchange_count;
	/* Bytes of bodies and of answers that wait, all together. */
	size_t held_len;

	/* site.c: when the types were loaded last, and whether that went well. */
	uint64_t loaded_ms;
	uint64_t load_begun_ms;
	bool is_loaded;
	bool is_loading;

	/* openapi.c */
	char *openapi;
	uint64_t openapi_generation;
};

/* ---- server.c ---- */

/* Fill the error; returns the status. */
enum lyc_status web_fail(struct lyc_error *error, enum lyc_status status, const char *format, ...)
	LYC_PRINTF(3, 4);
LYC_MUST_USE enum lyc_status server_start(struct web *web, struct lyc_error *error);
/* Told to stop: whoever comes next has the port, and what has been asked is answered. True while
 * there is something to answer. */
bool server_is_busy(struct web *web);
void server_stop(struct web *web);
/* A connection was resumed: let the daemon run soon. */
void server_stir(struct web *web);
/* Has the view had all that the log held when this instance began? */
bool web_knows_people(struct web *web);
uint64_t web_now_ms(void);  /* monotonic */
uint64_t web_wall_ms(void); /* since 1970 */

/* ---- users_service.c ---- */

extern ProtobufCService *const users_services[];
/* Withdraw a record of a pass that is over. `type` is "Invitation" or "Session". */
void users_withdraw_pass(struct web *web, const char *type, const char *id, uint64_t seq,
			 lyc_ack_fn on_done, void *arg);
/* What was just appended or withdrawn counts at once, not only when the log tells it. body NULL: it
 * was withdrawn. */
void users_take_own(struct web *web, const char *type, const char *key,
		    const ProtobufCMessage *body, uint64_t seq);
/* Withdraw what has expired. */
void users_sweep(struct web *web);

#endif
