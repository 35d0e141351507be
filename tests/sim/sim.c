/*
 * The simulator: eight daemons, their clients and plugins in one process on one thread, under a
 * seed. `sim --seeds N [--from S]` runs seeds one after the other; `--seed S --trace` shows one;
 * `--controls` makes deliberate faults, which have to be found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "damage.h"
#include "disk_calls.h"
#include "erased.h"
#include "faults.h"
#include "promises.h"
#include "reader.h"
#include "shared.h"
#include "since.h"
#include "schema_file.h"
#include "sim_node.h"
#include "simulation.h"
#include "spoken.h"
#include "writer.h"

#define FAULTS_US 3000000u
#define SETTLE_US 40000000u
#define LAST_WORDS_US 500000u
#define START_US 700000u
#define MAX_BROKEN 3
#define CONTROL_SEEDS 40

struct options {
	uint64_t seeds;
	uint64_t from;
	enum mutation mutation;
	bool is_tracing;
	bool is_twice;
	bool is_verbose;
	bool is_control;
	bool has_restores;
};

static uint64_t current_wall_ms(void *arg)
{
	const struct sim *sim = arg;
	return sim->current ? sim_node_wall_ms(sim->current) : 1700000000000u;
}

static uint64_t random_bits(void *arg)
{
	return rng_next(&((struct sim *)arg)->rng);
}

/* Without being asked for. */
static bool is_restored(uint64_t seed)
{
	return seed % 4 == 2;
}

/* How wild this seed is. */
static void choose_weather(struct sim *sim, bool has_restores)
{
	static const uint64_t faults[] = {40000, 100000, 250000, 600000};
	static const uint64_t disks[] = {300, 1500, 8000};
	static const uint64_t delays[] = {300, 3000, 20000};
	sim->fault_us = faults[sim_below(sim, 4)];
	sim->disk_us = disks[sim_below(sim, 3)];
	sim->delay_us = delays[sim_below(sim, 3)];
	sim->has_retention = sim->seed % 3 == 0;
	sim->has_restores = has_restores;
	sim->has_erasure = sim->seed % 6 == 1 && !has_restores;
	sim->has_damage = sim->seed % 6 == 2 && !has_restores;
	sim_note(sim, "seed %llu: a fault each %llu ms, disks %llu us, links %llu us%s",
		 (unsigned long long)sim->seed, (unsigned long long)sim->fault_us / 1000,
		 (unsigned long long)sim->disk_us, (unsigned long long)sim->delay_us,
		 sim->has_retention  ? ", with retention"
		 : sim->has_erasure  ? ", with erasures"
		 : sim->has_damage   ? ", with damage"
		 : sim->has_restores ? ", with restores"
				     : "");
}

static void build(struct sim *sim)
{
	for (size_t i = 0; i < SIM_NODES; i++) {
		struct sim_node *node =
			sim_node_new(sim, i, sim_node_names[i], i ? sim->nodes[0] : NULL);
		node->schema_wanted = sim_chance(sim, 500);
		node->board = board_new(sim, node);
		sim_node_start(node);
		sim_peer_start(writer_new(sim, node), sim_around(sim, 100000));
		sim_peer_start(carol_new(sim, node), sim_around(sim, 100000));
		sim_peer_start(ann_new(sim, node), sim_around(sim, 100000));
	}
	shared_play(sim);
	erased_play(sim);
	damage_play(sim);
	since_play(sim);
}

static void each_peer(struct sim *sim, const char *identity, void (*visit)(struct sim_peer *peer))
{
	for (size_t i = 0; i < sim->peer_count; i++) {
		if (strcmp(sim->peers[i]->identity, identity) == 0)
			visit(sim->peers[i]);
	}
}

static void settle(struct sim *sim)
{
	char text[120] = "";
	uint64_t until_us = sim->now_us + SETTLE_US;
	while (!sim->broken && sim->now_us < until_us) {
		sim_run(sim, sim->now_us + 250000);
		if (promises_has_settled(sim, text, sizeof(text)))
			return;
	}
	sim_broken(sim, PROMISE_CONVERGES, "after %u s without faults: %s", SETTLE_US / 1000000,
		   text);
}

/* One run; the caller frees it. */
static struct sim *run(uint64_t seed, const struct options *options, struct schema *const *schemas)
{
	struct sim *sim = sim_new(seed, options->mutation, schemas, options->is_tracing);
	struct disk_calls calls = {.arg = sim, .wall_ms = current_wall_ms, .random = random_bits};
	disk_calls_set(&calls);
	spoken_set(sim);
	choose_weather(sim, options->has_restores || is_restored(seed));
	build(sim);
	sim_run(sim, START_US);
	faults_start(sim);
	sim_run(sim, START_US + FAULTS_US);
	faults_end(sim);
	settle(sim);
	if (!sim->broken) {
		sim_note(sim, "settled");
		each_peer(sim, "ann", ann_catch_up);
		each_peer(sim, "carol", carol_refresh);
		sim_run(sim, sim->now_us + LAST_WORDS_US);
		each_peer(sim, "root", writer_mark);
		sim_run(sim, sim->now_us + LAST_WORDS_US);
		settle(sim);
	}
	if (!sim->broken)
		promises_check(sim);
	sim_note(sim, "the end");
	disk_calls_set(NULL);
	spoken_set(NULL);
	return sim;
}

static void report(const struct sim *sim)
{
	printf("seed %llu, step %llu, at %llu ms: the promise '%s' is broken: %s\n",
	       (unsigned long long)sim->seed, (unsigned long long)sim->steps,
	       (unsigned long long)sim_ms(sim), promise_names[sim->broken], sim->broken_text);
	if (sim->is_tracing)
		return;
	for (size_t i = 0; i < SIM_HISTORY_LINES; i++) {
		const char *line = sim->recent[(sim->recent_next + i) % SIM_HISTORY_LINES];
		if (line)
			printf("  %s\n", line);
	}
	printf("again: ./dev sim --seed %llu --trace%s%s%s\n", (unsigned long long)sim->seed,
	       sim->has_restores && !is_restored(sim->seed) ? " --restores" : "",
	       sim->mutation ? " --fault " : "",
	       sim->mutation ? mutation_names[sim->mutation] : "");
}

static void add_counts(struct sim_counts *to, const struct sim_counts *from)
{
	uint64_t *sums = (uint64_t *)to;
	const uint64_t *more = (const uint64_t *)from;
	for (size_t i = 0; i < sizeof(*to) / sizeof(*sums); i++)
		sums[i] += more[i];
}

static bool read_options(int argc, char **argv, struct options *options)
{
	*options = (struct options){.seeds = 100, .from = 1};
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (strcmp(word, "--trace") == 0) {
			options->is_tracing = true;
		} else if (strcmp(word, "--twice") == 0) {
			options->is_twice = true;
		} else if (strcmp(word, "--verbose") == 0) {
			options->is_verbose = true;
		} else if (strcmp(word, "--controls") == 0) {
			options->is_control = true;
		} else if (strcmp(word, "--restores") == 0) {
			options->has_restores = true;
		} else if (strcmp(word, "--seeds") == 0) {
			options->seeds = strtoull(value, NULL, 10);
			i++;
		} else if (strcmp(word, "--from") == 0) {
			options->from = strtoull(value, NULL, 10);
			i++;
		} else if (strcmp(word, "--seed") == 0) {
			options->from = strtoull(value, NULL, 10);
			options->seeds = 1;
			options->is_verbose = true;
			i++;
		} else if (strcmp(word, "--fault") == 0) {
			options->mutation = mutation_of(value);
			i++;
		} else {
			return false;
		}
	}
	return options->seeds > 0 && options->mutation < MUTATION_COUNT;
}

static int usage(void)
{
	fprintf(stderr, "sim [--seeds N] [--from S] [--seed S] [--trace] [--twice] [--verbose] "
			"[--controls] [--restores] [--fault NAME]\nfaults:");
	for (int i = 1; i < MUTATION_COUNT; i++)
		fprintf(stderr, " %s", mutation_names[i]);
	fprintf(stderr, "\n");
	return 2;
}

static void print_sums(const struct sim_counts *sums, uint64_t seeds, uint64_t broken,
		       uint64_t steps)
{
	printf("%llu seeds, %llu broken, %llu steps\n", (unsigned long long)seeds,
	       (unsigned long long)broken, (unsigned long long)steps);
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"acknowledged", sums->acks},    {"refused", sums->refusals},
		{"expectations", sums->expects}, {"removals", sums->removals},
		{"calls", sums->calls},          {"replies", sums->replies},
		{"delivered", sums->delivers},   {"gaps told", sums->gaps},
		{"missed", sums->missed},        {"removed", sums->removed},
		{"crashes", sums->crashes},      {"cuts", sums->cuts},
		{"restores", sums->restores},    {"summaries", sums->summaries},
		{"upgrades", sums->upgrades},    {"texts looked at", sums->private_scans},
		{"shared", sums->shared},        {"places kept", sums->places},
		{"erased", sums->erased},        {"confirmed", sums->confirmed},
		{"bits flipped", sums->flips},   {"found lost", sums->lost},
		{"healed", sums->healed},        {"from a time", sums->since},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		printf("%s%s %llu", i ? ", " : "", rows[i].name, (unsigned long long)rows[i].value);
	printf("\n");
}

/* False when the history of the seed is another the second time. */
static bool repeats(uint64_t seed, uint64_t hash, const struct options *options,
		    struct schema *const *schemas)
{
	struct sim *again = run(seed, options, schemas);
	bool is_same = again->hash == hash;
	if (!is_same)
		printf("seed %llu has two histories: %016llx and %016llx\n",
		       (unsigned long long)seed, (unsigned long long)hash,
		       (unsigned long long)again->hash);
	sim_free(again);
	return is_same;
}

/* How many seeds broke a promise. */
static uint64_t run_seeds(const struct options *options, struct schema *const *schemas)
{
	struct sim_counts sums = {0};
	uint64_t broken = 0;
	uint64_t steps = 0;
	uint64_t seed = options->from;
	for (; seed < options->from + options->seeds && broken < MAX_BROKEN; seed++) {
		struct sim *sim = run(seed, options, schemas);
		uint64_t hash = sim->hash;
		add_counts(&sums, &sim->counts);
		steps += sim->steps;
		broken += sim->broken != PROMISE_NONE;
		if (sim->broken)
			report(sim);
		if (options->is_verbose)
			printf("seed %llu: history %016llx, %llu steps, %llu ms\n",
			       (unsigned long long)seed, (unsigned long long)hash,
			       (unsigned long long)sim->steps, (unsigned long long)sim_ms(sim));
		sim_free(sim);
		if (options->is_twice)
			broken += !repeats(seed, hash, options, schemas);
	}
	print_sums(&sums, seed - options->from, broken, steps);
	/* A run that did nothing proves nothing. */
	if (options->seeds >= 100 && broken == 0 &&
	    (sums.acks == 0 || sums.replies == 0 || sums.crashes == 0 || sums.cuts == 0 ||
	     sums.missed == 0 || sums.removed == 0 || sums.upgrades == 0 ||
	     sums.private_scans == 0 || sums.shared == 0 || sums.places == 0 || sums.erased == 0 ||
	     sums.confirmed == 0 || sums.healed == 0 || sums.restores == 0)) {
		printf("something that should be tried was not\n");
		broken++;
	}
	return broken;
}

/* Each deliberate fault has to break its promise, within a few seeds; how many did not. */
static uint64_t run_controls(struct options options, struct schema *const *schemas)
{
	uint64_t missed = 0;
	for (int mutation = 1; mutation < MUTATION_COUNT; mutation++) {
		bool is_caught = false;
		uint64_t seed = options.from;
		options.mutation = (enum mutation)mutation;
		for (; seed < options.from + CONTROL_SEEDS && !is_caught; seed++) {
			struct sim *sim = run(seed, &options, schemas);
			is_caught = sim->broken == mutation_breaks[mutation];
			if (is_caught)
				printf("%-16s breaks '%s': seed %llu: %s\n",
				       mutation_names[mutation], promise_names[sim->broken],
				       (unsigned long long)seed, sim->broken_text);
			sim_free(sim);
		}
		missed += !is_caught;
		if (!is_caught)
			printf("%-16s is not caught as '%s' in %d seeds\n",
			       mutation_names[mutation], promise_names[mutation_breaks[mutation]],
			       CONTROL_SEEDS);
	}
	for (int promise = 1; promise < PROMISE_COUNT; promise++) {
		int mutation = 1;
		while (mutation < MUTATION_COUNT && (int)mutation_breaks[mutation] != promise)
			mutation++;
		missed += mutation == MUTATION_COUNT;
		if (mutation == MUTATION_COUNT)
			printf("no fault breaks '%s'\n", promise_names[promise]);
	}
	return missed;
}

int main(int argc, char **argv)
{
	struct options options;
	if (!read_options(argc, argv, &options))
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct schema *schemas[2] = {
		schema_file_before(SIM_SET, "Notice", "Part", "label"),
		schema_file_compile(SIM_SET, NULL),
	};
	uint64_t broken =
		options.is_control ? run_controls(options, schemas) : run_seeds(&options, schemas);
	schema_unref(schemas[0]);
	schema_unref(schemas[1]);
	return broken > 0 ? 1 : 0;
}
