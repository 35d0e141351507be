/* A set of sequences of several epochs, kept as runs: most of what it holds is in a row. */
#ifndef LYC_STREAM_SEQ_SET_H
#define LYC_STREAM_SEQ_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seq_run {
	uint64_t epoch;
	uint64_t first;
	uint64_t last;
};

struct seq_set {
	struct seq_run *runs; /* in order, none next to another */
	size_t count;
	size_t cap;
};

void seq_set_fini(struct seq_set *set);
void seq_set_add(struct seq_set *set, uint64_t epoch, uint64_t seq);
/* A run behind all that there are. */
void seq_set_add_run(struct seq_set *set, const struct seq_run *run);
bool seq_set_has(const struct seq_set *set, uint64_t epoch, uint64_t seq);

#endif
