/* A configuration takes another's place: what is changed, what is left alone, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_world.h"
#include "lyceum/v1/config.pb-c.h"
#include "node/reload.h"

#define OTHER_KEY "9876543210987654321098765432109876543210"

struct bench {
	struct fake_world *world;
	struct fake_node *node;
	struct buf changes;
	/* As it is, and as it is to be. */
	Lyceum__V1__Config old;
	Lyceum__V1__Config config;
	Lyceum__V1__PeerKey keys[2][3];
	Lyceum__V1__PeerKey *key_items[2][3];
	Lyceum__V1__PluginConfig plugins[2][2];
	Lyceum__V1__PluginConfig *plugin_items[2][2];
	uint64_t stamps[2];
};

static char *text(const char *chars)
{
	return (char *)(uintptr_t)chars;
}

static void fill(struct bench *bench, int at, Lyceum__V1__Config *config)
{
	static const char *const names[] = {"ann", "root", "wales"};
	static const Lyceum__V1__Role roles[] = {
		LYCEUM__V1__ROLE__PERSON, LYCEUM__V1__ROLE__OPERATOR, LYCEUM__V1__ROLE__NODE};
	lyceum__v1__config__init(config);
	config->name = text("hub");
	config->data = text("/data");
	for (size_t i = 0; i < 3; i++) {
		lyceum__v1__peer_key__init(&bench->keys[at][i]);
		bench->keys[at][i].name = text(names[i]);
		bench->keys[at][i].public_key = text(FAKE_KEY);
		bench->keys[at][i].role = roles[i];
		bench->key_items[at][i] = &bench->keys[at][i];
	}
	config->keys = bench->key_items[at];
	config->n_keys = 3;
	for (size_t i = 0; i < 2; i++) {
		lyceum__v1__plugin_config__init(&bench->plugins[at][i]);
		bench->plugins[at][i].name = text(i == 0 ? "board" : "echo");
		bench->plugin_items[at][i] = &bench->plugins[at][i];
	}
	config->plugins = bench->plugin_items[at];
	config->n_plugins = 2;
}

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	uint64_t none[2] = {0};
	bench->world = fake_world_new(1);
	bench->node = fake_node_add(bench->world, "hub", NULL);
	fill(bench, 0, &bench->old);
	fill(bench, 1, &bench->config);
	/* What the fake daemon began with has no plugins and more keys. */
	bench->old.n_plugins = 0;
	reload_apply(&bench->node->daemon, &bench->old, &bench->config, "/plugins", none,
		     &bench->changes);
	bench->old.n_plugins = 2;
	buf_clear(&bench->changes);
	fake_tick(bench->world, 60);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	buf_fini(&bench->changes);
	fake_world_free(bench->world);
	free(bench);
	return 0;
}

static const char *apply(struct bench *bench)
{
	buf_clear(&bench->changes);
	reload_apply(&bench->node->daemon, &bench->old, &bench->config, "/plugins", bench->stamps,
		     &bench->changes);
	return bench->changes.len > 0 ? buf_text(&bench->changes) : "";
}

static void test_reload_of_the_same_changes_nothing(void **state)
{
	struct bench *bench = *state;
	unsigned starts = bench->node->start_count;
	struct lyc_error error;
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	assert_int_equal(reload_check(&bench->old, &bench->config, &error), LYC_OK);
	assert_string_equal(apply(bench), "");
	fake_tick(bench->world, 60);
	assert_int_equal(bench->node->start_count, starts);
	assert_int_equal(bench->node->stop_count, 0);
	fake_expect_nothing(ann);
}

static void test_reload_names_what_takes_a_restart(void **state)
{
	struct bench *bench = *state;
	struct lyc_error error;
	Lyceum__V1__StreamConfig stream = LYCEUM__V1__STREAM_CONFIG__INIT;
	Lyceum__V1__StreamConfig *streams[] = {&stream};
	bench->config.data = text("/elsewhere");
	assert_int_equal(reload_check(&bench->old, &bench->config, &error),
			 LYC_FAILED_PRECONDITION);
	assert_string_equal(error.text, "data: takes effect with a restart of the daemon only; "
					"nothing was changed");
	bench->config.data = bench->old.data;
	stream.name = text("notes");
	bench->config.streams = streams;
	bench->config.n_streams = 1;
	assert_int_equal(reload_check(&bench->old, &bench->config, &error),
			 LYC_FAILED_PRECONDITION);
	assert_string_equal(error.field, "streams");
}

static void ping(struct fake_client *client)
{
	struct packet packet = {.kind = PACKET_PING, .ping = {.id = 7}};
	fake_send(client, &packet);
}

static void test_reload_cuts_who_is_not_let_in_any_more(void **state)
{
	struct bench *bench = *state;
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	struct fake_client *root = fake_client_add(bench->node, "root");
	bench->config.keys = bench->key_items[1] + 1;
	bench->config.n_keys = 2;
	assert_string_equal(apply(bench), "keys: 'ann' is not let in any more; its connections "
					  "were cut\n");
	fake_settle(bench->world);
	assert_int_equal(fake_expect(ann, PACKET_GOODBYE)->goodbye.reason, GOODBYE_DENIED);
	assert_null(policy_find(&bench->node->daemon.policy, "ann"));
	/* Not read any more, and cut as soon as the Goodbye can have arrived; once. */
	ping(ann);
	fake_expect_nothing(ann);
	assert_int_equal(bench->node->cut_count, 0);
	fake_tick(bench->world, 20);
	ping(ann);
	fake_expect_nothing(ann);
	assert_int_equal(bench->node->cut_count, 1);
	ping(root);
	fake_expect(root, PACKET_PONG);
}

static void test_reload_cuts_who_has_another_key(void **state)
{
	struct bench *bench = *state;
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	bench->keys[1][0].public_key = text(OTHER_KEY);
	assert_string_equal(apply(bench), "keys: 'ann' has another key or role; its connections "
					  "were cut\n");
	fake_settle(bench->world);
	fake_expect(ann, PACKET_GOODBYE);
	/* The connection is of the former key, whatever it says now. */
	struct packet hello = {.kind = PACKET_HELLO, .hello = {.version = WIRE_VERSION}};
	fake_send(ann, &hello);
	fake_expect_nothing(ann);
	/* Another one is welcome. */
	fake_client_add(bench->node, "ann");
}

static void test_reload_changes_rights_of_sessions_that_are_there(void **state)
{
	struct bench *bench = *state;
	char *call[] = {text("lyceum.v1.Node/*")};
	char *subscribe[] = {text("lyceum.other.>")};
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	fake_subscribe(ann, &(struct packet_subscribe){.id = 3,
						       .pattern = fake_text("lyceum.notice.>"),
						       .credit = 1000});
	const struct grants *grants = policy_find(&bench->node->daemon.policy, "ann");
	assert_true(policy_may_call(grants, "lyceum.notice.v1.Board/Read"));
	bench->keys[1][0].call = call;
	bench->keys[1][0].n_call = 1;
	bench->keys[1][0].subscribe = subscribe;
	bench->keys[1][0].n_subscribe = 1;
	assert_string_equal(apply(bench), "keys: the rights of 'ann' are others\n");
	assert_ptr_equal(policy_find(&bench->node->daemon.policy, "ann"), grants);
	assert_false(policy_may_call(grants, "lyceum.notice.v1.Board/Read"));
	fake_settle(bench->world);
	const struct packet *packet = fake_expect(ann, PACKET_UNSUBSCRIBE);
	assert_int_equal(packet->unsubscribe.id, 3);
	assert_int_equal(packet->unsubscribe.status, LYC_PERMISSION_DENIED);
	ping(ann);
	fake_expect(ann, PACKET_PONG);
}

static enum lyc_status status_of_call(struct fake_client *client, uint64_t id)
{
	fake_call(client, id, &(struct packet_call){.body = FAKE_HELLO});
	return (enum lyc_status)fake_expect(client, PACKET_REPLY)->reply.status;
}

/* A right that was used is not kept beyond the list that it was found in. */
static void test_reload_takes_a_right_that_was_used(void **state)
{
	struct bench *bench = *state;
	char *wide[] = {text("lyceum.notice.v1.Board/*")};
	char *narrow[] = {text("lyceum.v1.Node/*")};
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	bench->keys[1][0].call = wide;
	bench->keys[1][0].n_call = 1;
	apply(bench);
	for (uint64_t id = 1; id < 4; id++)
		assert_int_not_equal(status_of_call(ann, id), LYC_PERMISSION_DENIED);
	bench->keys[1][0].call = narrow;
	apply(bench);
	assert_int_equal(status_of_call(ann, 4), LYC_PERMISSION_DENIED);
	bench->keys[1][0].call = wide;
	apply(bench);
	assert_int_not_equal(status_of_call(ann, 5), LYC_PERMISSION_DENIED);
}

static void test_reload_leaves_credit_as_it_was_granted(void **state)
{
	struct bench *bench = *state;
	Lyceum__V1__Limits limits = LYCEUM__V1__LIMITS__INIT;
	struct fake_client *root = fake_client_add(bench->node, "root");
	limits.publish_credit = 10;
	limits.sessions = 100;
	bench->config.limits = &limits;
	assert_int_equal(strncmp(apply(bench), "limits: changed", 15), 0);
	assert_int_equal(bench->node->daemon.limits.sessions, 100);
	/* More than 10 bytes, by somebody who was granted more. */
	fake_post(root, 1, "a", "as before", 2, NULL);
	fake_settle(bench->world);
	assert_int_equal(fake_expect(root, PACKET_ACK)->ack.status, LYC_OK);
	struct fake_client *other = fake_client_add(bench->node, "root");
	fake_post(other, 1, "b", "too much", 2, NULL);
	assert_int_equal(fake_expect(other, PACKET_GOODBYE)->goodbye.reason, GOODBYE_FLOOD);
}

static void test_reload_touches_the_plugins_that_changed(void **state)
{
	struct bench *bench = *state;
	struct host *host = &bench->node->daemon.host;
	bench->plugins[1][1].instances = 2;
	bench->plugins[1][1].hang_ms = 5000;
	unsigned starts = bench->node->start_count;
	assert_string_equal(apply(bench),
			    "plugins: 'echo' is replaced: it is configured otherwise\n"
			    "plugins: 'echo' has 2 instances\n");
	fake_tick(bench->world, 60);
	assert_int_equal(bench->node->start_count, starts + 2);
	assert_int_equal(host_find_title(host, "echo.2")->hang_ms, 5000);
	assert_int_equal(host_find_title(host, "board")->hang_ms, 30000);
	/* The files of the other have become others. */
	bench->old.plugins = bench->plugin_items[1];
	host_find_title(host, "board")->stamp = 1;
	bench->stamps[0] = 2;
	assert_string_equal(apply(bench), "plugins: 'board' is replaced: its files have changed\n");
	/* It goes. */
	bench->stamps[0] = 0;
	bench->config.plugins = bench->plugin_items[1] + 1;
	bench->config.n_plugins = 1;
	assert_string_equal(apply(bench), "plugins: 'board' is stopped\n");
	assert_null(host_find_title(host, "board"));
	assert_non_null(host_find_title(host, "echo"));
}

static void test_reload_changes_the_hub(void **state)
{
	struct bench *bench = *state;
	struct daemon *daemon = &bench->node->daemon;
	Lyceum__V1__Uplink uplink = LYCEUM__V1__UPLINK__INIT;
	Lyceum__V1__Uplink none = LYCEUM__V1__UPLINK__INIT;
	uplink.name = text("centre");
	uplink.endpoint = text("fake://centre");
	uplink.server_key = text(OTHER_KEY);
	bench->config.uplink = &uplink;
	assert_string_equal(apply(bench), "uplink: the hub is 'centre' at fake://centre\n");
	assert_string_equal(daemon->router.hub_name, "centre");
	assert_int_equal(daemon->uplink.state, UPLINK_WAITING);
	assert_non_null(policy_find(&daemon->policy, "centre"));
	none = uplink;
	bench->old.uplink = &none;
	bench->config.uplink = NULL;
	assert_string_equal(apply(bench), "uplink: 'centre' is not the hub any more\n");
	assert_string_equal(daemon->router.hub_name, "");
	assert_null(daemon->uplink.link);
	assert_null(policy_find(&daemon->policy, "centre"));
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_reload_of_the_same_changes_nothing),
		on_bench(test_reload_names_what_takes_a_restart),
		on_bench(test_reload_cuts_who_is_not_let_in_any_more),
		on_bench(test_reload_cuts_who_has_another_key),
		on_bench(test_reload_changes_rights_of_sessions_that_are_there),
		on_bench(test_reload_takes_a_right_that_was_used),
		on_bench(test_reload_leaves_credit_as_it_was_granted),
		on_bench(test_reload_touches_the_plugins_that_changed),
		on_bench(test_reload_changes_the_hub),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
