/*
 * A batch of introductions: deferred acceptance of plugins/investment beside the textbook's, on the
 * same batch; both outcomes have to be equal. Then what the certificate costs, which has no peer.
 */
#include <string.h>

#include "certificate.h"
#include "kit/contest.h"
#include "kit/process.h"
#include "matching/batch.h"

static bool is_matched[BATCH_EDGES];
static bool is_matched_by_book[BATCH_EDGES];

static double ms_since(uint64_t from_ns)
{
	return (double)(now_ns() - from_ns) / 1e6;
}

static void book_round(const struct contestant *self, const struct setting *setting,
		       const struct workload *work, struct measure *ret_measure)
{
	struct batch *batch = batch_make();
	(void)self;
	(void)setting;
	(void)work;
	uint64_t from_ns = now_ns();
	batch_solve_by_book(batch, is_matched_by_book);
	ret_measure->value = ms_since(from_ns);
}

static void our_round(const struct contestant *self, const struct setting *setting,
		      const struct workload *work, struct measure *ret_measure)
{
	struct batch *batch = batch_make();
	(void)self;
	(void)setting;
	(void)work;
	uint64_t from_ns = now_ns();
	if (matching_solve(&batch->problem, is_matched) != LYC_OK)
		contest_fail(ret_measure, "the batch was refused");
	ret_measure->value = ms_since(from_ns);
	batch_solve_by_book(batch, is_matched_by_book);
	if (memcmp(is_matched, is_matched_by_book, sizeof(is_matched)) != 0)
		contest_fail(ret_measure, "the outcomes differ");
}

static const bool makes = true;
static const bool checks = false;

static void certificate_round(const struct contestant *self, const struct setting *setting,
			      const struct workload *work, struct measure *ret_measure)
{
	struct batch *batch = batch_make();
	struct certificate certificate;
	struct certificate_fault fault;
	(void)setting;
	(void)work;
	uint64_t from_ns = now_ns();
	if (matching_solve(&batch->problem, is_matched) == LYC_OK) {
		from_ns = now_ns();
		if (certificate_make("bench", 1, &batch->problem, is_matched, batch->refused,
				     &certificate) == LYC_OK) {
			double made_ms = ms_since(from_ns);
			from_ns = now_ns();
			if (certificate_check(&certificate, NULL, &fault) != LYC_OK)
				contest_fail(ret_measure, "it is not stable");
			ret_measure->value = self->kind == &makes ? made_ms : ms_since(from_ns);
			certificate_fini(&certificate);
			return;
		}
	}
	contest_fail(ret_measure, "no certificate could be made");
}

static bool is_solving(const struct contestant *self, const struct workload *work)
{
	(void)self;
	return work->kind == NULL;
}

static bool is_certifying(const struct contestant *self, const struct workload *work)
{
	(void)self;
	return work->kind != NULL;
}

static struct contestant contestants[] = {
	{.who = "the textbook's way",
	 .meaning = "the same C, the same sort: lists sorted, ranks in a full table, the worst "
		    "held found by looking at all",
	 .can = is_solving,
	 .round = book_round},
	{.who = "Lyceum", .meaning = "the same outcome", .can = is_solving, .round = our_round},
	{.who = "Lyceum, made with its digest",
	 .kind = &makes,
	 .can = is_certifying,
	 .round = certificate_round},
	{.who = "Lyceum, checked",
	 .kind = &checks,
	 .can = is_certifying,
	 .round = certificate_round},
};

static const struct workload workloads[] = {
	{.name = "matching",
	 .title =
		 "10,000 ventures with room for 3, 1,000 investors with room for 24, 500,000 edges",
	 .unit = "ms, sorting included",
	 .is_less_better = true},
	{.name = "certificate",
	 .title = "the certificate of that batch: 10,000,000 pairs",
	 .unit = "ms",
	 .is_less_better = true,
	 .kind = &makes},
};

static const struct contest contest = {
	.name = "matching",
	.title = "A batch of introductions",
	.contestants = contestants,
	.contestant_count = sizeof(contestants) / sizeof(contestants[0]),
	.workloads = workloads,
	.workload_count = sizeof(workloads) / sizeof(workloads[0]),
};

int main(int argc, char **argv)
{
	return contest_main(&contest, argc, argv);
}
