/*
 * The load: a closed loop of calls, `window` of them outstanding, the same for every peer. Each
 * call has a slot; its body names the slot, and every reply is compared with what was asked. Warms
 * up, then measures, then waits for what is still outstanding. A peer's client brings only its
 * sockets.
 */
#ifndef LYC_BENCH_LOAD_H
#define LYC_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOAD_MAX_WINDOW 1024
#define LOAD_MAX_BODY 8192
#define LOAD_MAX_PROCESSES 8
/* Latencies: 64 steps within each doubling of nanoseconds. */
#define LOAD_STEPS 64
#define LOAD_BUCKETS (40 * LOAD_STEPS)

struct result {
	double rate;
	double p50_us;
	double p99_us;
	/* Seconds of CPU for a million calls: the broker's, and of all processes together. */
	double broker_cpu_s;
	double all_cpu_s;
	uint64_t lost;
	/* What went wrong; empty: nothing. */
	char fault[200];
};

struct load {
	size_t window;
	size_t body_len;
	/* A valid lyceum.echo.v1.SayRequest of body_len bytes for each slot. */
	uint8_t *bodies;
	/* The broker first, then whoever echoes. */
	pid_t processes[LOAD_MAX_PROCESSES];

	uint64_t from_ns;
	uint64_t until_ns;
	uint64_t give_up_ns;
	double cpu_from_s[LOAD_MAX_PROCESSES + 1];
	double cpu_until_s[LOAD_MAX_PROCESSES + 1];
	uint64_t measured_from_ns;
	uint64_t measured_until_ns;

	uint64_t sent_ns[LOAD_MAX_WINDOW];
	size_t outstanding;
	uint64_t counted;
	uint64_t wrong;
	uint32_t buckets[LOAD_BUCKETS];
	char fault[200];
};

void load_init(struct load *load, size_t window, size_t body_len);
void load_fini(struct load *load);
/* The clock runs from here: first a fifth of a second to warm up, then measure_ms. */
void load_begin(struct load *load, uint64_t measure_ms);
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
void load_fail(struct load *load, const char *text);
void load_result(const struct load *load, struct result *ret_result);

#endif
