/*
 * The load of fan-out: one publisher, many subscribers in processes of their own, each of whom gets
 * every message. What each has received stands in memory that all share, so the publisher keeps a
 * bounded number on their way, the same for every contestant. Each subscriber checks that the
 * numbers of its messages follow each other.
 */
#ifndef LYC_BENCH_FAN_H
#define LYC_BENCH_FAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kit/contest.h"
#include "kit/line.h"

#define FAN_MAX_PROCESSES 8
#define FAN_MAX_SUBSCRIBERS 1000
/* Messages on their way to the slowest subscriber. */
#define FAN_WINDOW 4096
/* With a thousand subscribers each message is a thousand. */
#define FAN_WINDOW_OF_MANY 64

struct fan_counter {
	_Atomic uint64_t received;
	char alone[56];
};

struct fan {
	_Atomic uint32_t ready;
	_Atomic uint32_t stop;
	/* Messages that came twice, in the wrong order, or were none of ours. */
	_Atomic uint64_t wrong;
	struct fan_counter counters[FAN_MAX_SUBSCRIBERS];
};

/* What a contestant brings. */
struct fan_parts {
	/* Subscribers first to first + count - 1, in a process of their own: connect, fan_is_ready,
	 * receive until fan->stop. Subscriber i has the patterns of fan_patterns. */
	void (*subscribe)(const struct contestant *self, struct fan *fan, unsigned first,
			  unsigned count, const struct workload *work);
	/* A connection of the publisher; NULL: it failed. */
	void *(*open)(const struct contestant *self, struct measure *measure);
	/* Take one message for sending. False: not now, flush first. */
	bool (*put)(void *publisher, const char *subject, const uint8_t *body, size_t len);
	/* Send what was taken, and do what else the connection wants. False: it has ended. */
	bool (*flush)(void *publisher);
	void (*close)(void *publisher);
	/* '.' or '/'. */
	char separator;
};

/* contestant->round calls this. */
void fan_round(const struct contestant *self, const struct setting *setting,
	       const struct workload *work, const struct fan_parts *parts,
	       struct measure *ret_measure);

/* ---- for subscribers ---- */

void fan_is_ready(struct fan *fan);
/* One message of subscriber `index`. */
void fan_received(struct fan *fan, unsigned index, const uint8_t *body, size_t len);
/* With one subscription each all patterns are "<type>.>"; with ten, they name ten devices of any
 * region ("<type>.*.d0003"), of which the publisher uses one at a time: one of the ten matches. */
unsigned fan_pattern_count(const struct workload *work);
void fan_pattern(char *to, size_t size, const struct workload *work, unsigned number,
		 const char *type, char separator, const char *one, const char *rest);

/* A subscriber on a bare line of its own. */
struct fan_subscriber {
	struct line line;
	struct fan *fan;
	unsigned index;
};
typedef bool (*fan_connect_fn)(struct fan_subscriber *subscriber, const struct contestant *self,
			       const struct workload *work);
/* Read once and hand over what is complete. False: the connection has ended. */
typedef bool (*fan_turn_fn)(struct fan_subscriber *subscriber);
/* All of one process, for parts->subscribe. */
void fan_subscribe_by_lines(const struct contestant *self, struct fan *fan, unsigned first,
			    unsigned count, const struct workload *work, fan_connect_fn connect,
			    fan_turn_fn turn);

#endif
