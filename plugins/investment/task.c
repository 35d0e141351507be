/* A queue and one at the head of it. */
#include "task.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"
#include "duty.h"
#include "moment.h"

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

/* ---- What the log has refused ---- */

/* By type and key, the first three fields at most; what is sealed differs each time. */
static uint64_t name_of(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	uint64_t hash = 14695981039346656037u ^ (uintptr_t)type;

	for (unsigned i = 0; i < type->n_fields && i < 3; i++) {
		const char *at = (const char *)message + type->fields[i].offset;
		char number[12] = "";
		const char *text = number;
		if (type->fields[i].type == PROTOBUF_C_TYPE_STRING &&
		    type->fields[i].label != PROTOBUF_C_LABEL_REPEATED)
			text = *(char *const *)(const void *)at;
		else if (type->fields[i].type == PROTOBUF_C_TYPE_ENUM)
			snprintf(number, sizeof(number), "%d", *(const int *)(const void *)at);
		for (; *text; text++)
			hash = (hash ^ (unsigned char)*text) * 1099511628211u;
		hash = (hash ^ 0xff) * 1099511628211u;
	}
	return hash;
}

static struct refused *find_refused(struct tasks *tasks, uint64_t of)
{
	for (size_t i = 0; i < tasks->refused_count; i++) {
		if (tasks->refused[i].of == of)
			return &tasks->refused[i];
	}
	return NULL;
}

static void forget_refused(struct tasks *tasks, struct refused *refused)
{
	size_t at = (size_t)(refused - tasks->refused);

	memmove(refused, refused + 1, (--tasks->refused_count - at) * sizeof(*refused));
}

static void note_outcome(struct tasks *tasks, const struct wish *wish, int64_t now_ms)
{
	uint64_t of = name_of(wish->message);
	struct refused *refused = find_refused(tasks, of);
	int64_t rest_ms = refused ? refused->rest_ms * 2 : TASKS_FIRST_REST_MS;

	if (refused)
		forget_refused(tasks, refused);
	if (wish->status == LYC_OK)
		return;
	if (tasks->refused_count == TASKS_MAX_REFUSED)
		forget_refused(tasks, tasks->refused);
	if (rest_ms > TASKS_LONGEST_REST_MS)
		rest_ms = TASKS_LONGEST_REST_MS;
	tasks->refused[tasks->refused_count++] =
		(struct refused){.of = of, .rests_until_ms = now_ms + rest_ms, .rest_ms = rest_ms};
}

/* Leave out what rests; was there any? */
static bool drop_resting(struct task *duty, int64_t now_ms)
{
	size_t kept = 0, whole = duty->wish_count;

	for (size_t i = 0; i < whole; i++) {
		const struct refused *refused =
			find_refused(&duty->desk->tasks, name_of(duty->wishes[i]->message));
		if (!refused || now_ms >= refused->rests_until_ms)
			duty->wishes[kept++] = duty->wishes[i];
	}
	duty->wish_count = kept;
	return kept < whole;
}

/* The next one that has something to do: the duties go before the next caller. */
static struct task *take_next(struct desk *desk)
{
	struct tasks *tasks = &desk->tasks;

	if (desk->duties_done_at != desk->view.changes &&
	    moment_now_ms() >= tasks->duties_rest_until_ms) {
		struct task *duty = task_new(desk);
		duty->answers_for_each = true;
		duty_collect(duty);
		bool has_resting = drop_resting(duty, moment_now_ms());
		if (duty->wish_count > 0)
			return duty;
		task_free(duty);
		/* What rests is looked at again with the next tick. */
		if (!has_resting)
			desk->duties_done_at = desk->view.changes;
	}
	if (!tasks->first)
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
		for (size_t i = 0; !done->call && i < done->wish_count; i++)
			note_outcome(tasks, done->wishes[i], moment_now_ms());
		if (!done->call && done->wait_seq == 0)
			tasks->duties_rest_until_ms = moment_now_ms() + TASKS_FIRST_REST_MS / 2;
		finish(done);
	}
	tasks->is_advancing = false;
}
