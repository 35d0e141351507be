/* When an event takes place: clocks that change, rules that are refused; and what an update
 * changes, keeps and empties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "meeting.h"

typedef Lyceum__Convening__V1__CreateRequest create_msg;
typedef Lyceum__Convening__V1__UpdateRequest update_msg;

static struct zones *zones;
static struct lyc_error error;

static int set_up(void **state)
{
	(void)state;
	zones = zones_new(NULL);
	return zones ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	zones_free(zones);
	return 0;
}

static create_msg request_at(const char *start, uint32_t minutes)
{
	create_msg request = LYCEUM__CONVENING__V1__CREATE_REQUEST__INIT;
	request.title = "Cells";
	request.start = (char *)(uintptr_t)start;
	request.minutes = minutes;
	return request;
}

static event_msg *made(const create_msg *request)
{
	event_msg *event = draft_of(request, "nhsa", "Europe/London", zones, &error);
	if (!event)
		fail_msg("%s", error.text);
	return event;
}

static void drop(event_msg *event)
{
	lyceum__convening__v1__event__free_unpacked(event, NULL);
}

static void assert_refused(const create_msg *request, const char *field, const char *text)
{
	event_msg *event = draft_of(request, "nhsa", "Europe/London", zones, &error);
	if (event)
		fail_msg("%s to %s was taken", event->start, event->end);
	assert_int_equal(error.status, LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, field);
	if (!strstr(error.text, text))
		fail_msg("not '%s' but: %s", text, error.text);
}

/* ---- Rules ---- */

static void test_meeting_refuses_a_series_that_meets_more_often_than_daily(void **state)
{
	static const char *const often[] = {
		"FREQ=SECONDLY",
		"FREQ=MINUTELY;INTERVAL=5",
		"FREQ=HOURLY;COUNT=3",
		"FREQ=DAILY;BYHOUR=10,15",
		"FREQ=WEEKLY;BYDAY=MO;BYHOUR=10;BYMINUTE=0,30",
	};
	create_msg request = request_at("2027-03-01T10:00", 60);
	(void)state;
	for (size_t i = 0; i < sizeof(often) / sizeof(often[0]); i++) {
		request.rrule = (char *)(uintptr_t)often[i];
		assert_refused(&request, "rrule", "once a day at most");
	}
	static const char *const fine[] = {"FREQ=DAILY", "FREQ=DAILY;BYHOUR=10",
					   "FREQ=WEEKLY;BYDAY=MO,TU"};
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		request.rrule = (char *)(uintptr_t)fine[i];
		drop(made(&request));
	}
}

/* ---- Clocks ---- */

static void test_meeting_lasts_its_minutes_when_the_clocks_change(void **state)
{
	static const struct {
		const char *start;
		const char *end;
	} nights[] = {
		{"2027-03-28T00:30", "2027-03-28T03:00:00"}, /* an hour is missing */
		{"2027-10-31T00:30", "2027-10-31T01:00:00"}, /* an hour comes twice */
		{"2027-10-31T01:30", "2027-10-31T02:00:00"},
		{"2027-06-01T10:00", "2027-06-01T11:30:00"},
	};
	struct meeting meeting;
	(void)state;
	for (size_t i = 0; i < sizeof(nights) / sizeof(nights[0]); i++) {
		create_msg request = request_at(nights[i].start, 90);
		event_msg *event = made(&request);
		assert_string_equal(event->end, nights[i].end);
		assert_int_equal(event->end_ms - event->start_ms, 90 * 60000);
		assert_int_equal(meeting_list(event, zones, 0, INT64_C(4000000000000), &meeting, 1),
				 1);
		assert_int_equal(meeting.start_ms, event->start_ms);
		assert_int_equal(meeting.end_ms, event->end_ms);
		drop(event);
	}
}

/* The wall shows 01:30 at its start and at its end. */
static void test_meeting_of_one_hour_may_end_when_its_wall_clock_began(void **state)
{
	create_msg request = request_at("2027-10-31T01:30", 60);
	update_msg update = LYCEUM__CONVENING__V1__UPDATE_REQUEST__INIT;
	struct meeting_ics ics;
	(void)state;
	event_msg *event = made(&request);
	assert_int_equal(event->end_ms - event->start_ms, 3600000);
	assert_true(meeting_to_ics(event, 0, &ics));
	assert_int_equal(ics.event.end.clock, ICS_UTC);
	assert_int_equal(ics.event.end.at, event->end_ms / 1000);
	meeting_ics_fini(&ics);
	update.place = "Leeds";
	event_msg *moved = draft_change(event, &update, zones, &error);
	if (!moved)
		fail_msg("%s", error.text);
	assert_int_equal(moved->end_ms, event->end_ms);
	drop(moved);
	drop(event);
}

static void test_meeting_refuses_a_time_that_its_zone_does_not_have(void **state)
{
	create_msg request = request_at("2027-03-28T01:30", 60);
	(void)state;
	assert_refused(&request, "start", "the next time is 2027-03-28T02:00:00");
	request.start = "2027-03-28T00:30";
	request.end = "2027-03-28T01:15";
	assert_refused(&request, "end", "2027-03-28T01:15:00");
	request.end = "2027-03-28T00:30";
	assert_refused(&request, "end", "is not after the start");
	/* A whole day that Samoa left out. */
	request.start = "2011-12-30T10:00";
	request.end = "";
	request.zone = "Pacific/Apia";
	assert_refused(&request, "start", "the next time is 2011-12-31T00:00:00");
}

/* ---- Updates ---- */

static void test_draft_empties_what_an_update_names(void **state)
{
	create_msg request = request_at("2027-03-01T10:00", 90);
	update_msg update = LYCEUM__CONVENING__V1__UPDATE_REQUEST__INIT;
	char *dates[] = {"2027-03-02T10:00"};
	(void)state;
	request.cap = 12;
	request.place = "Leeds";
	request.url = "https://x.example";
	request.description = "Long";
	request.rrule = "FREQ=DAILY;COUNT=3";
	request.exdate = dates;
	request.n_exdate = 1;
	event_msg *held = made(&request);

	char *some[] = {"cap", "place"};
	update.clear = some;
	update.n_clear = 2;
	event_msg *event = draft_change(held, &update, zones, &error);
	assert_non_null(event);
	assert_int_equal(event->cap, 0);
	assert_string_equal(event->place, "");
	assert_string_equal(event->url, "https://x.example");
	assert_int_equal(event->n_exdate, 1);
	drop(event);

	char *rest[] = {"url", "description", "rrule"};
	update.clear = rest;
	update.n_clear = 3;
	event = draft_change(held, &update, zones, &error);
	assert_non_null(event);
	assert_int_equal(event->cap, 12);
	assert_string_equal(event->url, "");
	assert_string_equal(event->description, "");
	assert_string_equal(event->rrule, "");
	assert_int_equal(event->n_exdate, 0);
	assert_string_equal(event->place, "Leeds");
	assert_int_equal(event->end_ms, held->end_ms);
	drop(event);
	drop(held);
}

static void test_draft_refuses_to_empty_what_must_be_there(void **state)
{
	create_msg request = request_at("2027-03-01T10:00", 90);
	update_msg update = LYCEUM__CONVENING__V1__UPDATE_REQUEST__INIT;
	char *names[] = {"title"};
	(void)state;
	event_msg *held = made(&request);
	update.clear = names;
	update.n_clear = 1;
	assert_null(draft_change(held, &update, zones, &error));
	assert_string_equal(error.field, "clear");
	assert_non_null(strstr(error.text, "cap, place, url, description and rrule"));
	names[0] = "place";
	update.place = "Leeds";
	assert_null(draft_change(held, &update, zones, &error));
	assert_non_null(strstr(error.text, "do one of both"));
	drop(held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meeting_refuses_a_series_that_meets_more_often_than_daily),
		cmocka_unit_test(test_meeting_lasts_its_minutes_when_the_clocks_change),
		cmocka_unit_test(test_meeting_of_one_hour_may_end_when_its_wall_clock_began),
		cmocka_unit_test(test_meeting_refuses_a_time_that_its_zone_does_not_have),
		cmocka_unit_test(test_draft_empties_what_an_update_names),
		cmocka_unit_test(test_draft_refuses_to_empty_what_must_be_there),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
