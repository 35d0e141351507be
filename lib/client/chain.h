/*
 * The chain (trace) that a client works in at this moment: that of the call which a plugin serves,
 * of the record that it was told of, or of the reply that it was waiting for. What is sent
 * meanwhile belongs to it, unless it says otherwise. Costs nothing where nobody traces.
 */
#ifndef LYC_CLIENT_CHAIN_H
#define LYC_CLIENT_CHAIN_H

#include "client/attachment.h"
#include "wire/trace.h"

/* What a call or publish says: `told` where it is a traceparent, else the chain of this moment.
 * `to` is room for it. */
struct span chain_of(const struct lyc_client *client, const char *told,
		     char to[TRACE_TEXT_LEN + 1]);
/* What is waited for belongs to this chain. */
void chain_keep(struct lyc_client *client, bool is_publish, struct pending *pending,
		struct span traceparent);
/* The chain that was kept; NULL. */
const struct trace *chain_find(const struct lyc_client *client, bool is_publish,
			       const struct pending *pending);
/* Nobody waits for it any more. */
void chain_forget(struct lyc_client *client, bool is_publish, const struct pending *pending);

/* Around the callback of what was waited for. */
static inline const struct trace *chain_enter(struct lyc_client *client, bool is_publish,
					      const struct pending *pending)
{
	const struct trace *outer = client->chain;
	client->chain = pending->is_traced ? chain_find(client, is_publish, pending) : NULL;
	return outer;
}

static inline void chain_leave(struct lyc_client *client, const struct trace *outer,
			       bool is_publish, const struct pending *pending, bool is_last)
{
	client->chain = outer;
	if (is_last && pending->is_traced)
		chain_forget(client, is_publish, pending);
}

void chain_fini(struct lyc_client *client);

#endif
