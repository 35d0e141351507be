/*
 * Is a record that comes from elsewhere the one that was lost here? Checksum, subject, length and
 * the damaged bytes that are kept aside say so; a record that does not fit is not taken, whoever
 * gives it.
 */
#ifndef LYC_STORE_FIT_H
#define LYC_STORE_FIT_H

#include "store/segment.h"
#include "store/store.h"

/* Judge it by what this segment's lost entries say: ret_status is OK, FAILED_PRECONDITION or
 * NOT_FOUND, and `back` and `was_counted` are set. */
void fit_judge(const struct segment *segment, struct store_healed *healed);

#endif
