/*
 * The private record of the log about a call with an idempotency key (lyceum.v1.KeyedCall): its
 * fields, written and read by hand. What they say is remembered.h's.
 */
#ifndef LYC_HOST_KEYED_CALL_H
#define LYC_HOST_KEYED_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "stream/record.h"

#define KEYED_CALL_HASH_LEN 16

struct keyed_call {
	struct span key; /* a hash, as `call` */
	struct span call;
	struct span principal;
	struct span method;
	uint64_t state; /* Lyceum__V1__KeyedCall__State */
	struct span reply;
};

/* The hash of two texts, so that no other two have the same. */
void keyed_call_hash(struct span first, struct span second, uint8_t ret_hash[KEYED_CALL_HASH_LEN]);

/* `home` is the daemon's name. */
void keyed_call_write_subject(const char *home, struct buf *to);
void keyed_call_write(const struct keyed_call *call, const char *home, struct buf *to);

/* Is the record such a one? A body that cannot be read is refused by keyed_call_read: false. What
 * was read is valid as long as the body. */
bool keyed_call_is(const struct record *record);
bool keyed_call_read(struct span body, struct keyed_call *ret_call);

#endif
