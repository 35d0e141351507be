/* What others have lost is looked for in the log here, and given as far as they may see it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"
#include "node/daemon.h"
#include "node/healing.h"
#include "route/log_read.h"

/* Reads on behalf of all links. */
#define MAX_SEARCHES 256
#define READ_MAX_LEN (256u * 1024)
/* Stretches that are read for one record. */
#define MAX_STRETCHES 16

struct search {
	struct log_read base;
	struct daemon *daemon;
	uint64_t session_serial;
	char origin[64];
	uint64_t epoch;
	uint64_t seq;
	int stretches;
};

static void search_free(struct search *search)
{
	search->daemon->searches--;
	buf_fini(&search->base.records);
	free(search);
}

static struct link *link_of(struct daemon *daemon, uint64_t session_serial)
{
	list_each (node, &daemon->links.all) {
		struct link *link = list_entry(node, struct link, node);
		if (link->session && link->session->serial == session_serial)
			return link;
	}
	return NULL;
}

static void give(struct link *link, uint64_t seq, const struct record *record, struct span bytes)
{
	struct record out;
	struct buf cut = {0};
	struct buf copy = {0};
	struct buf records = {0};
	/* Their own they get as it is held. */
	if (span_is(record->origin, link->peer))
		buf_add(&copy, bytes.data, bytes.len);
	else if (link_judge(link, seq, record, &out, &cut))
		record_write(&copy, &out);
	if (copy.len > 0 && copy.len < WIRE_MAX_PACKET - 64) {
		struct packet packet = {.kind = PACKET_FOUND};
		pb_write_message(&records, 1, span_of(copy.data, copy.len));
		packet.copy.records = span_of(records.data, records.len);
		session_send(link->links->sessions, link->session, &packet);
	}
	buf_fini(&records);
	buf_fini(&copy);
	buf_fini(&cut);
}

/* True when the search is over. */
static bool look(struct search *search, struct link *link)
{
	const struct stream *stream = &search->daemon->stream;
	struct span at = log_read_begin(&search->base.records);
	struct span bytes;
	struct record record;
	uint64_t seq;
	while (log_read_next(&at, &seq, &bytes)) {
		if (record_read(bytes, &record) != LYC_OK)
			continue;
		bool is_own = record.origin.len == 0;
		uint64_t epoch = is_own ? stream_epoch_of(stream, seq) : record.epoch;
		uint64_t origin_seq = is_own ? seq : record.origin_seq;
		bool is_of_origin = is_own ? strcmp(search->origin, stream->name) == 0
					   : span_is(record.origin, search->origin);
		if (!is_of_origin || epoch != search->epoch || origin_seq < search->seq)
			continue;
		if (origin_seq == search->seq)
			give(link, seq, &record, bytes);
		return true;
	}
	return false;
}

static void read_done(struct log_read *base)
{
	struct search *search = (struct search *)base;
	struct link *link = link_of(search->daemon, search->session_serial);
	bool is_over = !link || base->status != LYC_OK || look(search, link) ||
		       base->next_seq > search->daemon->stream.last_seq ||
		       ++search->stretches == MAX_STRETCHES;
	if (is_over) {
		search_free(search);
		return;
	}
	buf_clear(&base->records);
	base->from = base->next_seq;
	search->daemon->env.read(search->daemon->env.world, base);
}

void healing_wanted(struct daemon *daemon, struct link *link, const struct packet_want *want)
{
	struct stream *stream = &daemon->stream;
	for (size_t i = 0; i < want->position_count; i++) {
		const struct wire_position *position = &want->positions[i];
		const struct origin *origin = origins_find(&stream->origins, position->origin);
		bool is_own = span_is(position->origin, stream->name);
		if (!origin || position->seq == 0 || daemon->searches >= MAX_SEARCHES)
			continue;
		uint64_t from = is_own ? position->seq
				       : origin_start(origin, position->epoch, position->seq - 1);
		if (from > stream->last_seq)
			continue;
		struct search *search = mem_new(struct search);
		search->daemon = daemon;
		search->session_serial = link->session->serial;
		memcpy(search->origin, origin->name, sizeof(search->origin));
		search->epoch = position->epoch;
		search->seq = position->seq;
		search->base.from = from;
		search->base.max_bytes = READ_MAX_LEN;
		search->base.on_done = read_done;
		daemon->searches++;
		daemon->env.read(daemon->env.world, &search->base);
	}
}
