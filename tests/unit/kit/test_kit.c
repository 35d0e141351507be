/* The test kit, with the sample plugin linked in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <lyceum/test.h>

#include "lyceum/echo/v1/echo.pb-c.h"

#define SAY "lyceum.echo.v1.Echo/Say"

static struct lyc_test *test;

static int set_up(void **state)
{
	(void)state;
	test = lyc_test_new(&lyc_plugin, NULL, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lyc_test_free(test);
	return 0;
}

static Lyceum__Echo__V1__SayRequest saying(const char *text, uint32_t delay_ms)
{
	Lyceum__Echo__V1__SayRequest request = LYCEUM__ECHO__V1__SAY_REQUEST__INIT;
	request.text = (char *)(uintptr_t)text;
	request.delay_ms = delay_ms;
	return request;
}

static void test_kit_calls_for_a_person(void **state)
{
	(void)state;
	Lyceum__Echo__V1__SayRequest request = saying("hello", 0);
	const Lyceum__Echo__V1__SayReply *reply =
		lyc_test_call(test, "ann@wales", SAY, &request.base, NULL);
	assert_string_equal(reply->text, "hello");
	assert_string_equal(reply->served_by, "wales");
	assert_string_equal(reply->principal, "ann@wales");
}

static void test_kit_calls_for_the_operator(void **state)
{
	(void)state;
	Lyceum__Echo__V1__SayRequest request = saying("hello", 0);
	const Lyceum__Echo__V1__SayReply *reply =
		lyc_test_call(test, NULL, SAY, &request.base, NULL);
	assert_string_equal(reply->principal, "wales");
}

static void test_kit_calls_with_json(void **state)
{
	(void)state;
	assert_string_equal(lyc_test_call_json(test, "bob@wales", SAY, "{\"text\": \"so\"}", NULL),
			    "{\"text\":\"so\",\"servedBy\":\"wales\",\"principal\":\"bob@wales\"}");
}

static void test_kit_says_why_a_call_failed(void **state)
{
	(void)state;
	struct lyc_error error;
	assert_null(lyc_test_call_json(test, NULL, SAY, "{\"text\": 5}", &error));
	assert_int_equal(error.status, LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "text");
	assert_null(lyc_test_call_json(test, "ann@york", SAY, "{\"text\": \"a\"}", &error));
	assert_int_equal(error.status, LYC_NOT_FOUND);
	Lyceum__Echo__V1__SayRequest request = saying("hello", 0);
	assert_null(lyc_test_call(test, NULL, "lyceum.echo.v1.Echo/Sing", &request.base, &error));
	assert_int_equal(error.status, LYC_INVALID_ARGUMENT);
	assert_non_null(lyc_test_call(test, NULL, SAY, &request.base, &error));
	assert_int_equal(error.status, LYC_OK);
}

static void test_kit_lets_no_time_pass_by_itself(void **state)
{
	(void)state;
	Lyceum__Echo__V1__SayRequest slow = saying("slow", 3000);
	Lyceum__Echo__V1__SayRequest fast = saying("fast", 0);
	int64_t before = lyc_test_wall_ms(test);
	struct lyc_test_call *waiting = lyc_test_begin(test, NULL, SAY, &slow.base);
	assert_non_null(lyc_test_call(test, NULL, SAY, &fast.base, NULL));
	assert_int_equal(lyc_test_wall_ms(test), before);
	const Lyceum__Echo__V1__SayReply *reply = lyc_test_next(waiting, NULL);
	assert_string_equal(reply->text, "slow");
	assert_in_range(lyc_test_wall_ms(test), before + 3000, before + 3010);
}

static void test_kit_has_timers_fire_when_time_passes(void **state)
{
	(void)state;
	Lyceum__Echo__V1__SayRequest slow = saying("slow", 4000);
	struct lyc_test_call *waiting = lyc_test_begin(test, NULL, SAY, &slow.base);
	lyc_test_pass_ms(test, 4000);
	int64_t before = lyc_test_wall_ms(test);
	assert_non_null(lyc_test_next(waiting, NULL));
	assert_int_equal(lyc_test_wall_ms(test), before);
}

static void test_kit_has_a_call_reach_its_deadline(void **state)
{
	(void)state;
	struct lyc_error error;
	Lyceum__Echo__V1__SayRequest never = saying("never", 50000);
	assert_null(lyc_test_call(test, NULL, SAY, &never.base, &error));
	assert_int_equal(error.status, LYC_DEADLINE_EXCEEDED);
}

static void test_kit_cancels(void **state)
{
	(void)state;
	struct lyc_error error;
	Lyceum__Echo__V1__SayRequest slow = saying("slow", 10000);
	struct lyc_test_call *call = lyc_test_begin(test, NULL, SAY, &slow.base);
	lyc_test_cancel(call);
	assert_null(lyc_test_next(call, &error));
	assert_int_equal(error.status, LYC_CANCELLED);
}

static void test_kit_streams(void **state)
{
	(void)state;
	struct lyc_error error;
	Lyceum__Echo__V1__CountRequest count = LYCEUM__ECHO__V1__COUNT_REQUEST__INIT;
	count.to = 3;
	struct lyc_test_call *call =
		lyc_test_begin(test, "ann@wales", "lyceum.echo.v1.Echo/Count", &count.base);
	for (uint32_t number = 1; number <= 3; number++) {
		const Lyceum__Echo__V1__CountReply *reply = lyc_test_next(call, NULL);
		assert_int_equal(reply->number, number);
	}
	assert_null(lyc_test_next(call, &error));
	assert_int_equal(error.status, LYC_OK);
}

/* More than a caller takes at once: the plugin goes on as the test does. */
static void test_kit_takes_a_long_stream(void **state)
{
	(void)state;
	struct lyc_error error;
	uint32_t last = 0;
	Lyceum__Echo__V1__CountRequest count = LYCEUM__ECHO__V1__COUNT_REQUEST__INIT;
	count.to = 30000;
	struct lyc_test_call *call =
		lyc_test_begin(test, NULL, "lyceum.echo.v1.Echo/Count", &count.base);
	const Lyceum__Echo__V1__CountReply *reply;
	while ((reply = lyc_test_next(call, &error)))
		last = reply->number;
	assert_int_equal(error.status, LYC_OK);
	assert_int_equal(last, 30000);
}

static void test_kit_passes_a_day_in_no_time(void **state)
{
	(void)state;
	Lyceum__Echo__V1__SayRequest request = saying("tomorrow", 0);
	lyc_test_pass_ms(test, 24 * 3600 * 1000);
	assert_non_null(lyc_test_call(test, NULL, SAY, &request.base, NULL));
	assert_string_equal(lyc_test_lines(test), "");
}

static void test_kit_restarts(void **state)
{
	(void)state;
	Lyceum__Echo__V1__SayRequest request = saying("again", 0);
	Lyceum__Echo__V1__SayRequest slow = saying("slow", 10000);
	struct lyc_error error;
	struct lyc_test_call *call = lyc_test_begin(test, NULL, SAY, &slow.base);
	lyc_test_restart(test, "wales");
	assert_non_null(lyc_test_call(test, NULL, SAY, &request.base, NULL));
	assert_null(lyc_test_next(call, &error));
	assert_int_equal(error.status, LYC_UNAVAILABLE);
}

static void test_kit_has_regions_behind_a_hub(void **state)
{
	(void)state;
	static const char *const regions[] = {"wales", "alps", NULL};
	const struct lyc_test_options options = {.regions = regions};
	struct lyc_test *net = lyc_test_new(&lyc_plugin, &options, NULL);
	Lyceum__Echo__V1__SayRequest request = saying("hello", 0);
	const Lyceum__Echo__V1__SayReply *reply =
		lyc_test_call(net, "ann@alps", SAY, &request.base, NULL);
	assert_string_equal(reply->served_by, "wales");
	assert_string_equal(reply->principal, "ann@alps");
	lyc_test_cut(net, "alps", true);
	struct lyc_error error;
	assert_null(lyc_test_call(net, "ann@alps", SAY, &request.base, &error));
	assert_int_equal(error.status, LYC_UNAVAILABLE);
	lyc_test_cut(net, "alps", false);
	assert_non_null(lyc_test_call(net, "ann@alps", SAY, &request.base, NULL));
	lyc_test_free(net);
}

static void test_kit_refuses_what_does_not_start(void **state)
{
	(void)state;
	struct lyc_error error;
	const struct lyc_test_options options = {.config = "a: b\n"};
	assert_null(lyc_test_new(&lyc_plugin, &options, &error));
	assert_non_null(strstr(error.text, "takes no configuration"));
	struct lyc_plugin other = lyc_plugin;
	other.abi = 99;
	assert_null(lyc_test_new(&other, NULL, &error));
	assert_non_null(strstr(error.text, "plugin ABI 99"));
}

static void test_kit_checks_the_sample_plugin(void **state)
{
	(void)state;
	assert_int_equal(
		lyc_test_check(&lyc_plugin, NULL, lyc_plugin.schema, lyc_plugin.schema_len, NULL),
		LYC_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kit_calls_for_a_person, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kit_calls_for_the_operator, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kit_calls_with_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kit_says_why_a_call_failed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kit_lets_no_time_pass_by_itself, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_kit_has_timers_fire_when_time_passes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_kit_has_a_call_reach_its_deadline, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_kit_cancels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kit_streams, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kit_takes_a_long_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kit_passes_a_day_in_no_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_kit_restarts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kit_has_regions_behind_a_hub, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_kit_refuses_what_does_not_start, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_kit_checks_the_sample_plugin, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
