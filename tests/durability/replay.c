/*
 * Runs the load under the recorder, then follows its trace through the model of a disk, with the
 * oracle beside it. At each cut the folder is written as the model has it, opened and compared.
 */
#include "replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "disk_model.h"
#include "load.h"
#include "work_folder.h"

struct trace {
	uint8_t *bytes;
	size_t len;
	size_t at;
};

/* One event as it is read. */
struct step {
	struct trace_event event;
	char path[600];
	char other_path[600];
	struct span data;
};

static bool record_load(const struct replay_options *options, const char *folder,
			const char *trace_path)
{
	char program[400];
	char recorder[500];
	char seed[24];
	char steps[24];
	work_folder_of_program(program, sizeof(program) - 20);
	snprintf(recorder, sizeof(recorder), "%s/librecorder.so", program);
	snprintf(seed, sizeof(seed), "%" PRIu64, options->seed);
	snprintf(steps, sizeof(steps), "%" PRIu64, options->steps);
	fflush(NULL);
	pid_t pid = fork();
	ensure(pid >= 0);
	if (pid == 0) {
		setenv("LD_PRELOAD", recorder, 1);
		setenv("LYCEUM_TRACE", trace_path, 1);
		setenv("LYCEUM_TRACE_FOLDER", folder, 1);
		execl("/proc/self/exe", "prove-durability", "load", folder, seed, steps,
		      options->without_sync ? "without-sync" : "with-sync", (char *)NULL);
		_exit(127);
	}
	int result;
	ensure(waitpid(pid, &result, 0) == pid);
	return WIFEXITED(result) && WEXITSTATUS(result) == 0;
}

static bool map_trace(const char *path, struct trace *ret_trace)
{
	struct stat stat;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat) != 0 || stat.st_size == 0)
		return false;
	*ret_trace = (struct trace){.len = (size_t)stat.st_size};
	ret_trace->bytes = mmap(NULL, ret_trace->len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return ret_trace->bytes != MAP_FAILED;
}

static void take_text(struct trace *trace, uint32_t len, char *ret_text, size_t size)
{
	ensure(len < size && trace->len - trace->at >= len);
	memcpy(ret_text, trace->bytes + trace->at, len);
	ret_text[len] = '\0';
	trace->at += len;
}

static bool next_step(struct trace *trace, struct step *ret_step)
{
	if (trace->at == trace->len)
		return false;
	ensure(trace->len - trace->at >= sizeof(ret_step->event));
	memcpy(&ret_step->event, trace->bytes + trace->at, sizeof(ret_step->event));
	trace->at += sizeof(ret_step->event);
	take_text(trace, ret_step->event.path_len, ret_step->path, sizeof(ret_step->path));
	take_text(trace, ret_step->event.other_path_len, ret_step->other_path,
		  sizeof(ret_step->other_path));
	ensure(trace->len - trace->at >= ret_step->event.data_len);
	ret_step->data = span_of(trace->bytes + trace->at, ret_step->event.data_len);
	trace->at += ret_step->event.data_len;
	return true;
}

/* ret_before_sync: the numbers of the events that a sync follows. */
static struct replay_figures count_events(struct trace trace, uint64_t *ret_before_sync)
{
	struct replay_figures figures = {0};
	struct step *step = mem_new(struct step);
	while (next_step(&trace, step)) {
		if (step->event.kind == TRACE_SYNC)
			ret_before_sync[figures.syncs++] = figures.events;
		figures.events++;
		figures.renames += step->event.kind == TRACE_RENAME;
		figures.unlinks += step->event.kind == TRACE_UNLINK;
	}
	free(step);
	return figures;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;
	return *left < *right ? -1 : *left > *right;
}

static void note_line(struct oracle *oracle, struct span data)
{
	char line[64];
	ensure(data.len < sizeof(line));
	memcpy(line, data.data, data.len);
	line[data.len] = '\0';
	oracle_note(oracle, line);
}

static void cut_here(const struct disk_model *model, struct oracle *oracle, const char *folder,
		     struct rng *rng, struct verdict *verdict)
{
	work_folder_clear(folder, false);
	disk_model_write(model, folder, rng);
	oracle_compare(oracle, folder, LOAD_SEGMENT_LEN, false, verdict);
}

/* In order. */
static uint64_t *choose_cuts(const struct replay_options *options,
			     const struct replay_figures *figures, const uint64_t *before_sync,
			     struct rng *rng)
{
	uint64_t *cuts = mem_get(options->cut_count * sizeof(*cuts));
	for (size_t i = 0; i < options->cut_count; i++) {
		if (i % 2 == 0 && figures->syncs > 0)
			cuts[i] = before_sync[rng_below(rng, figures->syncs)];
		else
			cuts[i] = 1 + rng_below(rng, figures->events);
	}
	qsort(cuts, options->cut_count, sizeof(*cuts), by_value);
	return cuts;
}

static void replay(struct trace *trace, const struct replay_options *options, const uint64_t *cuts,
		   struct rng *rng, struct verdict *ret_strict, struct verdict *ret_torn)
{
	char folder[64];
	struct oracle oracle = {0};
	struct disk_model *model = disk_model_new();
	struct step *step = mem_new(struct step);
	size_t cut = 0;
	work_folder_make(folder);
	for (uint64_t at = 1; next_step(trace, step); at++) {
		bool is_lie = step->event.kind == TRACE_SYNC && options->lying_percent > 0 &&
			      rng_below(rng, 100) < options->lying_percent;
		if (step->event.kind == TRACE_NOTE)
			note_line(&oracle, step->data);
		else if (!is_lie)
			disk_model_apply(model, &step->event, step->path, step->other_path,
					 step->data);
		for (; cut < options->cut_count && cuts[cut] == at; cut++) {
			cut_here(model, &oracle, folder, NULL, ret_strict);
			cut_here(model, &oracle, folder, rng, ret_torn);
		}
	}
	work_folder_clear(folder, true);
	oracle_fini(&oracle);
	disk_model_free(model);
	free(step);
}

bool replay_run(const struct replay_options *options, struct verdict *ret_strict,
		struct verdict *ret_torn, struct replay_figures *ret_figures)
{
	char work[64];
	char folder[80];
	char trace_path[80];
	struct trace trace = {0};
	work_folder_make(work);
	snprintf(folder, sizeof(folder), "%s/log", work);
	snprintf(trace_path, sizeof(trace_path), "%s/trace", work);
	ensure(mkdir(folder, 0700) == 0);
	bool is_done = record_load(options, folder, trace_path) && map_trace(trace_path, &trace);
	if (is_done) {
		struct rng rng;
		rng_init(&rng, options->seed + 1);
		uint64_t *before_sync =
			mem_get(trace.len / sizeof(struct trace_event) * sizeof(*before_sync));
		*ret_figures = count_events(trace, before_sync);
		uint64_t *cuts = choose_cuts(options, ret_figures, before_sync, &rng);
		replay(&trace, options, cuts, &rng, ret_strict, ret_torn);
		free(before_sync);
		free(cuts);
		munmap(trace.bytes, trace.len);
	}
	work_folder_clear(work, true);
	return is_done;
}
