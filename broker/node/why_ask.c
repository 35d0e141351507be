/*
 * Questions to other daemons: calls like any other, made by a peer inside the daemon that speaks
 * for whoever asked here. What it is sent is read at the end of a turn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "node/why.h"

#define QUESTION_MS 2000
/* So that what has come is told in time. */
#define MARGIN_MS 250

struct question {
	struct list node;
	uint64_t id;
	struct inquiry *inquiry; /* NULL: it has ended */
	char daemon[64];
};

struct why_inner {
	struct session session;
	struct grants grants;
	struct list questions;
	uint64_t last_id;
	struct frame_reader reader;
};

void why_init(struct daemon *daemon)
{
	struct why_inner *inner = mem_new(struct why_inner);
	struct session *session = &inner->session;
	inner->grants = (struct grants){.name = daemon->name, .role = ROLE_OPERATOR};
	session->grants = &inner->grants;
	session->is_inner = true;
	session->is_dirty = true; /* never among those to flush */
	session->call_credit = 0;
	session->fd = -1;
	snprintf(session->identity, sizeof(session->identity), "%s", daemon->name);
	list_init(&session->all);
	list_init(&session->dirty);
	list_init(&session->waiting);
	list_init(&session->calls_made);
	list_init(&session->turns);
	list_init(&session->calls_given);
	list_init(&session->subscriptions);
	list_init(&session->offers);
	list_init(&inner->questions);
	list_init(&daemon->inquiries);
	daemon->why_inner = inner;
}

static void question_free(struct question *question)
{
	list_remove(&question->node);
	free(question);
}

void why_fini(struct daemon *daemon)
{
	struct why_inner *inner = daemon->why_inner;
	if (!inner)
		return;
	list_each_safe (node, &daemon->inquiries)
		why_finish(list_entry(node, struct inquiry, node), NULL);
	list_each_safe (node, &inner->questions)
		question_free(list_entry(node, struct question, node));
	buf_fini(&inner->session.out);
	free(inner);
	daemon->why_inner = NULL;
}

static void write_request(const char *id, struct buf *to)
{
	Lyceum__V1__WhyRequest request = LYCEUM__V1__WHY_REQUEST__INIT;
	request.id = (char *)(uintptr_t)id;
	request.here = true;
	size_t len = lyceum__v1__why_request__get_packed_size(&request);
	if (buf_reserve(to, len))
		to->len = lyceum__v1__why_request__pack(&request, to->data);
}

static bool is_asked(const struct inquiry *inquiry, const char *daemon)
{
	for (size_t i = 0; i < inquiry->asked_count; i++) {
		if (strcmp(inquiry->asked[i]->daemon, daemon) == 0)
			return true;
	}
	return false;
}

void why_ask(struct inquiry *inquiry, const char *daemon, const char *id)
{
	static const char method[] = "lyceum.v1.Node/Why";
	struct daemon *self = inquiry->daemon;
	struct why_inner *inner = self->why_inner;
	if (inquiry->asked_count == WHY_MAX_ASKED || is_asked(inquiry, daemon) ||
	    strcmp(daemon, self->name) == 0)
		return;
	Lyceum__V1__Asked *asked = mem_new(Lyceum__V1__Asked);
	lyceum__v1__asked__init(asked);
	asked->daemon = mem_dup(daemon);
	inquiry->asked[inquiry->asked_count++] = asked;
	inquiry->waiting_count++;

	struct question *question = mem_new(struct question);
	question->id = ++inner->last_id;
	question->inquiry = inquiry;
	snprintf(question->daemon, sizeof(question->daemon), "%s", daemon);
	list_add_last(&inner->questions, &question->node);

	uint64_t now = self->env.now_ms(self->env.world);
	uint64_t left = inquiry->deadline_ms > now + 2 * MARGIN_MS
				? inquiry->deadline_ms - now - MARGIN_MS
				: MARGIN_MS;
	struct buf body = {0};
	write_request(id, &body);
	struct span groups[CALL_MAX_GROUPS];
	for (size_t i = 0; i < inquiry->asker.group_count; i++)
		groups[i] = span_of(inquiry->asker.groups[i], strlen(inquiry->asker.groups[i]));
	const struct packet_call call = {
		.id = question->id,
		.method = span_of(method, sizeof(method) - 1),
		.at = span_of(daemon, strlen(daemon)),
		.principal = span_of(inquiry->asker.principal, strlen(inquiry->asker.principal)),
		.groups = groups,
		.group_count = inquiry->asker.group_count,
		.timeout_ms = (uint32_t)(left < QUESTION_MS ? left : QUESTION_MS),
		.body = span_of(body.data, body.len),
	};
	router_call(&self->router, &inner->session, &call, body.len);
	buf_fini(&body);
}

void why_unask(struct inquiry *inquiry)
{
	struct why_inner *inner = inquiry->daemon->why_inner;
	list_each (node, &inner->questions) {
		struct question *question = list_entry(node, struct question, node);
		if (question->inquiry == inquiry)
			question->inquiry = NULL;
	}
}

static void take_reply(struct why_inner *inner, const struct packet_reply *reply)
{
	struct question *question = NULL;
	list_each (node, &inner->questions) {
		struct question *one = list_entry(node, struct question, node);
		if (one->id == reply->id)
			question = one;
	}
	if (!question || reply->more)
		return;
	struct inquiry *inquiry = question->inquiry;
	struct lyc_error error = {.status = (enum lyc_status)reply->status};
	Lyceum__V1__WhyReply *answer = NULL;
	if (error.status == LYC_OK)
		answer = lyceum__v1__why_reply__unpack(NULL, reply->body.len, reply->body.data);
	if (!answer)
		error_set(&error, error.status ? error.status : LYC_INTERNAL, "%.*s",
			  (int)(reply->text.len < 200 ? reply->text.len : 200),
			  (const char *)reply->text.data);
	char daemon[64];
	memcpy(daemon, question->daemon, sizeof(daemon));
	question_free(question);
	if (inquiry)
		why_answered(inquiry, daemon, answer, &error);
	if (answer)
		lyceum__v1__why_reply__free_unpacked(answer, NULL);
}

bool why_turn(struct daemon *daemon)
{
	struct why_inner *inner = daemon->why_inner;
	bool has_come = false;
	/* What is asked meanwhile may be refused at once. */
	while (inner->session.out.len > 0) {
		struct buf frame = inner->session.out;
		struct packet packet;
		inner->session.out = (struct buf){0};
		has_come = true;
		frame_start(&inner->reader, span_of(frame.data, frame.len));
		while (frame_next(&inner->reader, &packet) > 0) {
			if (packet.kind == PACKET_REPLY)
				take_reply(inner, &packet.reply);
		}
		buf_fini(&frame);
	}
	return has_come;
}
