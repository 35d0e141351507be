/* NATS under overload: each process is one client on a bare socket, with full writes. */
#include <string.h>

#include "calls/calls.h"
#include "kit/nats.h"
#include "overload/overload.h"

#define BODY_LEN 256
#define BATCH 200
#define CALLS_OUT ((6 * 1024 * 1024) / (BODY_LEN + 64))

bool nats_overload_can(const struct contestant *self, const struct workload *work)
{
	(void)self;
	/* What JetStream keeps is measured by bench_durable. */
	return load_kind_of(work) != MANY_WRITERS;
}

static void count(struct line *line, const struct nats_message *message, void *arg)
{
	uint64_t *answered = arg;
	(void)line;
	(void)message;
	++*answered;
}

static void make_load(const struct contestant *self, enum load_kind kind,
		      struct overload_board *board)
{
	uint8_t body[BODY_LEN];
	struct line line;
	uint64_t sent = 0;
	uint64_t answered = 0;
	bool is_call = kind == FLOOD_OF_CALLS;
	memset(body, 'x', sizeof(body));
	bool is_fine = nats_open(&line, self, is_call ? "SUB load.back 1\r\n" : "");
	atomic_fetch_add(&board->begun, 1);
	while (is_fine) {
		if (is_call && sent - answered + BATCH > CALLS_OUT) {
			is_fine = nats_turn(&line, count, &answered);
			continue;
		}
		for (int i = 0; i < BATCH; i++)
			nats_put(&line, is_call ? "say" : "load", is_call ? 3 : 4,
				 is_call ? "load.back" : NULL, body, sizeof(body));
		sent += BATCH;
		atomic_fetch_add(&board->sent, BATCH);
		is_fine = line_flush(&line);
	}
}

void nats_overload_round(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, struct measure *ret_measure)
{
	static const struct overload_way way = {.make_load = make_load, .calls = nats_calls_round};
	overload_round(self, setting, work, &way, ret_measure);
}

void nats_overload_round_from_afar(const struct contestant *self, const struct setting *setting,
				   const struct workload *work, struct measure *ret_measure)
{
	static const struct overload_way way = {
		.make_load = make_load, .calls = nats_calls_round, .is_from_afar = true};
	overload_round(self, setting, work, &way, ret_measure);
}
