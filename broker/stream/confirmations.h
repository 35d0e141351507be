/*
 * What daemons say of erasures (lyceum.v1.Erased): up to which record of a home each has done what
 * it was asked to, and which daemons there are to be heard of.
 */
#ifndef LYC_STREAM_CONFIRMATIONS_H
#define LYC_STREAM_CONFIRMATIONS_H

#include "stream/record.h"

/* A daemon has done all erasures of a home up to this record of its. */
struct confirmation {
	char daemon[64];
	char of[64];
	uint64_t epoch;
	uint64_t seq;
	struct confirmation *next;
};

struct confirmations {
	const char *own_name; /* borrowed */
	struct confirmation *all;
	struct confirming *daemons;
};

void confirmations_fini(struct confirmations *confirmations);
/* Is the record one? Only what daemons say; erased ones are not. */
bool confirmations_is_one(const struct record *record);
/* Take note of one: whose word it is, the record's origin says. */
void confirmations_note(struct confirmations *confirmations, const struct record *record);
/* NULL: that daemon has said nothing of this home. */
const struct confirmation *confirmations_find(const struct confirmations *confirmations,
					      const char *daemon, const char *of);
/* The record of this daemon's own, but for the nodes that it names. */
void confirmations_write(const struct confirmations *confirmations, const char *of, uint64_t epoch,
			 uint64_t seq, struct buf *subject, struct buf *body);
void confirmations_write_node(struct buf *body, const char *node);
/* Daemons that others have told of, and whoever has told something; not this one. */
typedef void (*confirmations_daemon_fn)(const char *daemon, void *arg);
void confirmations_each_daemon(const struct confirmations *confirmations,
			       confirmations_daemon_fn on_daemon, void *arg);

#endif
