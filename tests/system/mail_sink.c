/* One connection after the other; a mail is what stands between DATA and the dot. */
#include "mail_sink.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ensure.h"

#define MAX_MAILS 400

struct kept {
	char to[256];
	char *text;
};

struct mail_sink {
	int listener;
	char url[64];
	pthread_t thread;
	pthread_mutex_t lock;
	struct kept mails[MAX_MAILS];
	size_t count;
};

/* Soft line ends and =XX, in place: base64 parts stay as they are. */
static void decode(char *text)
{
	char *to = text;
	for (char *at = text; *at; at++) {
		unsigned byte;
		if (*at == '=' && at[1] == '\r' && at[2] == '\n')
			at += 2;
		else if (*at == '=' && sscanf(at + 1, "%2X", &byte) == 1 && at[1] != ' ' && at[2])
			*to++ = (char)byte, at += 2;
		else if (*at == '\r' && at[1] == '\n' && at[2] == ' ')
			at += 2;
		else
			*to++ = *at;
	}
	*to = '\0';
}

/* What stands in base64 is added as it reads: the calendar. */
static void add_decoded(const char *text, FILE *to)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *part = strstr(text, "base64\r\n\r\n");
	unsigned bits = 0;
	int count = 0;
	for (const char *at = part ? part + 10 : ""; *at && *at != '-' && *at != '='; at++) {
		const char *digit = strchr(digits, *at);
		if (!digit)
			continue;
		bits = bits << 6 | (unsigned)(digit - digits);
		count += 6;
		if (count >= 8) {
			count -= 8;
			fputc((int)(bits >> count & 255), to);
		}
	}
}

static void keep(struct mail_sink *sink, const char *to, char *text)
{
	decode(text);
	pthread_mutex_lock(&sink->lock);
	ensure(sink->count < MAX_MAILS);
	struct kept *kept = &sink->mails[sink->count++];
	snprintf(kept->to, sizeof(kept->to), "%s", to);
	kept->text = text;
	pthread_mutex_unlock(&sink->lock);
}

/* No stdio on the socket: flushing everything, as before a fork, would wait for what is read and
 * say twice what dprintf is just saying. */
struct wire {
	int fd;
	size_t at, len;
	char bytes[4096];
};

static bool read_line(struct wire *wire, char *to, size_t size)
{
	size_t used = 0;
	while (used + 1 < size && (used == 0 || to[used - 1] != '\n')) {
		if (wire->at == wire->len) {
			ssize_t got = recv(wire->fd, wire->bytes, sizeof(wire->bytes), 0);
			if (got <= 0)
				return false;
			wire->at = 0;
			wire->len = (size_t)got;
		}
		to[used++] = wire->bytes[wire->at++];
	}
	to[used] = '\0';
	return true;
}

static void say(const struct wire *wire, const char *line)
{
	char text[80];
	int len = snprintf(text, sizeof(text), "%s\r\n", line);
	ensure(len > 0 && (size_t)len < sizeof(text));
	(void)!send(wire->fd, text, (size_t)len, MSG_NOSIGNAL);
}

static void take_data(struct mail_sink *sink, struct wire *wire, const char *to)
{
	char line[2000];
	char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);
	ensure(memory);
	say(wire, "354 go on");
	bool is_whole = false;
	while (!is_whole && read_line(wire, line, sizeof(line))) {
		is_whole = strcmp(line, ".\r\n") == 0;
		if (!is_whole)
			fputs(line[0] == '.' ? line + 1 : line, memory);
	}
	fflush(memory);
	char *raw = strdup(text);
	ensure(raw);
	add_decoded(raw, memory);
	free(raw);
	fclose(memory);
	if (!is_whole) {
		free(text);
		return;
	}
	keep(sink, to, text);
	say(wire, "250 taken");
}

static void serve(struct mail_sink *sink, int fd)
{
	struct wire wire = {.fd = fd};
	char line[2000];
	char to[256] = "";
	say(&wire, "220 sink ESMTP");
	while (read_line(&wire, line, sizeof(line))) {
		if (strncasecmp(line, "RCPT TO:<", 9) == 0)
			snprintf(to, sizeof(to), "%.*s", (int)strcspn(line + 9, ">"), line + 9);
		if (strncasecmp(line, "DATA", 4) == 0)
			take_data(sink, &wire, to);
		else if (strncasecmp(line, "QUIT", 4) == 0)
			break;
		else
			say(&wire, "250 fine");
	}
	close(fd);
}

static void *run(void *arg)
{
	struct mail_sink *sink = arg;
	for (;;) {
		int fd = accept(sink->listener, NULL, NULL);
		if (fd < 0)
			return NULL;
		serve(sink, fd);
	}
}

struct mail_sink *mail_sink_new(void)
{
	struct mail_sink *sink = calloc(1, sizeof(*sink));
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	ensure(sink);
	sink->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ensure(sink->listener >= 0);
	ensure(bind(sink->listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	ensure(listen(sink->listener, 16) == 0);
	ensure(getsockname(sink->listener, (struct sockaddr *)&address, &len) == 0);
	snprintf(sink->url, sizeof(sink->url), "smtp://127.0.0.1:%u", ntohs(address.sin_port));
	pthread_mutex_init(&sink->lock, NULL);
	ensure(pthread_create(&sink->thread, NULL, run, sink) == 0);
	return sink;
}

void mail_sink_free(struct mail_sink *sink)
{
	if (!sink)
		return;
	shutdown(sink->listener, SHUT_RDWR);
	pthread_join(sink->thread, NULL);
	close(sink->listener);
	for (size_t i = 0; i < sink->count; i++)
		free(sink->mails[i].text);
	pthread_mutex_destroy(&sink->lock);
	free(sink);
}

const char *mail_sink_url(const struct mail_sink *sink)
{
	return sink->url;
}

static bool matches(const struct kept *kept, const char *to, const char *text)
{
	return strcmp(kept->to, to) == 0 && (!text || strstr(kept->text, text));
}

size_t mail_sink_count(struct mail_sink *sink, const char *to, const char *text)
{
	size_t count = 0;
	pthread_mutex_lock(&sink->lock);
	for (size_t i = 0; i < sink->count; i++)
		count += matches(&sink->mails[i], to, text);
	pthread_mutex_unlock(&sink->lock);
	return count;
}

char *mail_sink_last(struct mail_sink *sink, const char *to, const char *text)
{
	char *found = NULL;
	pthread_mutex_lock(&sink->lock);
	for (size_t i = sink->count; i-- > 0 && !found;) {
		if (matches(&sink->mails[i], to, text))
			found = strdup(sink->mails[i].text);
	}
	pthread_mutex_unlock(&sink->lock);
	return found;
}
