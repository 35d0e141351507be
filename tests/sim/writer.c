/* What an operator publishes. */
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"
#include "sim_node.h"
#include "view.h"
#include "writes.h"

#define WORK_US 90000
#define MAX_OUTSTANDING (SIM_PUBLISH_CREDIT / 2)

struct outstanding {
	uint64_t id;
	uint64_t write; /* 0: of something that has to be refused */
	size_t len;
};

struct writer {
	struct outstanding outstanding[64];
	size_t outstanding_len;
	/* Transient messages of which the credit has not come back. */
	size_t transient_len;
	uint64_t last_seq[VIEW_IDS]; /* as far as it was told */
	uint64_t stream;             /* of its transient messages, begun anew with each session */
	uint64_t stream_count;
	uint64_t epoch;
};

static struct writer *writer_of(const struct sim_peer *peer)
{
	return peer->state;
}

/* ---- out ---- */

static struct outstanding *free_place(struct writer *writer)
{
	for (size_t i = 0; i < 64; i++) {
		if (writer->outstanding[i].id == 0)
			return &writer->outstanding[i];
	}
	return NULL;
}

static void send_publish(struct sim_peer *peer, struct packet_publish *publish, uint64_t write)
{
	struct writer *writer = writer_of(peer);
	struct packet packet = {.kind = PACKET_PUBLISH};
	struct outstanding *place = free_place(writer);
	publish->id = ++peer->next_id;
	packet.publish = *publish;
	sim_peer_send(peer, &packet);
	*place = (struct outstanding){
		.id = publish->id, .write = write, .len = publish->durable ? peer->out.len : 0};
	writer->outstanding_len += place->len;
	writer->transient_len += publish->durable ? 0 : peer->out.len;
}

/* A notice with a label, now and then with labelled parts where the plugin here knows them. */
static void write_notice(struct sim *sim, struct write *write, size_t home, size_t id,
			 const struct sim_node *node)
{
	struct audience audience = audience_by_luck(sim, home);
	char text[160];
	char key[8];
	snprintf(key, sizeof(key), "%zu", id);
	write->readers = audience.readers;
	writes_text(text, sizeof(text), write->readers, write->number);
	pb_write_text(&write->body, 1, sim_node_names[home]);
	pb_write_text(&write->body, 2, key);
	if (sim_chance(sim, 100)) {
		size_t len = strlen(text);
		size_t more = 20 + sim_below(sim, 100);
		memset(text + len, 'x', more);
		text[len + more] = '\0';
	}
	pb_write_text(&write->body, 3, text);
	audience_write(&write->body, 4, &audience);
	for (uint64_t parts = node->schema_known == 1 ? sim_below(sim, 3) : 0; parts > 0; parts--) {
		struct audience of_part = audience_by_luck(sim, home);
		size_t part = pb_begin(&write->body, 5);
		write->has_parts = true;
		writes_text(text, sizeof(text), of_part.readers & write->readers,
			    WRITE_PART_BASE + write->number);
		pb_write_text(&write->body, 1, text);
		audience_write(&write->body, 2, &of_part);
		pb_end(&write->body, part);
	}
}

static void post(struct sim_peer *peer)
{
	struct sim *sim = peer->sim;
	struct writer *writer = writer_of(peer);
	size_t home = peer->node->index;
	size_t id = sim_below(sim, VIEW_IDS);
	struct write *write = writes_add(sim->writes, home);
	struct packet_publish publish = {.durable = true};
	snprintf(write->subject, sizeof(write->subject), "lyceum.notice.v1.Notice.%s.%zu",
		 peer->node->name, id);
	write->epoch = peer->epoch;
	write->known_seq = writer->last_seq[id];
	publish.subject = text_span("lyceum.notice.v1.Notice");
	if (sim_chance(sim, 150)) {
		write->removed = true;
		write->readers = UINT32_MAX;
		publish.remove = true;
		publish.subject = text_span(write->subject);
		sim->counts.removals++;
	} else {
		write_notice(sim, write, home, id, peer->node);
	}
	if (sim_chance(sim, 350)) {
		publish.has_expect = write->has_expect = true;
		publish.expect_seq = writer->last_seq[id];
		if (sim_chance(sim, 200))
			publish.expect_seq = sim_below(sim, publish.expect_seq + 3);
		write->expect_seq = publish.expect_seq;
		sim->counts.expects++;
	}
	publish.body = span_of(write->body.data, write->body.len);
	sim_note(sim, "%s: publishes %llu %s%s%s", peer->node->name,
		 (unsigned long long)write->number, write->subject,
		 write->removed ? " removed" : "", write->has_expect ? " expecting" : "");
	send_publish(peer, &publish, write->number);
}

static void post_remark(struct sim_peer *peer)
{
	struct sim *sim = peer->sim;
	struct write *write = writes_add(sim->writes, peer->node->index);
	struct audience audience = audience_by_luck(sim, peer->node->index);
	char text[60];
	struct buf label = {0};
	snprintf(write->subject, sizeof(write->subject), "lyceum.notice.v1.Remark.%s.%u",
		 peer->node->name, (unsigned)sim_below(sim, 3));
	write->epoch = peer->epoch;
	write->readers = sim_chance(sim, 500) ? UINT32_MAX : audience.readers;
	writes_text(text, sizeof(text), write->readers, write->number);
	pb_write_text(&write->body, 1, text);
	if (write->readers != UINT32_MAX) {
		pb_write_uint(&label, 2, (uint64_t)audience.visibility);
		pb_write_text(&label, 3, audience.name);
	}
	struct packet_publish publish = {.durable = true,
					 .subject = text_span(write->subject),
					 .body = span_of(write->body.data, write->body.len),
					 .label = span_of(label.data, label.len)};
	sim_note(sim, "%s: publishes %llu %s", peer->node->name, (unsigned long long)write->number,
		 write->subject);
	send_publish(peer, &publish, write->number);
	buf_fini(&label);
}

/* Numbered within the session, so that a receiver sees what it missed. */
static void say_remark(struct sim_peer *peer)
{
	struct writer *writer = writer_of(peer);
	char text[80];
	char subject[60];
	struct buf body = {0};
	if (writer->stream == 0 || writer->stream_count + 1 >= WRITER_COUNT_MAX ||
	    writer->transient_len > MAX_OUTSTANDING)
		return;
	writes_text(text, sizeof(text), UINT32_MAX, 0);
	size_t len = strlen(text);
	snprintf(text + len, sizeof(text) - len, "s%lluc%llu;", (unsigned long long)writer->stream,
		 (unsigned long long)++writer->stream_count);
	pb_write_text(&body, 1, text);
	snprintf(subject, sizeof(subject), "lyceum.notice.v1.Remark.%s.%llu", peer->node->name,
		 (unsigned long long)writer->stream_count % 3);
	struct packet_publish publish = {.subject = text_span(subject),
					 .body = span_of(body.data, body.len)};
	send_publish(peer, &publish, 0);
	buf_fini(&body);
}

/* Something that is not this daemon's to write. */
static void trespass(struct sim_peer *peer)
{
	struct sim *sim = peer->sim;
	size_t other = (peer->node->index + 1 + sim_below(sim, SIM_NODES - 1)) % SIM_NODES;
	struct write *write = writes_add(sim->writes, other);
	snprintf(write->subject, sizeof(write->subject), "lyceum.notice.v1.Notice.%s.x",
		 sim_node_names[other]);
	write->state = WRITE_REFUSED;
	write_notice(sim, write, other, sim_below(sim, VIEW_IDS), peer->node);
	struct packet_publish publish = {.durable = true,
					 .subject = text_span("lyceum.notice.v1.Notice"),
					 .body = span_of(write->body.data, write->body.len)};
	send_publish(peer, &publish, write->number);
}

static void work(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	struct sim *sim = peer->sim;
	struct writer *writer = writer_of(peer);
	if (peer->session != session || sim->is_calm)
		return;
	/* Now and then several at once. */
	uint64_t count = sim_chance(sim, 80) ? 2 + sim_below(sim, 12) : 1;
	for (; count > 0; count--) {
		uint64_t what = sim_below(sim, 100);
		bool has_room =
			free_place(writer) != NULL && writer->outstanding_len < MAX_OUTSTANDING;
		if (what < 45 && has_room)
			post(peer);
		else if (what < 53 && has_room)
			post_remark(peer);
		else if (what < 70 && has_room)
			say_remark(peer);
		else if (what < 73 && has_room)
			trespass(peer);
		else
			caller_call(peer);
	}
	sim_peer_in(peer, sim_around(sim, WORK_US), work);
}

void writer_mark(struct sim_peer *peer)
{
	if (peer->is_up)
		say_remark(peer);
}

/* ---- in ---- */

static void check_expect(struct sim_peer *peer, const struct write *write,
			 const struct packet_ack *ack)
{
	if (!write->has_expect || ack->status != LYC_FAILED_PRECONDITION)
		return;
	if (ack->seq == write->expect_seq)
		sim_broken(peer->sim, PROMISE_EXPECT,
			   "%s refused write %llu of %s, which expected %llu, and that is its last",
			   peer->node->name, (unsigned long long)write->number, write->subject,
			   (unsigned long long)write->expect_seq);
	if (ack->seq < write->known_seq)
		sim_broken(peer->sim, PROMISE_EXPECT,
			   "%s says that the last of %s is %llu, and had said %llu before",
			   peer->node->name, write->subject, (unsigned long long)ack->seq,
			   (unsigned long long)write->known_seq);
}

static void acked(struct sim_peer *peer, const struct packet_ack *ack)
{
	struct sim *sim = peer->sim;
	struct writer *writer = writer_of(peer);
	struct outstanding *place = writer->outstanding;
	while (place < writer->outstanding + 64 && place->id != ack->id)
		place++;
	if (place == writer->outstanding + 64) {
		sim_broken(sim, PROMISE_ONCE, "%s answered a publish that nobody waits for",
			   peer->node->name);
		return;
	}
	struct write *write = writes_get(sim->writes, place->write);
	writer->outstanding_len -= place->len;
	*place = (struct outstanding){0};
	if (!write)
		return;
	sim_note(sim, "%s: write %llu: %s %llu", peer->node->name,
		 (unsigned long long)write->number, lyc_status_name((enum lyc_status)ack->status),
		 (unsigned long long)ack->seq);
	if (write->state == WRITE_REFUSED) {
		if (ack->status == LYC_OK)
			sim_broken(sim, PROMISE_HOME, "%s took a record of %s", peer->node->name,
				   sim_node_names[write->home]);
		return;
	}
	check_expect(peer, write, ack);
	write->state = ack->status == LYC_OK ? WRITE_ACKED : WRITE_REFUSED;
	/* What the machine did not answer may be there or not. */
	if (ack->status == LYC_UNAVAILABLE || ack->status == LYC_RESOURCE_EXHAUSTED)
		write->state = WRITE_UNKNOWN;
	if (ack->status != LYC_OK)
		sim->counts.refusals++;
	size_t home;
	size_t id;
	bool is_told = ack->status == LYC_OK || ack->status == LYC_FAILED_PRECONDITION;
	if (is_told && view_key(text_span(write->subject), &home, &id) &&
	    ack->seq > writer->last_seq[id])
		writer->last_seq[id] = ack->seq;
	if (ack->status != LYC_OK)
		return;
	sim->counts.acks++;
	write->seq = ack->seq;
}

static void credited(struct sim_peer *peer, const struct packet_credit *credit)
{
	struct writer *writer = writer_of(peer);
	if (credit->id != 0 || credit->call != 0 || credit->value > writer->transient_len) {
		sim_broken(peer->sim, PROMISE_BOUNDED, "%s gives back %llu bytes of %zu",
			   peer->node->name, (unsigned long long)credit->value,
			   writer->transient_len);
		return;
	}
	writer->transient_len -= credit->value;
}

static void on_up(struct sim_peer *peer)
{
	struct writer *writer = writer_of(peer);
	writer->stream =
		peer->sim->stream_count + 1 < WRITER_STREAMS_MAX ? ++peer->sim->stream_count : 0;
	writer->stream_count = 0;
	if (writer->epoch != peer->epoch)
		memset(writer->last_seq, 0, sizeof(writer->last_seq));
	writer->epoch = peer->epoch;
	sim_peer_in(peer, sim_around(peer->sim, WORK_US), work);
}

static void on_down(struct sim_peer *peer)
{
	struct writer *writer = writer_of(peer);
	for (size_t i = 0; i < 64; i++) {
		struct write *write = writes_get(peer->sim->writes, writer->outstanding[i].write);
		if (write && write->state == WRITE_SENT)
			write->state = WRITE_UNKNOWN;
	}
	memset(writer->outstanding, 0, sizeof(writer->outstanding));
	writer->outstanding_len = 0;
	writer->transient_len = 0;
	caller_lost(peer);
}

static void on_packet(struct sim_peer *peer, const struct packet *packet)
{
	if (packet->kind == PACKET_ACK)
		acked(peer, &packet->ack);
	else if (packet->kind == PACKET_CREDIT)
		credited(peer, &packet->credit);
	else if (packet->kind == PACKET_REPLY)
		caller_replied(peer, &packet->reply);
}

static void writer_free(struct sim_peer *peer)
{
	free(peer->state);
}

struct sim_peer *writer_new(struct sim *sim, struct sim_node *node)
{
	static const struct peer_role role = {.on_up = on_up,
					      .on_down = on_down,
					      .on_packet = on_packet,
					      .free = writer_free,
					      .reader_bit = writes_operator_bit};
	return sim_peer_new(sim, node, "root", &role, mem_new(struct writer));
}
