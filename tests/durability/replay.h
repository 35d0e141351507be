/* Power cuts: a load's trace, cut at many points, and what the log says of what is left there. */
#ifndef LYC_TEST_REPLAY_H
#define LYC_TEST_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "oracle.h"

struct replay_options {
	uint64_t seed;
	uint64_t steps;
	uint64_t cut_count;
	/* For the controls, in which much must be lost: the load does not sync; of a hundred syncs
	 * so many do nothing on the model of the disk. */
	bool without_sync;
	uint64_t lying_percent;
};

/* What the recorded run was like. */
struct replay_figures {
	uint64_t events;
	uint64_t syncs;
	uint64_t renames;
	uint64_t unlinks;
};

/* Half of the cuts are just before a sync, where the most is unsynced. At each, ret_strict keeps
 * nothing that was not synced, ret_torn random parts of it. False when the load itself failed. */
bool replay_run(const struct replay_options *options, struct verdict *ret_strict,
		struct verdict *ret_torn, struct replay_figures *ret_figures);

#endif
