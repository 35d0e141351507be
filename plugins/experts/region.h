/*
 * Regions by one name each: the countries of the United Kingdom and the regions of England, by
 * their usual names, ISO 3166-2, ITL (or NUTS) and ONS codes. Other regions stay as they are
 * written.
 */
#ifndef EXPERTS_REGION_H
#define EXPERTS_REGION_H

#include <stdbool.h>
#include <stddef.h>

/* The region's own name ("Wales" for "Cymru", "gb-wls", "TLL12"); NULL when it is none of ours;
 * "" for an empty text and for words like "Unknown". Valid for ever. */
const char *region_name(const char *text);
/* Is `region` (as kept) what `wanted` (as written) names, or a part of it? The regions of England
 * are within England. */
bool region_is_within(const char *region, const char *wanted);
/* The usual names, one after the other; NULL behind the last. */
const char *region_at(size_t at);

#endif
