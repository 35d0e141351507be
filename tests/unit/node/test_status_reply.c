/* Node/Status: what it says to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node_bench.h"

static bool status_holds(struct fake_client *client, const char *text)
{
	struct packet packet = {.kind = PACKET_CALL};
	packet.call.id = 1;
	packet.call.method = fake_text("lyceum.v1.Node/Status");
	fake_send(client, &packet);
	const struct packet *answer = fake_expect(client, PACKET_REPLY);
	assert_int_equal(answer->reply.status, LYC_OK);
	return memmem(answer->reply.body.data, answer->reply.body.len, text, strlen(text)) != NULL;
}

static void test_status_reply_names_people_and_places_to_the_operator_only(void **state)
{
	struct node_bench *bench = *state;
	static const char *const closed[] = {"nowhere", "ann", "root"};
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	struct fake_client *root = fake_client_add(bench->node, "root");
	for (size_t i = 0; i < 3; i++) {
		assert_true(status_holds(root, closed[i]));
		assert_false(status_holds(ann, closed[i]));
	}
	assert_true(status_holds(ann, "hub"));
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, node_bench_setup, node_bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_status_reply_names_people_and_places_to_the_operator_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
