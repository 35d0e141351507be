/* A plugin's view is refused a stream that would lose state of it, and what it follows is
 * remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_world.h"
#include "lyceum/v1/config.pb-c.h"

static void (*former)(struct fake_node *node, Lyceum__V1__Config *config);
static Lyceum__V1__StreamConfig stream;
static Lyceum__V1__StreamConfig *streams[] = {&stream};
static char *subjects[1];
static Lyceum__V1__PluginConfig plugin;
static Lyceum__V1__PluginConfig *plugins[] = {&plugin};

static void configure(struct fake_node *node, Lyceum__V1__Config *config)
{
	former(node, config);
	config->streams = streams;
	config->n_streams = 1;
	config->plugins = plugins;
	config->n_plugins = 1;
}

/* A daemon with the plugin `board` and one stream of notices. */
static struct fake_node *node_with(struct fake_world *world, const char *max_age)
{
	lyceum__v1__stream_config__init(&stream);
	lyceum__v1__plugin_config__init(&plugin);
	subjects[0] = (char *)(uintptr_t) "lyceum.notice.v1.>";
	stream.name = (char *)(uintptr_t) "news";
	stream.subjects = subjects;
	stream.n_subjects = 1;
	stream.max_age = (char *)(uintptr_t)max_age;
	stream.last_per_subject = !max_age[0];
	plugin.name = (char *)(uintptr_t) "board";
	former = world->hooks.configure;
	world->hooks.configure = configure;
	return fake_node_add(world, "hub", NULL);
}

static void follow(struct fake_client *board, const char *durable)
{
	fake_subscribe(board,
		       &(struct packet_subscribe){.id = 5,
						  .pattern = fake_text("lyceum.notice.v1.Notice.>"),
						  .start = SUBSCRIBE_SEQ,
						  .from = 1,
						  .durable = fake_text(durable),
						  .records_only = true,
						  .credit = 100000});
}

static void test_view_of_a_losing_stream_is_refused_with_its_plugin(void **state)
{
	(void)state;
	struct fake_world *world = fake_world_new(1);
	struct fake_node *node = node_with(world, "1d");
	struct fake_client *board = fake_client_add(node, "board");
	follow(board, "");
	const struct packet *packet = fake_expect(board, PACKET_UNSUBSCRIBE);
	assert_int_equal(packet->unsubscribe.status, LYC_FAILED_PRECONDITION);
	assert_int_equal(node->stop_count, 1);
	const struct plugin *refused = host_find(&node->daemon.host, "board");
	assert_int_equal(refused->state, PLUGIN_FAILED);
	assert_non_null(strstr(refused->text, "the plugin 'board'"));
	assert_non_null(strstr(refused->text, "the stream 'news'"));
	/* One that remembers its place is a reader, and keeps nothing that has to be there. */
	follow(board, "inbox");
	fake_settle(world);
	assert_int_equal(node->stop_count, 1);
	fake_world_free(world);
}

static void test_view_of_the_last_records_is_admitted_and_remembered(void **state)
{
	(void)state;
	struct fake_world *world = fake_world_new(1);
	struct fake_node *node = node_with(world, "");
	struct fake_client *board = fake_client_add(node, "board");
	struct buf saved = {0};
	follow(board, "");
	fake_settle(world);
	assert_int_equal(node->stop_count, 0);
	node->env.load(node, "follows.board", &saved);
	assert_true(span_is(span_of(saved.data, saved.len), "lyceum.notice.v1.Notice.>"));
	buf_fini(&saved);
	fake_world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view_of_a_losing_stream_is_refused_with_its_plugin),
		cmocka_unit_test(test_view_of_the_last_records_is_admitted_and_remembered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
