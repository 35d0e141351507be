/*
 * After a restore. A daemon whose log has earlier epochs says in Follow, beside the positions of
 * others, how far it has each epoch of its own. The peer sends what it holds beyond, as it would
 * send any other record, and names the daemon's current epoch among what it has sent when that was
 * all. Records of a current epoch are never given back: their home has them.
 */
#include "node/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "log.h"

#define LOG_TOPIC "link"

static struct span own_name(const struct link *link)
{
	const struct stream *stream = link->links->stream;
	return span_of(stream->name, strlen(stream->name));
}

static const struct origin *peer_origin(const struct link *link)
{
	return origins_find(&link->links->stream->origins, span_of(link->peer, strlen(link->peer)));
}

/* ---- the daemon that was restored ---- */

static char *given_key(const struct link *link)
{
	struct buf key = {0};
	buf_add_text(&key, "given.");
	for (const char *at = link->peer; *at; at++)
		buf_add_format(&key, "%02x", (unsigned char)*at);
	return buf_text(&key);
}

static void load_given(struct link *link)
{
	const struct env *env = link->links->env;
	struct buf saved = {0};
	char *key = given_key(link);
	env->load(env->world, key, &saved);
	struct pb_reader reader = pb_reader_of(span_of(saved.data, saved.len));
	struct pb_field field;
	link->given_count = 0;
	while (pb_read_field(&reader, &field) && link->given_count < ORIGIN_MAX_FORMER) {
		if (field.number == 1)
			link->given[link->given_count].epoch = field.value;
		else if (field.number == 2)
			link->given[link->given_count++].seq = field.value;
	}
	free(key);
	buf_fini(&saved);
}

static void save_given(const struct link *link)
{
	const struct env *env = link->links->env;
	struct buf saved = {0};
	char *key = given_key(link);
	for (size_t i = 0; i < link->given_count; i++) {
		pb_write_uint(&saved, 1, link->given[i].epoch);
		pb_write_uint(&saved, 2, link->given[i].seq);
	}
	env->save(env->world, key, span_of(saved.data, saved.len));
	free(key);
	buf_fini(&saved);
}

size_t link_list_own(struct link *link, struct wire_position *to)
{
	const struct stream *stream = link->links->stream;
	const struct origin *own = &stream->origins.items[0];
	size_t count = 0;
	if (own->former_count == 0)
		return 0;
	load_given(link);
	to[count++] = (struct wire_position){
		.origin = own_name(link), .epoch = stream->epoch, .seq = stream->last_seq};
	for (size_t i = 0; i < own->former_count; i++)
		to[count++] = (struct wire_position){.origin = own_name(link),
						     .epoch = own->formers[i].epoch,
						     .seq = own->formers[i].seq};
	for (size_t i = 0; i < link->given_count; i++) {
		size_t at = 1;
		while (at < count && to[at].epoch != link->given[i].epoch)
			at++;
		if (at == count && count <= ORIGIN_MAX_FORMER)
			to[count++] = (struct wire_position){.origin = own_name(link),
							     .epoch = link->given[i].epoch};
		if (at < count && to[at].seq < link->given[i].seq)
			to[at].seq = link->given[i].seq;
	}
	return count;
}

void link_was_given(struct link *link, const struct wire_position *position)
{
	struct stream *stream = link->links->stream;
	if (position->epoch >= stream->epoch) {
		if (link->is_hub && position->epoch == stream->epoch)
			stream_given_back(stream);
		return;
	}
	size_t at = 0;
	while (at < link->given_count && link->given[at].epoch != position->epoch)
		at++;
	if (at == ORIGIN_MAX_FORMER ||
	    (at < link->given_count && link->given[at].seq >= position->seq))
		return;
	if (at == link->given_count)
		link->given_count++;
	link->given[at] = (struct origin_former){.epoch = position->epoch, .seq = position->seq};
	save_given(link);
}

enum lyc_status link_take_back(struct link *link, const struct record *record,
			       stream_done_fn on_done, struct lyc_error *error)
{
	enum lyc_status status =
		stream_take_back(link->links->stream, record, link->is_hub, on_done, link, error);
	if (status != LYC_INVALID_ARGUMENT)
		return status;
	log_warning("a record of the lost end was not taken back", "peer", link->peer, "reason",
		    error->text);
	return LYC_FAILED_PRECONDITION;
}

/* ---- its peer ---- */

void link_asked(struct link *link, const struct packet_follow *follow)
{
	free(link->asked);
	link->asked = mem_get((follow->position_count + 1) * sizeof(*link->asked));
	link->asked_count = 0;
	link->give_until = link->links->stream->last_seq;
	for (size_t i = 0; i < follow->position_count; i++) {
		const struct wire_position *position = &follow->positions[i];
		if (span_is(position->origin, link->peer))
			link->asked[link->asked_count++] = (struct origin_former){
				.epoch = position->epoch, .seq = position->seq};
	}
}

static uint64_t current_epoch(const struct link *link)
{
	uint64_t epoch = 0;
	for (size_t i = 0; i < link->asked_count; i++)
		epoch = link->asked[i].epoch > epoch ? link->asked[i].epoch : epoch;
	return epoch;
}

static uint64_t asked_seq(const struct link *link, uint64_t epoch)
{
	for (size_t i = 0; i < link->asked_count; i++) {
		if (link->asked[i].epoch == epoch)
			return link->asked[i].seq;
	}
	return 0;
}

bool link_gives_back(const struct link *link, const struct record *record)
{
	return link->asked_count > 0 && span_is(record->origin, link->peer) &&
	       record->epoch < current_epoch(link) &&
	       record->origin_seq > asked_seq(link, record->epoch);
}

/* The epochs of the peer that are here and over, in turn; false at the end. */
static bool next_epoch(const struct link *link, size_t *at, struct origin_former *ret_epoch)
{
	const struct origin *origin = peer_origin(link);
	while (origin && *at <= origin->former_count) {
		size_t i = (*at)++;
		*ret_epoch = i < origin->former_count
				     ? origin->formers[i]
				     : (struct origin_former){.epoch = origin->epoch,
							      .seq = origin->seq};
		if (ret_epoch->epoch < current_epoch(link))
			return true;
	}
	return false;
}

uint64_t link_give_start(const struct link *link)
{
	uint64_t start = UINT64_MAX;
	struct origin_former epoch;
	size_t at = 0;
	while (link->asked_count > 0 && next_epoch(link, &at, &epoch)) {
		uint64_t seq = asked_seq(link, epoch.epoch);
		uint64_t first = epoch.seq > seq ? origin_start(peer_origin(link), epoch.epoch, seq)
						 : UINT64_MAX;
		start = first < start ? first : start;
	}
	return start;
}

bool link_has_given(const struct link *link)
{
	return link->asked_count > 0 && link->is_followed && link->next_seq > link->give_until;
}

size_t link_list_given(const struct link *link, struct wire_position *to)
{
	const struct span name = span_of(link->peer, strlen(link->peer));
	struct origin_former epoch;
	size_t count = 0;
	size_t at = 0;
	if (link->asked_count == 0)
		return 0;
	while (next_epoch(link, &at, &epoch))
		to[count++] = (struct wire_position){
			.origin = name, .epoch = epoch.epoch, .seq = epoch.seq};
	to[count++] = (struct wire_position){.origin = name, .epoch = current_epoch(link)};
	return count;
}
