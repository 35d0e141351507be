/*
 * May one version of a package stand where another stands? Told by the breaks between the two
 * (schema/diff.h), with the first of them as the sentence.
 */
#ifndef LYC_ROUTE_COMPATIBILITY_H
#define LYC_ROUTE_COMPATIBILITY_H

#include "schema/schema.h"

enum compatibility {
	COMPATIBLE, /* what comes may take the place of what is known */
	OLDER,      /* it may not, but the other way round: it is an earlier version */
	INCOMPATIBLE,
};

/* Sets the reason in error (FAILED_PRECONDITION) for all but COMPATIBLE, and for want of memory,
 * which counts as INCOMPATIBLE. */
enum compatibility compatibility_of(const struct schema *known, const struct schema *coming,
				    const char *package, struct lyc_error *error);

#endif
