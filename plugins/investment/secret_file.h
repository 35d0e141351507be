/*
 * Where a node's keys are kept: a file of its own in the plugin's folder, for its owner alone.
 * Not in the log, which everybody with a key of the node may read.
 */
#ifndef INVESTMENT_SECRET_FILE_H
#define INVESTMENT_SECRET_FILE_H

#include <lyceum/status.h>

#include "secret.h"

/* The keys of the file `secret` in that folder; the first time it is made. It is whole or not
 * there; one that others may read, or that is not whole, is refused with a sentence. */
LYC_MUST_USE enum lyc_status secret_file_keep(const char *folder, struct secret *ret_secret,
					      struct lyc_error *error);

#endif
