/* Which chain is worked in, and which those belong to that are waited for. */
#include "client/chain.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) (void)(element)
#include <uthash.h>

#include "base/mem.h"

/* Of one call or publish that is outstanding. */
struct chain_wait {
	uint64_t key;
	struct trace trace;
	UT_hash_handle by_key;
};

/* Calls and publishes count their ids each on their own. */
static uint64_t key_of(bool is_publish, const struct pending *pending)
{
	return pending->id << 1 | (is_publish ? 1 : 0);
}

static struct chain_wait *find(const struct lyc_client *client, bool is_publish,
			       const struct pending *pending)
{
	struct chain_wait *wait = NULL;
	uint64_t key = key_of(is_publish, pending);
	HASH_FIND(by_key, client->chain_waits, &key, sizeof(key), wait);
	return wait;
}

struct span chain_of(const struct lyc_client *client, const char *told, char to[TRACE_TEXT_LEN + 1])
{
	if (told)
		return trace_checked(span_of(told, strlen(told)));
	return client->chain ? trace_write(client->chain, to) : span_of(NULL, 0);
}

void chain_keep(struct lyc_client *client, bool is_publish, struct pending *pending,
		struct span traceparent)
{
	struct trace trace;
	if (!trace_read(traceparent, &trace))
		return;
	struct chain_wait *wait = mem_try(sizeof(*wait));
	if (!wait)
		return; /* what comes of it belongs to no chain, nothing else */
	unsigned count = HASH_CNT(by_key, client->chain_waits);
	*wait = (struct chain_wait){.key = key_of(is_publish, pending), .trace = trace};
	HASH_ADD(by_key, client->chain_waits, key, sizeof(wait->key), wait);
	if (HASH_CNT(by_key, client->chain_waits) == count) {
		free(wait);
		return;
	}
	pending->is_traced = true;
}

const struct trace *chain_find(const struct lyc_client *client, bool is_publish,
			       const struct pending *pending)
{
	const struct chain_wait *wait = find(client, is_publish, pending);
	return wait ? &wait->trace : NULL;
}

void chain_forget(struct lyc_client *client, bool is_publish, const struct pending *pending)
{
	struct chain_wait *wait = pending->is_traced ? find(client, is_publish, pending) : NULL;
	if (!wait)
		return;
	HASH_DELETE(by_key, client->chain_waits, wait);
	free(wait);
}

void chain_fini(struct lyc_client *client)
{
	struct chain_wait *wait;
	struct chain_wait *next;
	HASH_ITER (by_key, client->chain_waits, wait, next) {
		HASH_DELETE(by_key, client->chain_waits, wait);
		free(wait);
	}
}
