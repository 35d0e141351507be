/*
 * NATS at its best: nats-server, and a client and a responder that speak its protocol on a bare
 * socket, reading and writing as much at once as there is. A reply subject names the slot.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls/peer.h"
#include "calls/process.h"

#define IN_LEN (256 * 1024)
#define OUT_LEN (8 * 1024 * 1024)
#define WAIT_MS 5000

struct nats {
	int fd;
	char *in;
	size_t in_len;
	char *out;
	size_t out_len;
};

/* One MSG. `reply` is empty when none was given. */
struct message {
	const char *subject;
	size_t subject_len;
	const char *reply;
	size_t reply_len;
	const uint8_t *body;
	size_t body_len;
};

typedef void (*message_fn)(struct nats *nats, const struct message *message, void *arg);

static void put(struct nats *nats, const void *bytes, size_t len)
{
	if (nats->out_len + len > OUT_LEN)
		return;
	memcpy(nats->out + nats->out_len, bytes, len);
	nats->out_len += len;
}

static void put_text(struct nats *nats, const char *text)
{
	put(nats, text, strlen(text));
}

static bool flush(struct nats *nats)
{
	size_t sent = 0;
	while (sent < nats->out_len) {
		ssize_t len = write(nats->fd, nats->out + sent, nats->out_len - sent);
		if (len < 0 && errno != EINTR)
			return false;
		sent += len > 0 ? (size_t)len : 0;
	}
	nats->out_len = 0;
	return true;
}

static size_t number(const char *at, const char *end)
{
	size_t value = 0;
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (size_t)(*at - '0');
	return value;
}

/* "MSG subject sid [reply] length": the parts of the line. */
static size_t split(const char *at, const char *end, const char **parts, size_t *lens)
{
	size_t count = 0;
	while (at < end && count < 5) {
		const char *space = memchr(at, ' ', (size_t)(end - at));
		const char *stop = space ? space : end;
		parts[count] = at;
		lens[count++] = (size_t)(stop - at);
		at = stop + 1;
	}
	return count;
}

/* What came, as far as it is complete. False when the server complains. */
static bool parse(struct nats *nats, message_fn on_message, void *arg)
{
	const char *at = nats->in;
	const char *end = nats->in + nats->in_len;
	const char *parts[5];
	size_t lens[5];
	const char *line_end;
	while (at < end && (line_end = memchr(at, '\n', (size_t)(end - at)))) {
		if (memcmp(at, "MSG ", 4) == 0) {
			size_t count = split(at, line_end - 1, parts, lens);
			size_t len = number(parts[count - 1], line_end);
			if ((size_t)(end - line_end - 1) < len + 2)
				break;
			struct message message = {.subject = parts[1],
						  .subject_len = lens[1],
						  .reply = count == 5 ? parts[3] : "",
						  .reply_len = count == 5 ? lens[3] : 0,
						  .body = (const uint8_t *)line_end + 1,
						  .body_len = len};
			if (on_message)
				on_message(nats, &message, arg);
			at = line_end + 1 + len + 2;
			continue;
		}
		if (memcmp(at, "PING", 4) == 0)
			put_text(nats, "PONG\r\n");
		if (memcmp(at, "-ERR", 4) == 0)
			return false;
		at = line_end + 1;
	}
	nats->in_len = (size_t)(end - at);
	memmove(nats->in, at, nats->in_len);
	return true;
}

/* Read once; handle all that is complete; send what that brought. */
static bool turn(struct nats *nats, message_fn on_message, void *arg)
{
	ssize_t len = read(nats->fd, nats->in + nats->in_len, IN_LEN - nats->in_len);
	if (len <= 0)
		return len < 0 && (errno == EAGAIN || errno == EINTR);
	nats->in_len += (size_t)len;
	return parse(nats, on_message, arg) && flush(nats);
}

static bool open_nats(struct nats *nats, const char *port, const char *subscription)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)atoi(port)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval wait = {.tv_usec = 100000};
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_MS * 1000000;
	int one = 1;
	nats->in = malloc(IN_LEN);
	nats->out = malloc(OUT_LEN);
	nats->fd = socket(AF_INET, SOCK_STREAM, 0);
	while (connect(nats->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		struct timespec pause = {.tv_nsec = 5000000};
		if (now_ns() > until_ns)
			return false;
		nanosleep(&pause, NULL);
		close(nats->fd);
		nats->fd = socket(AF_INET, SOCK_STREAM, 0);
	}
	setsockopt(nats->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	put_text(nats, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n");
	put_text(nats, subscription);
	put_text(nats, "PING\r\n");
	/* Its answer says that the subscription is known. */
	char seen[8192] = "";
	size_t len = 0;
	if (!flush(nats))
		return false;
	while (!strstr(seen, "PONG\r\n")) {
		ssize_t got = read(nats->fd, seen + len, sizeof(seen) - 1 - len);
		if (got <= 0)
			return false;
		len += (size_t)got;
		seen[len] = '\0';
	}
	setsockopt(nats->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return true;
}

/* ---- the responder ---- */

static void put_message(struct nats *nats, const char *subject, size_t subject_len,
			const char *reply, const uint8_t *body, size_t body_len)
{
	char digits[32];
	put(nats, "PUB ", 4);
	put(nats, subject, subject_len);
	put(nats, " ", 1);
	if (reply)
		put_text(nats, reply);
	put(nats, digits, (size_t)snprintf(digits, sizeof(digits), "%zu\r\n", body_len));
	put(nats, body, body_len);
	put(nats, "\r\n", 2);
}

static void respond(struct nats *nats, const struct message *message, void *arg)
{
	(void)arg;
	put_message(nats, message->reply, message->reply_len, NULL, message->body,
		    message->body_len);
}

static void serve(const char *port, int to)
{
	struct nats nats = {0};
	if (!open_nats(&nats, port, "SUB say 1\r\n") || write(to, "1", 1) != 1)
		return;
	while (turn(&nats, respond, NULL))
		;
}

/* ---- start ---- */

static void find_port(char *text, size_t size)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		getsockname(fd, (struct sockaddr *)&address, &len);
	close(fd);
	snprintf(text, size, "%u", ntohs(address.sin_port));
}

bool nats_start(struct peer *peer, const struct setting *setting)
{
	char program[300];
	char config[300];
	char output[300];
	if (!process_find("nats-server", program, sizeof(program))) {
		snprintf(peer->missing, sizeof(peer->missing),
			 "nats-server is not installed (Debian: nats-server)");
		return false;
	}
	find_port(peer->endpoint, sizeof(peer->endpoint));
	snprintf(config, sizeof(config), "%s/nats.conf", setting->folder);
	snprintf(output, sizeof(output), "%s/nats.log", setting->folder);
	FILE *file = fopen(config, "we");
	if (!file)
		return false;
	fprintf(file,
		"host: 127.0.0.1\nport: %s\nmax_pending: 1073741824\nmax_payload: 1048576\n"
		"write_deadline: \"10s\"\n",
		peer->endpoint);
	fclose(file);
	char *argv[] = {program, "-c", config, NULL};
	peer->broker = process_start(argv, output);

	int ends[2];
	char ready;
	if (pipe(ends) != 0)
		return false;
	peer->others[0] = process_fork();
	if (peer->others[0] == 0) {
		serve(peer->endpoint, ends[1]);
		_exit(1);
	}
	struct pollfd item = {.fd = ends[0], .events = POLLIN};
	bool is_up = poll(&item, 1, WAIT_MS) > 0 && read(ends[0], &ready, 1) == 1;
	close(ends[0]);
	close(ends[1]);
	if (!is_up)
		snprintf(peer->missing, sizeof(peer->missing), "nats-server did not start");
	return is_up;
}

/* ---- the client ---- */

static void put_call(struct nats *nats, const struct load *load, size_t slot)
{
	char reply[32];
	snprintf(reply, sizeof(reply), "back.%zu ", slot);
	put_message(nats, "say", 3, reply, load_body(load, slot), load->body_len);
}

static void on_reply(struct nats *nats, const struct message *message, void *arg)
{
	struct load *load = arg;
	size_t slot = number(message->subject + 5, message->subject + message->subject_len);
	if (load_received(load, slot, message->body, message->body_len))
		put_call(nats, load, slot);
}

void nats_run(const struct peer *peer, struct load *load, const struct setting *setting)
{
	struct nats nats = {0};
	if (!open_nats(&nats, peer->endpoint, "SUB back.* 1\r\n")) {
		load_fail(load, "no connection to nats-server");
		return;
	}
	load_begin(load, setting->round_ms);
	for (size_t slot = 0; slot < load->window; slot++) {
		load_sent(load, slot);
		put_call(&nats, load, slot);
	}
	bool is_fine = flush(&nats);
	while (is_fine && !load_is_over(load))
		is_fine = turn(&nats, on_reply, load);
	if (!is_fine)
		load_fail(load, "nats-server ended the connection");
}
