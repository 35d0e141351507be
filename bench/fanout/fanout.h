/* The contestants of the bench of fan-out. */
#ifndef LYC_BENCH_FANOUT_H
#define LYC_BENCH_FANOUT_H

#include "kit/contest.h"

/* kind: a struct nats_server. */
bool nats_fanout_start(struct contestant *self, const struct setting *setting);
void nats_fanout_round(const struct contestant *self, const struct setting *setting,
		       const struct workload *work, struct measure *ret_measure);
void mosquitto_fanout_round(const struct contestant *self, const struct setting *setting,
			    const struct workload *work, struct measure *ret_measure);
bool zxproxy_start(struct contestant *self, const struct setting *setting);
void zxproxy_round(const struct contestant *self, const struct setting *setting,
		   const struct workload *work, struct measure *ret_measure);
bool relay_fanout_start(struct contestant *self, const struct setting *setting);
void relay_fanout_round(const struct contestant *self, const struct setting *setting,
			const struct workload *work, struct measure *ret_measure);
/* Only to few: it hands everything to everybody. */
bool relay_fanout_can(const struct contestant *self, const struct workload *work);
/* kind: a struct daemon with the plugin of topic/. */
void lyceum_fanout_round(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, struct measure *ret_measure);

#endif
