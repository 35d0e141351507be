/* Durable publishes over any number of subjects, 256 outstanding, by the public client library. */
#ifndef LYC_BENCH_SUBJECTS_H
#define LYC_BENCH_SUBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/contest.h"

/* One record of each. */
bool subjects_fill(const struct contestant *self, size_t subjects, size_t size,
		   struct measure *measure);
/* A round over all of them in a scattered order. */
void subjects_round(const struct contestant *self, const struct setting *setting, size_t subjects,
		    size_t size, struct measure *ret_measure);

#endif
