/* A list; there are seldom more than a few. */
#include "errand.h"

#include "hold.h"

struct errand *errand_new(struct convening *state, struct lyc_call *call, const void *request,
			  void (*closure)(void), errand_fn finish)
{
	struct errand *errand = hold_new(1, sizeof(*errand));

	errand->state = state;
	errand->call = call;
	errand->request = request;
	errand->closure = closure;
	errand->finish = finish;
	errand->next = state->errands;
	state->errands = errand;
	lyc_call_defer(call);
	return errand;
}

static void free_errand(struct errand *errand)
{
	if (errand->release)
		errand->release(errand->data);
	free(errand);
}

static void fail(struct errand *errand, enum lyc_status status, const char *text,
		 const ProtobufCMessageDescriptor *type)
{
	if (errand->failed != LYC_OK)
		return;
	errand->failed = status;
	errand->type = type;
	snprintf(errand->text, sizeof(errand->text), "%s", text ? text : "");
}

struct sent {
	struct errand *errand;
	const ProtobufCMessageDescriptor *type;
};

static void on_done(const struct lyc_ack *ack, void *arg)
{
	struct sent *sent = arg;
	struct errand *errand = sent->errand;

	errand->due--;
	if (ack->status == LYC_OK && ack->seq > errand->wait_seq)
		errand->wait_seq = ack->seq;
	else if (ack->status != LYC_OK &&
		 !(errand->may_exist && ack->status == LYC_FAILED_PRECONDITION))
		fail(errand, ack->status, ack->text, sent->type);
	free(sent);
	errands_advance(errand->state);
}

static void start(struct errand *errand, const ProtobufCMessage *message, uint64_t expect_seq,
		  bool is_anonymous, bool is_withdrawal)
{
	struct sent *sent = hold_new(1, sizeof(*sent));
	struct lyc_publish_options options = {
		.durable = true,
		.expect = !errand->may_replace,
		.expect_seq = expect_seq,
		.principal = is_anonymous ? NULL : lyc_call_principal(errand->call),
	};

	*sent = (struct sent){errand, message->descriptor};
	errand->due++;
	enum lyc_status status = (is_withdrawal ? lyc_withdraw : lyc_append)(
		errand->state->context, message, &options, on_done, sent);
	if (status == LYC_OK)
		return;
	free(sent);
	errand->due--;
	fail(errand, status,
	     status == LYC_OUT_OF_RANGE ? "the record would be larger than a message may be"
					: "the log does not take the record now",
	     message->descriptor);
}

void errand_append(struct errand *errand, const ProtobufCMessage *message, uint64_t expect_seq,
		   bool is_anonymous)
{
	start(errand, message, expect_seq, is_anonymous, false);
}

void errand_withdraw(struct errand *errand, const ProtobufCMessage *with_keys, uint64_t expect_seq)
{
	start(errand, with_keys, expect_seq, false, true);
}

void errand_seal(struct errand *errand)
{
	errand->is_sealed = true;
	errands_advance(errand->state);
}

void errand_fail(struct errand *errand, enum lyc_status status, const char *text)
{
	fail(errand, status, text, NULL);
	errand_seal(errand);
}

static bool is_ready(const struct errand *errand)
{
	if (!errand->is_sealed || errand->due > 0)
		return false;
	return errand->failed != LYC_OK || errand->state->view.seq >= errand->wait_seq ||
	       lyc_call_time_left_ms(errand->call) == 0;
}

static void answer(struct errand *errand)
{
	struct lyc_ack ack = {.status = errand->failed, .text = errand->text};

	if (errand->failed != LYC_OK && !errand->type) {
		lyc_call_fail(errand->call, errand->failed, "%s", errand->text);
		return;
	}
	if (errand->failed != LYC_OK) {
		lyc_call_fail_append(errand->call, errand->type, &ack);
		return;
	}
	if (errand->wait_seq > 0)
		lyc_call_set_position(errand->call, errand->wait_seq);
	errand->finish(errand);
}

void errands_advance(struct convening *state)
{
	struct errand **at = &state->errands;

	while (*at) {
		struct errand *errand = *at;
		if (!is_ready(errand)) {
			at = &errand->next;
			continue;
		}
		*at = errand->next;
		answer(errand);
		free_errand(errand);
		/* What answered may have begun something new. */
		at = &state->errands;
	}
}

void errands_fini(struct convening *state)
{
	while (state->errands) {
		struct errand *errand = state->errands;
		state->errands = errand->next;
		free_errand(errand);
	}
}
