/* Calls that wait for the view, on a plugin of the test's own that borrows the sample's schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lyceum/test.h>

#include "echo_schema.h"
#include "lyceum/echo/v1/echo.pb-c.h"

#define SAY "lyceum.echo.v1.Echo/Say"

static struct lyc_test *test;
static unsigned run_count;
static uint32_t left_ms;

static void answer(struct lyc_call *call, void *arg)
{
	Lyceum__Echo__V1__SayReply reply = LYCEUM__ECHO__V1__SAY_REPLY__INIT;
	assert_ptr_equal(arg, &run_count);
	run_count++;
	left_ms = lyc_call_time_left_ms(call);
	reply.text = "seen";
	lyc_call_reply(call, &reply.base);
}

/* Waits for the sequence that the text says. */
static void echo_say(Lyceum__Echo__V1__Echo_Service *service,
		     const Lyceum__Echo__V1__SayRequest *request,
		     Lyceum__Echo__V1__SayReply_Closure closure, void *call)
{
	(void)service;
	(void)closure;
	lyc_call_when_seen(call, strtoull(request->text, NULL, 10), answer, &run_count);
}

static void echo_count(Lyceum__Echo__V1__Echo_Service *service,
		       const Lyceum__Echo__V1__CountRequest *request,
		       Lyceum__Echo__V1__CountReply_Closure closure, void *call)
{
	(void)service;
	(void)request;
	(void)closure;
	lyc_call_end(call);
}

static Lyceum__Echo__V1__Echo_Service echo = LYCEUM__ECHO__V1__ECHO__INIT(echo_);
static ProtobufCService *const services[] = {&echo.base, NULL};
static const char *const notes[] = {"lyceum.echo.v1.Note.>", "lyceum.echo.v1.Note", NULL};

static void on_record(void *state, const struct lyc_delivery *record)
{
	(void)state;
	(void)record;
}

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	*ret_state = NULL;
	return lyc_follow(context, notes[1], 1, on_record, error);
}

static void stop(void *state)
{
	(void)state;
}

LYC_PLUGIN = {
	.abi = LYC_PLUGIN_ABI,
	.size = sizeof(struct lyc_plugin),
	.name = "echo",
	.version = "1",
	.services = services,
	.schema = echo_schema,
	.schema_len = sizeof(echo_schema),
	.reads = notes,
	.start = start,
	.stop = stop,
};

static int set_up(void **state)
{
	(void)state;
	run_count = 0;
	test = lyc_test_new(&lyc_plugin, NULL, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lyc_test_free(test);
	return 0;
}

static uint64_t append_note(void)
{
	Lyceum__Echo__V1__Note note = LYCEUM__ECHO__V1__NOTE__INIT;
	note.text = "a note";
	return lyc_test_append(test, "wales", &note.base, NULL);
}

static struct lyc_test_call *wait_for(uint64_t seq)
{
	char text[24];
	Lyceum__Echo__V1__SayRequest request = LYCEUM__ECHO__V1__SAY_REQUEST__INIT;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)seq);
	request.text = text;
	return lyc_test_begin(test, "ann@wales", SAY, &request.base);
}

static void test_call_goes_on_at_once_where_the_view_is_there(void **state)
{
	(void)state;
	wait_for(append_note());
	assert_int_equal(run_count, 1);
	assert_true(left_ms > 0);
}

static void test_call_goes_on_when_the_record_comes(void **state)
{
	(void)state;
	uint64_t seq = append_note();
	struct lyc_test_call *call = wait_for(seq + 2);
	append_note();
	assert_int_equal(run_count, 0);
	assert_int_equal(append_note(), seq + 2);
	assert_int_equal(run_count, 1);
	const Lyceum__Echo__V1__SayReply *reply = lyc_test_next(call, NULL);
	assert_string_equal(reply->text, "seen");
	append_note();
	assert_int_equal(run_count, 1);
}

static void test_call_goes_on_at_its_deadline_and_only_then(void **state)
{
	(void)state;
	struct lyc_error error;
	struct lyc_test_call *call = wait_for(1000);
	assert_null(lyc_test_next(call, &error));
	assert_int_equal(error.status, LYC_DEADLINE_EXCEEDED);
	lyc_test_pass_ms(test, 1000);
	assert_int_equal(run_count, 1);
	assert_int_equal(left_ms, 0);
	append_note();
	assert_int_equal(run_count, 1);
}

static void test_call_goes_on_when_it_is_cancelled(void **state)
{
	(void)state;
	struct lyc_error error;
	struct lyc_test_call *call = wait_for(1000);
	lyc_test_cancel(call);
	assert_int_equal(run_count, 1);
	assert_null(lyc_test_next(call, &error));
	assert_int_equal(error.status, LYC_CANCELLED);
}

static void test_call_goes_on_when_the_plugin_stops(void **state)
{
	(void)state;
	wait_for(1000);
	wait_for(1001);
	lyc_test_restart(test, "wales");
	assert_int_equal(run_count, 2);
	assert_int_equal(left_ms, 0);
}

#define WAIT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WAIT_TEST(test_call_goes_on_at_once_where_the_view_is_there),
		WAIT_TEST(test_call_goes_on_when_the_record_comes),
		WAIT_TEST(test_call_goes_on_at_its_deadline_and_only_then),
		WAIT_TEST(test_call_goes_on_when_it_is_cancelled),
		WAIT_TEST(test_call_goes_on_when_the_plugin_stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
