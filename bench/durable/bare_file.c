/*
 * What the disk and the network allow: a server that writes what has come from all connections to
 * one file, syncs it, and answers with how many messages of each that were. A message is a length
 * of four bytes and the body.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "durable/durable.h"
#include "durable/writers.h"
#include "kit/bare_file.h"
#include "kit/line.h"
#include "kit/process.h"

#define WAIT_MS 5000
#define READ_LEN (1024 * 1024)

/* ---- the server ---- */

struct peer {
	/* Of a message that has not come whole. */
	size_t rest;
	uint32_t taken;
};

/* A new connection: its first bytes are the length of all its messages. */
static void take(int listener, struct pollfd *items, struct peer *peers, nfds_t *count,
		 uint32_t *whole)
{
	int fd = line_accept(listener);
	if (*count > WRITERS_MAX || read(fd, whole, sizeof(*whole)) != sizeof(*whole)) {
		close(fd);
		return;
	}
	peers[*count] = (struct peer){0};
	items[(*count)++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void serve(unsigned port, const char *path)
{
	static char bytes[READ_LEN];
	struct pollfd items[WRITERS_MAX + 1];
	struct peer peers[WRITERS_MAX + 1];
	nfds_t count = 1;
	uint32_t whole = 0;
	struct bare_file file;
	if (!bare_file_open(&file, path))
		return;
	items[0] = (struct pollfd){.fd = line_listen(port), .events = POLLIN};
	while (poll(items, count, -1) > 0) {
		bool has_written = false;
		nfds_t there = count;
		for (nfds_t i = 1; i < there; i++) {
			if (!items[i].revents)
				continue;
			ssize_t len = read(items[i].fd, bytes, sizeof(bytes));
			if (len <= 0) {
				close(items[i].fd);
				items[i] = items[--count];
				peers[i] = peers[count];
				there = count;
				i--;
				continue;
			}
			if (!bare_file_append(&file, bytes, (size_t)len))
				return;
			size_t have = peers[i].rest + (size_t)len;
			peers[i].taken += (uint32_t)(have / whole);
			peers[i].rest = have % whole;
			has_written = true;
		}
		if (has_written && !bare_file_sync(&file))
			return;
		for (nfds_t i = 1; i < count; i++) {
			if (peers[i].taken > 0 &&
			    write(items[i].fd, &peers[i].taken, sizeof(uint32_t)) < 0)
				return;
			peers[i].taken = 0;
		}
		if (items[0].revents)
			take(items[0].fd, items, peers, &count, &whole);
	}
}

bool bare_file_start(struct contestant *self, const struct setting *setting)
{
	char path[300];
	unsigned port = contest_find_port();
	snprintf(self->endpoint, sizeof(self->endpoint), "%u", port);
	snprintf(path, sizeof(path), "%s/bare-file", setting->folder);
	self->broker = process_fork();
	if (self->broker == 0) {
		serve(port, path);
		_exit(1);
	}
	return true;
}

/* ---- a publisher ---- */

struct connection {
	struct line line;
	struct writer *writer;
	size_t waiting[WRITERS_MAX_OUTSTANDING];
	size_t first;
	size_t next;
	bool has_said_len;
};

static void *open_connection(const struct contestant *self, struct measure *measure,
			     struct writer *writer)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	connection->writer = writer;
	if (line_open(&connection->line, (unsigned)atoi(self->endpoint), WAIT_MS)) {
		line_set_wait(&connection->line, 100);
		return connection;
	}
	contest_fail(measure, "no connection to the server of the bare file");
	free(connection);
	return NULL;
}

static bool put(void *arg, size_t slot, const char *subject, const uint8_t *body, size_t len)
{
	struct connection *connection = arg;
	uint32_t head = (uint32_t)len;
	uint32_t whole = (uint32_t)(sizeof(head) + len);
	(void)subject;
	if (!connection->has_said_len)
		line_put(&connection->line, &whole, sizeof(whole));
	connection->has_said_len = true;
	connection->waiting[connection->next++ % WRITERS_MAX_OUTSTANDING] = slot;
	line_put(&connection->line, &head, sizeof(head));
	line_put(&connection->line, body, len);
	return true;
}

static bool turn(void *arg)
{
	struct connection *connection = arg;
	struct line *line = &connection->line;
	size_t at = 0;
	if (!line_flush(line) || !line_read(line))
		return false;
	for (; line->in_len - at >= sizeof(uint32_t); at += sizeof(uint32_t)) {
		uint32_t count;
		memcpy(&count, line->in + at, sizeof(count));
		while (count-- > 0)
			writer_acked(
				connection->writer,
				connection->waiting[connection->first++ % WRITERS_MAX_OUTSTANDING]);
	}
	line_used(line, at);
	return true;
}

static void close_connection(void *arg)
{
	struct connection *connection = arg;
	line_close(&connection->line);
	free(connection);
}

void bare_file_round(const struct contestant *self, const struct setting *setting,
		     const struct workload *work, struct measure *ret_measure)
{
	static const struct writer_parts parts = {open_connection, put, turn, close_connection};
	writers_round(self, setting, work, &parts, ret_measure);
}
