/* What a peer registers: who may, for which services, and with which schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node_bench.h"

static enum lyc_status registered(struct fake_client *client, const char *service)
{
	struct span name = fake_text(service);
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){.id = 3, .services = &name, .service_count = 1};
	fake_send(client, &packet);
	const struct packet *answer = fake_expect(client, PACKET_REGISTERED);
	assert_int_equal(answer->registered.id, 3);
	return (enum lyc_status)answer->registered.status;
}

static void test_registration_is_for_plugins_and_their_own_services(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	struct fake_client *root = fake_client_add(bench->node, "root");
	struct fake_client *board = fake_client_add(bench->node, "board");
	static const char service[] = "lyceum.notice.v1.Board";
	assert_int_equal(registered(ann, service), LYC_PERMISSION_DENIED);
	assert_int_equal(registered(board, "lyceum.v1.Node"), LYC_PERMISSION_DENIED);
	assert_int_equal(registered(board, "lyceum.notice.v1.Bored"), LYC_INVALID_ARGUMENT);
	assert_null(services_find(&bench->node->daemon.services, fake_text(service)));
	assert_int_equal(registered(board, service), LYC_OK);
	assert_int_equal(registered(board, service), LYC_OK);
	assert_int_equal(registered(root, service), LYC_ALREADY_EXISTS);
	struct packet packet = {.kind = PACKET_GOODBYE};
	fake_send(board, &packet);
	assert_int_equal(registered(root, service), LYC_OK);
}

/* The first field that is called text, of Notice, is called next. */
static struct span renamed(const struct schema *schema, struct buf *to)
{
	static const char text[] = "\x0a\x04text";
	struct span set = schema_bytes(schema);
	buf_add(to, set.data, set.len);
	uint8_t *at = memmem(to->data, to->len, text, sizeof(text) - 1);
	assert_non_null(at);
	memcpy(at + 2, "next", 4);
	return span_of(to->data, to->len);
}

static void test_registration_refuses_a_schema_that_breaks_records(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *board = fake_client_add(bench->node, "board");
	struct span service = fake_text("lyceum.notice.v1.Board");
	struct buf set = {0};
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){.id = 3,
					      .services = &service,
					      .service_count = 1,
					      .schema = renamed(bench->world->schema, &set)};
	struct span subject = fake_text("lyceum.notice.v1.Notice.hub.1");
	assert_true(types_note_record(&bench->node->daemon.types, subject));
	fake_send(board, &packet);
	const struct packet *answer = fake_expect(board, PACKET_REGISTERED);
	assert_int_equal(answer->registered.status, LYC_FAILED_PRECONDITION);
	char text[260];
	snprintf(text, sizeof(text), "%.*s", (int)answer->registered.text.len,
		 (const char *)answer->registered.text.data);
	assert_non_null(strstr(text, "breaks records of lyceum.notice.v1: notice.proto:"));
	assert_non_null(strstr(text, "was called text and is next (FIELD_SAME_NAME)"));
	assert_null(services_find(&bench->node->daemon.services, service));
	buf_fini(&set);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, node_bench_setup, node_bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_registration_is_for_plugins_and_their_own_services),
		on_bench(test_registration_refuses_a_schema_that_breaks_records),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
