/* The operator at each daemon: publishes, calls, and remembers what it was told. */
#ifndef LYC_TESTS_SIM_WRITER_H
#define LYC_TESTS_SIM_WRITER_H

#include "sim_peer.h"

#define WRITER_STREAMS_MAX 512
#define WRITER_COUNT_MAX 128

struct sim_peer *writer_new(struct sim *sim, struct sim_node *node);
/* One more transient message, when all is calm: so that whoever missed the last ones learns it. */
void writer_mark(struct sim_peer *writer);

/* ---- caller.c ---- */

/* A call by chance. */
void caller_call(struct sim_peer *writer);
void caller_replied(struct sim_peer *writer, const struct packet_reply *reply);
/* What was outstanding is unknown now. */
void caller_lost(struct sim_peer *writer);

#endif
