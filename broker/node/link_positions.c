/* Positions that a link tells its peer, in as many packets as they take. */
#include <string.h>

#include "node/link.h"

#define HEADS_EVERY_MS 1000
/* Of this daemon and of every origin that it knows, and what is given back. */
#define MAX_POSITIONS (ORIGINS_MAX + ORIGIN_MAX_FORMER + 3)

static size_t list_sent(struct link *link, struct wire_position *to)
{
	struct stream *stream = link->links->stream;
	const struct env *env = link->links->env;
	uint64_t now = env->now_ms(env->world);
	uint64_t wall = env->wall_ms(env->world);
	size_t count = 0;
	to[count++] = (struct wire_position){.origin = span_of(stream->name, strlen(stream->name)),
					     .epoch = stream->epoch,
					     .seq = stream->last_seq};
	for (size_t i = 0; !link->is_hub && i < stream->origins.count; i++) {
		const struct origin *origin = &stream->origins.items[i];
		if (strcmp(origin->name, stream->name) == 0 ||
		    strcmp(origin->name, link->peer) == 0)
			continue;
		to[count++] = (struct wire_position){
			.origin = span_of(origin->name, strlen(origin->name)),
			.epoch = origin->epoch,
			.seq = origin->seq,
			.age_ms = origin_age_ms(origin, now, wall),
		};
	}
	return count + link_list_given(link, to + count);
}

static size_t list_stored(struct link *link, struct wire_position *to)
{
	struct stream *stream = link->links->stream;
	size_t count = 0;
	for (size_t i = 0; i < stream->origins.count; i++) {
		const struct origin *origin = &stream->origins.items[i];
		bool is_theirs = link->is_hub ? strcmp(origin->name, stream->name) != 0
					      : strcmp(origin->name, link->peer) == 0;
		if (is_theirs)
			to[count++] = (struct wire_position){
				.origin = span_of(origin->name, strlen(origin->name)),
				.epoch = origin->epoch,
				.seq = origin->seq,
			};
	}
	return count;
}

/* As many of a list as one packet has room for, from `first` on. */
static size_t part_of(size_t count, size_t first)
{
	if (first >= count)
		return 0;
	return count - first < WIRE_MAX_POSITIONS ? count - first : WIRE_MAX_POSITIONS;
}

void link_send_heads(struct link *link)
{
	struct stream *stream = link->links->stream;
	uint64_t now = link->links->env->now_ms(link->links->env->world);
	bool is_all_sent =
		link->is_followed && !link->is_reading && link->next_seq > stream->last_seq;
	struct wire_position sent[MAX_POSITIONS];
	struct wire_position stored[MAX_POSITIONS];
	size_t sent_count = is_all_sent            ? list_sent(link, sent)
			    : link_has_given(link) ? link_list_given(link, sent)
						   : 0;
	size_t stored_count = list_stored(link, stored);
	size_t first = 0;
	do {
		struct packet packet = {.kind = PACKET_HEADS};
		packet.heads = (struct packet_heads){
			.sent = sent + first,
			.sent_count = part_of(sent_count, first),
			.stored = stored + first,
			.stored_count = part_of(stored_count, first),
			.stored_bytes = arrivals_take(&link->arrivals),
		};
		session_send(link->links->sessions, link->session, &packet);
		first += WIRE_MAX_POSITIONS;
	} while (first < sent_count || first < stored_count);
	link->is_stored_dirty = false;
	if (is_all_sent)
		link->is_sent_dirty = false;
	link->heads_due_ms = now + HEADS_EVERY_MS;
}

void link_send_follow(struct link *link)
{
	struct session_table *sessions = link->links->sessions;
	struct wire_position stored[MAX_POSITIONS + WIRE_MAX_POSITIONS];
	size_t own_count = link_list_own(link, stored);
	own_count += link_list_asked(link, stored + own_count, WIRE_MAX_POSITIONS - own_count);
	size_t count = own_count + list_stored(link, stored + own_count);
	for (size_t first = WIRE_MAX_POSITIONS; first < count; first += WIRE_MAX_POSITIONS) {
		struct packet packet = {.kind = PACKET_HEADS};
		packet.heads = (struct packet_heads){.stored = stored + first,
						     .stored_count = part_of(count, first)};
		session_send(sessions, link->session, &packet);
	}
	struct packet packet = {.kind = PACKET_FOLLOW};
	packet.follow = (struct packet_follow){.positions = stored,
					       .position_count = part_of(count, 0),
					       .credit = LINK_FOLLOW_CREDIT};
	session_send(sessions, link->session, &packet);
}
