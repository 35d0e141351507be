/* Node/Services and Node/Schema: what can be called here, and how. */
#ifndef LYC_NODE_SERVICES_REPLY_H
#define LYC_NODE_SERVICES_REPLY_H

#include "lyceum/v1/node.pb-c.h"
#include "node/daemon.h"

/* Each service once, as it is here; only those that somebody serves. */
void services_reply(struct daemon *daemon, struct buf *to);
/* NOT_FOUND when nothing that is held here defines what was asked for. */
LYC_MUST_USE enum lyc_status schema_reply(struct daemon *daemon,
					  const Lyceum__V1__SchemaRequest *request, struct buf *to,
					  struct lyc_error *error);

#endif
