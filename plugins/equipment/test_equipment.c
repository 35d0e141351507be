/* Offered, found and booked, within one region and from another: on the public test kit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <lyceum/test.h>

#include "lyceum/equipment/v1/equipment.pb-c.h"

#define OFFER "lyceum.equipment.v1.Equipment/Offer"
#define FIND "lyceum.equipment.v1.Equipment/Find"
#define BOOK "lyceum.equipment.v1.Equipment/Book"
#define RELEASE "lyceum.equipment.v1.Equipment/Release"
#define LAMP                                                                                       \
	"{\"id\":\"lamp\",\"title\":\"Solar "                                                      \
	"simulator\",\"place\":\"Cardiff\",\"contact\":\"Nia\"}"

static const char *const regions[] = {"wales", "alps", NULL};
static struct lyc_test *net;

static int set_up(void **state)
{
	(void)state;
	const struct lyc_test_options options = {.regions = regions, .runs_everywhere = true};
	net = lyc_test_new(&lyc_plugin, &options, NULL);
	lyc_test_set_wall_ms(net, INT64_C(1790000000000)); /* 21 September 2026 */
	lyc_test_call_json(net, "nia@wales", OFFER, LAMP, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lyc_test_free(net);
	return 0;
}

static const char *book(const char *as, const char *from, const char *until,
			struct lyc_error *error)
{
	char json[200];
	snprintf(json, sizeof(json),
		 "{\"id\":\"lamp\",\"home\":\"wales\",\"from\":\"%s\",\"until\":\"%s\"}", from,
		 until);
	return lyc_test_call_json(net, as, BOOK, json, error);
}

static const char *found(const char *as, const char *json)
{
	lyc_test_pass_ms(net, 200);
	return lyc_test_call_json(net, as, FIND, json, NULL);
}

static void test_equipment_is_found_in_another_region(void **state)
{
	(void)state;
	assert_non_null(strstr(found("bea@alps", "{\"text\":\"solar\"}"), "Solar simulator"));
	assert_non_null(strstr(found("bea@alps", "{\"text\":\"cardiff\"}"), "Solar simulator"));
	assert_string_equal(found("bea@alps", "{\"text\":\"centrifuge\"}"), "{}");
}

static void test_equipment_that_is_private_is_found_at_home_only(void **state)
{
	(void)state;
	lyc_test_call_json(net, "nia@wales", OFFER,
			   "{\"id\":\"laser\",\"title\":\"Laser\",\"private\":true}", NULL);
	struct lyc_error error;
	assert_non_null(strstr(found("nia@wales", "{\"text\":\"laser\"}"), "laser"));
	assert_string_equal(found("bea@alps", "{\"text\":\"laser\"}"), "{}");
	assert_null(lyc_test_call_json(net, "bea@alps", BOOK,
				       "{\"id\":\"laser\",\"home\":\"wales\",\"from\":\"2026-12-"
				       "01\",\"until\":\"2026-12-02\"}",
				       &error));
	assert_int_equal(error.status, LYC_NOT_FOUND);
}

static void test_equipment_is_booked_at_its_home(void **state)
{
	(void)state;
	assert_non_null(book("bea@alps", "2026-12-01", "2026-12-03", NULL));
	const Lyceum__Equipment__V1__Item *item = lyc_test_record(
		net, "wales", &lyceum__equipment__v1__item__descriptor, "wales.lamp");
	assert_int_equal(item->n_booking, 1);
	assert_string_equal(item->booking[0]->region, "alps");
	assert_non_null(strstr(found("bea@alps", "{}"), "\"region\":\"alps\""));
	assert_int_equal(
		lyc_test_record_count(net, "alps", &lyceum__equipment__v1__item__descriptor), 1);
}

static void test_equipment_is_not_booked_twice(void **state)
{
	(void)state;
	struct lyc_error error;
	assert_non_null(book("bea@alps", "2026-12-01", "2026-12-03", NULL));
	assert_null(book("nia@wales", "2026-12-02T09:00", "2026-12-02T12:00", &error));
	assert_int_equal(error.status, LYC_FAILED_PRECONDITION);
	assert_string_equal(error.text, "lamp is taken from 2026-12-01 until 2026-12-03");
	assert_null(book("nia@wales", "2026-11-30", "2026-12-01T08:00", &error));
	/* The day on which the other ends is free. */
	assert_non_null(book("nia@wales", "2026-12-03", "2026-12-04", NULL));
	assert_string_equal(
		found("nia@wales", "{\"from\":\"2026-12-02\",\"until\":\"2026-12-05\"}"), "{}");
	assert_non_null(strstr(
		found("nia@wales", "{\"from\":\"2026-12-04\",\"until\":\"2026-12-05\"}"), "lamp"));
}

static struct lyc_test_call *begin(const char *as, const char *from, const char *until)
{
	Lyceum__Equipment__V1__BookRequest request = LYCEUM__EQUIPMENT__V1__BOOK_REQUEST__INIT;
	request.id = "lamp";
	request.home = "wales";
	request.from = (char *)(uintptr_t)from;
	request.until = (char *)(uintptr_t)until;
	return lyc_test_begin(net, as, BOOK, &request.base);
}

/* What is asked for before the first is in the log, and in the view. */
static void test_equipment_of_two_at_once_one_gets_it(void **state)
{
	(void)state;
	struct lyc_error error;
	lyc_test_hold(net, "wales", true);
	struct lyc_test_call *first = begin("bea@alps", "2026-12-01", "2026-12-03");
	struct lyc_test_call *second = begin("nia@wales", "2026-12-02", "2026-12-04");
	struct lyc_test_call *third = begin("nia@wales", "2026-12-08", "2026-12-09");
	lyc_test_hold(net, "wales", false);
	unsigned booked = lyc_test_next(first, &error) != NULL;
	booked += lyc_test_next(second, &error) != NULL;
	assert_int_equal(booked, 1);
	assert_non_null(lyc_test_next(third, NULL));
	const Lyceum__Equipment__V1__Item *item = lyc_test_record(
		net, "wales", &lyceum__equipment__v1__item__descriptor, "wales.lamp");
	assert_int_equal(item->n_booking, 2);
}

static void test_equipment_is_given_back_by_who_booked_it(void **state)
{
	(void)state;
	struct lyc_error error;
	const char *it = "{\"id\":\"lamp\",\"home\":\"wales\",\"from\":\"2026-12-01\"}";
	assert_non_null(book("nia@wales", "2026-12-01", "2026-12-03", NULL));
	assert_null(lyc_test_call_json(net, "bea@alps", RELEASE, it, &error));
	assert_int_equal(error.status, LYC_NOT_FOUND);
	assert_non_null(lyc_test_call_json(net, "nia@wales", RELEASE, it, NULL));
	assert_non_null(book("bea@alps", "2026-12-02", "2026-12-04", NULL));
}

static void test_equipment_has_its_bookings_after_a_restart(void **state)
{
	(void)state;
	struct lyc_error error;
	assert_non_null(book("bea@alps", "2026-12-01", "2026-12-03", NULL));
	lyc_test_restart(net, "wales");
	assert_null(book("nia@wales", "2026-12-01", "2026-12-02", &error));
	assert_int_equal(error.status, LYC_FAILED_PRECONDITION);
}

static void test_equipment_keeps_its_bookings_when_it_is_offered_anew(void **state)
{
	(void)state;
	assert_non_null(book("bea@alps", "2026-12-01", "2026-12-03", NULL));
	assert_non_null(strstr(lyc_test_call_json(net, "nia@wales", OFFER, LAMP, NULL), "alps"));
}

static void test_equipment_forgets_what_is_over(void **state)
{
	(void)state;
	assert_non_null(book("bea@alps", "2026-12-01", "2026-12-03", NULL));
	lyc_test_set_wall_ms(net, INT64_C(1796256000000)); /* 3 December 2026 */
	assert_non_null(book("nia@wales", "2026-12-24", "2026-12-27", NULL));
	const Lyceum__Equipment__V1__Item *item = lyc_test_record(
		net, "wales", &lyceum__equipment__v1__item__descriptor, "wales.lamp");
	assert_int_equal(item->n_booking, 1);
	assert_string_equal(item->booking[0]->from, "2026-12-24");
}

static void test_equipment_is_not_booked_while_its_home_is_away(void **state)
{
	(void)state;
	struct lyc_error error;
	lyc_test_cut(net, "wales", true);
	assert_null(book("bea@alps", "2026-12-01", "2026-12-03", &error));
	assert_int_equal(error.status, LYC_UNAVAILABLE);
	lyc_test_cut(net, "wales", false);
	assert_non_null(book("bea@alps", "2026-12-01", "2026-12-03", NULL));
}

/* What three callers at once have made of it, in the order of the log. */
static void play(char *ret_text, size_t size)
{
	struct lyc_error error;
	struct lyc_test_call *calls[3];
	set_up(NULL);
	lyc_test_hold(net, "wales", true);
	calls[0] = begin("bea@alps", "2026-12-01", "2026-12-03");
	calls[1] = begin("nia@wales", "2026-12-02", "2026-12-04");
	calls[2] = begin("bea@alps", "2026-12-03", "2026-12-05");
	lyc_test_hold(net, "wales", false);
	ret_text[0] = '\0';
	for (size_t i = 0; i < 3; i++) {
		bool is_booked = lyc_test_next(calls[i], &error) != NULL;
		size_t len = strlen(ret_text);
		snprintf(ret_text + len, size - len, "%d %s %lld\n", is_booked, error.text,
			 (long long)lyc_test_wall_ms(net));
	}
	size_t len = strlen(ret_text);
	snprintf(ret_text + len, size - len, "%s", found("nia@wales", "{}"));
	tear_down(NULL);
}

static void test_equipment_is_played_the_same_way_each_time(void **state)
{
	(void)state;
	char first[2000], again[2000];
	play(first, sizeof(first));
	for (int i = 0; i < 5; i++) {
		play(again, sizeof(again));
		assert_string_equal(first, again);
	}
}

static void test_equipment_stands_what_every_plugin_should(void **state)
{
	(void)state;
	assert_int_equal(lyc_test_check(&lyc_plugin, NULL, NULL, 0, NULL), LYC_OK);
}

#define EQUIPMENT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EQUIPMENT_TEST(test_equipment_is_found_in_another_region),
		EQUIPMENT_TEST(test_equipment_that_is_private_is_found_at_home_only),
		EQUIPMENT_TEST(test_equipment_is_booked_at_its_home),
		EQUIPMENT_TEST(test_equipment_is_not_booked_twice),
		EQUIPMENT_TEST(test_equipment_of_two_at_once_one_gets_it),
		EQUIPMENT_TEST(test_equipment_is_given_back_by_who_booked_it),
		EQUIPMENT_TEST(test_equipment_has_its_bookings_after_a_restart),
		EQUIPMENT_TEST(test_equipment_keeps_its_bookings_when_it_is_offered_anew),
		EQUIPMENT_TEST(test_equipment_forgets_what_is_over),
		EQUIPMENT_TEST(test_equipment_is_not_booked_while_its_home_is_away),
		cmocka_unit_test(test_equipment_is_played_the_same_way_each_time),
		EQUIPMENT_TEST(test_equipment_stands_what_every_plugin_should),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
