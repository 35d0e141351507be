/* Time, luck, history. */
#include "simulation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "damage.h"
#include "heard.h"
#include "line.h"
#include "shared.h"
#include "sim_node.h"
#include "sim_peer.h"
#include "tokens.h"
#include "writes.h"

const char *const promise_names[PROMISE_COUNT] = {
	[PROMISE_NONE] = "none",
	[PROMISE_DURABLE] = "durable",
	[PROMISE_REPLICATED] = "replicated",
	[PROMISE_ONCE] = "once",
	[PROMISE_ORDER] = "order",
	[PROMISE_AFTER] = "after",
	[PROMISE_HOME] = "home",
	[PROMISE_EXPECT] = "expect",
	[PROMISE_CALL_ENDS] = "call-ends",
	[PROMISE_CALL_ONCE] = "call-once",
	[PROMISE_PRIVATE] = "private",
	[PROMISE_VIEW] = "view",
	[PROMISE_GAP] = "gap",
	[PROMISE_SHARED] = "shared",
	[PROMISE_PLACE] = "place",
	[PROMISE_ERASED] = "erased",
	[PROMISE_HEALED] = "healed",
	[PROMISE_BYTES] = "bytes",
	[PROMISE_SINCE] = "since",
	[PROMISE_BOUNDED] = "bounded",
	[PROMISE_CONVERGES] = "converges",
};

const char *const mutation_names[MUTATION_COUNT] = {
	[MUTATION_NONE] = "none",
	[MUTATION_ACK_BEFORE_SYNC] = "ack-before-sync",
	[MUTATION_LYING_DISK] = "lying-disk",
	[MUTATION_DROP_COPY] = "drop-copy",
	[MUTATION_FORWARD_PRIVATE] = "forward-private",
	[MUTATION_FORGET_POSITION] = "forget-position",
	[MUTATION_SKIP_POSITION] = "skip-position",
	[MUTATION_SWAP_FRAMES] = "swap-frames",
	[MUTATION_REPEAT_CALL] = "repeat-call",
	[MUTATION_FORGET_COPIES] = "forget-copies",
	[MUTATION_LOSE_REPLY] = "lose-reply",
	[MUTATION_IGNORE_AFTER] = "ignore-after",
	[MUTATION_IGNORE_EXPECT] = "ignore-expect",
	[MUTATION_FOREIGN_APPEND] = "foreign-append",
	[MUTATION_LOSE_REMOVAL] = "lose-removal",
	[MUTATION_LOSE_GAP] = "lose-gap",
	[MUTATION_FORGET_PLACE] = "forget-place",
	[MUTATION_SKIP_PLACE] = "skip-place",
	[MUTATION_SHARE_TWICE] = "share-twice",
	[MUTATION_KEEP_ERASED] = "keep-erased",
	[MUTATION_LOSE_FOUND] = "lose-found",
	[MUTATION_WRONG_BYTES] = "wrong-bytes",
	[MUTATION_SINCE_LATER] = "since-later",
	[MUTATION_SINCE_BEFORE] = "since-before",
	[MUTATION_UNBOUNDED] = "unbounded",
	[MUTATION_STAY_APART] = "stay-apart",
};

const enum promise mutation_breaks[MUTATION_COUNT] = {
	[MUTATION_ACK_BEFORE_SYNC] = PROMISE_DURABLE,
	[MUTATION_LYING_DISK] = PROMISE_DURABLE,
	[MUTATION_DROP_COPY] = PROMISE_REPLICATED,
	[MUTATION_FORWARD_PRIVATE] = PROMISE_PRIVATE,
	[MUTATION_FORGET_POSITION] = PROMISE_REPLICATED,
	[MUTATION_SKIP_POSITION] = PROMISE_REPLICATED,
	[MUTATION_SWAP_FRAMES] = PROMISE_ORDER,
	[MUTATION_REPEAT_CALL] = PROMISE_CALL_ONCE,
	[MUTATION_FORGET_COPIES] = PROMISE_ONCE,
	[MUTATION_LOSE_REPLY] = PROMISE_CALL_ENDS,
	[MUTATION_IGNORE_AFTER] = PROMISE_AFTER,
	[MUTATION_IGNORE_EXPECT] = PROMISE_EXPECT,
	[MUTATION_FOREIGN_APPEND] = PROMISE_HOME,
	[MUTATION_LOSE_REMOVAL] = PROMISE_VIEW,
	[MUTATION_LOSE_GAP] = PROMISE_GAP,
	[MUTATION_FORGET_PLACE] = PROMISE_PLACE,
	[MUTATION_SKIP_PLACE] = PROMISE_SHARED,
	[MUTATION_SHARE_TWICE] = PROMISE_SHARED,
	[MUTATION_KEEP_ERASED] = PROMISE_ERASED,
	[MUTATION_LOSE_FOUND] = PROMISE_HEALED,
	[MUTATION_WRONG_BYTES] = PROMISE_BYTES,
	[MUTATION_SINCE_LATER] = PROMISE_SINCE,
	[MUTATION_SINCE_BEFORE] = PROMISE_SINCE,
	[MUTATION_UNBOUNDED] = PROMISE_BOUNDED,
	[MUTATION_STAY_APART] = PROMISE_CONVERGES,
};

enum mutation mutation_of(const char *name)
{
	int mutation = 0;
	while (mutation < MUTATION_COUNT && strcmp(mutation_names[mutation], name) != 0)
		mutation++;
	return (enum mutation)mutation;
}

/* ---- events ---- */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->serial < b->serial;
}

static void swap(struct sim_event *a, struct sim_event *b)
{
	struct sim_event event = *a;
	*a = *b;
	*b = event;
}

void sim_in(struct sim *sim, uint64_t delay_us, sim_event_fn run, void *arg, uint64_t tag)
{
	if (sim->event_count == sim->event_cap) {
		sim->event_cap = sim->event_cap ? sim->event_cap * 2 : 1024;
		sim->events = realloc(sim->events, sim->event_cap * sizeof(*sim->events));
		ensure(sim->events != NULL);
	}
	size_t at = sim->event_count++;
	sim->events[at] = (struct sim_event){.at_us = sim->now_us + delay_us,
					     .serial = sim->serial++,
					     .run = run,
					     .arg = arg,
					     .tag = tag};
	while (at > 0 && is_before(&sim->events[at], &sim->events[(at - 1) / 2])) {
		swap(&sim->events[at], &sim->events[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

static struct sim_event take_first(struct sim *sim)
{
	struct sim_event first = sim->events[0];
	sim->events[0] = sim->events[--sim->event_count];
	for (size_t at = 0;;) {
		size_t least = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < sim->event_count &&
			    is_before(&sim->events[child], &sim->events[least]))
				least = child;
		}
		if (least == at)
			return first;
		swap(&sim->events[at], &sim->events[least]);
		at = least;
	}
}

void sim_run(struct sim *sim, uint64_t until_us)
{
	while (sim->event_count > 0 && sim->events[0].at_us <= until_us && !sim->broken) {
		struct sim_event event = take_first(sim);
		sim->now_us = event.at_us;
		sim->steps++;
		event.run(event.arg, event.tag);
	}
	if (!sim->broken)
		sim->now_us = until_us;
}

uint64_t sim_ms(const struct sim *sim)
{
	return sim->now_us / 1000;
}

/* ---- luck ---- */

uint64_t sim_below(struct sim *sim, uint64_t bound)
{
	return rng_below(&sim->rng, bound);
}

bool sim_chance(struct sim *sim, uint32_t in_thousand)
{
	return rng_below(&sim->rng, 1000) < in_thousand;
}

uint64_t sim_around(struct sim *sim, uint64_t value)
{
	uint64_t low = value / 4;
	uint64_t most = sim_chance(sim, 20) ? 10 * value : 2 * value;
	return low + sim_below(sim, most - low + 1);
}

/* ---- history ---- */

void sim_note(struct sim *sim, const char *format, ...)
{
	char text[400];
	va_list args;
	int start = snprintf(text, sizeof(text), "%8llu.%03llu ",
			     (unsigned long long)(sim->now_us / 1000),
			     (unsigned long long)(sim->now_us % 1000));
	va_start(args, format);
	int more = vsnprintf(text + start, sizeof(text) - (size_t)start, format, args);
	va_end(args);
	size_t len = (size_t)(start + more);
	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	for (size_t i = 0; i < len; i++)
		sim->hash = (sim->hash ^ (uint8_t)text[i]) * 0x100000001b3u;
	if (sim->is_tracing)
		fprintf(stderr, "%s\n", text);
	char **slot = &sim->recent[sim->recent_next++ % SIM_HISTORY_LINES];
	if (!*slot)
		*slot = mem_get(sizeof(text));
	memcpy(*slot, text, len);
	(*slot)[len] = '\0';
}

void sim_broken(struct sim *sim, enum promise promise, const char *format, ...)
{
	va_list args;
	if (sim->broken)
		return;
	sim->broken = promise;
	va_start(args, format);
	vsnprintf(sim->broken_text, sizeof(sim->broken_text), format, args);
	va_end(args);
	sim_note(sim, "BROKEN %s: %s", promise_names[promise], sim->broken_text);
}

/* ---- the whole ---- */

struct sim *sim_new(uint64_t seed, enum mutation mutation, struct schema *const schemas[2],
		    bool is_tracing)
{
	struct sim *sim = mem_new(struct sim);
	sim->seed = seed;
	sim->mutation = mutation;
	sim->is_tracing = is_tracing;
	sim->hash = 0xcbf29ce484222325u;
	rng_init(&sim->rng, seed);
	sim->schemas[0] = schemas[0];
	sim->schemas[1] = schemas[1];
	sim->writes = writes_new();
	sim->tokens = tokens_new();
	sim->heard = mem_new(struct heard);
	sim->shared = mem_get(SIM_NODES * sizeof(*sim->shared));
	memset(sim->shared, 0, SIM_NODES * sizeof(*sim->shared));
	sim->damage = mem_get(SIM_NODES * sizeof(*sim->damage));
	memset(sim->damage, 0, SIM_NODES * sizeof(*sim->damage));
	return sim;
}

void sim_free(struct sim *sim)
{
	/* Daemons end while there are still lines to be sent to, which lead nowhere now. */
	sim->is_over = true;
	for (size_t i = 0; i < SIM_NODES; i++)
		sim_node_free(sim->nodes[i]);
	for (size_t i = 0; i < sim->peer_count; i++)
		sim_peer_free(sim->peers[i]);
	lines_free(sim);
	writes_free(sim->writes);
	tokens_free(sim->tokens);
	free(sim->heard);
	free(sim->shared);
	damage_free(sim);
	for (size_t i = 0; i < SIM_HISTORY_LINES; i++)
		free(sim->recent[i]);
	free(sim->events);
	free(sim);
}
