/* Traces and refusals: what the journals of the daemons on the way have, put in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "node/why.h"
#include "node/why_words.h"

/* Refusals that are told when no number is given. */
#define LAST_REFUSALS 20

/* May he hear of it? The operator of all; a person of her own; another daemon of its people. */
static bool may_hear(const struct inquiry *inquiry, struct span principal)
{
	const struct asker *asker = &inquiry->asker;
	if (asker->is_operator || span_is(principal, asker->principal))
		return true;
	return !asker->is_local && !strchr(asker->principal, '@') &&
	       !strchr(asker->principal, '/') &&
	       span_is(policy_node_of(principal), asker->principal);
}

static void set_hex(char **to, uint64_t value)
{
	struct buf text = {0};
	buf_add_format(&text, "%016llx", (unsigned long long)value);
	*to = buf_text(&text);
}

static void set_text(char **to, struct span text)
{
	if (text.len > 0)
		*to = why_text(text);
}

static Lyceum__V1__Hop *add_hop(struct inquiry *inquiry, const struct journal_entry *entry)
{
	Lyceum__V1__Hop *hop = mem_new(Lyceum__V1__Hop);
	lyceum__v1__hop__init(hop);
	hop->daemon = mem_dup(inquiry->daemon->name);
	hop->kind = (Lyceum__V1__Hop__Kind)entry->kind;
	hop->time_ms = entry->time_ms;
	set_text(&hop->from, entry->from);
	hop->from_daemon = entry->from_link;
	set_text(&hop->principal, entry->principal);
	if (entry->is_traced) {
		char id[TRACE_ID_LEN + 1];
		trace_write_id(&entry->trace, id);
		hop->trace = mem_dup(id);
		set_hex(&hop->span, entry->trace.span);
		set_hex(&hop->parent, entry->parent_span);
	}
	Lyceum__V1__Hop **hops =
		realloc(inquiry->hops, (inquiry->hop_count + 1) * sizeof(Lyceum__V1__Hop *));
	if (!hops) {
		lyceum__v1__hop__free_unpacked(hop, NULL);
		return NULL;
	}
	inquiry->hops = hops;
	hops[inquiry->hop_count++] = hop;
	return hop;
}

/* What was given, queued and answered under one span is one hop. */
static Lyceum__V1__Hop *hop_of(struct inquiry *inquiry, const struct journal_entry *entry)
{
	char span[20];
	snprintf(span, sizeof(span), "%016llx", (unsigned long long)entry->trace.span);
	for (size_t i = inquiry->hop_count; entry->is_traced && i-- > 0;) {
		if (strcmp(inquiry->hops[i]->span, span) == 0 &&
		    strcmp(inquiry->hops[i]->daemon, inquiry->daemon->name) == 0)
			return inquiry->hops[i];
	}
	return NULL;
}

static void fill(Lyceum__V1__Hop *hop, const struct journal_entry *entry)
{
	if (!*hop->from) {
		set_text(&hop->from, entry->from);
		hop->from_daemon = entry->from_link;
	}
	if (!*hop->subject)
		set_text(&hop->subject, entry->subject);
	if (!*hop->to)
		set_text(&hop->to, entry->to);
	hop->to_daemon = hop->to_daemon || entry->to_link;
	if (entry->reason)
		hop->reason = (Lyceum__V1__Hop__Reason)entry->reason;
	if (entry->event == JOURNAL_QUEUED)
		hop->was_queued = true;
	if (entry->event == JOURNAL_GIVEN || entry->event == JOURNAL_QUEUED)
		return;
	hop->has_ended = true;
	hop->status = (Lyceum__V1__Status)entry->status;
	hop->took_ms = entry->took_ms;
	hop->seq = entry->seq;
	hop->refusal = entry->number;
	hop->rule = (Lyceum__V1__Hop__Rule)entry->rule;
	if (!*hop->text)
		set_text(&hop->text, entry->text);
	if (!*hop->field)
		set_text(&hop->field, entry->field);
}

static bool is_sought(const struct inquiry *inquiry, const struct journal_entry *entry)
{
	if (inquiry->is_trace)
		return entry->is_traced && trace_is_same(&entry->trace, &inquiry->trace);
	if (entry->event != JOURNAL_REFUSED)
		return false;
	return !inquiry->is_refusal || entry->number == inquiry->number;
}

static bool take(const struct journal_entry *entry, void *arg)
{
	struct inquiry *inquiry = arg;
	if (!is_sought(inquiry, entry) || !may_hear(inquiry, entry->principal))
		return true;
	if (!inquiry->is_trace && !inquiry->is_refusal && inquiry->hop_count == LAST_REFUSALS) {
		/* The oldest of the last ones makes room. */
		lyceum__v1__hop__free_unpacked(inquiry->hops[0], NULL);
		inquiry->hop_count--;
		memmove(inquiry->hops, inquiry->hops + 1,
			inquiry->hop_count * sizeof(Lyceum__V1__Hop *));
	}
	Lyceum__V1__Hop *hop = hop_of(inquiry, entry);
	if (!hop && inquiry->hop_count < WHY_MAX_HOPS)
		hop = add_hop(inquiry, entry);
	if (hop)
		fill(hop, entry);
	return true;
}

/* Every daemon that the trace came from or went to. */
static void ask_on(struct inquiry *inquiry)
{
	char id[TRACE_ID_LEN + 1];
	trace_write_id(&inquiry->trace, id);
	for (size_t i = 0; i < inquiry->hop_count; i++) {
		const Lyceum__V1__Hop *hop = inquiry->hops[i];
		if (hop->from_daemon)
			why_ask(inquiry, hop->from, id);
		if (hop->to_daemon)
			why_ask(inquiry, hop->to, id);
	}
}

bool why_trace_start(struct inquiry *inquiry)
{
	journal_each(&inquiry->daemon->journal, take, inquiry);
	if (inquiry->is_trace && inquiry->asker.is_local && !inquiry->is_here) {
		/* A trace that begins elsewhere may have left nothing here. */
		if (inquiry->daemon->router.hub_name[0]) {
			char id[TRACE_ID_LEN + 1];
			trace_write_id(&inquiry->trace, id);
			why_ask(inquiry, inquiry->daemon->router.hub_name, id);
		}
		ask_on(inquiry);
	}
	return inquiry->waiting_count > 0;
}

void why_trace_take(struct inquiry *inquiry, Lyceum__V1__WhyReply *reply)
{
	Lyceum__V1__Hop **hops = realloc(inquiry->hops, (inquiry->hop_count + reply->n_hop + 1) *
								sizeof(Lyceum__V1__Hop *));
	if (!hops)
		return;
	inquiry->hops = hops;
	for (size_t i = 0; i < reply->n_hop && inquiry->hop_count < WHY_MAX_HOPS; i++) {
		hops[inquiry->hop_count++] = reply->hop[i];
		reply->hop[i] = NULL;
	}
	/* What was taken out is not there any more. */
	size_t left = 0;
	for (size_t i = 0; i < reply->n_hop; i++) {
		if (reply->hop[i])
			reply->hop[left++] = reply->hop[i];
	}
	reply->n_hop = left;
	if (inquiry->is_trace)
		ask_on(inquiry);
}

/* ---- The order: each behind the one that gave it ---- */

static int by_time(const void *a, const void *b)
{
	const Lyceum__V1__Hop *left = *(Lyceum__V1__Hop *const *)a;
	const Lyceum__V1__Hop *right = *(Lyceum__V1__Hop *const *)b;
	return (left->time_ms > right->time_ms) - (left->time_ms < right->time_ms);
}

static bool has_parent(const struct inquiry *inquiry, const Lyceum__V1__Hop *hop)
{
	for (size_t i = 0; *hop->parent && i < inquiry->hop_count; i++) {
		const Lyceum__V1__Hop *other = inquiry->hops[i];
		if (other != hop && strcmp(other->span, hop->parent) == 0)
			return true;
	}
	return false;
}

static void tell_hop(Lyceum__V1__Hop *hop, unsigned depth, struct buf *to)
{
	struct buf sentence = {0};
	words_hop(hop, &sentence);
	if (to->len > 0)
		buf_add_byte(to, '\n');
	for (unsigned i = 0; i < depth; i++)
		buf_add_text(to, "  ");
	buf_add(to, sentence.data, sentence.len);
	if (*hop->sentence)
		free(hop->sentence);
	hop->sentence = buf_text(&sentence);
}

static void tell_below(struct inquiry *inquiry, const char *parent, unsigned depth,
		       bool told[WHY_MAX_HOPS], struct buf *to)
{
	for (size_t i = 0; i < inquiry->hop_count && depth < 32; i++) {
		Lyceum__V1__Hop *hop = inquiry->hops[i];
		bool is_next =
			parent ? strcmp(hop->parent, parent) == 0 : !has_parent(inquiry, hop);
		if (told[i] || !is_next)
			continue;
		told[i] = true;
		tell_hop(hop, depth, to);
		if (*hop->span)
			tell_below(inquiry, hop->span, depth + 1, told, to);
	}
}

void why_trace_tell(struct inquiry *inquiry, struct buf *to)
{
	bool told[WHY_MAX_HOPS] = {false};
	if (inquiry->hop_count > 0)
		qsort(inquiry->hops, inquiry->hop_count, sizeof(Lyceum__V1__Hop *), by_time);
	tell_below(inquiry, NULL, 0, told, to);
	/* Spans that go round in a circle are somebody's fault, and told all the same. */
	for (size_t i = 0; i < inquiry->hop_count; i++) {
		if (!told[i])
			tell_hop(inquiry->hops[i], 0, to);
	}
	if (inquiry->is_refusal && inquiry->hop_count > 0 && *inquiry->hops[0]->trace)
		buf_add_format(to, "\nThe whole way: lyceum why %s", inquiry->hops[0]->trace);
}
