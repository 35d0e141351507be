/* Plugins: started, watched, started again after a growing wait, given up when they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "host/host.h"
#include "log.h"
#include "lyceum/v1/config.pb-c.h"
#include "route/call.h"

struct bench {
	uint64_t now_ms;
	uint64_t random;
	enum lyc_status start_status;
	unsigned starts;
	unsigned stops;
	uint32_t grace_ms; /* as the last one was stopped */
	unsigned hung;
	struct env env;
	struct host host;
};

static uint64_t now_ms(void *world)
{
	return ((struct bench *)world)->now_ms;
}

static uint64_t random_bits(void *world)
{
	return ((struct bench *)world)->random;
}

static enum lyc_status start(void *world, struct plugin *plugin, struct lyc_error *error)
{
	struct bench *bench = world;
	bench->starts++;
	if (bench->start_status == LYC_OK)
		plugin->instance = bench;
	else
		strcpy(error->text, "no such file");
	return bench->start_status;
}

static void stop(void *world, struct plugin *plugin, uint32_t grace_ms)
{
	(void)plugin;
	((struct bench *)world)->grace_ms = grace_ms;
	((struct bench *)world)->stops++;
}

static void on_hung(struct plugin *plugin, const char *text, void *arg)
{
	assert_non_null(strstr(text, "nothing was heard of it for 30000 ms"));
	((struct bench *)arg)->hung++;
	if (plugin->session)
		host_session_lost(&((struct bench *)arg)->host, plugin->session);
}

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->now_ms = 50000;
	bench->env = (struct env){.world = bench,
				  .now_ms = now_ms,
				  .random = random_bits,
				  .plugin_start = start,
				  .plugin_stop = stop};
	bench->host.env = &bench->env;
	bench->host.on_hung = on_hung;
	bench->host.arg = bench;
	log_configure(LOG_TEXT, LOG_ERROR, "test");
	host_init(&bench->host);
	Lyceum__V1__Config config = LYCEUM__V1__CONFIG__INIT;
	Lyceum__V1__PluginConfig plugins[2] = {LYCEUM__V1__PLUGIN_CONFIG__INIT,
					       LYCEUM__V1__PLUGIN_CONFIG__INIT};
	Lyceum__V1__PluginConfig *items[] = {&plugins[0], &plugins[1]};
	plugins[0].name = (char *)(uintptr_t) "echo";
	plugins[0].host = LYCEUM__V1__PLUGIN_CONFIG__HOST__THREAD;
	plugins[1].name = (char *)(uintptr_t) "experts";
	plugins[1].path = (char *)(uintptr_t) "/opt/experts.so";
	plugins[1].config_file = (char *)(uintptr_t) "experts.yaml";
	plugins[1].instances = 3;
	config.plugins = items;
	config.n_plugins = 2;
	host_configure(&bench->host, &config, "/plugins");
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	host_fini(&bench->host);
	free(bench);
	return 0;
}

static void test_host_has_one_entry_per_instance(void **state)
{
	struct bench *bench = *state;
	struct plugin *echo = host_find(&bench->host, "echo");
	assert_string_equal(echo->path, "/plugins/echo.so");
	assert_true(echo->in_thread);
	assert_null(echo->config_file);
	static const char *const identities[] = {"experts", "experts.2", "experts.3"};
	for (size_t i = 0; i < 3; i++) {
		struct plugin *plugin = host_find(&bench->host, identities[i]);
		assert_string_equal(plugin->name, "experts");
		assert_string_equal(plugin->path, "/opt/experts.so");
		assert_string_equal(plugin->config_file, "experts.yaml");
		assert_false(plugin->in_thread);
	}
	assert_null(host_find(&bench->host, "experts.1"));
	assert_null(host_find(&bench->host, "experts.4"));
}

static void test_host_starts_each_once(void **state)
{
	struct bench *bench = *state;
	host_tick(&bench->host);
	host_tick(&bench->host);
	assert_int_equal(bench->starts, 4);
	assert_int_equal(host_running(&bench->host), 4);
	struct plugin *echo = host_find(&bench->host, "echo");
	struct session session = {0};
	assert_int_equal(echo->state, PLUGIN_STARTING);
	host_registered(&bench->host, echo, &session);
	assert_int_equal(echo->state, PLUGIN_RUNNING);
	host_session_lost(&bench->host, &session);
	assert_int_equal(echo->state, PLUGIN_STARTING);
	assert_null(echo->session);
	host_tick(&bench->host);
	assert_int_equal(bench->starts, 4);
}

/* Milliseconds until it is started again. */
static uint64_t wait_of(struct bench *bench, struct plugin *plugin)
{
	uint64_t from = bench->now_ms;
	unsigned starts = bench->starts;
	host_exited(&bench->host, plugin, false, "it fell over");
	assert_int_equal(plugin->state, PLUGIN_WAITING);
	assert_string_equal(plugin->text, "it fell over");
	while (bench->starts == starts && bench->now_ms < from + 200000) {
		bench->now_ms++;
		host_tick(&bench->host);
	}
	assert_int_equal(plugin->state, PLUGIN_STARTING);
	return bench->now_ms - from;
}

static void test_host_waits_longer_each_time_and_not_for_ever(void **state)
{
	struct bench *bench = *state;
	host_tick(&bench->host);
	struct plugin *echo = host_find(&bench->host, "echo");
	uint64_t backoff = 250;
	for (int i = 0; i < 12; i++) {
		/* Half of it for certain, the other half by chance: here the least of it, there the
		 * most. */
		bench->random = i % 2 ? backoff / 2 : 0;
		assert_int_equal(wait_of(bench, echo), backoff / 2 + bench->random);
		if (backoff < 60000)
			backoff *= 2;
	}
	assert_in_range(backoff, 60000, 64000);
	assert_int_equal(echo->restarts, 12);
	/* Having run for a while, it begins anew. */
	struct session session = {.last_heard_ms = bench->now_ms + 30001};
	list_init(&session.calls_given);
	host_registered(&bench->host, echo, &session);
	bench->now_ms += 30001;
	host_tick(&bench->host);
	bench->random = 0;
	assert_int_equal(wait_of(bench, echo), 125);
}

static void test_host_tries_again_what_cannot_be_started(void **state)
{
	struct bench *bench = *state;
	bench->start_status = LYC_UNAVAILABLE;
	host_tick(&bench->host);
	struct plugin *echo = host_find(&bench->host, "echo");
	assert_int_equal(echo->state, PLUGIN_WAITING);
	assert_string_equal(echo->text, "no such file");
	assert_int_equal(host_running(&bench->host), 0);
	bench->now_ms += 124;
	host_tick(&bench->host);
	assert_int_equal(bench->starts, 4);
	bench->start_status = LYC_OK;
	bench->now_ms += 1;
	host_tick(&bench->host);
	assert_int_equal(bench->starts, 8);
	assert_int_equal(echo->state, PLUGIN_STARTING);
}

static void test_host_gives_up_what_refuses(void **state)
{
	struct bench *bench = *state;
	host_tick(&bench->host);
	struct plugin *echo = host_find(&bench->host, "echo");
	host_exited(&bench->host, echo, true, "line 3: no such field");
	assert_int_equal(echo->state, PLUGIN_FAILED);
	assert_string_equal(echo->text, "line 3: no such field");
	/* Refused by the daemon first, then it ends: the reason stays. */
	struct plugin *experts = host_find(&bench->host, "experts");
	host_refused(&bench->host, experts, "another plugin serves this");
	host_exited(&bench->host, experts, false, "ended");
	assert_int_equal(experts->state, PLUGIN_FAILED);
	assert_string_equal(experts->text, "another plugin serves this");
	bench->now_ms += 1000000;
	host_tick(&bench->host);
	assert_int_equal(bench->starts, 4);
}

static void test_host_stop_asks_all_and_starts_none(void **state)
{
	struct bench *bench = *state;
	host_tick(&bench->host);
	struct plugin *echo = host_find(&bench->host, "echo");
	struct plugin *experts = host_find(&bench->host, "experts");
	host_exited(&bench->host, experts, false, "ended");
	host_stop(&bench->host, 2000);
	assert_int_equal(bench->stops, 3);
	assert_int_equal(bench->grace_ms, 2000);
	assert_int_equal(experts->state, PLUGIN_STOPPED);
	assert_int_equal(host_running(&bench->host), 3);
	host_exited(&bench->host, echo, false, "as asked");
	assert_int_equal(echo->state, PLUGIN_STOPPED);
	bench->now_ms += 1000000;
	host_tick(&bench->host);
	assert_int_equal(bench->starts, 4);
	assert_int_equal(host_running(&bench->host), 2);
}

static void pass(struct bench *bench, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += 50) {
		bench->now_ms += 50;
		host_tick(&bench->host);
	}
}

/* Registered, and alive by now. */
static void run(struct bench *bench, struct plugin *plugin, struct session *session)
{
	list_init(&session->calls_given);
	session->last_heard_ms = bench->now_ms;
	host_connected(plugin, session);
	host_registered(&bench->host, plugin, session);
}

static void test_host_kills_a_process_that_is_silent(void **state)
{
	struct bench *bench = *state;
	struct plugin *experts = host_find(&bench->host, "experts");
	struct session sessions[4] = {0};
	host_tick(&bench->host);
	run(bench, host_find(&bench->host, "echo"), &sessions[0]);
	run(bench, experts, &sessions[1]);
	run(bench, host_find(&bench->host, "experts.2"), &sessions[2]);
	run(bench, host_find(&bench->host, "experts.3"), &sessions[3]);
	pass(bench, 29950);
	assert_int_equal(bench->hung, 0);
	sessions[0].last_heard_ms = sessions[2].last_heard_ms = sessions[3].last_heard_ms =
		bench->now_ms;
	pass(bench, 50);
	assert_int_equal(bench->hung, 1);
	assert_int_equal(bench->stops, 1);
	assert_int_equal(bench->grace_ms, 0);
	/* Once. Its state tells until it has ended, and then it comes back. */
	pass(bench, 1000);
	assert_int_equal(bench->hung, 1);
	host_exited(&bench->host, experts, false, "killed");
	assert_int_equal(experts->state, PLUGIN_WAITING);
	assert_string_equal(experts->text, "it hung: nothing was heard of it for 30000 ms "
					   "(hang_ms); it was killed");
	pass(bench, 1000);
	assert_int_equal(experts->state, PLUGIN_STARTING);
	/* Of a start that does not end there is nothing to hear either. */
	host_find(&bench->host, "echo")->hang_ms = 1000000;
	host_find(&bench->host, "experts.2")->hang_ms = 1000000;
	host_find(&bench->host, "experts.3")->hang_ms = 1000000;
	pass(bench, 30000);
	assert_int_equal(bench->hung, 2);
}

static void test_host_lets_an_instance_be_busy_until_its_calls_deadline(void **state)
{
	struct bench *bench = *state;
	struct plugin *echo = host_find(&bench->host, "echo");
	struct session session = {0};
	struct call call = {.deadline_ms = bench->now_ms + 60000};
	host_tick(&bench->host);
	run(bench, echo, &session);
	list_add_last(&session.calls_given, &call.of_callee);
	for (int i = 0; i < 3; i++)
		host_find(&bench->host, i == 0   ? "experts"
					: i == 1 ? "experts.2"
						 : "experts.3")
			->hang_ms = 1000000;
	pass(bench, 60000);
	assert_int_equal(bench->hung, 0);
	list_remove(&call.of_callee);
	pass(bench, 900);
	assert_int_equal(bench->hung, 0);
	pass(bench, 150);
	assert_int_equal(bench->hung, 1);
	/* A thread that was left behind is given up. */
	host_exited(&bench->host, echo, true, "its thread did not stop");
	assert_int_equal(echo->state, PLUGIN_FAILED);
	assert_non_null(strstr(echo->text, "a thread cannot be ended: restart the daemon"));
}

static void test_host_counts_what_is_answered_wrongly(void **state)
{
	struct bench *bench = *state;
	struct plugin *echo = host_find(&bench->host, "echo");
	struct session session = {0};
	struct session other = {0};
	run(bench, echo, &session);
	host_fault(&bench->host, &session, "text: is not UTF-8");
	host_fault(&bench->host, &other, "nobody's");
	assert_int_equal(echo->faults, 1);
	assert_string_equal(echo->last_fault, "text: is not UTF-8");
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_host_has_one_entry_per_instance),
		on_bench(test_host_starts_each_once),
		on_bench(test_host_waits_longer_each_time_and_not_for_ever),
		on_bench(test_host_tries_again_what_cannot_be_started),
		on_bench(test_host_gives_up_what_refuses),
		on_bench(test_host_stop_asks_all_and_starts_none),
		on_bench(test_host_kills_a_process_that_is_silent),
		on_bench(test_host_lets_an_instance_be_busy_until_its_calls_deadline),
		on_bench(test_host_counts_what_is_answered_wrongly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
