/*
 * One run under one seed: the time, what happens next, the history of what happened, and the first
 * promise that was found broken. Everything in it runs on one thread and takes its luck from one
 * source, so a seed replays a run exactly.
 */
#ifndef LYC_TESTS_SIM_SIMULATION_H
#define LYC_TESTS_SIM_SIMULATION_H

#include <stdbool.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"
#include "base/rng.h"
#include "mutation.h"
#include "schema/schema.h"

#define SIM_NODES 8
#define SIM_PEERS_MAX 64
#define SIM_HISTORY_LINES 60

struct sim_node;
struct sim_peer;
struct line;
struct shared;
struct damage;
struct damage_marks;
struct sim;

/* The promises that are checked. */
enum promise {
	PROMISE_NONE = 0,
	PROMISE_DURABLE,    /* what was acknowledged is there */
	PROMISE_REPLICATED, /* and reaches everyone who may see it */
	PROMISE_ONCE,       /* nothing twice */
	PROMISE_ORDER,      /* per subject and per origin */
	PROMISE_AFTER,      /* a read sees what it says it comes after */
	PROMISE_HOME,       /* only the home appends to its keys */
	PROMISE_EXPECT,     /* expectations are judged one after the other */
	PROMISE_CALL_ENDS,  /* in one last reply by its deadline */
	PROMISE_CALL_ONCE,  /* and runs at most once */
	PROMISE_PRIVATE,    /* no byte where its label does not let it go */
	PROMISE_VIEW,       /* the running view is the one folded anew */
	PROMISE_GAP,        /* what was missed is told */
	PROMISE_SHARED,     /* among a group: each record, to one of it, in order */
	PROMISE_PLACE,      /* what a group has handled does not come again */
	PROMISE_ERASED,     /* is gone from every disk of those who say so */
	PROMISE_HEALED,     /* damage, where a whole copy is */
	PROMISE_BYTES,      /* what is delivered is what was published */
	PROMISE_SINCE,      /* all from a time on, and nothing from before its place */
	PROMISE_BOUNDED,    /* queues */
	PROMISE_CONVERGES,  /* when the faults stop */
	PROMISE_COUNT,
};
extern const char *const promise_names[PROMISE_COUNT];
/* The promise that each deliberate fault breaks. */
extern const enum promise mutation_breaks[MUTATION_COUNT];

typedef void (*sim_event_fn)(void *arg, uint64_t tag);

struct sim_event {
	uint64_t at_us;
	uint64_t serial;
	sim_event_fn run;
	void *arg;
	uint64_t tag;
};

struct sim {
	uint64_t seed;
	struct rng rng;
	enum mutation mutation;
	uint64_t now_us;
	struct sim_event *events; /* a heap */
	size_t event_count;
	size_t event_cap;
	uint64_t serial;
	uint64_t steps;

	struct sim_node *nodes[SIM_NODES];
	struct sim_peer *peers[SIM_PEERS_MAX];
	size_t peer_count;
	struct line *lines;
	struct line **line_of; /* by number, also former ones */
	uint64_t line_count;
	struct sim_node *current;  /* whose code runs: whose clock it sees */
	struct schema *schemas[2]; /* what the plugin speaks before and after its upgrade */

	/* No more faults; no more work. */
	bool is_calm;
	bool is_over;
	/* How wild this seed is. */
	uint64_t fault_us;
	bool has_restores;
	bool has_erasure;
	bool has_damage;
	bool has_retention; /* notices: the last of each; remarks: a second */
	uint64_t disk_us;
	uint64_t delay_us;

	/* What is published gets numbers: a text says its own. */
	uint64_t text_count;
	uint64_t stream_count;
	struct writes *writes;
	struct tokens *tokens;
	struct heard *heard;
	struct shared *shared;             /* by node */
	struct damage *damage;             /* the same */
	struct damage_marks *damage_marks; /* at the end; NULL: none */

	/* The history: a hash of all of it, the last lines of it. */
	uint64_t hash;
	bool is_tracing;
	char *recent[SIM_HISTORY_LINES];
	size_t recent_next;

	enum promise broken;
	char broken_text[400];
	/* Somebody has had records erased. */
	bool has_erased;
	/* What happened how often, so that a run that did nothing is noticed. */
	struct sim_counts {
		uint64_t acks, refusals, replies, delivers, gaps, crashes, cuts, restores,
			summaries, upgrades, calls, private_scans, missed, removed, expects,
			removals, shared, places, erased, confirmed, flips, lost, healed, since;
	} counts;
};

struct sim *sim_new(uint64_t seed, enum mutation mutation, struct schema *const schemas[2],
		    bool is_tracing);
void sim_free(struct sim *sim);

/* Run it in so many microseconds; events of one moment run in the order in which they were made. */
void sim_in(struct sim *sim, uint64_t delay_us, sim_event_fn run, void *arg, uint64_t tag);
/* Run what happens until that time, or a promise is broken. */
void sim_run(struct sim *sim, uint64_t until_us);
uint64_t sim_ms(const struct sim *sim);

uint64_t sim_below(struct sim *sim, uint64_t bound);
bool sim_chance(struct sim *sim, uint32_t in_thousand);
/* From a quarter of it to twice it, now and then ten times it. */
uint64_t sim_around(struct sim *sim, uint64_t value);

void sim_note(struct sim *sim, const char *format, ...) LYC_PRINTF(2, 3);
/* The first one counts. */
void sim_broken(struct sim *sim, enum promise promise, const char *format, ...) LYC_PRINTF(3, 4);

#endif
