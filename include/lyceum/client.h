/*
 * A client of a daemon: calls, publishes and subscribes. One client belongs to one thread;
 * callbacks run on that thread, from within lyc_client_run or a waiting call. Strings and bytes
 * that are passed in are borrowed until return; those that a callback gets are valid until it
 * returns. Reconnects by itself, with back-off; what was outstanding then ends with
 * LYC_UNAVAILABLE, but for calls with an idempotency key.
 */
#ifndef LYCEUM_CLIENT_H
#define LYCEUM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lyc_client;

struct lyc_client_options {
	/* "ipc:///...", "tcp://host:port". */
	const char *endpoint;
	/* 40 characters of Z85 each; all NULL for a plain listener. */
	const char *server_key;
	const char *public_key;
	const char *secret_key;
	/* For the daemon's status, "lyceum-cli 0.1"; NULL: "liblyceum". */
	const char *software;
	/* How long lyc_client_open waits for the daemon's Welcome; 0: 5,000. */
	uint32_t connect_timeout_ms;
};

/* How far one origin has come; `age_ms` as in lyceum.v1.AsOf, 0 where it does not apply. */
struct lyc_position {
	const char *origin;
	uint64_t epoch;
	uint64_t seq;
	uint64_t age_ms;
};

struct lyc_call_options {
	/* The node that should run it; NULL: this daemon if it serves the method, else whoever
	 * does. */
	const char *at;
	/* NULL: the client itself. */
	const char *principal;
	/* 0: the daemon's default. */
	uint32_t timeout_ms;
	bool want_as_of;
	/* At most 128 bytes, chosen for this call: its home runs it once, however often it comes,
	 * and remembers the reply for a day or what it is configured to. So the client sends it
	 * again by itself after LYC_UNAVAILABLE and after a lost session, until timeout_ms (0: 10
	 * seconds) is over. The same key with another method or request is refused. Not for
	 * streams. */
	const char *idempotency_key;
	const struct lyc_position *after;
	size_t after_count;
	/* The principal's: "wales/policy". For those who vouch for it: the operator, a plugin that
	 * speaks for people. At most 16. */
	const char *const *groups;
	size_t group_count;
	/* The chain that it belongs to, a W3C traceparent: of somebody else, or of lyc_trace_begin.
	 * NULL: inside a plugin's method or callback the one of what it works on, otherwise none. A
	 * malformed one counts as none. */
	const char *trace;
	/* Of a stream: bytes of its replies on their way at once; whoever serves it waits then. 0:
	 * 1 MiB; at most 8 MiB. They come back when the callback has returned, or, with `manual`,
	 * when the caller says lyc_client_call_handled. */
	uint32_t credit;
	bool manual;
};

struct lyc_reply {
	enum lyc_status status;
	const char *text;
	const char *field;
	const uint8_t *body;
	size_t body_len;
	/* More replies to this call follow. */
	bool more;
	struct lyc_position position;
	const struct lyc_position *as_of;
	size_t as_of_count;
	const char *served_by;
	/* To a call with an idempotency key: the home has this reply on its disk, and the same call
	 * with the same key gets it again, also when it is a failure. */
	bool remembered;
	/* The daemon served_by has refused the call: `lyceum why <served_by>/r<refusal>` tells why.
	 * 0: it has not. */
	uint64_t refusal;
};

typedef void (*lyc_reply_fn)(const struct lyc_reply *reply, void *arg);

struct lyc_welcome {
	const char *daemon;
	uint64_t epoch;
	const char *identity;
	const char *ack_means;
	const char *software;
	uint32_t max_body;
};

/* Connect and wait for the daemon's Welcome. UNAVAILABLE when nobody answers in time,
 * UNAUTHENTICATED when the key is not known there, as far as that can be told. ret_client is the
 * caller's: lyc_client_close. */
LYC_API LYC_MUST_USE enum lyc_status lyc_client_open(const struct lyc_client_options *options,
						     struct lyc_client **ret_client,
						     struct lyc_error *error);
/* Says Goodbye, flushes for up to a second, frees. Accepts NULL. Not from a callback. */
LYC_API void lyc_client_close(struct lyc_client *client);
/* What the daemon said of itself. Valid until the next reconnect. */
LYC_API const struct lyc_welcome *lyc_client_welcome(const struct lyc_client *client);

/* Handle what comes for up to timeout_ms (-1: until something was handled), and send what is
 * queued. Returns as soon as something was handled. UNAVAILABLE while there is no session: keep
 * running, it reconnects by itself. */
LYC_API enum lyc_status lyc_client_run(struct lyc_client *client, int timeout_ms);
/* A descriptor that becomes readable when lyc_client_run has something to do; edge-triggered, so
 * run until nothing is left. */
LYC_API int lyc_client_fd(const struct lyc_client *client);

/* Call and wait, also for a session and for credit, within timeout_ms (0: 5 seconds for these).
 * ret_body is malloc'ed: the caller frees. On failure error has the sentence. A streaming method's
 * replies: use _start. */
LYC_API LYC_MUST_USE enum lyc_status lyc_client_call(struct lyc_client *client, const char *method,
						     const void *body, size_t body_len,
						     const struct lyc_call_options *options,
						     uint8_t **ret_body, size_t *ret_body_len,
						     struct lyc_error *error);
/* Start a call; on_reply runs once per reply, the last with more == false, always, at the latest at
 * the deadline. RESOURCE_EXHAUSTED when the daemon's credit is used up: run, then try again. ret_id
 * may be NULL. */
LYC_API LYC_MUST_USE enum lyc_status
lyc_client_call_start(struct lyc_client *client, const char *method, const void *body,
		      size_t body_len, const struct lyc_call_options *options,
		      lyc_reply_fn on_reply, void *arg, uint64_t *ret_id);
/* Of a call with `manual`: one reply with `more` and a body of so many bytes has been dealt with,
 * so another may come. */
LYC_API void lyc_client_call_handled(struct lyc_client *client, uint64_t id, size_t body_len);
/* Its last reply then comes with LYC_CANCELLED, unless another was on its way. */
LYC_API void lyc_client_cancel(struct lyc_client *client, uint64_t id);

#define LYC_TRACE_SIZE 56

/* A new chain for lyc_call_options.trace: all daemons that its calls and records pass remember what
 * they did, and `lyceum why` tells it. Cheap: no system call. */
LYC_API void lyc_trace_begin(struct lyc_client *client, char ret_trace[LYC_TRACE_SIZE]);
/* Is it a traceparent? NULL is none. Any thread. */
LYC_API bool lyc_trace_is_valid(const char *trace);

enum lyc_visibility {
	LYC_VISIBILITY_DEFAULT = 0,
	LYC_PUBLIC = 1,
	LYC_MEMBERS = 2,
	LYC_AUDIENCE = 3,
	LYC_PRIVATE = 4,
};

struct lyc_publish_options {
	/* Append to the log, acknowledge after the sync. */
	bool durable;
	/* Withdraw the subject; no body. */
	bool remove;
	/* Only if the subject's last sequence is expect_seq (0: none). */
	bool expect;
	uint64_t expect_seq;
	/* For types without a Label: who may see it. `to` names one node: a directed record. */
	enum lyc_visibility visibility;
	const char *to;
	const char *principal;
	/* As in lyc_call_options. */
	const char *trace;
};

struct lyc_ack {
	enum lyc_status status;
	const char *text;
	const char *field;
	uint64_t seq;
	/* As in lyc_reply, of this daemon. */
	uint64_t refusal;
};

typedef void (*lyc_ack_fn)(const struct lyc_ack *ack, void *arg);

/* Publish and wait for the Ack. ret_seq may be NULL. */
LYC_API LYC_MUST_USE enum lyc_status lyc_client_publish(struct lyc_client *client,
							const char *subject, const void *body,
							size_t body_len,
							const struct lyc_publish_options *options,
							uint64_t *ret_seq, struct lyc_error *error);
/* The same without waiting; on_ack NULL (transient only): no Ack is asked for. RESOURCE_EXHAUSTED:
 * out of credit, run and try again. */
LYC_API LYC_MUST_USE enum lyc_status
lyc_client_publish_start(struct lyc_client *client, const char *subject, const void *body,
			 size_t body_len, const struct lyc_publish_options *options,
			 lyc_ack_fn on_ack, void *arg);

struct lyc_delivery {
	const char *subject;
	const uint8_t *body;
	size_t body_len;
	/* In the daemon's log; 0 for a transient message. */
	uint64_t seq;
	const char *origin;
	uint64_t epoch;
	uint64_t origin_seq;
	uint64_t time_ms;
	const char *principal;
	uint64_t schema;
	bool removed;
	/* Messages that were dropped before this one because the subscriber was slow; with subject
	 * NULL there is nothing else here. */
	uint64_t missed;
	/* Everything up to seq has been delivered; subject is NULL. */
	bool caught_up;
	/* Not LYC_OK: the daemon has refused or ended the subscription, and text says why. Nothing
	 * more comes; subject is NULL. */
	enum lyc_status status;
	const char *text;
	uint64_t refusal;
	/* The chain that the publish belonged to, a traceparent; "": none. */
	const char *trace;
};

/* The value of a key token of a subject, in place: in a token '.', '*', '>', '%', spaces and
 * control bytes stand as %XX. False for an empty one, or when two hex digits are missing; the token
 * is then of no use. Any thread. */
LYC_API bool lyc_subject_unescape(char *token);

typedef void (*lyc_delivery_fn)(const struct lyc_delivery *delivery, void *arg);

enum lyc_start { LYC_START_NOW = 0, LYC_START_SEQ = 1, LYC_START_LAST = 2, LYC_START_TIME = 3 };

struct lyc_subscribe_options {
	enum lyc_start start;
	/* LYC_START_SEQ: from this sequence on; LYC_START_TIME: from the first record on that was
	 * committed at or after this time, in milliseconds since 1970. */
	uint64_t from;
	/* The daemon keeps the position under this name. */
	const char *durable;
	/* Subscribers of one group share: each message and each record goes to one of them, all of
	 * a subject to the same one while they stay. Where they follow records (durable,
	 * records_only, or a start) the group has one position, and what a member has not consumed
	 * when it goes comes to another: at least once. */
	const char *group;
	bool records_only;
	/* Bytes on their way at once; 0: 1 MiB; at most 8 MiB. */
	uint64_t credit;
	/* The caller says lyc_client_consumed; otherwise a delivery counts as consumed when the
	 * callback has returned. */
	bool manual;
};

/* ret_id names the subscription in the functions below, and may be NULL. Renewed by itself after a
 * reconnect, from where it was. */
LYC_API LYC_MUST_USE enum lyc_status
lyc_client_subscribe(struct lyc_client *client, const char *pattern,
		     const struct lyc_subscribe_options *options, lyc_delivery_fn on_delivery,
		     void *arg, uint64_t *ret_id, struct lyc_error *error);
LYC_API void lyc_client_consumed(struct lyc_client *client, uint64_t id, uint64_t seq);
LYC_API void lyc_client_unsubscribe(struct lyc_client *client, uint64_t id, bool forget);

#ifdef __cplusplus
}
#endif

#endif
