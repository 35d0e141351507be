/* Node/Metrics: what a daemon counts, and what its plugins report. */
#ifndef LYC_NODE_METRICS_REPLY_H
#define LYC_NODE_METRICS_REPLY_H

#include "node/daemon.h"

void metrics_reply(struct daemon *daemon, struct buf *to);

#endif
