/*
 * The load: a closed loop of calls, `window` of them outstanding, the same for every contestant.
 * Each call has a slot; its body names the slot, and every reply is compared with what was asked.
 * Warms up, then measures, then waits for what is still outstanding. A contestant's client brings
 * only its sockets.
 */
#ifndef LYC_BENCH_LOAD_H
#define LYC_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/contest.h"
#include "kit/histogram.h"

#define LOAD_MAX_WINDOW 1024
#define LOAD_MAX_BODY 8192

struct load {
	const struct contestant *contestant;
	struct measure *measure;
	size_t window;
	size_t body_len;
	/* A valid lyceum.echo.v1.SayRequest of body_len bytes for each slot. */
	uint8_t *bodies;

	uint64_t from_ns;
	uint64_t until_ns;
	uint64_t give_up_ns;
	uint64_t measured_from_ns;
	uint64_t measured_until_ns;
	struct cpu cpu_from;
	struct cpu cpu_until;

	uint64_t sent_ns[LOAD_MAX_WINDOW];
	size_t outstanding;
	uint64_t wrong;
	struct histogram latencies;
};

/* `measure` says what failed, and takes the result. */
void load_init(struct load *load, const struct contestant *contestant, const struct workload *work,
	       struct measure *measure);
/* The clock runs from here: first a fifth of a second to warm up, then round_ms. */
void load_begin(struct load *load, const struct setting *setting);
static inline const uint8_t *load_body(const struct load *load, size_t slot)
{
	return load->bodies + slot * load->body_len;
}
/* The slot that a body names; window when it names none. */
size_t load_slot_of(const struct load *load, const uint8_t *body, size_t len);
/* Just before a first call leaves. */
void load_sent(struct load *load, size_t slot);
/* A reply, whose first body_len bytes have to be what was asked. True: the next call leaves now,
 * from the same slot, counted already; false: no more. */
bool load_received(struct load *load, size_t slot, const uint8_t *body, size_t len);
/* Nothing is outstanding any more, or something is overdue. */
bool load_is_over(const struct load *load);
/* Fills the measure and frees. */
void load_end(struct load *load);

#endif
