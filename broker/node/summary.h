/*
 * What the daemon knows from its log, written down now and then, so that a start replays the end of
 * the log and not all of it: positions of origins, subjects with a home elsewhere or a narrow
 * label, types with records, what is held, the outbox; and which records are the daemons' own
 * ("lyceum.v1."), because those are read again one by one. A shortcut only: without it everything
 * is replayed, with the same outcome.
 */
#ifndef LYC_NODE_SUMMARY_H
#define LYC_NODE_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct daemon;

struct summary_state {
	uint64_t seq; /* of the last one that was saved or restored; 0: none */
	uint64_t saved_ms;
	uint64_t removal_count; /* of the stream at that time */
};

/* Returns false to stop. */
typedef bool (*summary_record_fn)(uint64_t seq, struct span record, void *arg);
/* Hand over a stretch of the log's records from this one on. */
typedef void (*summary_read_fn)(uint64_t from, summary_record_fn on_record, void *on_arg,
				void *arg);

/* After daemon_init. Returns from which sequence on records have to be replayed; 1 when nothing was
 * taken. last_seq is the log's. */
uint64_t summary_restore(struct daemon *daemon, uint64_t last_seq, summary_read_fn read, void *arg);
/* Save it if enough was committed since the last time, or records were removed. */
void summary_tick(struct daemon *daemon);
/* Save it if anything was committed since the last time. */
void summary_save(struct daemon *daemon);
/* Append it; summary_field.h has the fields. */
void summary_write(const struct daemon *daemon, struct buf *to);

#endif
