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

void instance_say(struct instance *instance, int level, const char *text)
{
	if (level == 1)
		snprintf(instance->last_error, sizeof(instance->last_error), "%s", text);
	if (instance->on_line)
		instance->on_line(level, text, instance->arg);
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
	if (instance->is_stopping)
		return;
	instance->is_stopping = true;
	if (uv_is_closing((uv_handle_t *)&instance->grace))
		return;
	instance->grace_ms = grace_ms;
	instance->kind->ask(instance);
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
