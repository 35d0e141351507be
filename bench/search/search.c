/*
 * The expert search beside Xapian and SQLite FTS5 used directly and beside bare postings: the best
 * ten of two frequent words by OR, one question after the other. Each engine is filled once for
 * each number of people, before its first round; its rounds ask it in children.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kit/contest.h"
#include "kit/process.h"
#include "kit/spread.h"
#include "search/engines.h"

#define WARM_QUESTIONS 10
#define LEAST_QUESTIONS 50
#define MOST_QUESTIONS 100000

enum who { XAPIAN, SQLITE, POSTINGS, OURS, OURS_WITH_ALL, CONTESTANTS };

struct asked {
	enum engine_kind engine;
	bool with_all;
};

/* The engines that stand, and with how many people. */
static struct {
	struct engine *engine;
	size_t count;
} standing[ENGINE_KINDS];

static void fill(struct contestant *self, const struct setting *setting,
		 const struct workload *work)
{
	const struct asked *asked = self->kind;
	struct engine_facts facts;
	if (standing[asked->engine].count == work->count)
		return;
	engine_free(standing[asked->engine].engine);
	standing[asked->engine].engine =
		engine_build(asked->engine, work->count, setting->folder, &facts);
	standing[asked->engine].count = work->count;
	if (standing[asked->engine].engine)
		printf("%s: %zu people in %.1f s, %.0f bytes each\n", self->who, work->count,
		       facts.build_s, facts.bytes / (double)work->count);
}

static void search_round(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, struct measure *ret_measure)
{
	static double times[MOST_QUESTIONS];
	const struct asked *asked = self->kind;
	struct engine *engine = standing[asked->engine].engine;
	size_t count = 0;
	(void)work;
	if (!engine) {
		contest_fail(ret_measure, "it could not be filled");
		return;
	}
	for (size_t i = 0; i < WARM_QUESTIONS; i++)
		(void)engine_ask(engine, i, asked->with_all);
	uint64_t until_ns = now_ns() + setting->round_ms * 1000000;
	while ((count < LEAST_QUESTIONS || now_ns() < until_ns) && count < MOST_QUESTIONS) {
		uint64_t from_ns = now_ns();
		if (!engine_ask(engine, count, asked->with_all)) {
			contest_fail(ret_measure, "it found nothing for question %zu", count);
			return;
		}
		times[count++] = (double)(now_ns() - from_ns) / 1e3;
	}
	/* Sorts them. */
	ret_measure->value = spread_of(times, count).median;
	ret_measure->p99_us = times[count * 99 / 100];
}

static const struct asked asked[CONTESTANTS] = {
	[XAPIAN] = {ENGINE_XAPIAN, false},     [SQLITE] = {ENGINE_SQLITE, false},
	[POSTINGS] = {ENGINE_POSTINGS, false}, [OURS] = {ENGINE_OURS, false},
	[OURS_WITH_ALL] = {ENGINE_OURS, true},
};

#define ENGINE(name, number, text)                                                                 \
	{                                                                                          \
		.who = (name), .meaning = (text), .kind = &asked[number], .before = fill,          \
		.round = search_round                                                              \
	}

static struct contestant contestants[CONTESTANTS] = {
	[XAPIAN] = ENGINE("Xapian 1.4", XAPIAN, "on disk, in the page cache; ranked by words"),
	[SQLITE] = ENGINE("SQLite FTS5", SQLITE, "in memory; ranked by words"),
	[POSTINGS] = ENGINE("bare postings", POSTINGS,
			    "the limit: lists of words in memory, walked and added up"),
	[OURS] = ENGINE("Lyceum", OURS,
			"in memory; ranked by single works, with the reasons of each hit"),
	[OURS_WITH_ALL] = ENGINE("Lyceum, with facets and labels", OURS_WITH_ALL,
				 "the same, each candidate's label judged, and facets counted over "
				 "all that match"),
};

#define SEARCH(text, people)                                                                       \
	{                                                                                          \
		.name = "search", .title = text, .unit = "us, median of the questions",            \
		.is_less_better = true, .count = (people)                                          \
	}

static struct workload workloads[] = {
	SEARCH("10,000 experts", 10000),
	SEARCH("100,000 experts", 100000),
	SEARCH("1,000,000 experts", 1000000),
};

int main(int argc, char **argv)
{
	static const struct contest contest = {
		.name = "search",
		.title = "Search among experts",
		.contestants = contestants,
		.contestant_count = CONTESTANTS,
		.reference = XAPIAN,
		.workloads = workloads,
		.workload_count = sizeof(workloads) / sizeof(workloads[0]),
		.round_ms = 500,
	};
	workloads[2].target = "without facets, median and p99: floor 10 and 50 ms, aim 3 and 10 ms";
	return contest_main(&contest, argc, argv);
}
