/* What is written is read back the same; series with exceptions, messages of iTIP, zones; and text
 * that means harm or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "ics.h"
#include "wall.h"

static struct zones *zones;

static int64_t at(const char *text)
{
	int64_t time = 0;
	bool is_date;
	bool is_utc;
	if (!wall_read(text, &time, &is_date, &is_utc))
		fail_msg("'%s' is no time", text);
	return time;
}

static struct ics_time in_zone(const char *text, const char *zone)
{
	return (struct ics_time){.clock = ICS_ZONED, .at = at(text), .zone = zone};
}

static struct recurrence_rule rule_of(const char *text)
{
	struct recurrence_rule rule;
	struct lyc_error error;
	if (recurrence_parse(text, &rule, &error))
		fail_msg("%s: %s", text, error.text);
	return rule;
}

/* The caller frees. */
static char *write_calendar(const struct ics_calendar *calendar)
{
	char *text = NULL;
	size_t len = 0;
	struct lyc_error error = {0};
	if (ics_write(calendar, zones, &text, &len, &error))
		fail_msg("%s", error.text);
	assert_int_equal(strlen(text), len);
	return text;
}

static struct ics_calendar read_calendar(const char *text)
{
	struct ics_calendar calendar = {0};
	struct lyc_error error = {0};
	if (ics_read(text, strlen(text), zones, &calendar, &error))
		fail_msg("%s", error.text);
	return calendar;
}

static void assert_text(const char *one, const char *two)
{
	assert_string_equal(one ? one : "(none)", two ? two : "(none)");
}

static void assert_time(const struct ics_time *one, const struct ics_time *two)
{
	assert_int_equal(one->clock, two->clock);
	if (one->clock != ICS_NO_TIME)
		assert_int_equal(one->at, two->at);
	if (one->clock == ICS_ZONED)
		assert_text(one->zone, two->zone);
}

static void assert_person(const struct ics_person *one, const struct ics_person *two, bool has_role)
{
	assert_text(one->address, two->address);
	assert_text(one->name, two->name);
	if (!has_role)
		return;
	assert_int_equal(one->role, two->role);
	assert_int_equal(one->answer, two->answer);
	assert_int_equal(one->asks_answer, two->asks_answer);
}

static void assert_event(const struct ics_event *one, const struct ics_event *two)
{
	assert_text(one->uid, two->uid);
	assert_int_equal(one->sequence, two->sequence);
	assert_int_equal(one->status, two->status);
	assert_int_equal(one->stamp, two->stamp);
	assert_time(&one->start, &two->start);
	assert_time(&one->end, &two->end);
	assert_time(&one->recurrence_id, &two->recurrence_id);
	assert_int_equal(one->rule_count, two->rule_count);
	for (size_t i = 0; i < one->rule_count; i++)
		assert_true(recurrence_is_equal(&one->rules[i], &two->rules[i]));
	assert_int_equal(one->added_count, two->added_count);
	for (size_t i = 0; i < one->added_count; i++)
		assert_int_equal(one->added[i], two->added[i]);
	assert_int_equal(one->removed_count, two->removed_count);
	for (size_t i = 0; i < one->removed_count; i++)
		assert_int_equal(one->removed[i], two->removed[i]);
	assert_text(one->title, two->title);
	assert_text(one->description, two->description);
	assert_text(one->place, two->place);
	assert_text(one->url, two->url);
	assert_text(one->comment, two->comment);
	assert_text(one->category, two->category);
	assert_int_equal(one->is_private, two->is_private);
	assert_int_equal(one->is_free, two->is_free);
	assert_int_equal(one->has_alarm, two->has_alarm);
	assert_int_equal(one->alarm_before_s, two->alarm_before_s);
	assert_person(&one->organizer, &two->organizer, false);
	assert_int_equal(one->person_count, two->person_count);
	for (size_t i = 0; i < one->person_count; i++)
		assert_person(&one->people[i], &two->people[i], true);
}

/* Writes and reads; what comes back is the same and says nothing beside. */
static void assert_comes_back(const struct ics_calendar *calendar)
{
	char *text = write_calendar(calendar);
	struct ics_calendar again = read_calendar(text);
	char *second;
	for (size_t i = 0; i < again.note_count; i++)
		fail_msg("note: %s in\n%s", again.notes[i], text);
	assert_int_equal(again.method, calendar->method);
	assert_text(again.name, calendar->name);
	assert_int_equal(again.event_count, calendar->event_count);
	for (size_t i = 0; i < again.event_count; i++)
		assert_event(&calendar->events[i], &again.events[i]);
	second = write_calendar(&again);
	assert_string_equal(text, second);
	free(second);
	free(text);
	ics_fini(&again);
}

static struct ics_event panel(void)
{
	return (struct ics_event){
		.uid = "e-1@wales.example",
		.sequence = 3,
		.status = ICS_CONFIRMED,
		.stamp = at("20261122T080000Z"),
		.start = in_zone("20270114T090000", "Europe/London"),
		.end = in_zone("20270114T103000", "Europe/London"),
		.title = "Panel; rare diseases, and \"orphans\" \\ 2027",
		.description = "First line,\nsecond; with a \\ and a \xe2\x80\x94 dash.\n\n"
			       "Croeso i bawb \xc5\xb5\xc5\xb7 \xf0\x9f\x8f\xb4 and a tab\there",
		.place = "Adeilad y Pierhead, Caerdydd",
		.url = "https://wales.example/e/1?a=b;c,d",
		.category = "Panels; and more",
		.organizer = {.address = "office@wales.example", .name = "MedCity; \"Wales\", Ltd"},
	};
}

static void test_ics_event_comes_back_as_it_was(void **state)
{
	const struct ics_person people[] = {
		{.address = "ann@example.org",
		 .name = "Ann Evans",
		 .role = ICS_CHAIR,
		 .answer = ICS_ACCEPTED},
		{.address = "o'neil+x@example.org",
		 .name = "O'Neil, Se\xc3\xa1n",
		 .role = ICS_OPTIONAL,
		 .answer = ICS_MAYBE,
		 .asks_answer = true},
		{.address = "c@example.org", .role = ICS_NOT_TAKING_PART, .answer = ICS_DECLINED},
		{.address = "d@example.org", .name = "a^b^nc:d", .answer = ICS_DELEGATED},
		{.address = "e@example.org"},
	};
	struct ics_event event = panel();
	struct ics_calendar calendar = {.method = ICS_REQUEST,
					.name = "Wales: events, panels; more",
					.events = &event,
					.event_count = 1};
	(void)state;
	event.people = people;
	event.person_count = 5;
	event.has_alarm = true;
	event.alarm_before_s = 86400 + 900;
	event.is_private = true;
	event.is_free = true;
	event.comment = "see you, there";
	assert_comes_back(&calendar);
}

static void test_ics_clocks_come_back_as_they_were(void **state)
{
	const struct ics_time starts[] = {
		{.clock = ICS_DATE, .at = at("20270114")},
		{.clock = ICS_FLOATING, .at = at("20270114T090000")},
		{.clock = ICS_UTC, .at = at("20270114T090000")},
		in_zone("20270714T090000", "America/New_York"),
		in_zone("20270714T090000", "Asia/Tokyo"),
		in_zone("19690714T090000", "Asia/Kathmandu"),
		in_zone("20260329T013000", "Europe/London"),
		{.clock = ICS_UTC, .at = WALL_MIN + 86400 * 400},
		{.clock = ICS_UTC, .at = at("29991230T000000")},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct ics_event event = panel();
		struct ics_calendar calendar = {.events = &event, .event_count = 1};
		event.start = starts[i];
		event.end = starts[i];
		event.end.at += 86400;
		assert_comes_back(&calendar);
		event.end = (struct ics_time){0};
		assert_comes_back(&calendar);
	}
}

/* A series, two instances that were moved, one that was left out, one that was added. */
static void test_ics_series_with_exceptions_comes_back(void **state)
{
	struct recurrence_rule rule = rule_of("FREQ=MONTHLY;BYDAY=2TU,-1FR;COUNT=12");
	const int64_t added[] = {at("20270301T090000")};
	const int64_t removed[] = {at("20270112T090000"), at("20270226T090000")};
	struct ics_event events[3] = {panel(), panel(), panel()};
	struct ics_calendar calendar = {.method = ICS_PUBLISH, .events = events, .event_count = 3};
	struct recurrence set;
	struct lyc_error error;
	int64_t *starts = NULL;
	size_t count = 0;
	bool has_more = false;
	char *text;
	struct ics_calendar again;
	(void)state;
	events[0].start = in_zone("20270112T090000", "Europe/London");
	events[0].end = in_zone("20270112T100000", "Europe/London");
	events[0].rules = &rule;
	events[0].rule_count = 1;
	events[0].added = added;
	events[0].added_count = 1;
	events[0].removed = removed;
	events[0].removed_count = 2;
	events[1].recurrence_id = in_zone("20270209T090000", "Europe/London");
	events[1].start = in_zone("20270210T140000", "Europe/London");
	events[1].end = in_zone("20270210T150000", "Europe/London");
	events[2].recurrence_id = (struct ics_time){.clock = ICS_UTC, .at = at("20270409T080000")};
	events[2].status = ICS_CANCELLED;
	assert_comes_back(&calendar);

	text = write_calendar(&calendar);
	again = read_calendar(text);
	assert_int_equal(ics_recurrence(&again.events[0], zones, &set, &error), LYC_OK);
	assert_int_equal(recurrence_list(&set, WALL_MIN, WALL_MAX, 100, &starts, &count, &has_more),
			 LYC_OK);
	assert_int_equal(count, 12 + 1 - 2);
	assert_int_equal(starts[0], at("20270129T090000"));
	assert_int_equal(starts[2], at("20270301T090000"));
	free(starts);
	free(text);
	ics_fini(&again);
}

/* Texts at every length, so that a fold falls on every byte of a character. */
static void test_ics_folds_between_characters(void **state)
{
	char title[400] = "";
	(void)state;
	for (int i = 0; i < 90; i++) {
		struct ics_event event = panel();
		struct ics_calendar calendar = {.events = &event, .event_count = 1};
		char *text;
		size_t len;
		strcat(title, i % 3 ? "\xf0\x9f\x8f\xb4" : "a");
		event.title = title;
		assert_comes_back(&calendar);
		text = write_calendar(&calendar);
		for (const char *line = text; *line; line += len + 2) {
			len = strcspn(line, "\r\n");
			assert_true(len <= 75);
			assert_memory_equal(line + len, "\r\n", 2);
			/* No line begins within a character. */
			assert_true((line[line[0] == ' '] & 0xc0) != 0x80);
		}
		free(text);
	}
}

static void test_ics_text_cannot_add_lines(void **state)
{
	struct ics_person person = {.address = "ann@example.org",
				    .name = "Ann\r\nATTENDEE:mailto:evil@example.org"};
	struct ics_event event = panel();
	struct ics_calendar calendar = {
		.name = "A\r\nMETHOD:CANCEL", .events = &event, .event_count = 1};
	char *text;
	(void)state;
	event.title = "Hello\r\nSTATUS:CANCELLED\x07";
	event.uid = "e\r\nSEQUENCE:9";
	event.people = &person;
	event.person_count = 1;
	text = write_calendar(&calendar);
	assert_null(strstr(text, "\nSTATUS:CANCELLED"));
	assert_null(strstr(text, "\nATTENDEE:mailto:evil"));
	assert_null(strstr(text, "\nMETHOD"));
	assert_null(strstr(text, "\nSEQUENCE:9"));
	assert_null(strchr(text, 7));
	free(text);
}

static void assert_refused(const struct ics_event *event, enum ics_method method, const char *field)
{
	struct ics_calendar calendar = {.method = method, .events = event, .event_count = 1};
	char *text = NULL;
	size_t len;
	struct lyc_error error = {0};
	assert_int_not_equal(ics_write(&calendar, zones, &text, &len, &error), LYC_OK);
	assert_null(text);
	if (!strstr(error.text, field))
		fail_msg("'%s' says nothing of %s", error.text, field);
}

static void test_ics_write_refuses_with_the_field_at_fault(void **state)
{
	struct ics_person person = {.address = "ann@example.org"};
	struct ics_event event = panel();
	(void)state;
	event.uid = "";
	assert_refused(&event, ICS_NO_METHOD, "uid");
	event = panel();
	event.start.clock = ICS_NO_TIME;
	assert_refused(&event, ICS_NO_METHOD, "start");
	event = panel();
	event.start.zone = "Europe/Atlantis";
	assert_refused(&event, ICS_NO_METHOD, "Europe/Atlantis");
	event = panel();
	event.start = (struct ics_time){.clock = ICS_DATE, .at = at("20270101")};
	assert_refused(&event, ICS_NO_METHOD, "end");
	event = panel();
	event.start = (struct ics_time){.clock = ICS_UTC, .at = INT64_MAX};
	assert_refused(&event, ICS_NO_METHOD, "start");
	event = panel();
	event.stamp = at("99990101T000000");
	assert_refused(&event, ICS_NO_METHOD, "stamp");
	event = panel();
	event.category = "One,two";
	assert_refused(&event, ICS_NO_METHOD, "category");
	event = panel();
	event.url = "https://example.org/ \"";
	assert_refused(&event, ICS_NO_METHOD, "url");
	event = panel();
	assert_refused(&event, ICS_REPLY, "people");
	event.start.clock = event.end.clock = ICS_NO_TIME;
	event.added = &event.stamp;
	event.added_count = 1;
	assert_refused(&event, ICS_CANCEL, "start");
	event = panel();
	assert_refused(&event, ICS_OTHER_METHOD, "method");
	event.people = &person;
	event.person_count = 1;
	person.address = "ann at home";
	assert_refused(&event, ICS_REQUEST, "people.address");
	person.address = "a@b\r\nX:1";
	assert_refused(&event, ICS_REQUEST, "people.address");
	event.organizer.address = NULL;
	assert_refused(&event, ICS_CANCEL, "organizer");
}

/* A reply as a calendar program sends it: no start, a comment, a name in quotes. */
static void test_ics_reads_a_reply(void **state)
{
	struct ics_calendar calendar = read_calendar(
		"BEGIN:VCALENDAR\r\nPRODID:-//Other//EN\r\nVERSION:2.0\r\n"
		"METHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:e-1@wales.example\r\n"
		"ORGANIZER:MAILTO:office@wales.example\r\nSEQUENCE:3\r\n"
		"ATTENDEE;CN=\"Evans, Ann\";PARTSTAT=DECLINED:mailto:ann@example.org\r\n"
		"DTSTAMP:20261123T080000Z\r\nCOMMENT:on leave\\, sorry\r\n"
		"END:VEVENT\r\nEND:VCALENDAR\r\n");
	(void)state;
	assert_int_equal(calendar.method, ICS_REPLY);
	assert_int_equal(calendar.event_count, 1);
	assert_int_equal(calendar.note_count, 0);
	assert_int_equal(calendar.events[0].sequence, 3);
	assert_int_equal(calendar.events[0].start.clock, ICS_NO_TIME);
	assert_int_equal(calendar.events[0].rule_count + calendar.events[0].removed_count, 0);
	assert_string_equal(calendar.events[0].organizer.address, "office@wales.example");
	assert_int_equal(calendar.events[0].person_count, 1);
	assert_string_equal(calendar.events[0].people[0].address, "ann@example.org");
	assert_string_equal(calendar.events[0].people[0].name, "Evans, Ann");
	assert_int_equal(calendar.events[0].people[0].answer, ICS_DECLINED);
	assert_string_equal(calendar.events[0].comment, "on leave, sorry");
	ics_fini(&calendar);
}

static void test_ics_finds_zones_by_other_names(void **state)
{
	static const char *const names[][2] = {
		{"Europe/London", "Europe/London"},
		{"/freeassociation.sourceforge.net/Tzfile/Europe/London", "Europe/London"},
		{"/mozilla.org/20050126_1/America/New_York", "America/New_York"},
		{"GMT Standard Time", "Europe/London"},
		{"Tokyo Standard Time", "Asia/Tokyo"},
		{"Office", "America/Denver"},
		{"Atlantis Standard Time", NULL},
		{"/etc/passwd", NULL},
		{"../../../etc/passwd", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[1000];
		struct ics_calendar calendar;
		snprintf(text, sizeof(text),
			 "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VTIMEZONE\nTZID:Office\n"
			 "X-LIC-LOCATION:America/Denver\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\n"
			 "DTSTART;TZID=%s:20270714T090000\nDURATION:PT90M\nEND:VEVENT\n"
			 "END:VCALENDAR\n",
			 names[i][0]);
		calendar = read_calendar(text);
		assert_int_equal(calendar.event_count, 1);
		assert_int_equal(calendar.events[0].start.at, at("20270714T090000"));
		assert_int_equal(calendar.events[0].end.at, at("20270714T103000"));
		assert_int_equal(calendar.note_count, names[i][1] ? 0 : 1);
		assert_int_equal(calendar.events[0].start.clock,
				 names[i][1] ? ICS_ZONED : ICS_FLOATING);
		assert_text(calendar.events[0].start.zone, names[i][1]);
		ics_fini(&calendar);
	}
}

/* EXDATE in UTC, RDATE as a period in another zone, a day as an exception: all on the clock of the
 * start. And a duration over the end of summer time. */
static void test_ics_brings_dates_to_the_clock_of_the_start(void **state)
{
	struct ics_calendar calendar =
		read_calendar("BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\n"
			      "DTSTART;TZID=Europe/London:20261024T230000\nDURATION:P1DT3H\n"
			      "RRULE:FREQ=DAILY;COUNT=9\nEXDATE:20261024T220000Z,20261026T230000Z\n"
			      "EXDATE;VALUE=DATE:20261028\n"
			      "RDATE;VALUE=PERIOD;TZID=America/New_York:20270101T070000/PT1H\n"
			      "END:VEVENT\nEND:VCALENDAR\n");
	const struct ics_event *event = &calendar.events[0];
	(void)state;
	assert_int_equal(calendar.event_count, 1);
	assert_int_equal(event->removed_count, 3);
	assert_int_equal(event->removed[0], at("20261024T230000"));
	assert_int_equal(event->removed[1], at("20261026T230000"));
	assert_int_equal(event->removed[2], at("20261028T230000"));
	assert_int_equal(event->added_count, 1);
	assert_int_equal(event->added[0], at("20270101T120000"));
	/* A day on the wall, 25 October 23:00 in winter, then three hours as they pass. */
	assert_int_equal(event->end.at, at("20261026T020000"));
	ics_fini(&calendar);
}

static void test_ics_names_what_it_leaves_out(void **state)
{
	struct ics_calendar calendar =
		read_calendar("BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VTODO\nUID:t\nEND:VTODO\n"
			      "BEGIN:VEVENT\nUID:no-start\nEND:VEVENT\n"
			      "BEGIN:VEVENT\nUID:odd-rule\nDTSTART:20270101T000000Z\n"
			      "RRULE:FREQ=YEARLY;RSCALE=CHINESE\nEND:VEVENT\n"
			      "BEGIN:VEVENT\nUID:odd-end\nDTSTART:20270101T000000Z\n"
			      "DTEND:20270231T000000Z\nDESCRIPTION:\nEND:VEVENT\nEND:VCALENDAR\n");
	(void)state;
	assert_int_equal(calendar.event_count, 2);
	assert_int_equal(calendar.note_count, 3);
	assert_non_null(strstr(calendar.notes[0], "no-start"));
	assert_non_null(strstr(calendar.notes[1], "odd-rule"));
	assert_non_null(strstr(calendar.notes[2], "odd-end"));
	ics_fini(&calendar);
}

static void test_ics_reads_text_that_is_not_utf8(void **state)
{
	struct ics_calendar calendar = read_calendar("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n"
						     "DTSTART:20270101T000000Z\n"
						     "SUMMARY:Caf\xe9 \xc0\x80 \xed\xa0\x80\n"
						     "END:VEVENT\nEND:VCALENDAR\n");
	(void)state;
	assert_string_equal(calendar.events[0].title,
			    "Caf\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd"
			    "\xef\xbf\xbd");
	ics_fini(&calendar);
}

/* Each would cost a careless reader its stack, its memory or an afternoon. */
static void test_ics_refuses_what_means_harm(void **state)
{
	struct ics_calendar calendar = {0};
	struct lyc_error error = {0};
	size_t size = ICS_MAX_BYTES + 1;
	char *text = calloc(1, size + 1);
	size_t len = 0;
	(void)state;
	assert_non_null(text);
	memset(text, 'a', size);
	assert_int_equal(ics_read(text, size, zones, &calendar, &error), LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(ics_read("", 0, zones, &calendar, &error), LYC_INVALID_ARGUMENT);
	assert_int_equal(
		ics_read("BEGIN:VCALENDAR\nEND:VCALENDAR\n\0", 31, zones, &calendar, &error),
		LYC_INVALID_ARGUMENT);
	assert_int_equal(ics_read("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", 29, zones, &calendar, &error),
			 LYC_INVALID_ARGUMENT);
	while (len + 14 < size)
		len += (size_t)snprintf(text + len, size - len, "BEGIN:VEVENT\n");
	assert_int_equal(ics_read(text, len, zones, &calendar, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "deeper"));
	/* The same with folds in it. */
	len = 0;
	while (len + 18 < size)
		len += (size_t)snprintf(text + len, size - len, "BEG\r\n IN:VEVENT\r\n");
	assert_int_equal(ics_read(text, len, zones, &calendar, &error), LYC_INVALID_ARGUMENT);
	assert_null(calendar.memory);
	free(text);
}

static void test_ics_reads_an_empty_calendar(void **state)
{
	struct ics_calendar calendar = read_calendar("BEGIN:VCALENDAR\nEND:VCALENDAR");
	(void)state;
	assert_int_equal(calendar.event_count, 0);
	ics_fini(&calendar);
	ics_fini(&calendar);
}

/* Reads a VTIMEZONE's lines; what RFC 5545 would make of them at some moments. */
static void test_ics_zone_says_the_rule_of_the_zone(void **state)
{
	static const char *const wanted[][3] = {
		{"Europe/London", "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
		 "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"},
		{"America/New_York", "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3",
		 "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11"},
		{"Asia/Tokyo", "DTSTART:20260101T000000", "TZOFFSETTO:+0900"},
		{"America/Nuuk", "BYDAY=SA", "BYMONTHDAY=-8,-7,-6,-5,-4,-3,-2"},
		{"Africa/Casablanca", "TZOFFSETTO:+0100", "TZOFFSETFROM:+0000"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct ics_event event = panel();
		struct ics_calendar calendar = {.events = &event, .event_count = 1};
		char *text;
		event.start.zone = wanted[i][0];
		event.end.zone = wanted[i][0];
		text = write_calendar(&calendar);
		for (int j = 1; j < 3; j++) {
			if (!strstr(text, wanted[i][j]))
				fail_msg("no %s in\n%s", wanted[i][j], text);
		}
		free(text);
	}
}

static void test_feed_gives_the_same_bytes_for_the_same_events(void **state)
{
	struct ics_event events[3] = {panel(), panel(), panel()};
	struct ics_event turned[3];
	struct feed feed = {.name = "Wales",
			    .description = "What is on",
			    .refresh_s = 3600,
			    .events = events,
			    .event_count = 3};
	char *one = NULL;
	char *two = NULL;
	size_t one_len = 0;
	size_t two_len = 0;
	struct lyc_error error;
	struct ics_calendar calendar;
	(void)state;
	events[0].uid = "z@wales";
	events[2].recurrence_id = in_zone("20270114T090000", "Europe/London");
	turned[0] = events[2];
	turned[1] = events[0];
	turned[2] = events[1];
	assert_int_equal(feed_write(&feed, zones, &one, &one_len, &error), LYC_OK);
	feed.events = turned;
	assert_int_equal(feed_write(&feed, zones, &two, &two_len, &error), LYC_OK);
	assert_int_equal(one_len, two_len);
	assert_string_equal(one, two);
	assert_null(strstr(one, "METHOD"));
	assert_non_null(strstr(one, "REFRESH-INTERVAL;VALUE=DURATION:PT"));
	assert_non_null(strstr(one, "X-WR-CALNAME:Wales\r\n"));
	/* One zone, once. */
	assert_null(strstr(strstr(one, "BEGIN:VTIMEZONE") + 1, "BEGIN:VTIMEZONE"));
	calendar = read_calendar(one);
	assert_int_equal(calendar.event_count, 3);
	assert_event(&calendar.events[1], &events[2]);
	assert_event(&calendar.events[2], &events[0]);
	ics_fini(&calendar);
	free(two);
	turned[0].sequence++;
	assert_int_equal(feed_write(&feed, zones, &two, &two_len, &error), LYC_OK);
	assert_string_not_equal(one, two);
	free(one);
	free(two);
}

static void test_feed_of_nothing_is_a_calendar(void **state)
{
	struct feed feed = {0};
	char *text = NULL;
	size_t len = 0;
	struct lyc_error error;
	(void)state;
	assert_int_equal(feed_write(&feed, zones, &text, &len, &error), LYC_OK);
	assert_string_equal(text, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
				  "PRODID:-//Lyceum//Convening//EN\r\nCALSCALE:GREGORIAN\r\n"
				  "END:VCALENDAR\r\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ics_event_comes_back_as_it_was),
		cmocka_unit_test(test_ics_clocks_come_back_as_they_were),
		cmocka_unit_test(test_ics_series_with_exceptions_comes_back),
		cmocka_unit_test(test_ics_folds_between_characters),
		cmocka_unit_test(test_ics_text_cannot_add_lines),
		cmocka_unit_test(test_ics_write_refuses_with_the_field_at_fault),
		cmocka_unit_test(test_ics_reads_a_reply),
		cmocka_unit_test(test_ics_finds_zones_by_other_names),
		cmocka_unit_test(test_ics_brings_dates_to_the_clock_of_the_start),
		cmocka_unit_test(test_ics_names_what_it_leaves_out),
		cmocka_unit_test(test_ics_reads_text_that_is_not_utf8),
		cmocka_unit_test(test_ics_refuses_what_means_harm),
		cmocka_unit_test(test_ics_reads_an_empty_calendar),
		cmocka_unit_test(test_ics_zone_says_the_rule_of_the_zone),
		cmocka_unit_test(test_feed_gives_the_same_bytes_for_the_same_events),
		cmocka_unit_test(test_feed_of_nothing_is_a_calendar),
	};
	int code;
	zones = zones_new(NULL);
	code = zones ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	zones_free(zones);
	return code;
}
