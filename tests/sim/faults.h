/* What happens to machines, links and clocks, by chance; and the end of it. */
#ifndef LYC_TESTS_SIM_FAULTS_H
#define LYC_TESTS_SIM_FAULTS_H

#include "simulation.h"

void faults_start(struct sim *sim);
/* No more of them, and everything that was broken is mended. */
void faults_end(struct sim *sim);

#endif
