/* Percentiles of latencies. */
#include "kit/histogram.h"

#include <stddef.h>

/* In the middle of a bucket. */
static double bucket_us(size_t bucket)
{
	if (bucket < 2 * (size_t)HISTOGRAM_STEPS)
		return (double)bucket / 1e3;
	size_t shift = bucket / HISTOGRAM_STEPS - 1;
	double step = (double)((uint64_t)1 << shift);
	return ((double)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS) + 0.5) * step / 1e3;
}

double histogram_us(const struct histogram *histogram, double part)
{
	uint64_t wanted = (uint64_t)((double)histogram->count * part);
	uint64_t passed = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		passed += histogram->buckets[i];
		if (passed > wanted)
			return bucket_us(i);
	}
	return 0;
}
