/* Gathered writes, large reads. */
#include "kit/line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "kit/process.h"

#define BACKLOG 64

static struct sockaddr_in loopback(unsigned port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* ---- servers ---- */

int line_listen(unsigned port)
{
	struct sockaddr_in address = loopback(port);
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

int line_accept(int listener)
{
	int one = 1;
	int fd = accept(listener, NULL, NULL);
	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* ---- clients ---- */

static bool open_sized(struct line *line, unsigned port, unsigned timeout_ms, size_t in_size,
		       size_t out_size)
{
	struct sockaddr_in address = loopback(port);
	uint64_t until_ns = now_ns() + (uint64_t)timeout_ms * 1000000;
	/* Short: how long a server takes to its first answer is measured, too. */
	struct timespec pause = {.tv_nsec = 200000};
	int one = 1;
	memset(line, 0, sizeof(*line));
	line->in_size = in_size;
	line->out_size = out_size;
	line->in = malloc(in_size);
	line->out = malloc(out_size);
	if (!line->in || !line->out)
		abort();
	for (;;) {
		line->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(line->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			break;
		close(line->fd);
		line->fd = -1;
		if (now_ns() > until_ns)
			return false;
		nanosleep(&pause, NULL);
	}
	setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return true;
}

bool line_open(struct line *line, unsigned port, unsigned timeout_ms)
{
	return open_sized(line, port, timeout_ms, LINE_IN_LEN, LINE_OUT_LEN);
}

bool line_open_small(struct line *line, unsigned port, unsigned timeout_ms, size_t size)
{
	return open_sized(line, port, timeout_ms, size, size);
}

bool line_start_tls(struct line *line)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
	SSL *tls = SSL_new(context);
	SSL_CTX_free(context);
	SSL_set_fd(tls, line->fd);
	if (SSL_connect(tls) != 1) {
		SSL_free(tls);
		return false;
	}
	line->tls = tls;
	return true;
}

static ssize_t send_some(struct line *line, const char *bytes, size_t len)
{
	if (line->tls)
		return SSL_write(line->tls, bytes, (int)len);
	return write(line->fd, bytes, len);
}

static ssize_t receive_some(struct line *line, char *to, size_t len)
{
	if (!line->tls)
		return read(line->fd, to, len);
	int got = SSL_read(line->tls, to, (int)len);
	if (got <= 0 && SSL_get_error(line->tls, got) == SSL_ERROR_WANT_READ)
		errno = EAGAIN;
	else if (got <= 0)
		return 0;
	/* A record holds 16 KiB: take what else has been decrypted or lies there. */
	size_t have = got > 0 ? (size_t)got : 0;
	while (have > 0 && have < len && SSL_pending(line->tls) > 0) {
		got = SSL_read(line->tls, to + have, (int)(len - have));
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	return have > 0 ? (ssize_t)have : -1;
}

void line_close(struct line *line)
{
	SSL_free(line->tls);
	if (line->fd >= 0)
		close(line->fd);
	free(line->in);
	free(line->out);
	memset(line, 0, sizeof(*line));
	line->fd = -1;
}

void line_set_wait(struct line *line, unsigned ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
	setsockopt(line->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
}

void line_put(struct line *line, const void *bytes, size_t len)
{
	if (line->out_len + len > line->out_size)
		return;
	memcpy(line->out + line->out_len, bytes, len);
	line->out_len += len;
}

void line_put_text(struct line *line, const char *text)
{
	line_put(line, text, strlen(text));
}

void line_printf(struct line *line, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	line_put(line, text, len < (int)sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

bool line_flush(struct line *line)
{
	size_t sent = 0;
	while (sent < line->out_len) {
		ssize_t len = send_some(line, line->out + sent, line->out_len - sent);
		if (len < 0 && errno != EINTR)
			return false;
		sent += len > 0 ? (size_t)len : 0;
	}
	line->out_len = 0;
	return true;
}

bool line_read(struct line *line)
{
	ssize_t len = receive_some(line, line->in + line->in_len, line->in_size - line->in_len);
	if (len <= 0)
		return len < 0 && (errno == EAGAIN || errno == EINTR);
	line->in_len += (size_t)len;
	return true;
}

void line_used(struct line *line, size_t len)
{
	line->in_len -= len;
	memmove(line->in, line->in + len, line->in_len);
}

bool line_await(struct line *line, const char *text)
{
	size_t len = strlen(text);
	for (;;) {
		char *at = memmem(line->in, line->in_len, text, len);
		if (at) {
			line_used(line, (size_t)(at - line->in) + len);
			return true;
		}
		if (line->in_len == line->in_size || !line_read(line))
			return false;
	}
}
