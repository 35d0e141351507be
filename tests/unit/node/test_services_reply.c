/* Node/Services and Node/Schema: what is served, by whom, and by which schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "call_bench.h"
#include "node/services_reply.h"
#include "schema/schema.h"

static Lyceum__V1__ServicesReply *ask_services(struct daemon *daemon)
{
	struct buf body = {0};
	services_reply(daemon, &body);
	Lyceum__V1__ServicesReply *reply =
		lyceum__v1__services_reply__unpack(NULL, body.len, body.data);
	assert_non_null(reply);
	buf_fini(&body);
	return reply;
}

static const Lyceum__V1__ServiceInfo *find(const Lyceum__V1__ServicesReply *reply, const char *name)
{
	const Lyceum__V1__ServiceInfo *found = NULL;
	for (size_t i = 0; i < reply->n_service; i++) {
		if (strcmp(reply->service[i]->name, name) != 0)
			continue;
		assert_null(found);
		found = reply->service[i];
	}
	return found;
}

static void test_services_reply_has_each_that_somebody_serves_once(void **state)
{
	struct call_bench *bench = *state;
	struct packet goodbye = {.kind = PACKET_GOODBYE};
	Lyceum__V1__ServicesReply *reply = ask_services(&bench->node->daemon);
	const Lyceum__V1__ServiceInfo *board = find(reply, "lyceum.notice.v1.Board");
	assert_non_null(board);
	assert_string_equal(board->by, "board");
	assert_int_equal(board->n_at, 1);
	assert_string_equal(board->at[0], "hub");
	assert_int_equal(board->n_method, 3);
	assert_int_equal(board->schema, schema_id(bench->world->schema));
	const Lyceum__V1__ServiceInfo *own = find(reply, "lyceum.v1.Node");
	assert_non_null(own);
	assert_string_equal(own->by, "hub");
	lyceum__v1__services_reply__free_unpacked(reply, NULL);
	fake_send(bench->board, &goodbye);
	reply = ask_services(&bench->node->daemon);
	assert_null(find(reply, "lyceum.notice.v1.Board"));
	lyceum__v1__services_reply__free_unpacked(reply, NULL);
}

/* The number of schemas in the reply; that of the first in ret_first. */
static size_t ask_schema(struct daemon *daemon, const char *name, uint64_t id,
			 enum lyc_status status, uint64_t *ret_first)
{
	struct buf body = {0};
	struct lyc_error error;
	Lyceum__V1__SchemaRequest request = LYCEUM__V1__SCHEMA_REQUEST__INIT;
	request.name = (char *)(uintptr_t)name;
	request.id = id;
	error_clear(&error);
	assert_int_equal(schema_reply(daemon, &request, &body, &error), status);
	assert_int_equal(error.text[0] == '\0', status == LYC_OK);
	Lyceum__V1__SchemaReply *reply =
		lyceum__v1__schema_reply__unpack(NULL, body.len, body.data);
	assert_non_null(reply);
	size_t count = reply->n_schema;
	*ret_first = count > 0 ? reply->schema[0]->id : 0;
	lyceum__v1__schema_reply__free_unpacked(reply, NULL);
	buf_fini(&body);
	return count;
}

static void test_schema_reply_is_the_one_that_defines_a_name(void **state)
{
	struct call_bench *bench = *state;
	struct daemon *daemon = &bench->node->daemon;
	uint64_t id = schema_id(bench->world->schema);
	uint64_t first;
	assert_int_equal(ask_schema(daemon, "lyceum.notice.v1.Notice", 0, LYC_OK, &first), 1);
	assert_int_equal(first, id);
	assert_int_equal(ask_schema(daemon, "", id, LYC_OK, &first), 1);
	assert_int_equal(first, id);
	assert_true(ask_schema(daemon, "", 0, LYC_OK, &first) >= 2);
	assert_int_equal(ask_schema(daemon, "no.such.Type", 0, LYC_NOT_FOUND, &first), 0);
	assert_int_equal(ask_schema(daemon, "", 77, LYC_NOT_FOUND, &first), 0);
}

int main(void)
{
#define REPLY_TEST(name)                                                                           \
	cmocka_unit_test_setup_teardown(name, call_bench_setup, call_bench_teardown)
	const struct CMUnitTest tests[] = {
		REPLY_TEST(test_services_reply_has_each_that_somebody_serves_once),
		REPLY_TEST(test_schema_reply_is_the_one_that_defines_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
