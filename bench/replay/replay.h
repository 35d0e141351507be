/* The contestants of the bench of replays: each has been filled once, then every round reads all.
 */
#ifndef LYC_BENCH_REPLAY_H
#define LYC_BENCH_REPLAY_H

#include "kit/contest.h"

bool jetstream_replay_start(struct contestant *self, const struct setting *setting);
void jetstream_replay_before(struct contestant *self, const struct setting *setting,
			     const struct workload *work);
void jetstream_replay_round(const struct contestant *self, const struct setting *setting,
			    const struct workload *work, struct measure *ret_measure);
bool redis_replay_start(struct contestant *self, const struct setting *setting);
void redis_replay_before(struct contestant *self, const struct setting *setting,
			 const struct workload *work);
void redis_replay_round(const struct contestant *self, const struct setting *setting,
			const struct workload *work, struct measure *ret_measure);
void lyceum_replay_before(struct contestant *self, const struct setting *setting,
			  const struct workload *work);
void lyceum_replay_round(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, struct measure *ret_measure);

#endif
