/* One loop, one context and one timer for each test. */
#include "watched_loop.h"

#include <zmq.h>

#define DEADLINE_MS 8000

uv_loop_t loop;
void *ctx;
bool is_late;
static uv_timer_t watchdog;

static void watchdog_fired(uv_timer_t *timer)
{
	(void)timer;
	is_late = true;
	uv_stop(&loop);
}

int watched_loop_setup(void **state)
{
	(void)state;
	is_late = false;
	ctx = zmq_ctx_new();
	uv_loop_init(&loop);
	uv_timer_init(&loop, &watchdog);
	uv_timer_start(&watchdog, watchdog_fired, DEADLINE_MS, 0);
	return 0;
}

int watched_loop_teardown(void **state)
{
	(void)state;
	uv_close((uv_handle_t *)&watchdog, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	int rc = uv_loop_close(&loop);
	return zmq_ctx_term(ctx) == 0 && rc == 0 ? 0 : -1;
}
