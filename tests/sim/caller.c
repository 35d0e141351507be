/* What an operator calls, and what it makes of the replies. */
#include <stdio.h>
#include <string.h>

#include "base/pb.h"
#include "sim_node.h"
#include "tokens.h"
#include "view.h"
#include "writer.h"
#include "writes.h"

/* Beyond its deadline a reply may take the ticks of the daemon and the way back. */
#define SLACK_US 250000u
#define MAX_ATTEMPTS 6

static struct token *token_of_call(struct sim_peer *peer, uint64_t call_id)
{
	struct tokens *tokens = peer->sim->tokens;
	for (size_t i = tokens->count; i > 0; i--) {
		struct token *token = &tokens->items[i - 1];
		if (token->caller == peer && token->call_id == call_id &&
		    token->session == peer->session)
			return token;
	}
	return NULL;
}

/* The last own write that was acknowledged and is a notice; NULL. */
static const struct write *last_write(const struct sim_peer *peer)
{
	const struct writes *writes = peer->sim->writes;
	for (size_t i = writes->count; i > 0; i--) {
		const struct write *write = &writes->items[i - 1];
		size_t home;
		size_t id;
		if (write->home == peer->node->index && write->state == WRITE_ACKED &&
		    !write->is_forgiven && write->epoch == peer->epoch &&
		    view_key(text_span(write->subject), &home, &id))
			return write;
	}
	return NULL;
}

/* By then it has to have ended, unless its line is slow. */
static void check_ended(void *arg, uint64_t tag)
{
	struct sim *sim = arg;
	uint64_t number = tag & UINT32_MAX;
	struct token *token = tokens_get(sim->tokens, number);
	const struct sim_peer *peer = token->caller;
	if (token->state != TOKEN_OPEN || token->attempts != tag >> 32 ||
	    peer->session != token->session || !peer->line || !peer->node->is_running)
		return;
	const struct line *line = peer->line;
	bool is_slow = !line->is_connected || line->ways[LINE_DOWN].count > 0 ||
		       line->ways[LINE_UP].count > 0;
	/* A session that the daemon has ended is found out by the next ping. */
	if (is_slow || !token->is_late) {
		token->is_late = token->is_late || !is_slow;
		sim_in(sim, 1000u * SIM_HEARTBEAT_MS, check_ended, sim, tag);
		return;
	}
	sim_broken(sim, PROMISE_CALL_ENDS, "call %llu (%s) of '%s' at %s has no last reply",
		   (unsigned long long)number, token->method, peer->identity, peer->node->name);
}

static void cancel(void *arg, uint64_t number)
{
	struct sim *sim = arg;
	const struct token *token = tokens_get(sim->tokens, number);
	if (token->state != TOKEN_OPEN || token->caller->session != token->session)
		return;
	struct packet packet = {.kind = PACKET_CANCEL};
	packet.cancel.id = token->call_id;
	sim_peer_send(token->caller, &packet);
}

static void send_call(struct sim_peer *peer, struct token *token, struct packet_call *call)
{
	struct sim *sim = peer->sim;
	struct packet packet = {.kind = PACKET_CALL};
	const struct line *line = peer->line;
	uint64_t up_us = line->ways[LINE_UP].last_us;
	token->caller = peer;
	token->session = peer->session;
	token->call_id = call->id = ++peer->next_id;
	call->timeout_ms = 100 + (uint32_t)sim_below(sim, 2500);
	packet.call = *call;
	if (up_us < line->ways[LINE_UP].stalled_until_us)
		up_us = line->ways[LINE_UP].stalled_until_us;
	uint64_t start_us = up_us > sim->now_us ? up_us - sim->now_us : 0;
	uint64_t due_us = start_us + 1000ull * call->timeout_ms + 40 * sim->delay_us + SLACK_US;
	sim_in(sim, due_us, check_ended, sim, (uint64_t)token->attempts << 32 | token->number);
	if (sim_chance(sim, 60))
		sim_in(sim, sim_around(sim, 30000), cancel, sim, token->number);
	sim_note(sim, "%s: call %llu %s at %.*s", peer->node->name,
		 (unsigned long long)token->number, token->method, (int)call->at.len,
		 (const char *)call->at.data);
	sim->counts.calls++;
	sim_peer_send(peer, &packet);
}

/* A read of the own last write, somewhere, after it. */
static void call_read(struct sim_peer *peer, bool is_stream)
{
	struct sim *sim = peer->sim;
	struct token *token = tokens_add(sim->tokens);
	struct packet_call call = {.method = text_span(is_stream ? "lyceum.notice.v1.Board/Watch"
								 : "lyceum.notice.v1.Board/"
								   "Read")};
	const struct write *write = last_write(peer);
	struct wire_position after;
	struct buf body = {0};
	char text[60];
	token->at = sim_chance(sim, 400) ? peer->node->index : sim_below(sim, SIM_NODES);
	snprintf(token->method, sizeof(token->method), is_stream ? "Watch" : "Read");
	token->home = sim_below(sim, SIM_NODES);
	token->id = sim_below(sim, VIEW_IDS);
	if (write && !is_stream) {
		(void)view_key(text_span(write->subject), &token->home, &token->id);
		token->write = write->number;
		after = (struct wire_position){.origin = text_span(peer->node->name),
					       .epoch = write->epoch,
					       .seq = write->seq};
		call.after = &after;
		call.after_count = 1;
	}
	snprintf(text, sizeof(text), "k%llu %zu %zu", (unsigned long long)token->number,
		 token->home, token->id);
	pb_write_text(&body, 1, text);
	call.body = span_of(body.data, body.len);
	call.at = text_span(sim_node_names[token->at]);
	call.credit = is_stream && sim_chance(sim, 500) ? 1 + sim_below(sim, 200) : 0;
	call.want_as_of = sim_chance(sim, 200);
	send_call(peer, token, &call);
	buf_fini(&body);
}

/* The write that the token asks for: a notice of some home, which only that home's plugin may
 * append.
 */
static void send_post(struct sim_peer *peer, struct token *token)
{
	const struct write *write = writes_get(peer->sim->writes, token->write);
	struct packet_call call = {.method = text_span("lyceum.notice.v1.Board/Post")};
	char key[24];
	snprintf(key, sizeof(key), "key-%llu", (unsigned long long)token->number);
	call.body = span_of(write->body.data, write->body.len);
	if (token->is_keyed)
		call.idempotency_key = text_span(key);
	token->attempts++;
	token->state = TOKEN_OPEN;
	token->is_late = false;
	send_call(peer, token, &call);
}

static void call_post(struct sim_peer *peer)
{
	struct sim *sim = peer->sim;
	struct token *token = tokens_add(sim->tokens);
	size_t home = sim_below(sim, SIM_NODES);
	size_t id = sim_below(sim, VIEW_IDS);
	struct write *write = writes_add(sim->writes, home);
	struct audience audience = {.visibility = 2};
	char text[60];
	char key[8];
	snprintf(token->method, sizeof(token->method), "Post");
	snprintf(key, sizeof(key), "%zu", id);
	token->at = home;
	token->write = write->number;
	token->is_keyed = sim_chance(sim, 600);
	write->token = token->number;
	write->readers = UINT32_MAX;
	snprintf(write->subject, sizeof(write->subject), "lyceum.notice.v1.Notice.%s.%zu",
		 sim_node_names[home], id);
	writes_text(text, sizeof(text), write->readers, write->number);
	pb_write_text(&write->body, 1, sim_node_names[home]);
	pb_write_text(&write->body, 2, key);
	pb_write_text(&write->body, 3, text);
	audience_write(&write->body, 4, &audience);
	send_post(peer, token);
}

/* The same call with the same key, from whatever session there is by then. */
static void try_again(void *arg, uint64_t number)
{
	struct sim *sim = arg;
	struct token *token = tokens_get(sim->tokens, number);
	if (token->state == TOKEN_OPEN || token->attempts >= MAX_ATTEMPTS)
		return;
	if (token->caller->is_up)
		send_post(token->caller, token);
	else
		sim_in(sim, sim_around(sim, 300000), try_again, sim, number);
}

/* A reply to a call with a key: the home gives the same one to whoever asks again, unless an
 * erasure took it away. */
static void check_keyed(struct sim *sim, struct token *token, const struct packet_reply *reply)
{
	bool may_be_erased = sim->has_erased && reply->status == LYC_UNKNOWN;
	if (!token->is_forgiven && !may_be_erased && token->first_reply.len > 0 &&
	    reply->remembered &&
	    (reply->status != LYC_OK ||
	     !span_equal(reply->body, span_of(token->first_reply.data, token->first_reply.len))))
		sim_broken(sim, PROMISE_CALL_ONCE,
			   "call %llu with a key has another reply the second time: %s",
			   (unsigned long long)token->number,
			   lyc_status_name((enum lyc_status)reply->status));
	if (reply->status == LYC_OK && reply->remembered && token->first_reply.len == 0)
		buf_add(&token->first_reply, reply->body.data, reply->body.len);
	/* Where nothing is known, and now and then out of curiosity. */
	if (!reply->remembered || sim_chance(sim, 200))
		sim_in(sim, sim_around(sim, 300000), try_again, sim, token->number);
}

void caller_call(struct sim_peer *peer)
{
	if (!peer->line)
		return;
	uint64_t what = sim_below(peer->sim, 10);
	if (what < 6)
		call_read(peer, false);
	else if (what < 8)
		call_read(peer, true);
	else
		call_post(peer);
}

/* ---- replies ---- */

/* Is there a write of that key from this sequence on that the plugin there does not see? */
static bool may_be_gone(const struct sim *sim, const struct token *token, uint64_t seq)
{
	for (size_t i = 0; i < sim->writes->count; i++) {
		const struct write *write = &sim->writes->items[i];
		size_t home;
		size_t id;
		if (!view_key(text_span(write->subject), &home, &id) || home != token->home ||
		    id != token->id || write->state == WRITE_REFUSED)
			continue;
		bool is_later = write->state != WRITE_ACKED || write->seq >= seq;
		bool is_hidden = write->removed ||
				 !(write->readers & writes_plugin_bit(token->at)) ||
				 !(write->readers & writes_link_bit(token->at));
		if (is_later && is_hidden)
			return true;
	}
	return false;
}

static void check_after(struct sim *sim, const struct token *token, struct span body)
{
	const struct write *asked = writes_get(sim->writes, token->write);
	if (!asked || asked->is_forgiven)
		return;
	/* What is lost somewhere is not shown there, or where it was on its way to. */
	if (sim->counts.lost > 0)
		return;
	const struct write *seen = writes_get(sim->writes, writes_number_in(body));
	if (seen && seen->state == WRITE_ACKED && seen->seq < asked->seq)
		sim_broken(sim, PROMISE_AFTER,
			   "a read at %s after sequence %llu of %s shows sequence %llu",
			   sim_node_names[token->at], (unsigned long long)asked->seq,
			   asked->subject, (unsigned long long)seen->seq);
	else if (!seen && !may_be_gone(sim, token, asked->seq))
		sim_broken(sim, PROMISE_AFTER,
			   "a read at %s after sequence %llu of %s does not show it",
			   sim_node_names[token->at], (unsigned long long)asked->seq,
			   asked->subject);
}

void caller_replied(struct sim_peer *peer, const struct packet_reply *reply)
{
	struct sim *sim = peer->sim;
	struct token *token = token_of_call(peer, reply->id);
	if (!token) {
		sim_broken(sim, PROMISE_CALL_ENDS, "%s replied to a call that nobody made",
			   peer->node->name);
		return;
	}
	if (token->state != TOKEN_OPEN) {
		sim_broken(sim, PROMISE_CALL_ENDS, "call %llu has another reply after its last",
			   (unsigned long long)token->number);
		return;
	}
	if (reply->more) {
		/* Now and then somebody does not read on. */
		struct packet packet = {.kind = PACKET_CREDIT};
		packet.credit = (struct packet_credit){.call = token->call_id,
						       .value = reply->body.len + 64};
		if (!sim_chance(sim, 30))
			sim_peer_send(peer, &packet);
		return;
	}
	token->state = TOKEN_ENDED;
	sim->counts.replies++;
	sim_note(sim, "%s: call %llu %s: %s", peer->node->name, (unsigned long long)token->number,
		 token->method, lyc_status_name((enum lyc_status)reply->status));
	if (reply->status == LYC_OK && token->runs == 0)
		sim_broken(sim, PROMISE_CALL_ONCE, "call %llu was answered and never ran",
			   (unsigned long long)token->number);
	if (token->is_keyed)
		check_keyed(sim, token, reply);
	if (reply->status == LYC_OK && token->write && strcmp(token->method, "Read") == 0)
		check_after(sim, token, reply->body);
}

void caller_lost(struct sim_peer *peer)
{
	struct tokens *tokens = peer->sim->tokens;
	for (size_t i = 0; i < tokens->count; i++) {
		struct token *token = &tokens->items[i];
		if (token->caller == peer && token->state == TOKEN_OPEN)
			token->state = TOKEN_UNKNOWN;
		if (token->caller == peer && token->state == TOKEN_UNKNOWN && token->is_keyed)
			sim_in(peer->sim, sim_around(peer->sim, 300000), try_again, peer->sim,
			       token->number);
	}
}
