/*
 * A client that also serves: what the runner of plugins needs beyond <lyceum/client.h>. It may run
 * over another transport than ZeroMQ, gets the daemon's calls, answers them, and is told
 * when a session begins and ends. Everything happens on the client's thread, from within
 * lyc_client_run or a waiting call. How it works is in session.h.
 */
#ifndef LYC_CLIENT_PEER_H
#define LYC_CLIENT_PEER_H

#include <lyceum/client.h>

#include "wire/packet.h"

struct transport;

/* Strings are copied. */
struct connection_options {
	/* NULL: ZeroMQ. Otherwise endpoint is just what it is called, and keys do not matter. Kept
	 * by pointer. */
	const struct transport *transport;
	const char *endpoint;
	/* 40 characters of Z85 each; all NULL for a plain listener. */
	const char *server_key;
	const char *public_key;
	const char *secret_key;
	/* NULL: "liblyceum". */
	const char *software;
	/* Bytes of calls that the daemon may have outstanding towards us; 0: it may not call. */
	uint64_t call_credit;
	/* 0: 5,000. */
	uint32_t connect_timeout_ms;
};

/* Each may be NULL. A hook may use the client as any callback may: a waiting call inside it handles
 * replies, acks and Registered only. */
struct peer_hooks {
	/* A session has begun: after each Welcome, the first one included (then from within
	 * client_open_with; *ret_client is already set). Subscriptions have been renewed. The place
	 * to register. */
	void (*on_welcome)(struct lyc_client *client, void *arg);
	/* The session has ended, for this reason: calls that are being served need no reply any
	 * more, and their ids may come again. */
	void (*on_lost)(struct lyc_client *client, const struct lyc_error *why, void *arg);
	/* The daemon calls. What call points to is valid until the hook returns. packet_len is what
	 * it counts for. */
	void (*on_call)(struct lyc_client *client, const struct packet_call *call,
			size_t packet_len, void *arg);
	/* The caller of this call waits no longer; a last reply with LYC_CANCELLED is still due.
	 * False: no such call is known. It runs also while a callback waits, so that a method
	 * learns of it. */
	bool (*on_cancel)(struct lyc_client *client, uint64_t id, void *arg);
	/* The caller of this call takes so many bytes more of its stream; the same. */
	void (*on_credit)(struct lyc_client *client, uint64_t id, uint64_t bytes, void *arg);
	/* Whether a publish or a subscription of our own may leave at all; when not, why. */
	enum lyc_status (*check_publish)(struct lyc_client *client,
					 const struct packet_publish *publish, void *arg,
					 struct lyc_error *error);
	enum lyc_status (*check_subscribe)(struct lyc_client *client, struct span pattern,
					   void *arg, struct lyc_error *error);
	void *arg;
};

/* As lyc_client_open. Copies hooks, which may be NULL. ret_client is the caller's:
 * lyc_client_close; it is NULL after a failure. */
LYC_MUST_USE enum lyc_status client_open_with(const struct connection_options *options,
					      const struct peer_hooks *hooks,
					      struct lyc_client **ret_client,
					      struct lyc_error *error);
/* Say what we serve and wait for Registered; the id is set here. Borrows. The schema may be empty
 * where the daemon holds it. Once per session. UNAVAILABLE when the session ends meanwhile. */
LYC_MUST_USE enum lyc_status client_register(struct lyc_client *client,
					     const struct packet_register *reg,
					     struct lyc_error *error);
/* Say that we take no more calls, and wait for the daemon's word, for at most timeout_ms: what it
 * had sent by then has come by then. What we published before we may still publish. */
LYC_MUST_USE enum lyc_status client_let_go(struct lyc_client *client, uint32_t timeout_ms);
/* Handle what comes for up to timeout_ms, woken or not. */
void client_run_on(struct lyc_client *client, uint32_t timeout_ms);
/* The clock as it stood when the frame that is being handled was received. */
uint64_t client_now_ms(const struct lyc_client *client);
/* Queue one reply to a call of the present session. Borrows. It leaves with the next run, or at
 * once when the frame is full. UNAVAILABLE without a session; RESOURCE_EXHAUSTED for a reply with
 * `more` when the daemon does not keep up: send it again after a run. */
LYC_MUST_USE enum lyc_status client_reply(struct lyc_client *client,
					  const struct packet_reply *reply);
/* What is sent from now on belongs to this chain, NULL: none. Borrows it; returns the former. */
struct trace;
const struct trace *client_work_in(struct lyc_client *client, const struct trace *chain);
/* A run ends, too, when this descriptor becomes readable; client_is_woken from then on. One per
 * client; waiting calls do not care. */
LYC_MUST_USE enum lyc_status client_wake_on(struct lyc_client *client, int fd,
					    struct lyc_error *error);
bool client_is_woken(const struct lyc_client *client);
/* A run ends, too, when this descriptor is readable; that counts again from each client_rearm on.
 * One per client. */
LYC_MUST_USE bool client_stir_on(struct lyc_client *client, int fd);
void client_rearm(struct lyc_client *client);
/* The last session ended with the daemon's Goodbye(SHUTDOWN): a plugin ends, too. */
bool client_is_told_to_end(const struct lyc_client *client);
/* End what is outstanding with CANCELLED; what its callbacks begin, too, up to a point. */
void client_abandon(struct lyc_client *client);
/* True between Welcome and loss. */
bool client_is_open(const struct lyc_client *client);

#endif
