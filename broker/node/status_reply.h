/* Node/Status: what a daemon says of itself, its links, plugins, sessions and its log. */
#ifndef LYC_NODE_STATUS_REPLY_H
#define LYC_NODE_STATUS_REPLY_H

#include "node/daemon.h"

/* Where things lie on this machine, and who is connected, is for the operator only. */
void status_reply(struct daemon *daemon, bool is_operator, struct buf *to);

#endif
