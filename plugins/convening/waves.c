/*
 * A tail is summed from its largest term outwards, each term from the one before; the first by
 * logarithms. Both tails are monotonic in the count, so the counts are found by halving.
 */
#include "waves.h"

#include <math.h>

static double term(uint32_t count, double chance, uint32_t k)
{
	double n = count, x = k;

	return exp(lgamma(n + 1) - lgamma(x + 1) - lgamma(n - x + 1) + x * log(chance) +
		   (n - x) * log1p(-chance));
}

/* P(X <= limit), summed downwards from `limit`, where the terms fall when limit is below the mean.
 */
static double lower(uint32_t count, double chance, uint32_t limit)
{
	double one = term(count, chance, limit), sum = 0;

	for (uint32_t k = limit; one > 0; k--) {
		sum += one;
		if (k == 0 || one < sum * 1e-17)
			break;
		one *= (double)k / (double)(count - k + 1) * (1 - chance) / chance;
	}
	return sum;
}

/* P(X > limit), summed upwards. */
static double upper(uint32_t count, double chance, uint32_t limit)
{
	double one = term(count, chance, limit + 1), sum = 0;

	for (uint32_t k = limit + 1; one > 0; k++) {
		sum += one;
		if (k == count || one < sum * 1e-17)
			break;
		one *= (double)(count - k) / (double)(k + 1) * chance / (1 - chance);
	}
	return sum;
}

double waves_over(uint32_t count, double chance, uint32_t limit)
{
	if (count <= limit || chance <= 0)
		return 0;
	if (chance >= 1)
		return 1;
	/* The shorter tail is the exacter one. */
	if ((double)limit >= count * chance)
		return upper(count, chance, limit);
	return 1 - lower(count, chance, limit);
}

double waves_under(uint32_t count, double chance, uint32_t least)
{
	return least == 0 ? 0 : 1 - waves_over(count, chance, least - 1);
}

uint32_t waves_most(double chance, uint32_t limit, double risk)
{
	uint32_t fits = limit, fails = WAVES_MAX;

	while (fails - fits > 1) {
		uint32_t middle = fits + (fails - fits) / 2;
		if (waves_over(middle, chance, limit) <= risk)
			fits = middle;
		else
			fails = middle;
	}
	return fits;
}

uint32_t waves_least(double chance, uint32_t least, double risk)
{
	uint32_t fails = 0, fits = WAVES_MAX;

	if (least == 0)
		return 0;
	while (fits - fails > 1) {
		uint32_t middle = fails + (fits - fails) / 2;
		if (waves_under(middle, chance, least) <= risk)
			fits = middle;
		else
			fails = middle;
	}
	return fits;
}
