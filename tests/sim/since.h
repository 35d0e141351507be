/* Followers that begin at a time: nothing from that time on is missing, and nothing comes from
 * before the place of the first one that is as late. */
#ifndef LYC_TESTS_SIM_SINCE_H
#define LYC_TESTS_SIM_SINCE_H

#include "book.h"

/* One at the hub, and one at another daemon. */
void since_play(struct sim *sim);
/* Has it been told of the log's end? */
bool since_has_settled(const struct sim_peer *peer);
/* At the end; book is the log of the peer's daemon. Of others than ours nothing is said. */
void since_check(const struct sim_peer *peer, const struct book *book);

#endif
