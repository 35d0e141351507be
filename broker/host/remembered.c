/* The table of what is remembered by idempotency key, and how much of it is whose. */
#include "host/remembered.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lyceum/v1/keyed_call.pb-c.h"
#include "route/call.h"

struct remembered_call *remembered_find(const struct remembered *remembered,
					const uint8_t key[KEYED_CALL_HASH_LEN])
{
	struct remembered_call *call;
	HASH_FIND(by_key, remembered->calls, key, KEYED_CALL_HASH_LEN, call);
	return call;
}

static struct remembered_owner *find_owner(const struct remembered *remembered,
					   const char *principal)
{
	struct remembered_owner *owner;
	HASH_FIND(by_principal, remembered->owners, principal, strlen(principal), owner);
	return owner;
}

static struct remembered_owner *get_owner(struct remembered *remembered, const char *principal)
{
	struct remembered_owner *owner = find_owner(remembered, principal);
	if (owner)
		return owner;
	owner = mem_new(struct remembered_owner);
	owner->principal = mem_dup(principal);
	HASH_ADD_KEYPTR(by_principal, remembered->owners, owner->principal, strlen(principal),
			owner);
	return owner;
}

struct remembered_call *remembered_add(struct remembered *remembered,
				       const uint8_t key[KEYED_CALL_HASH_LEN],
				       const uint8_t call[KEYED_CALL_HASH_LEN],
				       const char *principal, uint64_t time_ms)
{
	struct remembered_call *added = mem_new(struct remembered_call);
	memcpy(added->key, key, KEYED_CALL_HASH_LEN);
	memcpy(added->call, call, KEYED_CALL_HASH_LEN);
	added->time_ms = time_ms;
	added->owner = get_owner(remembered, principal);
	added->owner->count++;
	remembered->count++;
	HASH_ADD(by_key, remembered->calls, key, KEYED_CALL_HASH_LEN, added);
	return added;
}

void remembered_grow(struct remembered *remembered, struct remembered_call *call, size_t len)
{
	call->len += len;
	remembered->len += len;
}

void remembered_remove(struct remembered *remembered, struct remembered_call *call)
{
	struct remembered_owner *owner = call->owner;
	HASH_DELETE(by_key, remembered->calls, call);
	remembered->count--;
	remembered->len -= call->len;
	if (--owner->count == 0) {
		HASH_DELETE(by_principal, remembered->owners, owner);
		free(owner->principal);
		free(owner);
	}
	free(call);
}

bool remembered_is_over(const struct remembered *remembered, const struct remembered_call *call,
			uint64_t wall_ms)
{
	return !call->run && call->time_ms + remembered->limits.keep_ms <= wall_ms;
}

void remembered_prune(struct remembered *remembered, uint64_t wall_ms)
{
	while (remembered->calls && remembered_is_over(remembered, remembered->calls, wall_ms))
		remembered_remove(remembered, remembered->calls);
}

enum lyc_status remembered_check_room(const struct remembered *remembered, const char *principal,
				      struct lyc_error *error)
{
	const struct remembered_limits *limits = &remembered->limits;
	const struct remembered_owner *owner = find_owner(remembered, principal);
	if (remembered->count < limits->max_keys && remembered->len < limits->max_len &&
	    (!owner || owner->count < limits->max_keys_of_one))
		return LYC_OK;
	return error_set_field(error, LYC_RESOURCE_EXHAUSTED, "idempotency_key",
			       "the call has not run: this daemon remembers as many idempotency "
			       "keys as it may (%s); call without one, or later",
			       remembered->count >= limits->max_keys ? "limits.idempotency_keys"
			       : remembered->len >= limits->max_len
				       ? "limits.idempotency_bytes"
				       : "a quarter of limits.idempotency_keys for one principal");
}

void remembered_replay(struct remembered *remembered, uint64_t wall_ms, uint64_t seq,
		       const struct record *record)
{
	struct keyed_call kept;
	if (!keyed_call_is(record) || record->removed ||
	    record->time_ms + remembered->limits.keep_ms <= wall_ms ||
	    !keyed_call_read(record->body, &kept))
		return;
	struct remembered_call *call = remembered_find(remembered, kept.key.data);
	if (kept.state == LYCEUM__V1__KEYED_CALL__STATE__NOT_RUN) {
		if (call)
			remembered_remove(remembered, call);
		return;
	}
	if (!call) {
		char principal[CALL_MAX_PRINCIPAL];
		snprintf(principal, sizeof(principal), "%.*s", (int)kept.principal.len,
			 (const char *)kept.principal.data);
		call = remembered_add(remembered, kept.key.data, kept.call.data, principal,
				      record->time_ms);
	}
	remembered_grow(remembered, call, record->body.len);
	if (kept.state == LYCEUM__V1__KEYED_CALL__STATE__ANSWERED)
		call->seq = seq;
}
