/* Plain words for hops and records. */
#include "node/why_words.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <lyceum/status.h>

static void add_moment(struct buf *to, uint64_t ms)
{
	char text[32];
	time_t seconds = (time_t)(ms / 1000);
	struct tm moment;
	gmtime_r(&seconds, &moment);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &moment);
	buf_add_format(to, "%s UTC", text);
}

/* ---- Hops ---- */

static const char *rule_name(Lyceum__V1__Hop__Rule rule)
{
	static const char *const names[] = {
		[LYCEUM__V1__HOP__RULE__RIGHT] = "its right to do so",
		[LYCEUM__V1__HOP__RULE__PRINCIPAL] = "for whom it may speak",
		[LYCEUM__V1__HOP__RULE__SCHEMA] = "a rule of its schema",
		[LYCEUM__V1__HOP__RULE__LABEL] = "its label",
		[LYCEUM__V1__HOP__RULE__HOME] = "the home of its key",
		[LYCEUM__V1__HOP__RULE__EXPECTATION] = "the sequence that it expected",
		[LYCEUM__V1__HOP__RULE__CREDIT] = "credit",
		[LYCEUM__V1__HOP__RULE__LIMIT] = "a limit",
		[LYCEUM__V1__HOP__RULE__DEADLINE] = "its deadline",
		[LYCEUM__V1__HOP__RULE__POSITION] = "the position that it waits for",
		[LYCEUM__V1__HOP__RULE__LINK] = "a link that is down",
		[LYCEUM__V1__HOP__RULE__NOBODY] = "nobody who serves it",
		[LYCEUM__V1__HOP__RULE__GONE] = "a callee that went away",
		[LYCEUM__V1__HOP__RULE__ANSWER] = "an answer that cannot be passed on",
		[LYCEUM__V1__HOP__RULE__DISK] = "a log that did not take it",
	};
	size_t count = sizeof(names) / sizeof(names[0]);
	const char *name = (size_t)rule < count ? names[rule] : NULL;
	return name ? name : "a rule without a name";
}

static void add_begin(const Lyceum__V1__Hop *hop, struct buf *to)
{
	static const char *const verbs[] = {
		[LYCEUM__V1__HOP__KIND__CALL] = "called",
		[LYCEUM__V1__HOP__KIND__PUBLISH] = "published",
		[LYCEUM__V1__HOP__KIND__SUBSCRIPTION] = "subscribed to",
		[LYCEUM__V1__HOP__KIND__SESSION] = "was connected or wanted to be",
		[LYCEUM__V1__HOP__KIND__REGISTRATION] = "wanted to serve",
	};
	buf_add_format(to, "%s, ", hop->daemon);
	add_moment(to, hop->time_ms);
	buf_add_format(to, ": '%s' %s", *hop->from ? hop->from : "somebody",
		       (size_t)hop->kind < sizeof(verbs) / sizeof(verbs[0]) && verbs[hop->kind]
			       ? verbs[hop->kind]
			       : "did");
	if (*hop->subject)
		buf_add_format(to, " %s", hop->subject);
	else if (hop->kind == LYCEUM__V1__HOP__KIND__CALL)
		buf_add_text(to, " something");
	if (*hop->principal && strcmp(hop->principal, hop->from) != 0)
		buf_add_format(to, " for %s", hop->principal);
}

static void add_way(const Lyceum__V1__Hop *hop, struct buf *to)
{
	if (hop->was_queued)
		buf_add_text(to, "; it waited until the log was far enough");
	switch (hop->reason) {
	case LYCEUM__V1__HOP__REASON__AT:
		buf_add_format(to, "; it went to '%s', because `at` names a node", hop->to);
		break;
	case LYCEUM__V1__HOP__REASON__KEY_HOME:
		buf_add_format(to, "; it went to '%s', on the way to its key's home", hop->to);
		break;
	case LYCEUM__V1__HOP__REASON__SERVED_HERE:
		buf_add_format(to, "; it went to '%s', which serves it here", hop->to);
		break;
	case LYCEUM__V1__HOP__REASON__OWN_METHOD:
		buf_add_text(to, "; the daemon serves it itself");
		break;
	case LYCEUM__V1__HOP__REASON__HUB_FINDS:
		buf_add_format(to,
			       "; nobody here serves it, so it went to the hub '%s', which finds "
			       "who does",
			       hop->to);
		break;
	case LYCEUM__V1__HOP__REASON__SERVED_THERE:
		buf_add_format(to, "; it went to '%s', which serves it", hop->to);
		break;
	case LYCEUM__V1__HOP__REASON__REASON_UNSPECIFIED:
	default:
		break;
	}
}

static void add_end(const Lyceum__V1__Hop *hop, struct buf *to)
{
	const char *status = lyc_status_name((enum lyc_status)hop->status);
	if (hop->refusal > 0) {
		buf_add_format(to, "; %s refused it as r%" PRIu64 " with %s, because of %s",
			       hop->daemon, hop->refusal, status, rule_name(hop->rule));
		if (*hop->field)
			buf_add_format(to, " (field %s)", hop->field);
		if (*hop->text)
			buf_add_format(to, ": %s", hop->text);
	} else if (hop->kind == LYCEUM__V1__HOP__KIND__PUBLISH && hop->seq > 0) {
		buf_add_format(to, "; it became record %" PRIu64 " after %" PRIu64 " ms", hop->seq,
			       hop->took_ms);
	} else if (hop->kind == LYCEUM__V1__HOP__KIND__PUBLISH) {
		buf_add_text(to, "; it went to the subscribers of that moment and is kept nowhere");
	} else if (!hop->has_ended) {
		buf_add_text(to, "; it has not been answered yet");
	} else {
		buf_add_format(to, "; answered %s after %" PRIu64 " ms", status, hop->took_ms);
		if (*hop->field)
			buf_add_format(to, " (field %s)", hop->field);
	}
	buf_add_byte(to, '.');
}

void words_hop(const Lyceum__V1__Hop *hop, struct buf *to)
{
	add_begin(hop, to);
	add_way(hop, to);
	add_end(hop, to);
}

void words_asked(const Lyceum__V1__Asked *asked, struct buf *to)
{
	if (asked->has_answered)
		buf_add_format(to, "%s was asked and has answered.", asked->daemon);
	else
		buf_add_format(to, "%s was asked and did not answer: %s.", asked->daemon,
			       asked->text);
}

/* ---- Records ---- */

/* Who may see what has this label; `home` where it names none. */
static void add_label(const Lyceum__V1__Label *label, const char *home, struct buf *to)
{
	int visibility = label ? (int)label->visibility : LYCEUM__V1__VISIBILITY__MEMBERS;
	const char *at = label && *label->home ? label->home : home;
	switch (visibility) {
	case LYCEUM__V1__VISIBILITY__PUBLIC:
		buf_add_text(to, "everybody who can reach a node (PUBLIC)");
		break;
	case LYCEUM__V1__VISIBILITY__MEMBERS:
		buf_add_text(to, "every node of the network and its people (MEMBERS)");
		break;
	case LYCEUM__V1__VISIBILITY__AUDIENCE:
		buf_add_format(to, "%s and ", at);
		for (size_t i = 0; i < label->n_audience; i++)
			buf_add_format(to, "%s%s", i ? ", " : "", label->audience[i]);
		buf_add_format(to, "%s only (AUDIENCE)", label->n_audience ? "" : "nobody else");
		break;
	default:
		buf_add_format(to, "its home %s only; it never leaves it (PRIVATE)", at);
	}
}

static void add_line(struct buf *to)
{
	if (to->len > 0)
		buf_add_byte(to, '\n');
}

static void add_state(const Lyceum__V1__RecordFate *fate, struct buf *to)
{
	add_line(to);
	if (fate->erases)
		buf_add_text(
			to,
			"It erases its subject: what was there before is taken out of the files.");
	else if (fate->removed)
		buf_add_text(to, "It withdraws its subject: there is no body.");
	else if (fate->superseded_by > 0 && fate->is_withdrawn)
		buf_add_format(to, "Its subject was withdrawn by record %" PRIu64 ".",
			       fate->superseded_by);
	else if (fate->superseded_by > 0)
		buf_add_format(to,
			       "It was superseded: record %" PRIu64 " is the last of its subject.",
			       fate->superseded_by);
	else
		buf_add_text(to, "It is the last record of its subject.");
	if (!fate->schema_is_held) {
		add_line(to);
		buf_add_format(
			to, "Its schema is not held here, so it is kept and passed to nobody: %s.",
			fate->schema_text);
	} else if (*fate->schema_text) {
		add_line(to);
		buf_add_format(to, "It is passed to nobody: %s.", fate->schema_text);
	}
	if (fate->was_cut) {
		add_line(to);
		buf_add_text(to,
			     "What is here is less than its home holds: labelled parts were cut "
			     "out before it came.");
	}
}

static void add_reach(const Lyceum__V1__Reach *reach, struct buf *to)
{
	add_line(to);
	switch (reach->state) {
	case LYCEUM__V1__REACH__STATE__CONFIRMED:
		buf_add_format(to, "%s has it", reach->daemon);
		break;
	case LYCEUM__V1__REACH__STATE__WAITING:
		buf_add_format(to, "%s has not confirmed it yet", reach->daemon);
		break;
	default:
		buf_add_format(to, "%s does not get it", reach->daemon);
	}
	if (*reach->text)
		buf_add_format(to, ": %s", reach->text);
	if (reach->cut_parts > 0)
		buf_add_format(to, "; %" PRIu32 " labelled part%s %s cut out for it",
			       reach->cut_parts, reach->cut_parts == 1 ? "" : "s",
			       reach->cut_parts == 1 ? "is" : "are");
	if (*reach->by)
		buf_add_format(to, " (as '%s' says)", reach->by);
	buf_add_byte(to, '.');
}

static void add_passed(const Lyceum__V1__Passed *passed, struct buf *to)
{
	add_line(to);
	if (passed->is_view)
		buf_add_format(to, "The view of the plugin '%s'", passed->name);
	else if (*passed->durable)
		buf_add_format(to, "The durable subscriber '%s' of '%s'", passed->durable,
			       passed->name);
	else
		buf_add_format(to, "The subscriber '%s'", passed->name);
	buf_add_text(to, passed->has_passed ? " has passed it" : " has not come to it yet");
	if (passed->is_away)
		buf_add_text(to, " and is not connected");
	if (passed->behind > 0)
		buf_add_format(to, ", %" PRIu64 " record%s behind the log", passed->behind,
			       passed->behind == 1 ? "" : "s");
	buf_add_byte(to, '.');
}

void words_record(const Lyceum__V1__RecordFate *fate, struct buf *to)
{
	bool is_home = strcmp(fate->origin, fate->daemon) == 0;
	buf_add_format(to, "Record %s/%" PRIu64 "/%" PRIu64, fate->origin, fate->epoch,
		       fate->origin_seq);
	if (!is_home)
		buf_add_format(to, ", record %" PRIu64 " of the log of %s", fate->seq,
			       fate->daemon);
	buf_add_format(to, ": %s", fate->subject);
	add_line(to);
	buf_add_text(to, "Written ");
	add_moment(to, fate->time_ms);
	if (*fate->principal)
		buf_add_format(to, " for %s", fate->principal);
	if (strspn(fate->schema, "0") < strlen(fate->schema))
		buf_add_format(to, ", with the schema %s", fate->schema);
	buf_add_byte(to, '.');
	add_line(to);
	buf_add_format(to, "Its home is %s%s.", fate->origin, is_home ? ", here" : "");
	add_line(to);
	buf_add_text(to, "It may be seen by ");
	add_label(fate->label, fate->origin, to);
	buf_add_byte(to, '.');
	add_state(fate, to);
	for (size_t i = 0; i < fate->n_reach; i++)
		add_reach(fate->reach[i], to);
	for (size_t i = 0; i < fate->n_passed; i++)
		add_passed(fate->passed[i], to);
	if (*fate->trace) {
		add_line(to);
		buf_add_format(to, "What led to it: lyceum why %.32s", fate->trace + 3);
	}
}
