/* The last words of a program that broke its own rules. */
#include "base/ensure.h"

#include <stdio.h>
#include <stdlib.h>

void ensure_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "lyceum: bug: %s does not hold at %s:%d\n", condition, file, line);
	abort();
}
