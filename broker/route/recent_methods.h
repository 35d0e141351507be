/*
 * The methods that were called lately: a place for each by the last bytes of its name, which is a
 * shorter way to it than a hash over all of them. What is not found here types_method looks up.
 */
#ifndef LYC_ROUTE_RECENT_METHODS_H
#define LYC_ROUTE_RECENT_METHODS_H

#include "route/types.h"

#define RECENT_METHODS 64

struct recent_methods {
	struct method_entry *places[RECENT_METHODS];
};

/* As types_method; `types` is the same every time, and its entries live as long as it does. */
struct method_entry *recent_methods_find(struct recent_methods *recent, const struct types *types,
					 struct span full_name);

#endif
