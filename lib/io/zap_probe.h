/* The self-test of the ZAP handler: a known key gets in, an unknown one does not. */
#ifndef LYC_IO_ZAP_PROBE_H
#define LYC_IO_ZAP_PROBE_H

#include <lyceum/status.h>

#include "io/keyfile.h"

/* `known` is in the handler's table as `name`. Opens a CURVE server and two clients on an abstract
 * Unix socket in the same context. Blocks, for 10 s at the utmost, usually a few milliseconds. */
LYC_MUST_USE enum lyc_status zap_probe(void *zmq_ctx, const struct keypair *known, const char *name,
				       struct lyc_error *error);

#endif
