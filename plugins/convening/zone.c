/*
 * Reads TZif files (RFC 8536): the listed changes of the 64-bit part, then the POSIX rule at the
 * end for all later years. Offsets that a rule's year needs are computed when asked.
 */
#include "zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wall.h"
#include "zone_rule.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"
#define MAX_FILE_BYTES (1 << 18)
#define MAX_KINDS 256

/* What the clock does from a change on. */
struct kind {
	int32_t offset_s;
	bool is_summer;
	char name[ZONE_RULE_NAME_SIZE];
};

struct change {
	int64_t utc;
	uint8_t kind;
};

struct zone {
	struct zone *next;
	char name[ZONE_NAME_SIZE];
	struct change *changes;
	size_t change_count;
	struct kind kinds[MAX_KINDS];
	size_t kind_count;
	struct zone_rule rule;
	bool has_rule;
};

struct zones {
	char *folder;
	struct zone *first;
};

/* The two big-endian numbers of TZif. */
static uint32_t read_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_i64(const uint8_t *at)
{
	return (int64_t)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

/* The counts of a TZif header. */
struct counts {
	size_t utc_marks;
	size_t standard_marks;
	size_t leaps;
	size_t changes;
	size_t kinds;
	size_t name_bytes;
};

#define HEADER_BYTES 44

static bool read_header(const uint8_t *at, const uint8_t *end, struct counts *ret_counts)
{
	if (end - at < HEADER_BYTES || memcmp(at, "TZif", 4) != 0)
		return false;
	*ret_counts = (struct counts){
		.utc_marks = read_u32(at + 20),
		.standard_marks = read_u32(at + 24),
		.leaps = read_u32(at + 28),
		.changes = read_u32(at + 32),
		.kinds = read_u32(at + 36),
		.name_bytes = read_u32(at + 40),
	};
	/* A file's length bounds them all; these keep the sums from overflowing. */
	return ret_counts->utc_marks <= MAX_FILE_BYTES &&
	       ret_counts->standard_marks <= MAX_FILE_BYTES &&
	       ret_counts->leaps <= MAX_FILE_BYTES && ret_counts->changes <= MAX_FILE_BYTES &&
	       ret_counts->kinds >= 1 && ret_counts->kinds <= MAX_KINDS &&
	       ret_counts->name_bytes <= MAX_FILE_BYTES;
}

static size_t block_bytes(const struct counts *counts, size_t time_bytes)
{
	return counts->changes * (time_bytes + 1) + counts->kinds * 6 + counts->name_bytes +
	       counts->leaps * (time_bytes + 4) + counts->standard_marks + counts->utc_marks;
}

static bool read_kinds(struct zone *zone, const uint8_t *at, const struct counts *counts)
{
	const uint8_t *names = at + counts->kinds * 6;
	for (size_t i = 0; i < counts->kinds; i++, at += 6) {
		struct kind *kind = &zone->kinds[i];
		size_t len;
		kind->offset_s = (int32_t)read_u32(at);
		kind->is_summer = at[4] != 0;
		if (at[5] >= counts->name_bytes || kind->offset_s < -WALL_DAY_S ||
		    kind->offset_s > WALL_DAY_S)
			return false;
		len = strnlen((const char *)names + at[5], counts->name_bytes - at[5]);
		if (len >= sizeof(kind->name))
			len = sizeof(kind->name) - 1;
		memcpy(kind->name, names + at[5], len);
	}
	zone->kind_count = counts->kinds;
	return true;
}

static bool read_changes(struct zone *zone, const uint8_t *at, const struct counts *counts)
{
	const uint8_t *kinds = at + counts->changes * 8;
	zone->changes = calloc(counts->changes + 1, sizeof(*zone->changes));
	if (!zone->changes)
		return false;
	for (size_t i = 0; i < counts->changes; i++) {
		zone->changes[i].utc = read_i64(at + i * 8);
		zone->changes[i].kind = kinds[i];
		if (kinds[i] >= counts->kinds ||
		    (i > 0 && zone->changes[i].utc <= zone->changes[i - 1].utc))
			return false;
	}
	zone->change_count = counts->changes;
	return true;
}

/* Some files list moments (the end of 32 bits) at which nothing changes. */
static void drop_empty_changes(struct zone *zone)
{
	size_t kept = 0;
	uint8_t before = 0;
	for (size_t i = 0; i < zone->change_count; i++) {
		if (zone->changes[i].kind == before)
			continue;
		before = zone->changes[i].kind;
		zone->changes[kept++] = zone->changes[i];
	}
	zone->change_count = kept;
}

/* "\nGMT0BST,M3.5.0/1,M10.5.0\n" */
static bool read_footer(struct zone *zone, const uint8_t *at, const uint8_t *end)
{
	char text[128];
	size_t len = 0;
	if (at == end || *at++ != '\n')
		return false;
	while (at < end && *at != '\n' && len + 1 < sizeof(text))
		text[len++] = (char)*at++;
	text[len] = '\0';
	if (at == end || *at != '\n')
		return false;
	zone->has_rule = len > 0;
	return len == 0 || zone_rule_parse(text, &zone->rule);
}

/* The 32-bit block is skipped; a file of version 1 has no other and is refused: tzdata has written
 * 64-bit ones for twenty years. */
static bool read_file(struct zone *zone, const uint8_t *data, size_t len)
{
	const uint8_t *end = data + len;
	struct counts counts;
	size_t skipped;
	if (!read_header(data, end, &counts) || data[4] < '2')
		return false;
	skipped = HEADER_BYTES + block_bytes(&counts, 4);
	if (skipped > len || !read_header(data + skipped, end, &counts))
		return false;
	data += skipped + HEADER_BYTES;
	if (block_bytes(&counts, 8) > (size_t)(end - data) || !read_changes(zone, data, &counts) ||
	    !read_kinds(zone, data + counts.changes * 9, &counts) ||
	    !read_footer(zone, data + block_bytes(&counts, 8), end))
		return false;
	drop_empty_changes(zone);
	return true;
}

static bool is_zone_name(const char *name)
{
	size_t len = strlen(name);
	if (len == 0 || len >= ZONE_NAME_SIZE || name[0] == '/' || name[len - 1] == '/' ||
	    strstr(name, "//") || strstr(name, ".."))
		return false;
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") ==
	       len;
}

struct zones *zones_new(const char *folder)
{
	struct zones *zones = calloc(1, sizeof(*zones));
	if (!zones)
		return NULL;
	zones->folder = strdup(folder ? folder : ZONE_FOLDER);
	if (!zones->folder) {
		free(zones);
		return NULL;
	}
	return zones;
}

static void zone_free(struct zone *zone)
{
	if (zone)
		free(zone->changes);
	free(zone);
}

void zones_free(struct zones *zones)
{
	if (!zones)
		return;
	while (zones->first) {
		struct zone *zone = zones->first;
		zones->first = zone->next;
		zone_free(zone);
	}
	free(zones->folder);
	free(zones);
}

static enum lyc_status refuse(struct lyc_error *error, enum lyc_status status, const char *name,
			      const char *text)
{
	error->status = status;
	error->field[0] = '\0';
	snprintf(error->text, sizeof(error->text), "'%.60s' %s", name, text);
	return status;
}

/* Reads the file of a zone that has its name. */
static enum lyc_status zone_load(struct zone *zone, const char *folder, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	uint8_t *data = NULL;
	FILE *file = NULL;
	size_t len;
	char path[4096];

	if (strcmp(zone->name, "UTC") == 0) {
		zone->kind_count = 1;
		memcpy(zone->kinds[0].name, "UTC", 4);
		return LYC_OK;
	}
	snprintf(path, sizeof(path), "%s/%s", folder, zone->name);
	file = fopen(path, "rb");
	if (!file)
		return refuse(error, LYC_NOT_FOUND, zone->name,
			      "is no time zone of this machine: names are like Europe/London, and "
			      "the package tzdata brings them");
	data = calloc(1, MAX_FILE_BYTES);
	if (!data) {
		status = refuse(error, LYC_RESOURCE_EXHAUSTED, zone->name,
				"cannot be read: there is no memory");
		goto out;
	}
	len = fread(data, 1, MAX_FILE_BYTES, file);
	if (len == 0 || len == MAX_FILE_BYTES || !read_file(zone, data, len))
		/* A folder opens, too, and reads nothing. */
		status = len == 0 ? refuse(error, LYC_NOT_FOUND, zone->name,
					   "is no time zone of this machine")
				  : refuse(error, LYC_DATA_LOSS, zone->name,
					   "has a broken file in the system's time zone data");
out:
	free(data);
	fclose(file);
	return status;
}

enum lyc_status zones_find(struct zones *zones, const char *name, const struct zone **ret_zone,
			   struct lyc_error *error)
{
	struct zone *zone;
	enum lyc_status status;
	for (zone = zones->first; zone; zone = zone->next) {
		if (strcmp(zone->name, name) == 0) {
			*ret_zone = zone;
			return LYC_OK;
		}
	}
	if (!is_zone_name(name))
		return refuse(error, LYC_INVALID_ARGUMENT, name,
			      "is not the name of a time zone: it wants one like Europe/London");
	zone = calloc(1, sizeof(*zone));
	if (!zone)
		return refuse(error, LYC_RESOURCE_EXHAUSTED, name,
			      "cannot be read: there is no memory");
	memcpy(zone->name, name, strlen(name));
	status = zone_load(zone, zones->folder, error);
	if (status) {
		zone_free(zone);
		return status;
	}
	zone->next = zones->first;
	zones->first = zone;
	*ret_zone = zone;
	return LYC_OK;
}

const char *zone_name(const struct zone *zone)
{
	return zone->name;
}

/* How many changes are at or before `utc`. */
static size_t changes_until(const struct zone *zone, int64_t utc)
{
	size_t low = 0;
	size_t high = zone->change_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (zone->changes[middle].utc <= utc)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Before the first change the first kind that is not summer holds; tzdata lists it first. */
static const struct kind *kind_at(const struct zone *zone, size_t changes)
{
	return &zone->kinds[changes == 0 ? 0 : zone->changes[changes - 1].kind];
}

int32_t zone_offset_s(const struct zone *zone, int64_t utc, bool *ret_is_summer,
		      const char **ret_name)
{
	size_t changes = changes_until(zone, utc);
	const struct kind *kind = kind_at(zone, changes);
	bool is_summer = kind->is_summer;
	const char *name = kind->name;
	int32_t offset_s = kind->offset_s;
	if (changes == zone->change_count && zone->has_rule) {
		is_summer = zone_rule_is_summer(&zone->rule, utc);
		name = is_summer ? zone->rule.summer_name : zone->rule.name;
		offset_s = is_summer ? zone->rule.summer_offset_s : zone->rule.offset_s;
	}
	if (ret_is_summer)
		*ret_is_summer = is_summer;
	if (ret_name)
		*ret_name = name;
	return offset_s;
}

bool zone_next_change(const struct zone *zone, int64_t utc, int64_t *ret_utc)
{
	size_t changes = changes_until(zone, utc);
	if (changes < zone->change_count) {
		*ret_utc = zone->changes[changes].utc;
		return true;
	}
	return zone->has_rule && zone_rule_next_change(&zone->rule, utc, ret_utc);
}

const struct zone_rule *zone_last_rule(const struct zone *zone)
{
	return zone->has_rule ? &zone->rule : NULL;
}

int64_t zone_to_wall(const struct zone *zone, int64_t utc)
{
	return utc + zone_offset_s(zone, utc, NULL, NULL);
}

/* The two offsets in force around a wall time are those a day before and a day behind it, unless
 * the clock changes twice within two days, so each change in between is tried as well. */
int64_t zone_to_utc(const struct zone *zone, int64_t wall, enum zone_fit *ret_fit)
{
	int64_t found = INT64_MAX;
	int64_t at = wall - 2 * (int64_t)WALL_DAY_S;
	int64_t in_gap = wall - zone_offset_s(zone, at, NULL, NULL);
	int count = 0;
	for (;;) {
		int32_t offset_s = zone_offset_s(zone, at, NULL, NULL);
		int64_t utc = wall - offset_s;
		int64_t next = INT64_MAX;
		if (!zone_next_change(zone, at, &next))
			next = INT64_MAX;
		/* With this offset it is a moment of its stretch, [at, next). */
		if (utc >= at && utc < next) {
			count++;
			if (utc < found)
				found = utc;
		}
		/* It lies behind this stretch: of these, the last is the offset before the gap. */
		if (utc >= next)
			in_gap = utc;
		if (next > wall + 2 * (int64_t)WALL_DAY_S)
			break;
		at = next;
	}
	if (ret_fit)
		*ret_fit = count == 0 ? ZONE_NEVER : count == 1 ? ZONE_ONCE : ZONE_TWICE;
	return count ? found : in_gap;
}
