/*
 * What a running plugin hangs from: its image, its client, its timers, its view, its calls. Owned
 * by runner.c; served_call.c, view.c, timers.c and context.c each keep one part. All of it belongs
 * to the plugin's thread.
 */
#ifndef LYC_CLIENT_CONTEXT_H
#define LYC_CLIENT_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "client/call_block.h"
#include "client/peer.h"
#include "client/plugin_load.h"
#include "client/runner.h"

/* The log as far as the plugin has seen it. */
struct view {
	bool is_followed;
	bool is_caught_up;
	/* The daemon does not let it follow any more, and why. */
	bool has_ended;
	struct lyc_error why;
	lyc_record_fn on_record;
	/* NULL: the plugin keeps what on_record gets. */
	struct lyc_table *table;
	/* The last sequence that it has handled. */
	uint64_t seq;
	/* Calls that wait until it has come far enough. */
	struct list waiting;
};

/* The plugin's own descriptors. */
struct watches {
	/* -1: none was ever watched. */
	int epoll_fd;
	uint64_t last_id;
	struct list all;
};

/* The plugin's own counters and gauges. */
struct metrics {
	struct list all;
	size_t count;
	/* Something has not been told, or not to this session. */
	bool has_news;
	bool is_on_way;
	uint64_t told_ms;
};

/* The calls that are being served. */
struct served {
	/* Those that outlive their method's function, by deadline. */
	struct list by_deadline;
	struct lyc_call *by_pointer;
	/* Those of them that stream, by number. */
	struct lyc_call *by_id;
	/* Those whose owner is to be told that they may send again, or need not any more. */
	struct list writable;
	size_t count;
	/* Counts the sessions with the daemon. */
	uint32_t session;
	/* Whose function is running now; NULL. */
	struct lyc_call *current;
	/* Replies are packed here. */
	struct buf scratch;
	struct call_blocks blocks;
};

struct lyc_plugin_context {
	struct plugin_image image;
	struct lyc_client *client;
	char *node_name;
	uint64_t epoch;
	char *data_folder;

	struct buf config_bytes;
	ProtobufCMessage *config;

	void *state;
	bool is_started;
	bool is_registered;
	/* Asked to stop: it finishes the calls that it has. */
	bool is_finishing;

	struct list timers;
	struct watches watches;
	struct metrics metrics;
	struct view view;
	struct served served;

	runner_log_fn on_log;
	void *log_arg;

	/* The session has ended since, and why. */
	bool is_lost;
	uint64_t lost_ms;
	struct lyc_error lost_why;
};

/* ---- served_call.c ---- */

void served_init(struct served *served);
/* Free the calls that are left. No reply is sent. */
void served_fini(struct lyc_plugin_context *context);
/* A Call packet: run its method, let it wait for the view, or refuse it. */
void served_receive(struct lyc_plugin_context *context, const struct packet_call *packet);
/* False when it is not known. */
bool served_cancel(struct lyc_plugin_context *context, uint64_t id);
/* The caller takes more of the stream. */
void served_credit(struct lyc_plugin_context *context, uint64_t id, uint64_t bytes);
/* Tell those who waited to send. */
void served_write(struct lyc_plugin_context *context);
/* The session is gone: nobody waits for what is being served. */
void served_forget(struct lyc_plugin_context *context);
/* End what has passed its deadline. */
void served_expire(struct lyc_plugin_context *context, uint64_t now_ms);
/* Is there a call whose caller still waits? */
bool served_is_waited_for(const struct lyc_plugin_context *context);
/* The next deadline; UINT64_MAX when there is none. */
uint64_t served_next(const struct lyc_plugin_context *context);
/* The view has moved: run the calls that waited for it. */
void served_wake(struct lyc_plugin_context *context);

/* ---- table.c ---- */

void table_take(struct lyc_table *table, const struct lyc_delivery *record);
void table_free(struct lyc_table *table);

/* ---- timers.c ---- */

/* Run what is due. */
void timers_run(struct lyc_plugin_context *context, uint64_t now_ms);
/* When the next is due; UINT64_MAX when there is none. */
uint64_t timers_next(const struct lyc_plugin_context *context);
void timers_fini(struct lyc_plugin_context *context);

/* ---- watches.c ---- */

void watches_init(struct watches *watches);
/* Tell the plugin what has become readable or writable. */
void watches_run(struct lyc_plugin_context *context);
void watches_fini(struct watches *watches);

/* ---- metrics.c ---- */

/* Tell the daemon what has changed, once in a second. */
void metrics_tell(struct lyc_plugin_context *context, uint64_t now_ms);
void metrics_fini(struct metrics *metrics);

/* ---- appends.c ---- */

/* The subject that a message's key fields make. */
LYC_MUST_USE enum lyc_status context_subject(const struct lyc_plugin_context *context,
					     const ProtobufCMessage *with_keys, struct buf *to,
					     struct lyc_error *error);
/* Hooks of the client: PERMISSION_DENIED for what the descriptor's `publishes` or `reads` do not
 * have, said in the log, too. */
enum lyc_status context_check_publish(struct lyc_client *client,
				      const struct packet_publish *publish, void *arg,
				      struct lyc_error *error);
enum lyc_status context_check_subscribe(struct lyc_client *client, struct span pattern, void *arg,
					struct lyc_error *error);

/* ---- context.c ---- */

/* Read and check the configuration; without a file everything has its default. */
LYC_MUST_USE enum lyc_status context_configure(struct lyc_plugin_context *context, const char *path,
					       struct lyc_error *error);
void context_fini(struct lyc_plugin_context *context);

#endif
