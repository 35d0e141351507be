/* The queue: a record of a duty that the log refuses again and again holds nobody up. What the
 * tasks ask of the daemon is answered here, at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "desk.h"

static struct desk desk;
static uint64_t last_seq;
/* The log takes everything but this. */
static const ProtobufCMessageDescriptor *refused_type;
static size_t refusals, failures, answers;

/* ---- The daemon ---- */

int64_t lyc_wall_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

bool lyc_is_caught_up(const struct lyc_plugin_context *context)
{
	(void)context;
	return true;
}

/* Keys of one or two texts are all that is needed here. */
static void deliver(const ProtobufCMessage *message)
{
	const bool is_key = message->descriptor == &lyceum__investment__v1__node_key__descriptor;
	const ProtobufCFieldDescriptor *second = &message->descriptor->fields[1];
	const char *at = (const char *)message + second->offset;
	uint8_t body[2000];
	char subject[300];

	snprintf(subject, sizeof(subject), "%s.wales%s%s", message->descriptor->name,
		 is_key ? "" : ".", is_key ? "" : *(char *const *)(const void *)at);
	assert_true(protobuf_c_message_get_packed_size(message) <= sizeof(body));
	const struct lyc_delivery record = {.subject = subject,
					    .body = body,
					    .body_len = protobuf_c_message_pack(message, body),
					    .seq = ++last_seq,
					    .origin = "wales"};
	assert_true(desk_take(&desk, &record));
}

enum lyc_status lyc_append(struct lyc_plugin_context *context, const ProtobufCMessage *message,
			   const struct lyc_publish_options *options, lyc_ack_fn on_done, void *arg)
{
	struct lyc_ack ack = {.status = LYC_INVALID_ARGUMENT, .text = "no"};

	(void)context;
	(void)options;
	if (message->descriptor == refused_type) {
		refusals++;
	} else {
		deliver(message);
		ack = (struct lyc_ack){.status = LYC_OK, .seq = last_seq};
	}
	on_done(&ack, arg);
	return LYC_OK;
}

enum lyc_status lyc_withdraw(struct lyc_plugin_context *context, const ProtobufCMessage *with_keys,
			     const struct lyc_publish_options *options, lyc_ack_fn on_done,
			     void *arg)
{
	return lyc_append(context, with_keys, options, on_done, arg);
}

const char *lyc_call_principal(const struct lyc_call *call)
{
	(void)call;
	return "ann@wales";
}

uint32_t lyc_call_time_left_ms(const struct lyc_call *call)
{
	(void)call;
	return 1000;
}

void lyc_call_defer(struct lyc_call *call)
{
	(void)call;
}

void lyc_call_set_position(struct lyc_call *call, uint64_t seq)
{
	(void)call;
	(void)seq;
}

void lyc_call_fail(struct lyc_call *call, enum lyc_status status, const char *format, ...)
{
	(void)call;
	(void)status;
	(void)format;
	failures++;
}

void lyc_call_fail_field(struct lyc_call *call, enum lyc_status status, const char *field,
			 const char *format, ...)
{
	(void)call;
	(void)status;
	(void)field;
	(void)format;
	failures++;
}

void lyc_call_fail_append(struct lyc_call *call, const ProtobufCMessageDescriptor *type,
			  const struct lyc_ack *ack)
{
	(void)call;
	(void)type;
	(void)ack;
	failures++;
}

/* ---- A caller ---- */

static void prepare(struct task *task)
{
	venture_msg *venture = PAD_NEW(&task->pad, venture);

	venture->home = "wales";
	venture->id = pad_print(&task->pad, "venture-%zu", answers);
	venture->name = venture->id;
	venture->label = desk_label_private(&desk, &task->pad);
	task_append(task, venture);
}

static void answer(struct task *task)
{
	(void)task;
	answers++;
}

static size_t count(enum kind kind)
{
	size_t found = 0;

	VIEW_EACH(held, &desk.view, kind)
	found++;
	return found;
}

/* A venture's profile is what the duties make of what the callers bring. */
static void test_task_of_a_caller_is_done_though_a_duty_is_refused(void **state)
{
	struct lyc_call *call = (struct lyc_call *)(uintptr_t)&last_seq;
	enum { CALLS = TASKS_MAX_REFUSED + 20 };

	(void)state;
	assert_true(secret_start());
	desk = (struct desk){.node = "wales", .duties_done_at = UINT64_MAX};
	secret_make(&desk.secret);
	view_init(&desk.view);
	refused_type = &lyceum__investment__v1__venture_profile__descriptor;
	/* More than are remembered. */
	for (size_t i = 0; i < CALLS; i++) {
		task_submit(&desk, call, NULL, NULL, prepare, answer);
		tasks_advance(&desk);
		assert_int_equal(answers, i + 1);
	}
	assert_int_equal(failures, 0);
	assert_true(refusals > 0);
	assert_int_equal(count(KIND_VENTURE), CALLS);
	assert_int_equal(count(KIND_VENTURE_PROFILE), 0);
	/* Other duties are not held up either. */
	desk.tasks.duties_rest_until_ms = 0;
	tasks_advance(&desk);
	assert_int_equal(count(KIND_NODE_KEY), 1);
	/* What rests is not tried before its time, and then it is. */
	size_t before = refusals;
	tasks_advance(&desk);
	assert_int_equal(refusals, before);
	/* Nor are those that are remembered when the duties have had their rest. */
	desk.tasks.duties_rest_until_ms = 0;
	tasks_advance(&desk);
	assert_int_equal(refusals, before + CALLS - TASKS_MAX_REFUSED);
	refused_type = NULL;
	for (size_t i = 0; i < desk.tasks.refused_count; i++)
		desk.tasks.refused[i].rests_until_ms = 0;
	desk.tasks.duties_rest_until_ms = 0;
	tasks_advance(&desk);
	assert_int_equal(count(KIND_VENTURE_PROFILE), CALLS);
	assert_int_equal(desk.tasks.refused_count, 0);
	tasks_fini(&desk);
	view_fini(&desk.view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_task_of_a_caller_is_done_though_a_duty_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
