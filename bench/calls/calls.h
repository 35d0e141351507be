/* The contestants of the bench of calls: each brings up a broker with somebody behind it that
 * echoes, and is a client of it. */
#ifndef LYC_BENCH_CALLS_H
#define LYC_BENCH_CALLS_H

#include "kit/contest.h"

/* kind: the transport, "tcp" or "ipc". */
bool zproxy_start(struct contestant *self, const struct setting *setting);
void zproxy_round(const struct contestant *self, const struct setting *setting,
		  const struct workload *work, struct measure *ret_measure);
/* kind: a struct nats_server. */
bool nats_calls_start(struct contestant *self, const struct setting *setting);
void nats_calls_round(const struct contestant *self, const struct setting *setting,
		      const struct workload *work, struct measure *ret_measure);
bool mosquitto_calls_start(struct contestant *self, const struct setting *setting);
void mosquitto_calls_round(const struct contestant *self, const struct setting *setting,
			   const struct workload *work, struct measure *ret_measure);
bool relay_calls_start(struct contestant *self, const struct setting *setting);
void relay_calls_round(const struct contestant *self, const struct setting *setting,
		       const struct workload *work, struct measure *ret_measure);
/* kind: a struct daemon that has the plugin echo, or whose hub has it. */
void lyceum_calls_round(const struct contestant *self, const struct setting *setting,
			const struct workload *work, struct measure *ret_measure);

#endif
