/*
 * A CURVE key pair and the file that keeps it: two lines, `public-key: ...` and `secret-key: ...`,
 * 40 characters of Z85 each, readable by its owner only.
 */
#ifndef LYC_IO_KEYFILE_H
#define LYC_IO_KEYFILE_H

#include <stdbool.h>

#include <lyceum/status.h>

#include "base/buf.h"

struct keypair {
	char public_key[41];
	char secret_key[41];
};

/* A fresh pair. */
LYC_MUST_USE enum lyc_status keyfile_make(struct keypair *ret_keys, struct lyc_error *error);
/* Write it, mode 0600: whole and synced, or not at all. ALREADY_EXISTS when there is a file: a key
 * is never overwritten. */
LYC_MUST_USE enum lyc_status keyfile_write(const char *path, const struct keypair *keys,
					   struct lyc_error *error);
/* Read it; refuses a file that its group or others may read, and a pair that does not belong
 * together. */
LYC_MUST_USE enum lyc_status keyfile_read(const char *path, struct keypair *ret_keys,
					  struct lyc_error *error);
/* Is it 40 characters of Z85 that make a key? */
bool keyfile_is_key(const char *key);

#endif
