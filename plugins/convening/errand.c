/* What a call has to append is counted; when nothing is due any more the view is waited for. */
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

static void answer(struct lyc_call *call, void *arg)
{
	struct errand *errand = arg;
	struct lyc_ack ack = {.status = errand->failed, .text = errand->text};

	if (errand->failed != LYC_OK && errand->type)
		lyc_call_fail_append(call, errand->type, &ack);
	else if (errand->failed != LYC_OK)
		lyc_call_fail(call, errand->failed, "%s", errand->text);
	else if (errand->wait_seq > 0)
		lyc_call_set_position(call, errand->wait_seq);
	if (errand->failed == LYC_OK)
		errand->finish(errand);
	free_errand(errand);
}

/* Nothing is waited for after a failure. */
static void advance(struct errand *errand)
{
	if (errand->is_sealed && errand->due == 0)
		lyc_call_when_seen(errand->call, errand->failed == LYC_OK ? errand->wait_seq : 0,
				   answer, errand);
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
	advance(errand);
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
	advance(errand);
}

void errand_fail(struct errand *errand, enum lyc_status status, const char *text)
{
	fail(errand, status, text, NULL);
	errand_seal(errand);
}
