/* One instance of a plugin takes the place of another: who gets which call, and when; and what
 * remains of an attempt that comes to nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/pb.h"
#include "fake_world.h"
#include "host/upgrade.h"
#include "lyceum/v1/config.pb-c.h"

struct bench {
	struct fake_world *world;
	struct fake_node *node;
	struct fake_client *ann;
	struct fake_client *old;
	struct fake_client *next;
	unsigned upgrades;
	unsigned failures;
	char text[200];
};

static struct daemon *daemon_of(struct bench *bench)
{
	return &bench->node->daemon;
}

static struct plugin *shown(struct bench *bench)
{
	return host_find_title(&daemon_of(bench)->host, "board");
}

static void on_upgraded(const struct plugin *plugin, bool is_good, const char *text, void *arg)
{
	struct bench *bench = arg;
	assert_string_equal(plugin->title, "board");
	bench->upgrades += is_good;
	bench->failures += !is_good;
	strcpy(bench->text, text);
}

static void pass(struct bench *bench, uint64_t ms)
{
	fake_settle(bench->world);
	fake_tick(bench->world, ms);
	fake_settle(bench->world);
}

/* The configured plugin, running, with its one session. */
static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	Lyceum__V1__Config config = LYCEUM__V1__CONFIG__INIT;
	Lyceum__V1__PluginConfig plugin = LYCEUM__V1__PLUGIN_CONFIG__INIT;
	Lyceum__V1__PluginConfig *all[] = {&plugin};
	plugin.name = (char *)"board";
	config.plugins = all;
	config.n_plugins = 1;
	bench->world = fake_world_new(1);
	bench->node = fake_node_add(bench->world, "hub", NULL);
	struct host *host = &daemon_of(bench)->host;
	host_configure(host, &config, "/plugins");
	host->on_upgraded = on_upgraded;
	host->arg = bench;
	pass(bench, 60);
	policy_grant(&daemon_of(bench)->policy, "board~1", "", ROLE_PLUGIN);
	bench->ann = fake_client_add(bench->node, "ann");
	bench->old = fake_board_add(bench->node, "board");
	assert_int_equal(shown(bench)->state, PLUGIN_RUNNING);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	fake_world_free(bench->world);
	free(bench);
	return 0;
}

static void call(struct bench *bench, uint64_t id, bool appends)
{
	struct packet packet = {.kind = PACKET_CALL};
	struct buf body = {0};
	pb_write_text(&body, 1, "hub");
	packet.call =
		(struct packet_call){.id = id,
				     .method = fake_text(appends ? "lyceum.notice.v1.Board/Post"
								 : "lyceum.notice.v1.Board/Read"),
				     .body = span_of(body.data, body.len),
				     .timeout_ms = 20000};
	fake_send(bench->ann, &packet);
	buf_fini(&body);
}

static uint64_t taken(struct fake_client *client)
{
	return fake_expect(client, PACKET_CALL)->call.id;
}

static void answer(struct bench *bench, struct fake_client *client, uint64_t taken_id, uint64_t id)
{
	struct packet packet = {.kind = PACKET_REPLY};
	packet.reply.id = taken_id;
	fake_send(client, &packet);
	const struct packet *reply = fake_expect(bench->ann, PACKET_REPLY);
	assert_int_equal(reply->reply.id, id);
	assert_int_equal(reply->reply.status, LYC_OK);
}

static void say_register(struct fake_client *client, uint64_t id, const char *service)
{
	struct span services[1] = {service ? fake_text(service) : span_of(NULL, 0)};
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){
		.id = id, .services = services, .service_count = service ? 1 : 0};
	fake_send(client, &packet);
}

static void expect_registered(struct fake_client *client, enum lyc_status status)
{
	assert_int_equal(fake_expect(client, PACKET_REGISTERED)->registered.status, status);
}

/* It runs, and has said what it serves. */
static void start_next(struct bench *bench, const char *service)
{
	unsigned starts = bench->node->start_count;
	upgrade_begin(&daemon_of(bench)->host, shown(bench), NULL);
	pass(bench, 60);
	assert_int_equal(bench->node->start_count, starts + 1);
	bench->next = fake_client_add(bench->node, "board~1");
	say_register(bench->next, 1, service);
}

static void test_handover_gives_each_call_to_one_that_answers(void **state)
{
	struct bench *bench = *state;
	call(bench, 1, true);
	call(bench, 2, false);
	uint64_t first = taken(bench->old);
	uint64_t second = taken(bench->old);
	start_next(bench, "lyceum.notice.v1.Board");
	/* Not before the former one has let go. */
	fake_expect_nothing(bench->next);
	assert_int_equal(bench->node->stop_count, 1);
	call(bench, 3, false);
	uint64_t third = taken(bench->old);
	assert_int_equal(bench->upgrades, 0);
	say_register(bench->old, 2, NULL);
	expect_registered(bench->old, LYC_OK);
	expect_registered(bench->next, LYC_OK);
	assert_int_equal(bench->upgrades, 1);
	/* One is shown, and it is the new one. */
	assert_string_equal(shown(bench)->identity, "board~1");
	/* What only reads goes on at once; what appends waits for what appends there. */
	call(bench, 4, false);
	uint64_t fourth = taken(bench->next);
	call(bench, 5, true);
	fake_expect_nothing(bench->next);
	answer(bench, bench->old, second, 2);
	fake_expect_nothing(bench->next);
	answer(bench, bench->old, first, 1);
	pass(bench, 10);
	uint64_t fifth = taken(bench->next);
	answer(bench, bench->old, third, 3);
	answer(bench, bench->next, fourth, 4);
	answer(bench, bench->next, fifth, 5);
	fake_expect_nothing(bench->old);
	/* Its end is the end of its entry; nothing is started in its stead. */
	struct plugin *former = host_find(&daemon_of(bench)->host, "board");
	unsigned starts = bench->node->start_count;
	daemon_instance_ended(daemon_of(bench), former, false, "it has stopped");
	assert_null(host_find(&daemon_of(bench)->host, "board"));
	pass(bench, 1000);
	assert_int_equal(bench->node->start_count, starts);
	assert_int_equal(shown(bench)->restarts, 0);
	assert_int_equal(daemon_of(bench)->router.calls.count, 0);
}

/* What the former one appends while it finishes is its own still. */
static void test_handover_leaves_the_former_its_rights(void **state)
{
	struct bench *bench = *state;
	call(bench, 1, true);
	uint64_t first = taken(bench->old);
	start_next(bench, "lyceum.notice.v1.Board");
	say_register(bench->old, 2, NULL);
	expect_registered(bench->old, LYC_OK);
	const struct session *session = host_find(&daemon_of(bench)->host, "board")->session;
	assert_true(policy_may_publish(session->grants, session,
				       fake_text("lyceum.notice.v1.Notice.hub.1")));
	/* But it cannot come back. */
	say_register(bench->old, 3, "lyceum.notice.v1.Board");
	expect_registered(bench->old, LYC_ABORTED);
	answer(bench, bench->old, first, 1);
}

static void test_handover_does_not_wait_for_ever(void **state)
{
	struct bench *bench = *state;
	start_next(bench, "lyceum.notice.v1.Board");
	pass(bench, UPGRADE_PATIENCE_MS - 200);
	assert_int_equal(bench->upgrades, 0);
	pass(bench, 300);
	assert_int_equal(bench->upgrades, 1);
	call(bench, 1, false);
	const struct packet *packet;
	while ((packet = fake_next(bench->next)) && packet->kind != PACKET_CALL)
		continue;
	assert_non_null(packet);
}

static void test_handover_follows_the_end_of_the_former(void **state)
{
	struct bench *bench = *state;
	start_next(bench, "lyceum.notice.v1.Board");
	daemon_instance_ended(daemon_of(bench), shown(bench), false, "it crashed");
	pass(bench, 100);
	expect_registered(bench->next, LYC_OK);
	assert_int_equal(bench->upgrades, 1);
	assert_string_equal(shown(bench)->identity, "board~1");
	assert_int_equal(shown(bench)->state, PLUGIN_RUNNING);
}

static void test_handover_of_what_is_refused_leaves_the_former(void **state)
{
	struct bench *bench = *state;
	start_next(bench, "lyceum.v1.Node");
	expect_registered(bench->next, LYC_PERMISSION_DENIED);
	assert_int_equal(bench->failures, 1);
	assert_non_null(strstr(bench->text, "the package lyceum.v1 is the daemon's own"));
	assert_string_equal(shown(bench)->identity, "board");
	assert_int_equal(shown(bench)->state, PLUGIN_RUNNING);
	assert_int_equal(strncmp(shown(bench)->text, "its upgrade failed: ", 20), 0);
	call(bench, 1, true);
	answer(bench, bench->old, taken(bench->old), 1);
	/* The attempt ends, and is forgotten. */
	struct plugin *next = host_find(&daemon_of(bench)->host, "board~1");
	daemon_instance_ended(daemon_of(bench), next, true, "refused");
	assert_null(host_find(&daemon_of(bench)->host, "board~1"));
	assert_int_equal(bench->failures, 1);
}

static void test_handover_to_what_cannot_be_started_leaves_the_former(void **state)
{
	struct bench *bench = *state;
	bench->node->start_status = LYC_UNAVAILABLE;
	upgrade_begin(&daemon_of(bench)->host, shown(bench), NULL);
	pass(bench, 60);
	assert_int_equal(bench->failures, 1);
	assert_string_equal(bench->text, "it cannot be started");
	call(bench, 1, false);
	answer(bench, bench->old, taken(bench->old), 1);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_handover_gives_each_call_to_one_that_answers),
		on_bench(test_handover_leaves_the_former_its_rights),
		on_bench(test_handover_does_not_wait_for_ever),
		on_bench(test_handover_follows_the_end_of_the_former),
		on_bench(test_handover_of_what_is_refused_leaves_the_former),
		on_bench(test_handover_to_what_cannot_be_started_leaves_the_former),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
