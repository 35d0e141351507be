/* Lyceum under overload: each process is one peer on a bare line, whose frames are full. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "calls/calls.h"
#include "kit/raw_peer.h"
#include "kit/zmtp.h"
#include "overload/overload.h"

#define METHOD "lyceum.echo.v1.Echo/Say"
#define SUBJECT "lyceum.echo.v1.Note.load"
#define TEXT_LEN 253
#define LINE_SIZE (256 * 1024)
/* Below the credits that Welcome gives at least. */
#define WINDOW_LEN (1024 * 1024)
#define CALLS_LEN (6 * 1024 * 1024)

struct loader {
	struct raw_peer peer;
	struct overload_board *board;
	uint64_t sent;
	uint64_t answered;
};

static void on_packet(const struct packet *packet, void *arg)
{
	struct loader *loader = arg;
	uint32_t status;
	if (packet->kind == PACKET_REPLY)
		status = packet->reply.status;
	else if (packet->kind == PACKET_ACK)
		status = packet->ack.status;
	else
		return;
	loader->answered++;
	if (status == LYC_OK)
		atomic_fetch_add(&loader->board->acknowledged, 1);
	else if (status == LYC_RESOURCE_EXHAUSTED || status == LYC_UNAVAILABLE)
		atomic_fetch_add(&loader->board->refused, 1);
	else
		atomic_fetch_add(&loader->board->wrong, 1);
}

static void fill_packet(struct packet *packet, enum load_kind kind, struct span body)
{
	if (kind == FLOOD_OF_CALLS) {
		*packet = (struct packet){.kind = PACKET_CALL};
		packet->call = (struct packet_call){.method = span_of(METHOD, sizeof(METHOD) - 1),
						    .body = body};
		return;
	}
	*packet = (struct packet){.kind = PACKET_PUBLISH};
	packet->publish = (struct packet_publish){.subject = span_of(SUBJECT, sizeof(SUBJECT) - 1),
						  .body = body,
						  .durable = kind == MANY_WRITERS};
}

/* One full frame, sent. */
static bool send_frame(struct loader *loader, struct packet *packet, bool is_answered)
{
	static struct buf frame;
	size_t count = 0;
	buf_clear(&frame);
	while (frame.len + 512 < WIRE_FRAME_LEN) {
		uint64_t id = is_answered ? loader->sent + count + 1 : 0;
		if (packet->kind == PACKET_CALL)
			packet->call.id = id;
		else
			packet->publish.id = id;
		packet_write(&frame, packet);
		count++;
	}
	if (packet->kind == PACKET_PUBLISH && !packet->publish.durable)
		loader->peer.publish_credit -= frame.len;
	zmtp_put(&loader->peer.line, frame.data, frame.len);
	loader->sent += count;
	atomic_fetch_add(&loader->board->sent, count);
	return line_flush(&loader->peer.line);
}

void lyceum_overload_load(const struct contestant *self, enum load_kind kind,
			  struct overload_board *board)
{
	static uint8_t body[TEXT_LEN + 3] = {0x0a, TEXT_LEN % 128 + 128, TEXT_LEN / 128};
	struct loader loader = {.board = board};
	struct packet packet;
	bool is_answered = kind == FLOOD_OF_CALLS || kind == MANY_WRITERS;
	memset(body + 3, 'x', TEXT_LEN);
	bool is_fine = raw_peer_open(&loader.peer, self->endpoint, LINE_SIZE, on_packet, &loader);
	atomic_fetch_add(&board->begun, 1);
	fill_packet(&packet, kind, span_of(body, sizeof(body)));
	/* With what a packet takes beside its body. */
	uint64_t most = (kind == FLOOD_OF_CALLS ? CALLS_LEN : WINDOW_LEN) / (sizeof(body) + 64);
	while (is_fine) {
		bool is_full = is_answered ? loader.sent - loader.answered +
							     WIRE_FRAME_LEN / sizeof(body) >
						     most
					   : loader.peer.publish_credit < WIRE_FRAME_LEN;
		if (!is_full)
			is_fine = send_frame(&loader, &packet, is_answered) &&
				  raw_peer_drain(&loader.peer);
		else
			is_fine = raw_peer_turn(&loader.peer);
	}
}

void lyceum_overload_round(const struct contestant *self, const struct setting *setting,
			   const struct workload *work, struct measure *ret_measure)
{
	static const struct overload_way way = {.make_load = lyceum_overload_load,
						.calls = lyceum_calls_round};
	overload_round(self, setting, work, &way, ret_measure);
}

void lyceum_overload_round_from_afar(const struct contestant *self, const struct setting *setting,
				     const struct workload *work, struct measure *ret_measure)
{
	static const struct overload_way way = {.make_load = lyceum_overload_load,
						.calls = lyceum_calls_round,
						.is_from_afar = true};
	overload_round(self, setting, work, &way, ret_measure);
}
