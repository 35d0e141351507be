/*
 * The bench of overload. Whoever floods or publishes without end runs in processes of its own; the
 * round itself is who is measured beside them.
 */
#ifndef LYC_BENCH_OVERLOAD_H
#define LYC_BENCH_OVERLOAD_H

#include <stdatomic.h>

#include "kit/contest.h"

enum load_kind {
	FLOOD_OF_PUBLISHES, /* that nobody subscribes to */
	FLOOD_OF_CALLS,     /* of the very service that the quiet peer calls */
	MANY_PUBLISHERS,    /* work->count of them, nothing is kept */
	MANY_WRITERS,       /* the same, durable */
};

/* Shared with the processes. */
struct overload_board {
	/* Processes that have begun; messages that were sent; of durable ones, what came of them.
	 */
	_Atomic uint32_t begun;
	_Atomic uint64_t sent;
	_Atomic uint64_t acknowledged;
	_Atomic uint64_t refused;
	_Atomic uint64_t wrong;
};

enum load_kind load_kind_of(const struct workload *work);

/* How one peer makes a load, until its process is ended: never returns but when it fails. */
typedef void (*overload_fn)(const struct contestant *self, enum load_kind kind,
			    struct overload_board *board);
typedef void (*overload_calls_fn)(const struct contestant *self, const struct setting *setting,
				  const struct workload *work, struct measure *ret_measure);

struct overload_way {
	overload_fn make_load;
	overload_calls_fn calls;
	/* Who makes the load gets only what processor time nobody else wants, as if it had a
	 * machine of its own. */
	bool is_from_afar;
};

/* One round. The ratio of a quiet peer's p99 with the flood to that without it; or the broker's
 * private memory at its highest while many publish, and how it went. */
void overload_round(const struct contestant *self, const struct setting *setting,
		    const struct workload *work, const struct overload_way *way,
		    struct measure *ret_measure);

/* Lyceum's load. */
void lyceum_overload_load(const struct contestant *self, enum load_kind kind,
			  struct overload_board *board);
void lyceum_overload_round(const struct contestant *self, const struct setting *setting,
			   const struct workload *work, struct measure *ret_measure);
void lyceum_overload_round_from_afar(const struct contestant *self, const struct setting *setting,
				     const struct workload *work, struct measure *ret_measure);
void nats_overload_round_from_afar(const struct contestant *self, const struct setting *setting,
				   const struct workload *work, struct measure *ret_measure);
void nats_overload_round(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, struct measure *ret_measure);
bool nats_overload_can(const struct contestant *self, const struct workload *work);

#endif
