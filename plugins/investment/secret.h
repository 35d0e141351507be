/*
 * What keeps identities at home: tokens, which only the holder of the key can turn back into ids,
 * and seals, which only the node that they are for can open (libsodium: BLAKE2b and sealed boxes).
 */
#ifndef INVESTMENT_SECRET_H
#define INVESTMENT_SECRET_H

#include <stdbool.h>

#include "records.h"
#include "pad.h"

#define SECRET_TOKEN_SIZE 16

/* A node's keys. */
struct secret {
	uint8_t token_key[32];
	uint8_t seal_key[32];
	uint8_t public_key[32];
};

/* Once, before everything else; false when the library does not work. */
bool secret_start(void);
void secret_make(struct secret *secret);
/* From the two keys as they are kept; false when they are none. */
bool secret_from(const uint8_t token_key[32], const uint8_t seal_key[32],
		 struct secret *ret_secret);
/* "v7k2mq4hn3xw5t6": a letter for the side and 70 bits of a keyed hash of the id. */
void secret_token(const struct secret *secret, side_value side, const char *id,
		  char ret_token[SECRET_TOKEN_SIZE]);
/* Could this be a token? */
bool secret_is_token(const char *text);
/* A short name for something new: 8 letters and digits. */
char *secret_name(struct pad *pad);
/* Seal a message for the owner of a public key. */
ProtobufCBinaryData secret_seal(struct pad *pad, const uint8_t public_key[32],
				const ProtobufCMessage *message);
/* NULL when it is not for this node, or not of this type. */
void *secret_open(struct pad *pad, const struct secret *secret, ProtobufCBinaryData sealed,
		  const ProtobufCMessageDescriptor *type);

#endif
