/* The loop and the context of the tests of sockets, with a watchdog: a test that would hang ends
 * late, and says so. */
#ifndef LYC_TESTS_UNIT_IO_WATCHED_LOOP_H
#define LYC_TESTS_UNIT_IO_WATCHED_LOOP_H

#include <stdbool.h>

#include <uv.h>

extern uv_loop_t loop;
extern void *ctx;
/* The watchdog has stopped the loop. */
extern bool is_late;

int watched_loop_setup(void **state);
int watched_loop_teardown(void **state);

#endif
