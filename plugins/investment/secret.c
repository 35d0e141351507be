/* Letters and digits that are not taken for one another; five bits each. */
#include "secret.h"

#include <sodium.h>
#include <string.h>

static const char alphabet[] = "23456789abcdefghijkmnpqrstuvwxyz";

bool secret_start(void)
{
	return sodium_init() >= 0;
}

void secret_make(struct secret *secret)
{
	randombytes_buf(secret->token_key, sizeof(secret->token_key));
	crypto_box_keypair(secret->public_key, secret->seal_key);
}

bool secret_from(const uint8_t token_key[32], const uint8_t seal_key[32], struct secret *ret_secret)
{
	memcpy(ret_secret->token_key, token_key, 32);
	memcpy(ret_secret->seal_key, seal_key, 32);
	return crypto_scalarmult_base(ret_secret->public_key, ret_secret->seal_key) == 0;
}

static void write_letters(const uint8_t *bytes, size_t count, char *to)
{
	for (size_t i = 0; i < count; i++)
		to[i] = alphabet[bytes[i] & 31];
	to[count] = '\0';
}

void secret_token(const struct secret *secret, side_value side, const char *id,
		  char ret_token[SECRET_TOKEN_SIZE])
{
	uint8_t hash[32];
	const uint8_t letter = side == SIDE_VENTURE ? 'v' : 'i';
	crypto_generichash_state state;

	crypto_generichash_init(&state, secret->token_key, sizeof(secret->token_key), sizeof(hash));
	crypto_generichash_update(&state, &letter, 1);
	crypto_generichash_update(&state, (const uint8_t *)id, strlen(id));
	crypto_generichash_final(&state, hash, sizeof(hash));
	ret_token[0] = (char)letter;
	write_letters(hash, SECRET_TOKEN_SIZE - 2, ret_token + 1);
}

bool secret_is_token(const char *text)
{
	return (text[0] == 'v' || text[0] == 'i') && strlen(text) == SECRET_TOKEN_SIZE - 1 &&
	       strspn(text + 1, alphabet) == SECRET_TOKEN_SIZE - 2;
}

char *secret_name(struct pad *pad)
{
	uint8_t bytes[8];
	char name[sizeof(bytes) + 1];

	randombytes_buf(bytes, sizeof(bytes));
	write_letters(bytes, sizeof(bytes), name);
	return pad_copy(pad, name);
}

ProtobufCBinaryData secret_seal(struct pad *pad, const uint8_t public_key[32],
				const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *plain = pad_new(pad, len + 1, 1);
	ProtobufCBinaryData sealed = {len + crypto_box_SEALBYTES, NULL};

	sealed.data = pad_new(pad, sealed.len, 1);
	protobuf_c_message_pack(message, plain);
	if (crypto_box_seal(sealed.data, plain, len, public_key) != 0)
		sealed.len = 0;
	sodium_memzero(plain, len);
	return sealed;
}

void *secret_open(struct pad *pad, const struct secret *secret, ProtobufCBinaryData sealed,
		  const ProtobufCMessageDescriptor *type)
{
	if (sealed.len < crypto_box_SEALBYTES)
		return NULL;
	size_t len = sealed.len - crypto_box_SEALBYTES;
	uint8_t *plain = pad_new(pad, len + 1, 1);
	if (crypto_box_seal_open(plain, sealed.data, sealed.len, secret->public_key,
				 secret->seal_key) != 0)
		return NULL;
	return pad_unpack(pad, type, plain, len);
}
