/*
 * The tokens of links (to answer an invitation, to read a calendar) are made anew from this node's
 * secret whenever one has to be written down; records hold their hash only. So a mail that is sent
 * again has the same link, and whoever reads the log cannot use it. The secret is a file of the
 * plugin's own folder; without that file, as after its loss, there are other links.
 */
#ifndef CONVENING_SECRET_H
#define CONVENING_SECRET_H

#include <lyceum/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct secret {
	uint8_t bytes[32];
};

/* 26 letters and digits: 130 bits. */
#define SECRET_TOKEN_SIZE 27
#define SECRET_HASH_LEN 32

/* Reads FOLDER/secret, which is made when there is none, readable by the daemon's user only. */
LYC_MUST_USE enum lyc_status secret_open(const char *folder, struct secret *ret_secret,
					 struct lyc_error *error);
/* The token that stands for this invitation, or for the `number`th calendar link of a person. */
void secret_reply_token(const struct secret *secret, const char *event_home, const char *event,
			const char *invitation, char to[SECRET_TOKEN_SIZE]);
void secret_feed_token(const struct secret *secret, const char *person, uint64_t number,
		       char to[SECRET_TOKEN_SIZE]);
/* What a record may hold of a token. */
void secret_hash(const char *token, uint8_t to[SECRET_HASH_LEN]);

#endif
