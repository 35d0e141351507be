/* What has to hold once the faults have stopped and the network has settled. */
#ifndef LYC_TESTS_SIM_PROMISES_H
#define LYC_TESTS_SIM_PROMISES_H

#include "simulation.h"

/* Has everything reached everybody? Says what it waits for. */
bool promises_has_settled(const struct sim *sim, char *ret_text, size_t size);
void promises_check(struct sim *sim);

#endif
