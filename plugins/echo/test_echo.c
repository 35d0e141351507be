/* The sample plugin, as a thread and as a process. Arguments: the lyceum-plugin executable,
 * echo.so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/pb.h"
#include "harness.h"

static const char *runner;
static const char *path;
static struct harness *harness;

static int set_up(void **as_thread)
{
	harness_configure(*as_thread != NULL, runner);
	harness = harness_open();
	harness_start(harness, path, "echo", NULL);
	harness_register(harness);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	harness_close(harness);
	return 0;
}

static void call(uint64_t id, const char *method, struct buf *body)
{
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = id,
					 .method = span_of(method, strlen(method)),
					 .principal = span_of("ann@wales", 9),
					 .timeout_ms = 5000,
					 .body = span_of(body->data, body->len)}};
	harness_send(harness, &packet);
	buf_fini(body);
}

static void test_echo_says_it_back(void **state)
{
	(void)state;
	struct buf body = {0};
	pb_write_text(&body, 1, "good morning");
	call(1, "lyceum.echo.v1.Echo/Say", &body);
	const struct packet_reply *reply = harness_expect_reply(harness, 1);
	assert_true(harness_said(reply, "good morning"));
	struct pb_reader reader = pb_reader_of(reply->body);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 2)
			assert_true(span_is(field.bytes, HARNESS_NODE));
		if (field.number == 3)
			assert_true(span_is(field.bytes, "ann@wales"));
	}
	assert_int_equal(field.number, 3);
}

static void test_echo_does_not_let_others_wait_for_a_delay(void **state)
{
	(void)state;
	struct buf late = {0};
	struct buf soon = {0};
	pb_write_text(&late, 1, "late");
	pb_write_uint(&late, 2, 60);
	pb_write_text(&soon, 1, "soon");
	call(1, "lyceum.echo.v1.Echo/Say", &late);
	call(2, "lyceum.echo.v1.Echo/Say", &soon);
	const struct packet *first = harness_expect(harness, PACKET_REPLY);
	assert_int_equal(first->reply.id, 2);
	assert_true(harness_said(&first->reply, "soon"));
	assert_true(harness_said(harness_expect_reply(harness, 1), "late"));
}

static void test_echo_counts(void **state)
{
	(void)state;
	struct buf body = {0};
	pb_write_uint(&body, 1, 3);
	call(1, "lyceum.echo.v1.Echo/Count", &body);
	for (uint8_t number = 1; number <= 3; number++) {
		const struct packet_reply *reply = harness_expect_reply(harness, 1);
		uint8_t wanted[] = {8, number};
		assert_true(reply->more);
		assert_true(span_equal(reply->body, span_of(wanted, 2)));
	}
	assert_false(harness_expect_reply(harness, 1)->more);
}

#define ECHO_TEST(name, kind)                                                                      \
	{                                                                                          \
#name " as a " kind, name, set_up, tear_down, kind[0] == 't' ? (void *)kind : NULL \
	}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ECHO_TEST(test_echo_says_it_back, "thread"),
		ECHO_TEST(test_echo_does_not_let_others_wait_for_a_delay, "thread"),
		ECHO_TEST(test_echo_counts, "thread"),
		ECHO_TEST(test_echo_says_it_back, "process"),
		ECHO_TEST(test_echo_does_not_let_others_wait_for_a_delay, "process"),
		ECHO_TEST(test_echo_counts, "process"),
	};
	if (argc != 3) {
		fprintf(stderr, "usage: test_echo RUNNER ECHO.so\n");
		return 2;
	}
	runner = argv[1];
	path = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
