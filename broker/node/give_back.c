/*
 * After a restore. A daemon whose log has earlier epochs says in Follow, beside the positions of
 * others, how far it has each epoch of its own. The peer sends what it holds beyond, as it would
 * send any other record, and names the daemon's current epoch among what it has sent when that was
 * all. Records of a current epoch are never given back: their home has them. A hub that was
 * restored, too, asks its nodes for what it cannot give any more, and passes it on.
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
/* Bytes that wait for a home, beyond which what others give back to it is asked for again. */
#define MAX_PASSED (2u * 1024 * 1024)

static struct span text_span(const char *text)
{
	return span_of(text, strlen(text));
}

static struct span own_name(const struct link *link)
{
	const struct stream *stream = link->links->stream;
	return span_of(stream->name, strlen(stream->name));
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
		bool is_for_others = link->is_hub && !span_equal(position->origin, own_name(link));
		struct asked *asked = &link->asked[link->asked_count];
		if ((!span_is(position->origin, link->peer) && !is_for_others) ||
		    position->origin.len >= sizeof(asked->origin))
			continue;
		*asked = (struct asked){.epoch = position->epoch, .seq = position->seq};
		memcpy(asked->origin, position->origin.data, position->origin.len);
		link->asked_count++;
	}
}

/* 0: it has not asked. */
static uint64_t current_epoch(const struct link *link, struct span origin)
{
	uint64_t epoch = 0;
	for (size_t i = 0; i < link->asked_count; i++) {
		if (span_is(origin, link->asked[i].origin) && link->asked[i].epoch > epoch)
			epoch = link->asked[i].epoch;
	}
	return epoch;
}

static uint64_t asked_seq(const struct link *link, struct span origin, uint64_t epoch)
{
	for (size_t i = 0; i < link->asked_count; i++) {
		if (span_is(origin, link->asked[i].origin) && link->asked[i].epoch == epoch)
			return link->asked[i].seq;
	}
	return 0;
}

bool link_has_asked(const struct link *link)
{
	return current_epoch(link, text_span(link->peer)) > 0;
}

bool link_gives_back(const struct link *link, const struct record *record)
{
	return record->origin.len > 0 && record->epoch < current_epoch(link, record->origin) &&
	       record->origin_seq > asked_seq(link, record->origin, record->epoch);
}

/* The epochs of who asks that are here and over, in turn; false at the end. */
static bool next_epoch(const struct link *link, struct span name, size_t *at,
		       struct origin_former *ret_epoch)
{
	const struct origin *origin = origins_find(&link->links->stream->origins, name);
	while (origin && *at <= origin->former_count) {
		size_t i = (*at)++;
		*ret_epoch = i < origin->former_count
				     ? origin->formers[i]
				     : (struct origin_former){.epoch = origin->epoch,
							      .seq = origin->seq};
		if (ret_epoch->epoch < current_epoch(link, name))
			return true;
	}
	return false;
}

uint64_t link_give_start(const struct link *link)
{
	uint64_t start = UINT64_MAX;
	for (size_t i = 0; i < link->asked_count; i++) {
		struct span name = text_span(link->asked[i].origin);
		const struct origin *origin = origins_find(&link->links->stream->origins, name);
		struct origin_former epoch;
		size_t at = 0;
		while (next_epoch(link, name, &at, &epoch)) {
			uint64_t seq = asked_seq(link, name, epoch.epoch);
			uint64_t first = epoch.seq > seq ? origin_start(origin, epoch.epoch, seq)
							 : UINT64_MAX;
			start = first < start ? first : start;
		}
	}
	return start;
}

bool link_has_given(const struct link *link)
{
	return link_has_asked(link) && link->is_followed && link->next_seq > link->give_until;
}

size_t link_list_given(const struct link *link, struct wire_position *to)
{
	const struct span name = text_span(link->peer);
	struct origin_former epoch;
	size_t count = 0;
	size_t at = 0;
	if (!link_has_asked(link))
		return 0;
	while (next_epoch(link, name, &at, &epoch))
		to[count++] = (struct wire_position){
			.origin = name, .epoch = epoch.epoch, .seq = epoch.seq};
	to[count++] = (struct wire_position){.origin = name, .epoch = current_epoch(link, name)};
	return count;
}

/* ---- a hub that was restored, too ---- */

static bool was_restored(const struct link *link)
{
	return link->links->stream->origins.items[0].former_count > 0;
}

/* All of what one node asks for, or nothing of it. */
static size_t list_of(const struct link *home, struct wire_position *to, size_t max)
{
	const struct span name = text_span(home->peer);
	size_t count = 0;
	if (home->asked_count + ORIGIN_MAX_FORMER + 1 > max)
		return 0;
	for (; count < home->asked_count; count++)
		to[count] = (struct wire_position){.origin = name,
						   .epoch = home->asked[count].epoch,
						   .seq = home->asked[count].seq};
	/* What is here is given from here. */
	struct origin_former epoch;
	size_t at = 0;
	while (next_epoch(home, name, &at, &epoch)) {
		size_t i = 0;
		while (i < count && to[i].epoch != epoch.epoch)
			i++;
		if (i == count)
			to[count++] = (struct wire_position){.origin = name, .epoch = epoch.epoch};
		if (to[i].seq < epoch.seq)
			to[i].seq = epoch.seq;
	}
	return count;
}

size_t link_list_asked(const struct link *link, struct wire_position *to, size_t max)
{
	size_t count = 0;
	if (link->is_hub || !was_restored(link))
		return 0;
	list_each (node, &link->links->all) {
		const struct link *home = list_entry(node, struct link, node);
		if (home != link && home->session && link_has_asked(home))
			count += list_of(home, to + count, max - count);
	}
	return count;
}

bool link_pass_back(struct link *link, const struct record *record, struct span bytes)
{
	struct link *home = NULL;
	if (link->is_hub || !was_restored(link))
		return false;
	list_each (node, &link->links->all) {
		struct link *other = list_entry(node, struct link, node);
		if (span_is(record->origin, other->peer) && other != link)
			home = other;
	}
	if (!home)
		return false;
	if (!home->session || !link_gives_back(home, record))
		return true; /* it has been answered, or will ask again */
	if (session_backlog(home->session) > MAX_PASSED) {
		home->has_passed_by = true;
		return true;
	}
	session_send_copy(home->links->sessions, home->session, bytes);
	home->unconfirmed_len += bytes.len;
	home->copied_count++;
	return true;
}
