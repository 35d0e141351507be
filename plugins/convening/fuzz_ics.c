/* Any bytes as a calendar: what is read can be asked for its starts, and what can be written is
 * read again and then written the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ics.h"
#include "wall.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void try_starts(const struct ics_calendar *calendar, struct zones *zones)
{
	/* A rule that finds nothing costs its whole budget: some events say it all. */
	for (size_t i = 0; i < calendar->event_count && i < 4; i++) {
		struct recurrence set;
		struct lyc_error error;
		int64_t *starts = NULL;
		size_t count = 0;
		bool has_more;
		if (ics_recurrence(&calendar->events[i], zones, &set, &error) ||
		    recurrence_list(&set, WALL_MIN, WALL_MAX, 20, &starts, &count, &has_more))
			continue;
		free(starts);
	}
}

static void try_writing(const struct ics_calendar *calendar, struct zones *zones)
{
	struct ics_calendar again = {0};
	struct lyc_error error;
	char *one = NULL;
	char *two = NULL;
	size_t one_len = 0;
	size_t two_len = 0;
	if (ics_write(calendar, zones, &one, &one_len, &error))
		return;
	must(ics_read(one, one_len, zones, &again, &error) == LYC_OK);
	must(again.event_count == calendar->event_count);
	if (ics_write(&again, zones, &two, &two_len, &error) == LYC_OK)
		must(one_len == two_len && memcmp(one, two, one_len) == 0);
	free(one);
	free(two);
	ics_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct zones *zones;
	struct ics_calendar calendar = {0};
	struct lyc_error error;
	if (!zones)
		zones = zones_new(NULL);
	must(zones != NULL);
	if (len > 65536 || ics_read((const char *)data, len, zones, &calendar, &error))
		return 0;
	try_starts(&calendar, zones);
	try_writing(&calendar, zones);
	ics_fini(&calendar);
	return 0;
}
