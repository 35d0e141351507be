/*
 * How the packages of a schema that comes stand to the versions that are known here: one judgement
 * for each version of each package.
 */
#ifndef LYC_ROUTE_VERDICT_H
#define LYC_ROUTE_VERDICT_H

#include "route/compatibility.h"
#include "route/types.h"

#define VERDICT_MAX_PACKAGES 64

/* A zeroed one has judged nothing. Borrows from the types. */
struct verdict {
	struct {
		const char *name;
		const struct schema *known;
		enum compatibility is;
	} packages[VERDICT_MAX_PACKAGES];
	size_t count;
};

/* Of lyceum.v1 or google.protobuf: the daemon's own, as it was built with them. */
bool verdict_is_core(const char *full_name);
/* How the package of a schema that comes stands to the version that the entry is of. Without
 * records the newest simply wins. The daemon speaks its own lyceum.v1 with plugins that were built
 * with an earlier or later one, as long as one of the two can follow the other. */
enum compatibility verdict_judge(const struct types *types, const struct type_entry *entry,
				 const struct schema *coming, struct lyc_error *error);
bool verdict_has(const struct verdict *verdict, const char *package, const struct schema *known);
/* False: there are too many packages. */
bool verdict_note(struct verdict *verdict, const struct type_entry *entry, enum compatibility is);
/* Does the schema bring an earlier version of this package? Then that stays as it is. */
bool verdict_is_earlier(const struct verdict *verdict, const char *package);

#endif
