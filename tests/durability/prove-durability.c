/*
 * Proves that what the log acknowledged is there again: after power cuts at many points of a
 * recorded run, after a hundred kills, and that the proof itself finds a log that does not sync.
 * Prints one row a scenario; ends with 0 when every row is as it has to be.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ensure.h"
#include "kill.h"
#include "load.h"
#include "replay.h"
#include "trace.h"
#include "work_folder.h"

/* Present when the recorder is preloaded. */
#pragma weak recorder_note

static int note_fd = -1;

static void note(const char *line)
{
	if (recorder_note)
		recorder_note(line);
	if (note_fd < 0)
		return;
	char text[80];
	int len = snprintf(text, sizeof(text), "%s\n", line);
	ensure(write(note_fd, text, (size_t)len) == len);
}

/* load FOLDER SEED STEPS with-sync|without-sync [FD] */
static int run_load(int argc, char **argv)
{
	if (argc < 6)
		return 2;
	struct load_options options = {.folder = argv[2],
				       .seed = strtoull(argv[3], NULL, 10),
				       .steps = strtoull(argv[4], NULL, 10),
				       .without_sync = strcmp(argv[5], "without-sync") == 0,
				       .note = note};
	if (argc > 6)
		note_fd = atoi(argv[6]);
	return load_run(&options);
}

/* One row; true when it is as it has to be. */
static bool print_row(const char *scenario, const struct verdict *verdict, bool has_to_lose)
{
	bool is_clean = verdict->lost == 0 && verdict->wrong == 0 && verdict->unopened == 0;
	bool is_good = has_to_lose ? verdict->lost > 0 : is_clean && verdict->acknowledged > 0;
	printf("%-46s %5" PRIu64 " %12" PRIu64 " %10" PRIu64 " %8" PRIu64 " %6" PRIu64 "  %s\n",
	       scenario, verdict->runs, verdict->acknowledged, verdict->recovered, verdict->lost,
	       verdict->wrong + verdict->unopened,
	       is_good ? (has_to_lose ? "lost, as it has to" : "ok") : "FAILED");
	if (!is_good)
		printf("    %s\n", verdict->text);
	fflush(stdout);
	return is_good;
}

/* The same without syncs, and with a few that do nothing: if nothing were lost then, the proof
 * would prove nothing. */
static bool prove_controls(const struct replay_options *options)
{
	struct replay_options without = *options;
	struct replay_options lying = *options;
	struct verdict lost = {0};
	struct verdict lied_to = {0};
	struct verdict torn = {0};
	struct replay_figures figures;
	/* Each loses at nearly every cut; a few suffice. */
	without.cut_count = lying.cut_count = options->cut_count / 5 + 1;
	without.without_sync = true;
	lying.lying_percent = 5;
	if (!replay_run(&without, &lost, &torn, &figures) ||
	    !replay_run(&lying, &lied_to, &torn, &figures)) {
		printf("the recorded load failed\n");
		return false;
	}
	bool is_good = print_row("control: the same load, the log does not sync", &lost, true);
	return print_row("control: the disk ignores one sync in twenty", &lied_to, true) && is_good;
}

static bool prove(uint64_t seed, uint64_t steps, uint64_t cuts, uint64_t kills)
{
	struct replay_options options = {.seed = seed, .steps = steps, .cut_count = cuts};
	struct verdict strict = {0};
	struct verdict torn = {0};
	struct replay_figures figures = {0};
	printf("%-46s %5s %12s %10s %8s %6s\n", "scenario", "runs", "acknowledged", "recovered",
	       "lost", "wrong");
	if (!replay_run(&options, &strict, &torn, &figures)) {
		printf("the recorded load failed\n");
		return false;
	}
	bool is_good = print_row("power cut, nothing unsynced is left", &strict, false);
	is_good &= print_row("power cut, unsynced writes torn at random", &torn, false);
	is_good &= prove_controls(&options);
	struct verdict killed = {0};
	kill_run(seed, kills, &killed);
	is_good &= print_row("kill -9 under load, one folder", &killed, false);
	printf("seed %" PRIu64 "; recorded: %" PRIu64 " events, %" PRIu64 " syncs, %" PRIu64
	       " renames, %" PRIu64 " deletions\n",
	       seed, figures.events, figures.syncs, figures.renames, figures.unlinks);
	return is_good;
}

int main(int argc, char **argv)
{
	uint64_t seed = 1;
	uint64_t steps = 500;
	uint64_t cuts = 200;
	uint64_t kills = 100;
	if (argc > 1 && strcmp(argv[1], "load") == 0)
		return run_load(argc, argv);
	for (int i = 1; i < argc; i++) {
		uint64_t *value = NULL;
		if (strcmp(argv[i], "--folder") == 0 && i + 1 < argc) {
			work_folder_put_in(argv[++i]);
			continue;
		}
		if (strcmp(argv[i], "--seed") == 0)
			value = &seed;
		else if (strcmp(argv[i], "--steps") == 0)
			value = &steps;
		else if (strcmp(argv[i], "--cuts") == 0)
			value = &cuts;
		else if (strcmp(argv[i], "--kills") == 0)
			value = &kills;
		if (!value || i + 1 == argc) {
			fprintf(stderr, "usage: prove-durability [--seed N] [--steps N] [--cuts N] "
					"[--kills N] [--folder EXISTING]\n");
			return 2;
		}
		*value = strtoull(argv[++i], NULL, 10);
	}
	return prove(seed, steps, cuts, kills) ? 0 : 1;
}
