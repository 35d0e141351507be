/* The record of a call with an idempotency key. A reader takes what it needs and skips the rest. */
#include "host/keyed_call.h"

#include <string.h>

#include <sodium.h>

#include "base/pb.h"
#include "route/call.h"

static const char type[] = "lyceum.v1.KeyedCall.";

enum { HOME = 1, KEY_HASH, CALL_HASH, PRINCIPAL, METHOD, STATE, REPLY };

void keyed_call_hash(struct span first, struct span second, uint8_t ret_hash[KEYED_CALL_HASH_LEN])
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, first.data, first.len);
	crypto_hash_sha256_update(&state, (const uint8_t *)"", 1);
	crypto_hash_sha256_update(&state, second.data, second.len);
	crypto_hash_sha256_final(&state, hash);
	memcpy(ret_hash, hash, KEYED_CALL_HASH_LEN);
}

void keyed_call_write_subject(const char *home, struct buf *to)
{
	buf_add_format(to, "%s%s", type, home);
}

void keyed_call_write(const struct keyed_call *call, const char *home, struct buf *to)
{
	pb_write_text(to, HOME, home);
	pb_write_bytes(to, KEY_HASH, call->key.data, call->key.len);
	pb_write_bytes(to, CALL_HASH, call->call.data, call->call.len);
	pb_write_bytes(to, PRINCIPAL, call->principal.data, call->principal.len);
	pb_write_bytes(to, METHOD, call->method.data, call->method.len);
	pb_write_uint(to, STATE, call->state);
	pb_write_bytes(to, REPLY, call->reply.data, call->reply.len);
}

bool keyed_call_is(const struct record *record)
{
	return record->subject.len >= sizeof(type) &&
	       memcmp(record->subject.data, type, sizeof(type) - 1) == 0;
}

bool keyed_call_read(struct span body, struct keyed_call *ret_call)
{
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	struct keyed_call call = {0};
	while (pb_read_field(&reader, &field)) {
		if (field.number == KEY_HASH)
			call.key = field.bytes;
		else if (field.number == CALL_HASH)
			call.call = field.bytes;
		else if (field.number == PRINCIPAL)
			call.principal = field.bytes;
		else if (field.number == METHOD)
			call.method = field.bytes;
		else if (field.number == STATE)
			call.state = field.value;
		else if (field.number == REPLY)
			call.reply = field.bytes;
	}
	if (reader.has_failed || call.key.len != KEYED_CALL_HASH_LEN ||
	    call.call.len != KEYED_CALL_HASH_LEN || call.principal.len >= CALL_MAX_PRINCIPAL)
		return false;
	*ret_call = call;
	return true;
}
