/* One inquiry: what is asked for, who asks, and the reply. */
#include "node/why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "node/why_words.h"
#include "wire/subject.h"

#define MAX_INQUIRIES 64

char *why_text(struct span text)
{
	char *copy = mem_get(text.len + 1);
	utf8_copy(copy, text.len + 1, text.data, text.len);
	return copy;
}

enum lyc_status why_not_found(const struct inquiry *inquiry, struct lyc_error *error)
{
	return error_set(error, LYC_NOT_FOUND,
			 "'%s' knows nothing of '%.120s' that you may see; what is long ago is "
			 "forgotten, and another daemon may know it (--at)",
			 inquiry->daemon->name, inquiry->id);
}

/* ---- What is asked for ---- */

static bool read_number(const char *text, size_t len, uint64_t *ret_number)
{
	uint64_t number = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text[i] - '0');
	}
	*ret_number = number;
	return len > 0 && len < 20;
}

/* "wales/1000/17". */
static bool read_identity(struct inquiry *inquiry)
{
	const char *id = inquiry->id;
	const char *first = strchr(id, '/');
	const char *second = first ? strchr(first + 1, '/') : NULL;
	if (!second || first == id ||
	    !read_number(first + 1, (size_t)(second - first - 1), &inquiry->epoch) ||
	    !read_number(second + 1, strlen(second + 1), &inquiry->origin_seq))
		return false;
	inquiry->origin = span_of(id, (size_t)(first - id));
	inquiry->is_by_identity = true;
	return true;
}

/* "r1017", or "hub/r1017" with the daemon's name in ret_daemon. */
static bool read_refusal(struct inquiry *inquiry, char ret_daemon[64])
{
	const char *slash = strchr(inquiry->id, '/');
	const char *number = slash ? slash + 1 : inquiry->id;
	size_t len = slash ? (size_t)(slash - inquiry->id) : 0;
	if (*number != 'r' || len >= 64 || (slash && len == 0) ||
	    !read_number(number + 1, strlen(number + 1), &inquiry->number))
		return false;
	memcpy(ret_daemon, inquiry->id, len);
	ret_daemon[len] = '\0';
	inquiry->is_refusal = true;
	return true;
}

/* ---- Its life ---- */

static struct inquiry *inquiry_new(struct daemon *daemon, const struct call *call,
				   const Lyceum__V1__WhyRequest *request)
{
	struct inquiry *inquiry = mem_new(struct inquiry);
	const struct session *caller = call->caller;
	inquiry->daemon = daemon;
	inquiry->call_id = call_id(call);
	inquiry->deadline_ms = call->deadline_ms;
	inquiry->is_here = request->here;
	utf8_copy(inquiry->id, sizeof(inquiry->id), (const uint8_t *)request->id,
		  strlen(request->id));
	inquiry->asker.is_local = !session_is_link(caller);
	inquiry->asker.is_operator =
		caller->grants->role == ROLE_OPERATOR && strcmp(call->principal, daemon->name) == 0;
	memcpy(inquiry->asker.principal, call->principal, sizeof(call->principal));
	for (size_t i = 0; i < call->group_count; i++)
		inquiry->asker.groups[inquiry->asker.group_count++] = mem_dup(call->groups[i]);
	list_add_last(&daemon->inquiries, &inquiry->node);
	return inquiry;
}

static void inquiry_free(struct inquiry *inquiry)
{
	why_unask(inquiry);
	list_remove(&inquiry->node);
	for (size_t i = 0; i < inquiry->asker.group_count; i++)
		free(inquiry->asker.groups[i]);
	for (size_t i = 0; i < inquiry->hop_count; i++)
		lyceum__v1__hop__free_unpacked(inquiry->hops[i], NULL);
	free(inquiry->hops);
	for (size_t i = 0; i < inquiry->asked_count; i++)
		lyceum__v1__asked__free_unpacked(inquiry->asked[i], NULL);
	if (inquiry->fate)
		lyceum__v1__record_fate__free_unpacked(inquiry->fate, NULL);
	buf_fini(&inquiry->record);
	inquiry->daemon = NULL;
	/* A read that is under way frees the rest. */
	if (!inquiry->is_reading)
		free(inquiry);
}

/* ---- The reply ---- */

static void tell_asked(const struct inquiry *inquiry, struct buf *to)
{
	for (size_t i = 0; i < inquiry->asked_count; i++) {
		if (inquiry->asked[i]->has_answered)
			continue;
		if (to->len > 0)
			buf_add_byte(to, '\n');
		words_asked(inquiry->asked[i], to);
	}
}

static void write_reply(struct inquiry *inquiry, struct buf *to)
{
	Lyceum__V1__WhyReply reply = LYCEUM__V1__WHY_REPLY__INIT;
	struct buf text = {0};
	if (inquiry->fate)
		words_record(inquiry->fate, &text);
	else
		why_trace_tell(inquiry, &text);
	tell_asked(inquiry, &text);
	reply.text = buf_text(&text);
	reply.hop = inquiry->hops;
	reply.n_hop = inquiry->hop_count;
	reply.record = inquiry->fate;
	reply.asked = inquiry->asked;
	reply.n_asked = inquiry->asked_count;
	size_t len = lyceum__v1__why_reply__get_packed_size(&reply);
	if (buf_reserve(to, len))
		to->len += lyceum__v1__why_reply__pack(&reply, to->data + to->len);
	buf_fini(&text);
}

/* Nothing was found: for a trace that nobody answered for, what the others said is told all the
 * same. */
static bool is_empty(const struct inquiry *inquiry)
{
	bool was_silent = false;
	for (size_t i = 0; i < inquiry->asked_count; i++)
		was_silent = was_silent || !inquiry->asked[i]->has_answered;
	bool is_list = !inquiry->is_trace && !inquiry->is_refusal;
	return !inquiry->fate && inquiry->hop_count == 0 && !was_silent && !is_list;
}

void why_finish(struct inquiry *inquiry, const struct lyc_error *error)
{
	struct lyc_error outcome = {0};
	struct buf body = {0};
	if (error) {
		outcome = *error;
		if (outcome.status == LYC_OK && is_empty(inquiry))
			why_not_found(inquiry, &outcome);
		if (outcome.status == LYC_OK)
			write_reply(inquiry, &body);
		router_builtin_done(&inquiry->daemon->router, inquiry->call_id,
				    span_of(body.data, body.len), &outcome);
	}
	buf_fini(&body);
	inquiry_free(inquiry);
}

void why_answered(struct inquiry *inquiry, const char *daemon, Lyceum__V1__WhyReply *reply,
		  const struct lyc_error *error)
{
	const struct lyc_error ok = {.status = LYC_OK};
	for (size_t i = 0; i < inquiry->asked_count; i++) {
		Lyceum__V1__Asked *asked = inquiry->asked[i];
		if (strcmp(asked->daemon, daemon) != 0)
			continue;
		/* To know nothing is an answer, too. */
		asked->has_answered = reply || error->status == LYC_NOT_FOUND;
		if (!asked->has_answered)
			asked->text = mem_dup(error->text[0] ? error->text
							     : lyc_status_name(error->status));
	}
	if (reply && inquiry->fate)
		why_record_take(inquiry, reply);
	else if (reply)
		why_trace_take(inquiry, reply);
	if (--inquiry->waiting_count == 0)
		why_finish(inquiry, &ok);
}

static enum lyc_status begin(struct inquiry *inquiry, bool *ret_waits, struct lyc_error *error)
{
	struct daemon *daemon = inquiry->daemon;
	struct span id = span_of(inquiry->id, strlen(inquiry->id));
	char other[64];
	*ret_waits = false;
	inquiry->is_trace = trace_read_id(id, &inquiry->trace) || trace_read(id, &inquiry->trace);
	if (inquiry->is_trace || id.len == 0) {
		*ret_waits = why_trace_start(inquiry);
		return LYC_OK;
	}
	if (read_refusal(inquiry, other)) {
		bool is_other = other[0] && strcmp(other, daemon->name) != 0;
		if (is_other && inquiry->asker.is_local && !inquiry->is_here)
			why_ask(inquiry, other, strchr(inquiry->id, '/') + 1);
		else if (!is_other)
			why_trace_start(inquiry);
		*ret_waits = inquiry->waiting_count > 0;
		return LYC_OK;
	}
	if (!read_identity(inquiry) && !read_number(inquiry->id, id.len, &inquiry->seq)) {
		if (!subject_is_valid(id))
			return error_set_field(
				error, LYC_INVALID_ARGUMENT, "id",
				"a record is home/epoch/sequence, a sequence or a subject, a trace "
				"has 32 hexadecimal digits, a refusal is r and its number");
		inquiry->seq = daemon->env.last_of(daemon->env.world, id);
	}
	*ret_waits = true;
	return why_record_start(inquiry, error);
}

enum lyc_status why_call(struct daemon *daemon, const struct call *call, struct span body,
			 struct buf *ret_reply, struct lyc_error *error)
{
	bool waits = false;
	size_t count = 0;
	list_each (node, &daemon->inquiries)
		count++;
	if (count >= MAX_INQUIRIES)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "'%s' is answering as many questions as it may: ask again",
				 daemon->name);
	Lyceum__V1__WhyRequest *request =
		lyceum__v1__why_request__unpack(NULL, body.len, body.data);
	if (!request)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory");
	struct inquiry *inquiry = inquiry_new(daemon, call, request);
	lyceum__v1__why_request__free_unpacked(request, NULL);
	enum lyc_status status = begin(inquiry, &waits, error);
	if (status == LYC_OK && waits) {
		router_builtin_later(&daemon->router);
		return LYC_OK;
	}
	if (status == LYC_OK && is_empty(inquiry))
		status = why_not_found(inquiry, error);
	if (status == LYC_OK)
		write_reply(inquiry, ret_reply);
	inquiry_free(inquiry);
	return status;
}
