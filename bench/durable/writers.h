/*
 * The load of durable publishes: `count` publishers, each a process with `outstanding` messages
 * whose acknowledgement it waits for. The next leaves when one is acknowledged. Subjects go round
 * among 64.
 */
#ifndef LYC_BENCH_WRITERS_H
#define LYC_BENCH_WRITERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/contest.h"

#define WRITERS_MAX 8
#define WRITERS_MAX_OUTSTANDING 1024
#define WRITERS_SUBJECTS 64

struct writer;

/* What a contestant brings: one connection. */
struct writer_parts {
	/* NULL: it failed, and the measure says why. */
	void *(*open)(const struct contestant *self, struct measure *measure,
		      struct writer *writer);
	/* One message. False: the connection has ended. */
	bool (*put)(void *connection, size_t slot, const char *subject, const uint8_t *body,
		    size_t len);
	/* Send what was put, wait for up to a tenth of a second for acknowledgements, and tell each
	 * by writer_acked. False: the connection has ended. */
	bool (*turn)(void *connection);
	void (*close)(void *connection);
};

/* contestant->round calls this. */
void writers_round(const struct contestant *self, const struct setting *setting,
		   const struct workload *work, const struct writer_parts *parts,
		   struct measure *ret_measure);
/* The message of this slot is as safe as the contestant says; may put the next one. */
void writer_acked(struct writer *writer, size_t slot);
/* One was refused. */
void writer_refused(struct writer *writer, const char *text);
unsigned writer_index(const struct writer *writer);

#endif
