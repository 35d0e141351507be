/* What several rounds of one thing come to: the median, and from where to where. */
#ifndef LYC_BENCH_SPREAD_H
#define LYC_BENCH_SPREAD_H

#include <stddef.h>

struct spread {
	double median;
	double least;
	double most;
};

/* Sorts the values. Of none: zeros. */
struct spread spread_of(double *values, size_t count);

#endif
