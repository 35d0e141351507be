/* Writing a calendar with what only a feed says at its head. */
#ifndef CONVENING_ICS_WRITE_H
#define CONVENING_ICS_WRITE_H

#include "ics.h"

struct ics_head {
	const char *description; /* NULL: none */
	uint32_t refresh_s;      /* 0: none */
};

/* As ics_write. */
LYC_MUST_USE enum lyc_status ics_write_with(const struct ics_calendar *calendar,
					    const struct ics_head *head, struct zones *zones,
					    char **ret_text, size_t *ret_len,
					    struct lyc_error *error);

#endif
