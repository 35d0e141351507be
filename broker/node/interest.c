/* Which transient messages a link's far side should send: the patterns of all subscriptions but the
 * link's own, each asked for once. */
#include "node/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log.h"

#define LOG_TOPIC "link"

static void ask(struct link *link, const struct interest *interest)
{
	struct packet packet = {.kind = PACKET_SUBSCRIBE};
	packet.subscribe = (struct packet_subscribe){
		.id = interest->id,
		.pattern = span_of(interest->pattern, strlen(interest->pattern)),
		.credit = INT64_MAX, /* a link is bounded by its backlog */
	};
	session_send(link->links->sessions, link->session, &packet);
}

static void stop_asking(struct link *link, const struct interest *interest)
{
	struct packet packet = {.kind = PACKET_UNSUBSCRIBE};
	packet.unsubscribe.id = interest->id;
	session_send(link->links->sessions, link->session, &packet);
}

static void add(struct link *link, const char *pattern)
{
	struct interest *interest;
	HASH_FIND(by_pattern, link->interests, pattern, strlen(pattern), interest);
	if (!interest) {
		interest = mem_new(struct interest);
		interest->pattern = mem_dup(pattern);
		interest->id = ++link->next_interest;
		HASH_ADD_KEYPTR(by_pattern, link->interests, interest->pattern, strlen(pattern),
				interest);
		ask(link, interest);
	}
	interest->count++;
}

static void drop(struct link *link, struct interest *interest)
{
	HASH_DELETE(by_pattern, link->interests, interest);
	free(interest->pattern);
	free(interest);
}

static void remove_one(struct link *link, const char *pattern)
{
	struct interest *interest;
	HASH_FIND(by_pattern, link->interests, pattern, strlen(pattern), interest);
	if (!interest || --interest->count > 0)
		return;
	stop_asking(link, interest);
	drop(link, interest);
}

void links_interest(struct links *links, const struct subscription *subscription, bool is_added)
{
	list_each (node, &links->all) {
		struct link *link = list_entry(node, struct link, node);
		if (!link->session || link->session == subscription->session)
			continue;
		if (is_added)
			add(link, subscription->pattern);
		else
			remove_one(link, subscription->pattern);
	}
}

void link_send_interests(struct link *link)
{
	link->is_refusal_told = false;
	list_each (at, &link->links->sessions->all) {
		struct session *session = list_entry(at, struct session, all);
		if (session == link->session)
			continue;
		list_each (node, &session->subscriptions) {
			const struct subscription *subscription =
				list_entry(node, struct subscription, of_session);
			if (!subscription->records_only)
				add(link, subscription->pattern);
		}
	}
}

void link_gap(struct link *link, const struct packet_gap *gap)
{
	struct interest *interest;
	struct interest *next;
	HASH_ITER (by_pattern, link->interests, interest, next) {
		if (interest->id == gap->id && gap->missed > 0)
			stream_missed(link->links->stream, interest->pattern, gap->missed);
	}
}

void link_refused(struct link *link, const struct packet_unsubscribe *refusal)
{
	char text[160];
	struct interest *interest;
	struct interest *next;
	if (link->is_refusal_told)
		return;
	link->is_refusal_told = true;
	snprintf(text, sizeof(text), "%.*s",
		 (int)(refusal->text.len < 150 ? refusal->text.len : 150),
		 (const char *)refusal->text.data);
	HASH_ITER (by_pattern, link->interests, interest, next) {
		if (interest->id == refusal->id)
			log_warning("the peer does not send what was subscribed to here", "peer",
				    link->peer, "pattern", interest->pattern, "reason", text);
	}
}

void link_forget_interests(struct link *link)
{
	struct interest *interest;
	struct interest *next;
	HASH_ITER (by_pattern, link->interests, interest, next)
		drop(link, interest);
}
