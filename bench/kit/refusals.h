/*
 * What a daemon refuses, tried on the very connection that is measured next: a wrong body, a
 * missing right, and, for whoever subscribes, a hidden label. A daemon that lets one of them
 * through is not measured.
 */
#ifndef LYC_BENCH_REFUSALS_H
#define LYC_BENCH_REFUSALS_H

#include <stdbool.h>

#include <lyceum/client.h>

#include "kit/contest.h"

/* Of calls to the echo plugin. False: the measure says what was not refused. */
bool refusals_of_calls(struct lyc_client *client, struct measure *measure);
/* Of publishes of the type in topic/. Beside what is refused, one message is published that no
 * subscriber may see: it has no number of those that they count. */
bool refusals_of_publishes(struct lyc_client *client, struct measure *measure);

#endif
