/* Median, least and most. */
#include "kit/spread.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;
	return (left > right) - (left < right);
}

struct spread spread_of(double *values, size_t count)
{
	if (count == 0)
		return (struct spread){0};
	qsort(values, count, sizeof(values[0]), compare);
	double upper = values[count / 2];
	double median = count % 2 ? upper : (values[count / 2 - 1] + upper) / 2;
	return (struct spread){median, values[0], values[count - 1]};
}
