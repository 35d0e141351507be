/*
 * What both kinds of instance share: the options, the grace, the one report of the end. The kinds
 * are instance_process.c and instance_thread.c.
 */
#include "host/instance.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/instance_kind.h"

#define MAX_LINES_A_SECOND 200

static void say(struct instance *instance, int level, const char *text)
{
	if (instance->on_line)
		instance->on_line(level, text, instance->arg);
}

static void say_dropped(struct instance *instance)
{
	char text[80];
	if (instance->dropped_count == 0)
		return;
	snprintf(text, sizeof(text), "%llu lines more than %d a second were dropped",
		 (unsigned long long)instance->dropped_count, MAX_LINES_A_SECOND);
	instance->dropped_count = 0;
	say(instance, 2, text);
}

static void second_over(uv_timer_t *timer)
{
	struct instance *instance = timer->data;
	instance->line_count = 0;
	say_dropped(instance);
}

void instance_say(struct instance *instance, int level, const char *text)
{
	if (level == 1)
		snprintf(instance->last_error, sizeof(instance->last_error), "%s", text);
	if (instance->line_count == 0 && !uv_is_closing((uv_handle_t *)&instance->second))
		uv_timer_start(&instance->second, second_over, 1000, 0);
	if (instance->line_count++ < MAX_LINES_A_SECOND)
		say(instance, level, text);
	else
		instance->dropped_count++;
}

void instance_end(struct instance *instance, bool clean, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(instance->end_text, sizeof(instance->end_text), format, args);
	va_end(args);
	instance->is_clean = clean;
}

static void handle_closed(uv_handle_t *handle)
{
	struct instance *instance = handle->data;
	if (--instance->open_handles > 0)
		return;
	say_dropped(instance);
	if (instance->on_exit)
		instance->on_exit(instance->is_clean, instance->end_text, instance->arg);
	instance->kind->free(instance);
}

void instance_handle(struct instance *instance, uv_handle_t *handle)
{
	handle->data = instance;
	instance->open_handles++;
}

void instance_close(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, handle_closed);
}

void instance_init(struct instance *instance, uv_loop_t *loop, const struct instance_kind *kind,
		   void *arg)
{
	instance->kind = kind;
	instance->arg = arg;
	uv_timer_init(loop, &instance->grace);
	uv_timer_init(loop, &instance->second);
	instance_handle(instance, (uv_handle_t *)&instance->grace);
	instance_handle(instance, (uv_handle_t *)&instance->second);
}

void instance_close_base(struct instance *instance)
{
	instance_close((uv_handle_t *)&instance->grace);
	instance_close((uv_handle_t *)&instance->second);
}

enum lyc_status instance_start(uv_loop_t *loop, const struct instance_options *options,
			       struct instance **ret_instance, struct lyc_error *error)
{
	return options->as_thread ? instance_start_thread(loop, options, ret_instance, error)
				  : instance_start_process(loop, options, ret_instance, error);
}

static void grace_over(uv_timer_t *timer)
{
	struct instance *instance = timer->data;
	instance->kind->give_up(instance);
}

void instance_stop(struct instance *instance, uint32_t grace_ms)
{
	uint64_t ends_ms = uv_now(instance->grace.loop) + grace_ms;
	if (uv_is_closing((uv_handle_t *)&instance->grace) ||
	    (instance->is_stopping && ends_ms >= instance->grace_ends_ms))
		return;
	if (!instance->is_stopping)
		instance->kind->ask(instance);
	instance->is_stopping = true;
	instance->grace_ms = grace_ms;
	instance->grace_ends_ms = ends_ms;
	uv_timer_start(&instance->grace, grace_over, grace_ms, 0);
}

bool instance_was_refused(const struct instance *instance)
{
	return instance->is_refused;
}

bool instance_was_given_up(const struct instance *instance)
{
	return instance->is_given_up;
}

int instance_pid(const struct instance *instance)
{
	return instance->pid;
}
