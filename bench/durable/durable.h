/* The contestants of the bench of durable publishes. */
#ifndef LYC_BENCH_DURABLE_H
#define LYC_BENCH_DURABLE_H

#include "kit/contest.h"

bool jetstream_start(struct contestant *self, const struct setting *setting);
void jetstream_before(struct contestant *self, const struct setting *setting,
		      const struct workload *work);
void jetstream_round(const struct contestant *self, const struct setting *setting,
		     const struct workload *work, struct measure *ret_measure);
/* kind: "always" or "everysec". */
bool redis_start(struct contestant *self, const struct setting *setting);
void redis_before(struct contestant *self, const struct setting *setting,
		  const struct workload *work);
void redis_round(const struct contestant *self, const struct setting *setting,
		 const struct workload *work, struct measure *ret_measure);
bool postgres_start(struct contestant *self, const struct setting *setting);
void postgres_before(struct contestant *self, const struct setting *setting,
		     const struct workload *work);
void postgres_round(const struct contestant *self, const struct setting *setting,
		    const struct workload *work, struct measure *ret_measure);
bool bare_file_start(struct contestant *self, const struct setting *setting);
void bare_file_round(const struct contestant *self, const struct setting *setting,
		     const struct workload *work, struct measure *ret_measure);
/* kind: a struct daemon with the plugin of topic/. */
void lyceum_durable_round(const struct contestant *self, const struct setting *setting,
			  const struct workload *work, struct measure *ret_measure);

#endif
