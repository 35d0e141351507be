/* Writes what test_icalendar.py reads with another library: a feed and three messages of iTIP, into
 * the folder that is named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "wall.h"

static int64_t at(const char *text)
{
	int64_t time = 0;
	bool is_date;
	bool is_utc;
	if (!wall_read(text, &time, &is_date, &is_utc))
		abort();
	return time;
}

static int save(const char *folder, const char *name, const char *text, size_t len)
{
	char path[1000];
	FILE *file;
	int code;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	if (!file)
		return 1;
	code = fwrite(text, 1, len, file) != len;
	return fclose(file) || code;
}

static int save_message(const char *folder, const char *name, enum ics_method method,
			const struct ics_event *event, struct zones *zones)
{
	struct ics_calendar calendar = {.method = method, .events = event, .event_count = 1};
	struct lyc_error error;
	char *text = NULL;
	size_t len;
	int code = 1;
	if (ics_write(&calendar, zones, &text, &len, &error))
		fprintf(stderr, "%s\n", error.text);
	else
		code = save(folder, name, text, len);
	free(text);
	return code;
}

static int save_feed(const char *folder, const struct ics_event *events, size_t count,
		     struct zones *zones)
{
	struct feed feed = {.name = "Wales, what is on",
			    .description = "Meetings; open ones",
			    .refresh_s = 3600,
			    .events = events,
			    .event_count = count};
	struct lyc_error error;
	char *text = NULL;
	size_t len;
	int code = 1;
	if (feed_write(&feed, zones, &text, &len, &error))
		fprintf(stderr, "%s\n", error.text);
	else
		code = save(folder, "feed.ics", text, len);
	free(text);
	return code;
}

int main(int argc, char **argv)
{
	const int64_t added[] = {at("20270301T090000")};
	const int64_t removed[] = {at("20270209T090000")};
	const struct ics_person people[] = {
		{.address = "ann@example.org",
		 .name = "Evans, Ann \"Annie\"",
		 .role = ICS_CHAIR,
		 .answer = ICS_NO_ANSWER,
		 .asks_answer = true},
	};
	struct recurrence_rule rule;
	struct lyc_error error;
	struct zones *zones = zones_new(NULL);
	struct ics_event events[4] = {0};
	int code = 0;
	if (argc != 2 || !zones ||
	    recurrence_parse("FREQ=MONTHLY;BYDAY=2TU;UNTIL=20271231T090000Z", &rule, &error))
		return 2;
	for (size_t i = 0; i < 4; i++)
		events[i] = (struct ics_event){
			.uid = "one@wales.example",
			.sequence = 2,
			.status = ICS_CONFIRMED,
			.stamp = at("20261122T080000"),
			.start = {.clock = ICS_ZONED,
				  .at = at("20270112T090000"),
				  .zone = "Europe/London"},
			.end = {.clock = ICS_ZONED,
				.at = at("20270112T103000"),
				.zone = "Europe/London"},
			.title = "Panel; rare diseases, \xe2\x80\x9c"
				 "orphans\xe2\x80\x9d and a title that is long enough to be folded "
				 "at least twice over \xf0\x9f\x8f\xb4",
			.description = "One\nTwo, three; four \\ five",
			.organizer = {.address = "office@wales.example", .name = "Office"},
		};
	events[0].rules = &rule;
	events[0].rule_count = 1;
	events[0].added = added;
	events[0].added_count = 1;
	events[0].removed = removed;
	events[0].removed_count = 1;
	events[1].recurrence_id = events[0].start;
	events[1].recurrence_id.at = at("20270309T090000");
	events[2].uid = "day@wales.example";
	events[2].start = (struct ics_time){.clock = ICS_DATE, .at = at("20270501")};
	events[2].end = (struct ics_time){.clock = ICS_DATE, .at = at("20270503")};
	events[3].uid = "tokyo@wales.example";
	events[3].start.zone = events[3].end.zone = "Asia/Tokyo";
	code |= save_feed(argv[1], events, 4, zones);
	for (size_t i = 0; i < 4; i++) {
		events[i].people = people;
		events[i].person_count = 1;
	}
	code |= save_message(argv[1], "request.ics", ICS_REQUEST, &events[0], zones);
	events[0].status = ICS_CANCELLED;
	events[0].sequence++;
	code |= save_message(argv[1], "cancel.ics", ICS_CANCEL, &events[0], zones);
	code |= save_message(argv[1], "reply.ics", ICS_REPLY, &events[3], zones);
	zones_free(zones);
	return code;
}
