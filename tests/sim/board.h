/* The plugin at each daemon: follows notices into a view, serves Read, Watch and Post. */
#ifndef LYC_TESTS_SIM_BOARD_H
#define LYC_TESTS_SIM_BOARD_H

#include "sim_peer.h"
#include "view.h"

struct sim_peer *board_new(struct sim *sim, struct sim_node *node);
const struct view *board_view(const struct sim_peer *board);
/* Speak the newer schema from now on. */
void board_upgrade(struct sim_peer *board);

#endif
