/*
 * Tokens: what a link or a cookie carries. 32 random bytes as 43 characters; kept as a hash only,
 * so that whoever reads the log cannot sign in.
 */
#ifndef LYC_HTTP_TOKEN_H
#define LYC_HTTP_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_LEN 43
#define TOKEN_HASH_LEN 32
#define TOKEN_ID_LEN 16

/* A new one. */
void token_make(char ret_text[TOKEN_LEN + 1], uint8_t ret_hash[TOKEN_HASH_LEN]);
/* False when the text cannot be a token. */
bool token_hash(const char *text, uint8_t ret_hash[TOKEN_HASH_LEN]);
/* Takes as long whatever they are. */
bool token_hash_equal(const uint8_t a[TOKEN_HASH_LEN], const uint8_t b[TOKEN_HASH_LEN]);
/* A random name for a record: hexadecimal digits. */
void token_id(char ret_id[TOKEN_ID_LEN + 1]);

#endif
