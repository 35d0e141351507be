/* NATS at its best: its protocol on a bare socket. */
#include "kit/nats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/process.h"

#define WAIT_MS 8000
#define TURN_MS 100

/* ---- the server ---- */

/* A key and a certificate that signs itself, by the openssl program. */
static bool make_certificate(const char *folder)
{
	char command[900];
	snprintf(
		command, sizeof(command),
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
		"-subj /CN=localhost -keyout '%s/tls.key' -out '%s/tls.crt' >'%s/openssl.log' 2>&1",
		folder, folder, folder);
	return system(command) == 0;
}

static bool write_config(const char *path, unsigned port, const char *folder,
			 const struct nats_server *server)
{
	FILE *file = fopen(path, "we");
	if (!file)
		return false;
	fprintf(file,
		"host: 127.0.0.1\nport: %u\nmax_pending: 1073741824\nmax_payload: 1048576\n"
		"write_deadline: \"10s\"\nmax_connections: 20000\n",
		port);
	if (server->has_jetstream)
		fprintf(file,
			"jetstream {\n  store_dir: \"%s/jetstream\"\n  max_mem: 1G\n"
			"  max_file: 20G\n}\n",
			folder);
	if (server->has_tls)
		fprintf(file, "tls {\n  cert_file: \"%s/tls.crt\"\n  key_file: \"%s/tls.key\"\n}\n",
			folder, folder);
	return fclose(file) == 0;
}

bool nats_server_start(struct contestant *contestant, const struct setting *setting,
		       const struct nats_server *server)
{
	char program[300];
	char config[300];
	char output[300];
	struct line line;
	const char *name = server->has_tls         ? "nats-tls"
			   : server->has_jetstream ? "nats-js"
						   : "nats";
	if (!process_find("nats-server", program, sizeof(program))) {
		snprintf(contestant->missing, sizeof(contestant->missing),
			 "nats-server is not installed (Debian: nats-server)");
		return false;
	}
	if (server->has_tls && !make_certificate(setting->folder)) {
		snprintf(contestant->missing, sizeof(contestant->missing),
			 "openssl made no certificate (Debian: openssl)");
		return false;
	}
	unsigned port = contest_find_port();
	snprintf(contestant->endpoint, sizeof(contestant->endpoint), "%u", port);
	snprintf(config, sizeof(config), "%s/%s.conf", setting->folder, name);
	snprintf(output, sizeof(output), "%s/%s.log", setting->folder, name);
	if (!write_config(config, port, setting->folder, server))
		return false;
	char *argv[] = {program, "-c", config, NULL};
	contestant->broker = process_start(argv, output);
	bool is_up = nats_open(&line, contestant, "");
	if (is_up)
		line_close(&line);
	else
		snprintf(contestant->missing, sizeof(contestant->missing),
			 "nats-server did not start: see %.200s", output);
	return is_up;
}

/* ---- the protocol ---- */

static bool greet(struct line *line, const struct contestant *contestant, const char *subscriptions)
{
	const struct nats_server *server = contestant->kind;
	bool has_tls = server && server->has_tls;
	if (!line_await(line, "\r\n") || (has_tls && !line_start_tls(line)))
		return false;
	line_put_text(line, "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,"
			    "\"no_responders\":false}\r\n");
	line_put_text(line, subscriptions);
	/* Its answer says that the subscriptions are known. */
	line_put_text(line, "PING\r\n");
	if (!line_flush(line) || !line_await(line, "PONG\r\n"))
		return false;
	line_set_wait(line, TURN_MS);
	return true;
}

bool nats_open(struct line *line, const struct contestant *contestant, const char *subscriptions)
{
	return line_open(line, (unsigned)atoi(contestant->endpoint), WAIT_MS) &&
	       greet(line, contestant, subscriptions);
}

bool nats_open_small(struct line *line, const struct contestant *contestant,
		     const char *subscriptions, size_t size)
{
	return line_open_small(line, (unsigned)atoi(contestant->endpoint), WAIT_MS, size) &&
	       greet(line, contestant, subscriptions);
}

void nats_put(struct line *line, const char *subject, size_t subject_len, const char *reply,
	      const uint8_t *body, size_t body_len)
{
	char digits[32];
	line_put(line, "PUB ", 4);
	line_put(line, subject, subject_len);
	line_put(line, " ", 1);
	if (reply) {
		line_put_text(line, reply);
		line_put(line, " ", 1);
	}
	line_put(line, digits, (size_t)snprintf(digits, sizeof(digits), "%zu\r\n", body_len));
	line_put(line, body, body_len);
	line_put(line, "\r\n", 2);
}

size_t nats_number(const char *at, const char *end)
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
	while (at < end && count < 6) {
		const char *space = memchr(at, ' ', (size_t)(end - at));
		const char *stop = space ? space : end;
		parts[count] = at;
		lens[count++] = (size_t)(stop - at);
		at = stop + 1;
	}
	return count;
}

/* One MSG whose first line is there: how many bytes it has, 0 while it is not whole. HMSG has two
 * lengths, of the headers and of all. */
static size_t take_message(struct line *line, const char *at, const char *line_end, const char *end,
			   nats_message_fn on_message, void *arg)
{
	const char *parts[6];
	size_t lens[6];
	bool has_head = at[0] == 'H';
	size_t fixed = has_head ? 5 : 4;
	size_t count = split(at, line_end - 1, parts, lens);
	size_t len = nats_number(parts[count - 1], line_end);
	size_t head = has_head ? nats_number(parts[count - 2], line_end) : 0;
	if ((size_t)(end - line_end - 1) < len + 2)
		return 0;
	struct nats_message message = {.subject = parts[1],
				       .subject_len = lens[1],
				       .reply = count > fixed ? parts[3] : "",
				       .reply_len = count > fixed ? lens[3] : 0,
				       .body = (const uint8_t *)line_end + 1 + head,
				       .body_len = len - head};
	if (on_message)
		on_message(line, &message, arg);
	return (size_t)(line_end - at) + 1 + len + 2;
}

bool nats_turn(struct line *line, nats_message_fn on_message, void *arg)
{
	if (!line_read(line))
		return false;
	const char *at = line->in;
	const char *end = line->in + line->in_len;
	const char *line_end;
	while (at < end && (line_end = memchr(at, '\n', (size_t)(end - at)))) {
		if (memcmp(at, "MSG ", 4) == 0 || memcmp(at, "HMSG", 4) == 0) {
			size_t used = take_message(line, at, line_end, end, on_message, arg);
			if (used == 0)
				break;
			at += used;
			continue;
		}
		if (memcmp(at, "PING", 4) == 0)
			line_put_text(line, "PONG\r\n");
		if (memcmp(at, "-ERR", 4) == 0)
			return false;
		at = line_end + 1;
	}
	line_used(line, (size_t)(at - line->in));
	return line_flush(line);
}
