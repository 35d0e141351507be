/*
 * A wall clock and UTC: IANA zones read from the system's tzdata (TZif files, /usr/share/zoneinfo),
 * with the rule at their end for every year that they do not list. Not libical's zones: those turn
 * the same files into recurrence rules first, and iterate them with the code that hangs. A set
 * keeps what it has read; one thread at a time.
 */
#ifndef CONVENING_ZONE_H
#define CONVENING_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#define ZONE_NAME_SIZE 64

struct zone;
struct zone_rule;
struct zones;

/* Whether a wall time happens once, never (the clock jumps over it), or twice. */
enum zone_fit {
	ZONE_ONCE,
	ZONE_NEVER,
	ZONE_TWICE,
};

/* `folder` NULL: /usr/share/zoneinfo. NULL when there is no memory. */
struct zones *zones_new(const char *folder);
void zones_free(struct zones *zones);
/* The zone of this name ("Europe/London"; "UTC" is there without tzdata too). Valid until
 * zones_free. INVALID_ARGUMENT for a name that cannot be one, NOT_FOUND when this machine has no
 * such zone, DATA_LOSS when its file is broken. */
LYC_MUST_USE enum lyc_status zones_find(struct zones *zones, const char *name,
					const struct zone **ret_zone, struct lyc_error *error);

const char *zone_name(const struct zone *zone);
/* UTC of a wall time. As RFC 5545 3.3.5: one that is jumped over counts with the offset before the
 * jump (02:30 becomes 03:30), one that happens twice is the first. ret_fit may be NULL. */
int64_t zone_to_utc(const struct zone *zone, int64_t wall, enum zone_fit *ret_fit);
/* What the wall clock shows at this moment. */
int64_t zone_to_wall(const struct zone *zone, int64_t utc);
/* Seconds east of UTC at this moment; the name ("BST") is valid as long as the zone. Both ret_ may
 * be NULL. */
int32_t zone_offset_s(const struct zone *zone, int64_t utc, bool *ret_is_summer,
		      const char **ret_name);
/* The first change of the offset or its name after `utc`; false when there is none. */
bool zone_next_change(const struct zone *zone, int64_t utc, int64_t *ret_utc);
/* The rule for the years behind the last listed change (see zone_rule.h); NULL when there is none.
 */
const struct zone_rule *zone_last_rule(const struct zone *zone);

#endif
