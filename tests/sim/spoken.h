/* What the daemons write to their log. */
#ifndef LYC_TESTS_SIM_SPOKEN_H
#define LYC_TESTS_SIM_SPOKEN_H

#include "simulation.h"

/* Whose trace gets it; NULL: nobody's. */
void spoken_set(const struct sim *sim);

#endif
