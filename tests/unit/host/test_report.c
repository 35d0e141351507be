/* What plugins tell of themselves, in Node/Metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "call_bench.h"
#include "lyceum/v1/config.pb-c.h"
#include "lyceum/v1/node.pb-c.h"

/* The value of a metric in the reply to Node/Metrics; -1: it is not there. */
static double metric(struct call_bench *bench, const char *name)
{
	double value = -1;
	fake_call(bench->ann, 90,
		  &(struct packet_call){.method = fake_text("lyceum.v1.Node/Metrics")});
	const struct packet *packet = fake_expect(bench->ann, PACKET_REPLY);
	Lyceum__V1__MetricsReply *reply = lyceum__v1__metrics_reply__unpack(
		NULL, packet->reply.body.len, packet->reply.body.data);
	assert_non_null(reply);
	for (size_t i = 0; i < reply->n_metric; i++) {
		if (strcmp(reply->metric[i]->name, name) == 0)
			value = reply->metric[i]->value;
	}
	lyceum__v1__metrics_reply__free_unpacked(reply, NULL);
	return value;
}

static void report_as(struct fake_client *client, const char *principal, const char *name,
		      double value, enum lyc_status status)
{
	uint8_t body[200];
	Lyceum__V1__ReportRequest request = LYCEUM__V1__REPORT_REQUEST__INIT;
	Lyceum__V1__Metric one = LYCEUM__V1__METRIC__INIT;
	Lyceum__V1__Metric *all[] = {&one};
	one.name = (char *)(uintptr_t)name;
	one.value = value;
	request.metric = all;
	request.n_metric = 1;
	size_t len = lyceum__v1__report_request__pack(&request, body);
	fake_call(client, 91,
		  &(struct packet_call){.method = fake_text("lyceum.v1.Node/Report"),
					.principal = fake_text(principal),
					.body = span_of(body, len)});
	fake_expect_status(client, 91, status);
}

static void report(struct fake_client *client, const char *name, double value,
		   enum lyc_status status)
{
	report_as(client, "", name, value, status);
}

static void test_report_metrics_of_plugins_carry_their_name(void **state)
{
	struct call_bench *bench = *state;
	Lyceum__V1__Config config = LYCEUM__V1__CONFIG__INIT;
	Lyceum__V1__PluginConfig plugins = LYCEUM__V1__PLUGIN_CONFIG__INIT;
	Lyceum__V1__PluginConfig *all[] = {&plugins};
	plugins.name = (char *)"board";
	plugins.instances = 2;
	config.plugins = all;
	config.n_plugins = 1;
	host_configure(&bench->node->daemon.host, &config, "");
	struct fake_client *second = fake_client_add(bench->node, "board.2");
	report(bench->board, "notes_total", 2.5, LYC_OK);
	assert_true(metric(bench, "lyceum_board_notes_total") == 2.5);
	/* The last word counts, and instances are summed. */
	report(bench->board, "notes_total", 4, LYC_OK);
	report(second, "notes_total", 3, LYC_OK);
	assert_true(metric(bench, "lyceum_board_notes_total") == 7);
	report(bench->board, "Notes", 1, LYC_INVALID_ARGUMENT);
	report(bench->board, "", 1, LYC_INVALID_ARGUMENT);
	report(bench->ann, "notes_total", 9, LYC_PERMISSION_DENIED);
	/* Nor may ann through a plugin that carries her calls. */
	fake_call(bench->ann, 41, &(struct packet_call){.body = FAKE_HELLO});
	uint64_t id = fake_taken(bench->board);
	report_as(bench->board, "ann@hub", "notes_total", 9, LYC_PERMISSION_DENIED);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	fake_expect_status(bench->ann, 41, LYC_OK);
	report_as(bench->board, "hub", "notes_total", 4, LYC_OK);
	report(fake_client_add(bench->node, "root"), "notes_total", 9, LYC_PERMISSION_DENIED);
	assert_true(metric(bench, "lyceum_board_notes_total") == 7);
	assert_true(metric(bench, "lyceum_calls_total") > 0);
	/* It ends with the plugin. */
	struct plugin *plugin = host_find(&bench->node->daemon.host, "board");
	daemon_instance_ended(&bench->node->daemon, plugin, false, "it crashed");
	assert_true(metric(bench, "lyceum_board_notes_total") == 3);
}

int main(void)
{
#define REPORT_TEST(name)                                                                          \
	cmocka_unit_test_setup_teardown(name, call_bench_setup, call_bench_teardown)
	const struct CMUnitTest tests[] = {
		REPORT_TEST(test_report_metrics_of_plugins_carry_their_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
