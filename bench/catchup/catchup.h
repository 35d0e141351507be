/* The contestants of the bench of a node that was away. The hub and the stream that they copy are
 * those of the bench of replays. */
#ifndef LYC_BENCH_CATCHUP_H
#define LYC_BENCH_CATCHUP_H

#include "kit/contest.h"

/* needs: the hub. */
void lyceum_catchup_round(const struct contestant *self, const struct setting *setting,
			  const struct workload *work, struct measure *ret_measure);
void jetstream_catchup_round(const struct contestant *self, const struct setting *setting,
			     const struct workload *work, struct measure *ret_measure);

#endif
