/* Tokens, by libsodium. */
#include "token.h"

#include <sodium.h>
#include <string.h>

#define TOKEN_BYTES 32

void token_make(char ret_text[TOKEN_LEN + 1], uint8_t ret_hash[TOKEN_HASH_LEN])
{
	unsigned char bytes[TOKEN_BYTES];
	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(ret_text, TOKEN_LEN + 1, bytes, sizeof(bytes),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
	(void)token_hash(ret_text, ret_hash);
}

bool token_hash(const char *text, uint8_t ret_hash[TOKEN_HASH_LEN])
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	if (!text || strlen(text) != TOKEN_LEN || strspn(text, letters) != TOKEN_LEN)
		return false;
	return crypto_generichash(ret_hash, TOKEN_HASH_LEN, (const unsigned char *)text, TOKEN_LEN,
				  NULL, 0) == 0;
}

bool token_hash_equal(const uint8_t a[TOKEN_HASH_LEN], const uint8_t b[TOKEN_HASH_LEN])
{
	return sodium_memcmp(a, b, TOKEN_HASH_LEN) == 0;
}

void token_id(char ret_id[TOKEN_ID_LEN + 1])
{
	unsigned char bytes[TOKEN_ID_LEN / 2];
	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(ret_id, TOKEN_ID_LEN + 1, bytes, sizeof(bytes));
}
