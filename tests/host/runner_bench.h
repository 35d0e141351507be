/*
 * What the suites of plugins begin with: a harness for each test, as thread or as process, a
 * configuration's file, and where the test plugins lie.
 */
#ifndef LYC_TESTS_HOST_RUNNER_BENCH_H
#define LYC_TESTS_HOST_RUNNER_BENCH_H

#include "harness.h"

/* Of the test that runs. */
extern struct harness *harness;
extern const char *const runner_config;

/* By main's arguments; says what they have to be. */
bool runner_begin(int argc, char **argv);
void runner_end(void);
int runner_set_up(void **state);
int runner_tear_down(void **state);
/* The file of a test plugin; valid until the next. */
const char *runner_plugin(const char *name);
void runner_write_config(const char *text);

/* The plugin `probe`, which has caught up with an empty log: ready for calls. Returns its
 * subscription. */
uint64_t runner_start_probe(void);
/* To that subscription: a record, or that there is none up to here. */
void runner_send_note(uint64_t id, uint64_t seq);
void runner_send_gap(uint64_t id, uint64_t seq);

#define RUNNER_TEST(name) cmocka_unit_test_setup_teardown(name, runner_set_up, runner_tear_down)

#endif
