/*
 * Addresses: checks one before libzmq sees it, because libzmq removes a live ipc socket's file
 * without asking and names no reason that a person could act on.
 */
#ifndef LYC_IO_ENDPOINT_H
#define LYC_IO_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include <lyceum/status.h>

/* Is it written as an address is, "tcp://HOST:PORT" or "ipc://PATH"? Only a listener may have port
 * 0. Looks at the text alone. */
LYC_MUST_USE enum lyc_status endpoint_check_text(const char *endpoint, bool bind,
						 struct lyc_error *error);
/* Is the address usable? Writes it as libzmq wants it (port 0 becomes *). For a bind to an ipc
 * path: the folder has to exist; a socket file where nobody listens is removed; where somebody
 * does: ALREADY_EXISTS. */
LYC_MUST_USE enum lyc_status endpoint_check(const char *endpoint, bool bind, char *ret_endpoint,
					    size_t size, struct lyc_error *error);
/* The sentence and status for what zmq_bind or zmq_connect answered. */
LYC_MUST_USE enum lyc_status endpoint_explain(const char *endpoint, bool bind, int zmq_error,
					      struct lyc_error *error);

#endif
