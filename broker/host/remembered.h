/*
 * What a daemon remembers of the calls with an idempotency key: one entry a key, the oldest first,
 * within limits for all and for one principal, for a stated time. It is filled by the calls that
 * run (once.h) and, at a start, by the log's records of them (keyed_call.h).
 */
#ifndef LYC_HOST_REMEMBERED_H
#define LYC_HOST_REMEMBERED_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "base/error.h"
#include "host/keyed_call.h"

struct once_run;

struct remembered_limits {
	uint64_t keep_ms;
	size_t max_keys;
	size_t max_keys_of_one; /* principal */
	uint64_t max_len;       /* of their records */
};

/* What one principal has of the room. */
struct remembered_owner {
	char *principal;
	size_t count;
	UT_hash_handle by_principal;
};

struct remembered_call {
	uint8_t key[KEYED_CALL_HASH_LEN];
	uint8_t call[KEYED_CALL_HASH_LEN];
	uint64_t time_ms; /* of its start, since 1970 */
	uint64_t seq;     /* of the record with its reply; 0: no reply is known */
	uint64_t len;     /* of its records */
	struct remembered_owner *owner;
	struct once_run *run; /* NULL: nobody does anything about it */
	UT_hash_handle by_key;
};

struct remembered {
	struct remembered_limits limits;
	struct remembered_call *calls; /* by key, the oldest first */
	struct remembered_owner *owners;
	size_t count;
	uint64_t len;
};

/* NULL: none. */
struct remembered_call *remembered_find(const struct remembered *remembered,
					const uint8_t key[KEYED_CALL_HASH_LEN]);
/* One that is not there yet. */
struct remembered_call *remembered_add(struct remembered *remembered,
				       const uint8_t key[KEYED_CALL_HASH_LEN],
				       const uint8_t call[KEYED_CALL_HASH_LEN],
				       const char *principal, uint64_t time_ms);
/* A record of it has so many bytes. */
void remembered_grow(struct remembered *remembered, struct remembered_call *call, size_t len);
/* It is freed; its run is the caller's business. */
void remembered_remove(struct remembered *remembered, struct remembered_call *call);

/* Has it been kept as long as it has to be? Not while it runs. */
bool remembered_is_over(const struct remembered *remembered, const struct remembered_call *call,
			uint64_t wall_ms);
/* Forget what is over. */
void remembered_prune(struct remembered *remembered, uint64_t wall_ms);
/* RESOURCE_EXHAUSTED when this principal may not bring one more. */
LYC_MUST_USE enum lyc_status remembered_check_room(const struct remembered *remembered,
						   const char *principal, struct lyc_error *error);
/* A private record of the log, before the daemon starts; one of another type is none. */
void remembered_replay(struct remembered *remembered, uint64_t wall_ms, uint64_t seq,
		       const struct record *record);

#endif
