/* Copies are answered in the order in which they came. */
#include "node/arrivals.h"

#include <string.h>

void arrivals_add(struct arrivals *arrivals, size_t len, bool is_queued)
{
	arrivals->len += len;
	arrivals->queued += is_queued;
	if (arrivals->len < ARRIVALS_STEP || arrivals->step_count == ARRIVALS_MAX_STEPS)
		return;
	arrivals->steps[arrivals->step_count++] =
		(struct arrivals_step){.queued = arrivals->queued, .len = arrivals->len};
	arrivals->len = 0;
}

/* Steps of which nothing is on its way any more. */
static void settle(struct arrivals *arrivals)
{
	size_t done = 0;
	while (done < arrivals->step_count && arrivals->steps[done].queued <= arrivals->answered)
		arrivals->stored_len += arrivals->steps[done++].len;
	arrivals->step_count -= done;
	memmove(arrivals->steps, arrivals->steps + done,
		arrivals->step_count * sizeof(*arrivals->steps));
	if (arrivals->queued == arrivals->answered) {
		arrivals->stored_len += arrivals->len;
		arrivals->len = 0;
	}
}

void arrivals_answered(struct arrivals *arrivals)
{
	arrivals->answered++;
	if (arrivals->step_count > 0 && arrivals->steps[0].queued <= arrivals->answered)
		settle(arrivals);
}

bool arrivals_are_many(const struct arrivals *arrivals)
{
	return arrivals->stored_len >= ARRIVALS_STEP;
}

uint64_t arrivals_take(struct arrivals *arrivals)
{
	settle(arrivals);
	uint64_t len = arrivals->stored_len;
	arrivals->stored_len = 0;
	return len;
}

void arrivals_begin(struct arrivals *arrivals)
{
	arrivals->len = 0;
	arrivals->stored_len = 0;
	arrivals->step_count = 0;
}
