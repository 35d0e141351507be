/* A queue and one at the head of it. */
#include "task.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"
#include "duty.h"

static struct task *task_new(struct desk *desk)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task) {
		fputs("investment: out of memory\n", stderr);
		abort();
	}
	task->desk = desk;
	return task;
}

static void task_free(struct task *task)
{
	if (!task)
		return;
	pad_fini(&task->pad);
	free(task);
}

void tasks_fini(struct desk *desk)
{
	struct tasks *tasks = &desk->tasks;

	task_free(tasks->active);
	while (tasks->first) {
		struct task *next = tasks->first->next;
		task_free(tasks->first);
		tasks->first = next;
	}
	*tasks = (struct tasks){0};
}

void task_submit(struct desk *desk, struct lyc_call *call, const ProtobufCMessage *request,
		 void (*closure)(void), task_fn prepare, task_fn answer)
{
	struct tasks *tasks = &desk->tasks;

	if (!desk_admit(desk, call))
		return;
	if (tasks->waiting_count == TASKS_MAX_WAITING) {
		lyc_call_fail(call, LYC_RESOURCE_EXHAUSTED,
			      "too many changes wait for the log: try again later");
		return;
	}
	struct task *task = task_new(desk);
	task->call = call;
	task->request = request;
	task->closure = closure;
	task->prepare = prepare;
	task->answer = answer;
	lyc_call_defer(call);
	if (tasks->last)
		tasks->last->next = task;
	else
		tasks->first = task;
	tasks->last = task;
	tasks->waiting_count++;
	tasks_advance(desk);
}

struct wish *task_append(struct task *task, const void *message)
{
	struct wish *wish = pad_new(&task->pad, 1, sizeof(*wish));

	wish->task = task;
	/* A copy of its own: the view, which the message may borrow from, goes on meanwhile. */
	wish->message = pad_copy_message(&task->pad, message);
	wish->text = "";
	pad_push(&task->pad, &task->wishes, &task->wish_count, wish);
	return wish;
}

struct wish *task_append_over(struct task *task, const void *message, const struct held *held)
{
	struct wish *wish = task_append(task, message);

	wish->has_expect = true;
	wish->expect_seq = held ? held->seq : 0;
	return wish;
}

struct wish *task_withdraw(struct task *task, const void *message)
{
	struct wish *wish = task_append(task, message);

	wish->is_withdrawal = true;
	return wish;
}

void task_fail(struct task *task, enum lyc_status status, const char *field, const char *format,
	       ...)
{
	char text[240];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	task->wish_count = 0;
	task->is_over = true;
	if (task->call)
		lyc_call_fail_field(task->call, status, field, "%s", text);
}

static void on_done(const struct lyc_ack *ack, void *arg)
{
	struct wish *wish = arg;
	struct task *task = wish->task;

	task->due_count--;
	wish->status = ack->status;
	if (ack->status == LYC_OK && ack->seq > task->wait_seq)
		task->wait_seq = ack->seq;
	if (ack->status != LYC_OK)
		wish->text = pad_copy(&task->pad, ack->text ? ack->text : "");
	tasks_advance(task->desk);
}

static enum lyc_status append(struct wish *wish)
{
	struct task *task = wish->task;
	struct lyc_publish_options options = {
		.durable = true, .expect = wish->has_expect, .expect_seq = wish->expect_seq};

	if (wish->names_caller && task->call)
		options.principal = lyc_call_principal(task->call);
	if (wish->is_withdrawal)
		return lyc_withdraw(task->desk->context, wish->message, &options, on_done, wish);
	return lyc_append(task->desk->context, wish->message, &options, on_done, wish);
}

/* Append until the credit is used up; goes on when something has come back. */
static void append_some(struct task *task)
{
	while (task->next_wish < task->wish_count) {
		struct wish *wish = task->wishes[task->next_wish];
		task->due_count++;
		enum lyc_status status = append(wish);
		if (status != LYC_OK) {
			task->due_count--;
			if (status == LYC_RESOURCE_EXHAUSTED && task->due_count > 0)
				return;
			wish->status = status;
			wish->text = status == LYC_OUT_OF_RANGE
					     ? "the record would be larger than a message may be"
					     : "the log does not take the record now";
		}
		task->next_wish++;
	}
}

static bool is_ready(const struct task *task)
{
	if (task->is_over)
		return true;
	if (task->due_count > 0 || task->next_wish < task->wish_count)
		return false;
	/* What is appended is in the log; a caller whose time is over does not wait for the view.
	 */
	return task->desk->view.seq >= task->wait_seq ||
	       (task->call && lyc_call_time_left_ms(task->call) == 0);
}

static void finish(struct task *task)
{
	if (task->call && !task->is_over) {
		struct wish *refused = NULL;
		for (size_t i = 0; i < task->wish_count && !refused; i++) {
			if (task->wishes[i]->status != LYC_OK)
				refused = task->wishes[i];
		}
		if (task->wait_seq)
			lyc_call_set_position(task->call, task->wait_seq);
		if (refused && !task->answers_for_each) {
			struct lyc_ack ack = {.status = refused->status, .text = refused->text};
			lyc_call_fail_append(task->call, refused->message->descriptor, &ack);
		} else {
			task->answer(task);
		}
	}
	task_free(task);
}

/* The next one that has something to do: the duties go before the next caller. */
static struct task *take_next(struct desk *desk)
{
	struct tasks *tasks = &desk->tasks;

	if (desk->duties_done_at != desk->view.changes || !desk->has_secret) {
		struct task *duty = task_new(desk);
		duty->answers_for_each = true;
		duty_collect(duty);
		if (duty->wish_count > 0)
			return duty;
		task_free(duty);
		desk->duties_done_at = desk->view.changes;
	}
	if (!desk->has_secret || !tasks->first)
		return NULL;
	struct task *task = tasks->first;
	tasks->first = task->next;
	if (!tasks->first)
		tasks->last = NULL;
	tasks->waiting_count--;
	task->prepare(task);
	return task;
}

void tasks_advance(struct desk *desk)
{
	struct tasks *tasks = &desk->tasks;

	if (tasks->is_advancing || !desk_may_append(desk))
		return;
	tasks->is_advancing = true;
	for (;;) {
		if (!tasks->active)
			tasks->active = take_next(desk);
		if (!tasks->active)
			break;
		if (!tasks->active->is_over)
			append_some(tasks->active);
		if (!is_ready(tasks->active))
			break;
		struct task *done = tasks->active;
		tasks->active = NULL;
		bool failed = done->call == NULL && done->wait_seq == 0;
		finish(done);
		/* A duty that the log refuses as a whole waits for the next tick. */
		if (failed)
			break;
	}
	tasks->is_advancing = false;
}
