/* One ZeroMQ context, a DEALER for each peer, and one loop that goes round all of them. */
#include "throng.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "inbox.h"
#include "wire/packet.h"

#define NOTE_LEN 900
#define DEAF_CREDIT (8 * 1024 * 1024)
#define PAUSE_NS 500000

/* Seen by both processes. */
struct board {
	_Atomic uint64_t connected;
	_Atomic uint64_t sent_len;
	_Atomic uint64_t acked;
	_Atomic uint64_t refused;
	_Atomic uint64_t faults;
	_Atomic bool is_done;
};

struct throng {
	pid_t pid;
	struct board *board;
};

struct peer {
	void *socket;
	bool is_durable;
	bool is_deaf;
	bool is_welcome;
	uint64_t credit;
	/* Records that are not acknowledged, and what each message takes of the credit. */
	uint64_t outstanding;
	uint64_t record_len;
	uint64_t last_id;
};

struct work {
	const struct throng_parts *parts;
	struct board *board;
	struct frame_reader reader;
	uint8_t frame[2 * WIRE_FRAME_LEN];
	uint64_t transient_left;
	uint64_t durable_left;
};

static void send_packet(struct peer *peer, const struct packet *packet)
{
	struct buf frame = {0};
	packet_write(&frame, packet);
	ensure(zmq_send(peer->socket, frame.data, frame.len, 0) == (int)frame.len);
	buf_fini(&frame);
}

static void connect_peer(void *zmq, const struct throng_parts *parts, struct peer *peer)
{
	int one = 1;
	int frames = 4;
	peer->socket = zmq_socket(zmq, ZMQ_DEALER);
	ensure(peer->socket);
	zmq_setsockopt(peer->socket, ZMQ_LINGER, &(int){0}, sizeof(int));
	zmq_setsockopt(peer->socket, ZMQ_IMMEDIATE, &one, sizeof(one));
	zmq_setsockopt(peer->socket, ZMQ_SNDHWM, &frames, sizeof(frames));
	/* Whose who reads nothing fills what lies between the two at once. */
	zmq_setsockopt(peer->socket, ZMQ_RCVHWM, peer->is_deaf ? &one : &frames, sizeof(int));
	ensure(zmq_connect(peer->socket, parts->endpoint) == 0);
	send_packet(peer,
		    &(struct packet){.kind = PACKET_HELLO,
				     .hello = {.version = WIRE_VERSION, .call_credit = 65536}});
}

static void subscribe(struct peer *peer)
{
	static const char pattern[] = NOTE ".throng.>";
	send_packet(peer,
		    &(struct packet){.kind = PACKET_SUBSCRIBE,
				     .subscribe = {.id = 1,
						   .pattern = span_of(pattern, sizeof(pattern) - 1),
						   .credit = DEAF_CREDIT}});
}

static void take(struct work *work, struct peer *peer, const struct packet *packet)
{
	struct board *board = work->board;
	if (packet->kind == PACKET_WELCOME) {
		peer->is_welcome = true;
		peer->credit = packet->welcome.publish_credit;
		if (peer->is_deaf)
			subscribe(peer);
		atomic_fetch_add(&board->connected, 1);
	} else if (packet->kind == PACKET_PING) {
		send_packet(peer,
			    &(struct packet){.kind = PACKET_PONG, .pong = {.id = packet->ping.id}});
	} else if (packet->kind == PACKET_ACK) {
		peer->outstanding--;
		if (packet->ack.status == LYC_OK)
			atomic_fetch_add(&board->acked, 1);
		else if (packet->ack.status == LYC_RESOURCE_EXHAUSTED)
			atomic_fetch_add(&board->refused, 1);
		else
			atomic_fetch_add(&board->faults, 1);
	} else if (packet->kind == PACKET_CREDIT) {
		peer->credit += packet->credit.value;
	} else if (packet->kind == PACKET_GOODBYE) {
		atomic_fetch_add(&board->faults, 1);
	}
}

/* What has come to one; a deaf one listens until it is welcome. */
static bool listen_to(struct work *work, struct peer *peer)
{
	struct packet packet;
	bool has_heard = false;
	int len;
	while (!(peer->is_deaf && peer->is_welcome) &&
	       (len = zmq_recv(peer->socket, work->frame, sizeof(work->frame), ZMQ_DONTWAIT)) >=
		       0) {
		ensure((size_t)len <= sizeof(work->frame));
		has_heard = true;
		frame_start(&work->reader, span_of(work->frame, (size_t)len));
		while (frame_next(&work->reader, &packet) == FRAME_PACKET)
			take(work, peer, &packet);
	}
	return has_heard;
}

static void put_note(struct buf *frame, struct peer *peer)
{
	static uint8_t body[NOTE_LEN + 3] = {0x0a, NOTE_LEN % 128 + 128, NOTE_LEN / 128};
	struct packet packet = {.kind = PACKET_PUBLISH};
	const char *subject = peer->is_durable ? NOTE ".kept" : NOTE ".throng.one";
	memset(body + 3, 'x', NOTE_LEN);
	/* With the same number of bytes whatever the number is. */
	packet.publish = (struct packet_publish){
		.id = peer->is_durable ? 1000000 + peer->last_id++ % 1000000 : 0,
		.subject = span_of(subject, strlen(subject)),
		.body = span_of(body, sizeof(body)),
		.durable = peer->is_durable,
	};
	packet_write(frame, &packet);
}

/* One frame of one publisher; false when it cannot now. */
static bool publish(struct work *work, struct peer *peer)
{
	uint64_t *left = peer->is_durable ? &work->durable_left : &work->transient_left;
	struct buf frame = {0};
	uint64_t count = 0;
	if (*left == 0 || !peer->is_welcome || peer->is_deaf)
		return false;
	while (frame.len < work->parts->frame_len) {
		if (peer->record_len > 0 &&
		    (peer->outstanding + count + 1) * peer->record_len > peer->credit)
			break;
		put_note(&frame, peer);
		count++;
		peer->record_len = frame.len / count;
	}
	bool is_sent =
		count > 0 && zmq_send(peer->socket, frame.data, frame.len, ZMQ_DONTWAIT) >= 0;
	if (is_sent) {
		if (peer->is_durable)
			peer->outstanding += count;
		else
			peer->credit -= frame.len;
		*left -= frame.len < *left ? frame.len : *left;
		atomic_fetch_add(&work->board->sent_len, frame.len);
	}
	buf_fini(&frame);
	return is_sent;
}

static void run(const struct throng_parts *parts, struct board *board)
{
	unsigned publishers = parts->transient_count + parts->durable_count;
	unsigned count = publishers + parts->deaf_count;
	struct peer *peers = calloc(count, sizeof(*peers));
	struct work *work = mem_new(struct work);
	void *zmq = zmq_ctx_new();
	struct timespec pause = {.tv_nsec = PAUSE_NS};
	*work = (struct work){.parts = parts,
			      .board = board,
			      .transient_left = parts->transient_len,
			      .durable_left = parts->durable_len};
	for (unsigned i = 0; i < count; i++) {
		peers[i].is_deaf = i >= publishers;
		peers[i].is_durable = i >= parts->transient_count && !peers[i].is_deaf;
		connect_peer(zmq, parts, &peers[i]);
	}
	for (;;) {
		bool is_busy = false;
		bool is_owed = false;
		for (unsigned i = 0; i < count; i++) {
			is_busy = listen_to(work, &peers[i]) || is_busy;
			if (atomic_load(&board->connected) == count)
				is_busy = publish(work, &peers[i]) || is_busy;
			is_owed = is_owed || peers[i].outstanding > 0;
		}
		if (work->transient_left == 0 && work->durable_left == 0 && !is_owed)
			atomic_store(&board->is_done, true);
		if (!is_busy)
			nanosleep(&pause, NULL);
	}
}

struct throng *throng_start(const struct throng_parts *parts)
{
	struct throng *throng = mem_new(struct throng);
	pid_t parent = getpid();
	throng->board = mmap(NULL, sizeof(*throng->board), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ensure(throng->board != MAP_FAILED);
	throng->pid = fork();
	ensure(throng->pid >= 0);
	if (throng->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			run(parts, throng->board);
		_exit(1);
	}
	return throng;
}

struct throng_view throng_look(const struct throng *throng)
{
	struct board *board = throng->board;
	return (struct throng_view){
		.connected = atomic_load(&board->connected),
		.sent_len = atomic_load(&board->sent_len),
		.acked = atomic_load(&board->acked),
		.refused = atomic_load(&board->refused),
		.faults = atomic_load(&board->faults),
		.is_done = atomic_load(&board->is_done),
	};
}

void throng_end(struct throng *throng)
{
	kill(throng->pid, SIGKILL);
	waitpid(throng->pid, NULL, 0);
	munmap(throng->board, sizeof(*throng->board));
	free(throng);
}
