/* NATS: its server, started with its limits raised, and its protocol on a bare line. */
#ifndef LYC_BENCH_NATS_H
#define LYC_BENCH_NATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/contest.h"
#include "kit/line.h"

/* One MSG or HMSG. Lengths are 0 where there is nothing. */
struct nats_message {
	const char *subject;
	size_t subject_len;
	const char *reply;
	size_t reply_len;
	const uint8_t *body;
	size_t body_len;
};

typedef void (*nats_message_fn)(struct line *line, const struct nats_message *message, void *arg);

struct nats_server {
	/* With JetStream, in the bench's folder. */
	bool has_jetstream;
	/* With a certificate made for this run. */
	bool has_tls;
};

/* contestant->endpoint is then the port as text. */
bool nats_server_start(struct contestant *contestant, const struct setting *setting,
		       const struct nats_server *server);
/* With subscriptions that are known to the server when it returns: "SUB say 1\r\n". Reads wait for
 * a tenth of a second. */
bool nats_open(struct line *line, const struct contestant *contestant, const char *subscriptions);
/* One of thousands: with this much memory each way. */
bool nats_open_small(struct line *line, const struct contestant *contestant,
		     const char *subscriptions, size_t size);
/* `reply` may be NULL. */
void nats_put(struct line *line, const char *subject, size_t subject_len, const char *reply,
	      const uint8_t *body, size_t body_len);
/* Read once, hand over all that is complete, send what that brought. False when the connection has
 * ended or the server complains. */
bool nats_turn(struct line *line, nats_message_fn on_message, void *arg);
size_t nats_number(const char *at, const char *end);

#endif
