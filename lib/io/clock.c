/* Which clocks a thread has. */
#include "io/clock.h"

_Thread_local const struct clock *clock_here;

void clock_use(const struct clock *clock)
{
	clock_here = clock;
}
