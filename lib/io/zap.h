/*
 * Who may connect: ZeroMQ's authentication handler (ZAP, RFC 27) on a thread of its own. Knows a
 * table of public keys and names; a known key gets in under its name (the "User-Id" of every
 * message), anything else is refused. A peer proves its key by CURVE. Start it before the context's
 * first server socket: without a handler libzmq lets every key in. Handshakes only: cutting a live
 * peer whose key was revoked is the owner's business.
 */
#ifndef LYC_IO_ZAP_H
#define LYC_IO_ZAP_H

#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#define ZAP_MAX_KEYS 65536
#define ZAP_MAX_NAME 200
#define ZAP_ANONYMOUS "anonymous"

struct zap;

struct zap_key {
	/* What the peer is called, 1 to ZAP_MAX_NAME bytes. */
	const char *name;
	/* 40 characters of Z85. */
	const char *public_key;
};

/* Start the thread, and prove that it works: a key known for this moment has to get in and an
 * unknown one to be refused. plain_domain (may be NULL): the one ZAP domain where peers without a
 * key are let in, as ZAP_ANONYMOUS. Nobody else gets in before zap_set_keys. One per context.
 * ret_zap is the caller's: zap_stop. */
LYC_MUST_USE enum lyc_status zap_start(void *zmq_ctx, const char *plain_domain,
				       struct zap **ret_zap, struct lyc_error *error);
/* Replace the whole table at once. Copies. INVALID_ARGUMENT, naming the entry, for what is not a
 * key, a name that cannot be, or one key with two names; then nothing changes. Any thread. */
LYC_MUST_USE enum lyc_status zap_set_keys(struct zap *zap, const struct zap_key *keys,
					  size_t key_count, struct lyc_error *error);
/* How many were refused since the start, and the last of them. */
struct zap_refusals {
	uint64_t count;
	/* "" for who showed none. */
	char public_key[41];
	/* A constant. */
	const char *reason;
};

/* Any thread. */
void zap_get_refusals(struct zap *zap, struct zap_refusals *ret_refusals);
/* Ends the thread and frees. Without a handler libzmq lets every key in: close the context's
 * server sockets first. Accepts NULL. */
void zap_stop(struct zap *zap);

#endif
