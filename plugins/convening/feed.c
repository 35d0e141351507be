/* Events in one order (UID, then the instance, then the sequence), written as any calendar; and a
 * tag of the bytes: FNV-1a of 64 bits and their length. It tells versions apart, it proves nothing.
 */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ics_write.h"

static int compare_events(const void *one, const void *two)
{
	const struct ics_event *a = one;
	const struct ics_event *b = two;
	int by_uid = strcmp(a->uid ? a->uid : "", b->uid ? b->uid : "");
	if (by_uid)
		return by_uid;
	if (a->recurrence_id.clock != b->recurrence_id.clock)
		return a->recurrence_id.clock < b->recurrence_id.clock ? -1 : 1;
	if (a->recurrence_id.at != b->recurrence_id.at)
		return a->recurrence_id.at < b->recurrence_id.at ? -1 : 1;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

enum lyc_status feed_write(const struct feed *feed, struct zones *zones, char **ret_text,
			   size_t *ret_len, struct lyc_error *error)
{
	struct ics_head head = {.description = feed->description, .refresh_s = feed->refresh_s};
	struct ics_calendar calendar = {.name = feed->name, .event_count = feed->event_count};
	enum lyc_status status;
	struct ics_event *events = calloc(feed->event_count + 1, sizeof(*events));
	if (!events) {
		*error = (struct lyc_error){.status = LYC_RESOURCE_EXHAUSTED};
		snprintf(error->text, sizeof(error->text), "there is no memory");
		return LYC_RESOURCE_EXHAUSTED;
	}
	if (feed->event_count > 0)
		memcpy(events, feed->events, feed->event_count * sizeof(*events));
	qsort(events, feed->event_count, sizeof(*events), compare_events);
	calendar.events = events;
	status = ics_write_with(&calendar, &head, zones, ret_text, ret_len, error);
	free(events);
	return status;
}
