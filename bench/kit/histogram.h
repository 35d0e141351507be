/* Latencies: 64 steps within each doubling of nanoseconds, so a percentile is right to 1.6 %. */
#ifndef LYC_BENCH_HISTOGRAM_H
#define LYC_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS 64
#define HISTOGRAM_BUCKETS (40 * HISTOGRAM_STEPS)

struct histogram {
	uint64_t count;
	uint32_t buckets[HISTOGRAM_BUCKETS];
};

static inline void histogram_add(struct histogram *histogram, uint64_t ns)
{
	unsigned bits = 63 - (unsigned)__builtin_clzll(ns | HISTOGRAM_STEPS);
	uint64_t bucket = (uint64_t)(bits - 6) * HISTOGRAM_STEPS + (ns >> (bits - 6));
	if (bucket >= HISTOGRAM_BUCKETS)
		bucket = HISTOGRAM_BUCKETS - 1;
	histogram->buckets[bucket]++;
	histogram->count++;
}

/* `part` of 1; microseconds. */
double histogram_us(const struct histogram *histogram, double part);

#endif
