/* Who a call is for: what a plugin may say, and what nobody may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "call_bench.h"

static void test_behalf_plugin_calls_on_with_the_groups_of_the_call_it_serves(void **state)
{
	struct call_bench *bench = *state;
	struct packet_call on = {.principal = fake_text("ann@hub"), .body = FAKE_HELLO};
	fake_call(bench->ann, 41, &(struct packet_call){.body = FAKE_HELLO});
	uint64_t id = fake_taken(bench->board);
	fake_call(bench->board, 7, &on);
	const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
	uint64_t second = packet->call.id;
	assert_true(span_is(packet->call.principal, "ann@hub"));
	assert_int_equal(packet->call.group_count, 1);
	assert_true(span_is(packet->call.groups[0], "hub/policy"));
	fake_answer(bench->board, second, FAKE_HELLO, false);
	fake_expect(bench->board, PACKET_REPLY);
	/* For itself it is in no group, and after the end of the call it works for nobody. */
	fake_call(bench->board, 8, &(struct packet_call){.body = FAKE_HELLO});
	packet = fake_expect(bench->board, PACKET_CALL);
	assert_true(span_is(packet->call.principal, "hub"));
	assert_int_equal(packet->call.group_count, 0);
	fake_answer(bench->board, packet->call.id, FAKE_HELLO, false);
	fake_expect(bench->board, PACKET_REPLY);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	fake_expect(bench->ann, PACKET_REPLY);
	fake_call(bench->board, 9, &on);
	fake_expect_status(bench->board, 9, LYC_PERMISSION_DENIED);
	call_bench_expect_quiet(bench);
}

static void test_behalf_plugin_calls_on_with_the_groups_that_all_calls_have(void **state)
{
	struct call_bench *bench = *state;
	struct fake_client *root = fake_client_add(bench->node, "root");
	struct span groups[] = {fake_text("hub/staff"), fake_text("hub/policy")};
	struct packet_call of_root = {.principal = fake_text("ann@hub"),
				      .groups = groups,
				      .group_count = 2,
				      .body = FAKE_HELLO};
	struct packet_call on = {.principal = fake_text("ann@hub"), .body = FAKE_HELLO};
	fake_call(root, 1, &of_root);
	fake_taken(bench->board);
	fake_call(bench->board, 5, &on);
	assert_int_equal(fake_expect(bench->board, PACKET_CALL)->call.group_count, 2);
	fake_call(bench->ann, 2, &(struct packet_call){.body = FAKE_HELLO});
	fake_taken(bench->board);
	/* Which of them it works for nobody can tell. That which it makes is one of them, too. */
	fake_call(bench->board, 6, &on);
	const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
	assert_int_equal(packet->call.group_count, 1);
	assert_true(span_is(packet->call.groups[0], "hub/policy"));
	of_root.group_count = 0;
	fake_call(root, 3, &of_root);
	fake_taken(bench->board);
	fake_call(bench->board, 7, &on);
	assert_int_equal(fake_expect(bench->board, PACKET_CALL)->call.group_count, 0);
}

static void test_behalf_plugin_that_registered_so_speaks_for_people(void **state)
{
	struct call_bench *bench = *state;
	struct span service = fake_text("lyceum.notice.v1.Board");
	struct span group = fake_text("hub/policy");
	struct packet_call for_zoe = {.principal = fake_text("zoe@hub"),
				      .groups = &group,
				      .group_count = 1,
				      .body = FAKE_HELLO};
	struct packet_call for_eve = {.principal = fake_text("eve@wales"), .body = FAKE_HELLO};
	fake_call(bench->board, 1, &for_zoe);
	fake_expect_status(bench->board, 1, LYC_PERMISSION_DENIED);
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){
		.id = 2, .services = &service, .service_count = 1, .speaks_for_people = true};
	fake_send(bench->board, &packet);
	assert_int_equal(fake_expect(bench->board, PACKET_REGISTERED)->registered.status, LYC_OK);
	fake_call(bench->board, 3, &for_zoe);
	const struct packet *given = fake_expect(bench->board, PACKET_CALL);
	assert_true(span_is(given->call.principal, "zoe@hub"));
	assert_int_equal(given->call.group_count, 1);
	assert_true(span_is(given->call.groups[0], "hub/policy"));
	fake_answer(bench->board, given->call.id, FAKE_HELLO, false);
	fake_expect_status(bench->board, 3, LYC_OK);
	/* Of another node never. */
	fake_call(bench->board, 4, &for_eve);
	fake_expect_status(bench->board, 4, LYC_PERMISSION_DENIED);
	group = fake_text("wales/policy");
	fake_call(bench->board, 5, &for_zoe);
	fake_expect_status(bench->board, 5, LYC_PERMISSION_DENIED);
	/* What it registers next counts, not what it once was. */
	packet.reg.speaks_for_people = false;
	fake_send(bench->board, &packet);
	fake_expect(bench->board, PACKET_REGISTERED);
	group = fake_text("hub/policy");
	fake_call(bench->board, 6, &for_zoe);
	fake_expect_status(bench->board, 6, LYC_PERMISSION_DENIED);
	call_bench_expect_quiet(bench);
}

int main(void)
{
#define BEHALF_TEST(name)                                                                          \
	cmocka_unit_test_setup_teardown(name, call_bench_setup, call_bench_teardown)
	const struct CMUnitTest tests[] = {
		BEHALF_TEST(test_behalf_plugin_calls_on_with_the_groups_of_the_call_it_serves),
		BEHALF_TEST(test_behalf_plugin_calls_on_with_the_groups_that_all_calls_have),
		BEHALF_TEST(test_behalf_plugin_that_registered_so_speaks_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
