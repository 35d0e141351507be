/*
 * A bare TCP connection of a peer's client, used at its best: what is to be sent is gathered and
 * goes out in one write, what comes is read as much at once as there is. Blocking, with a limit on
 * how long a read may wait.
 */
#ifndef LYC_BENCH_LINE_H
#define LYC_BENCH_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_IN_LEN (1024 * 1024)
#define LINE_OUT_LEN (16 * 1024 * 1024)

struct line {
	int fd;
	/* What has come and is not used up. */
	char *in;
	size_t in_len;
	size_t in_size;
	char *out;
	size_t out_len;
	size_t out_size;
	/* An SSL of OpenSSL, through which bytes then go; NULL: plain. */
	void *tls;
};

/* For servers of a bench's own: listen on a port of loopback; -1 when it cannot. */
int line_listen(unsigned port);
/* The next connection, as a descriptor; -1: none. */
int line_accept(int listener);
/* To a port of loopback, tried again until timeout_ms have passed. */
bool line_open(struct line *line, unsigned port, unsigned timeout_ms);
/* One of thousands: with this much memory each way. */
bool line_open_small(struct line *line, unsigned port, unsigned timeout_ms, size_t size);
void line_close(struct line *line);
/* From here on by TLS 1.3; the server's certificate is not looked at. */
bool line_start_tls(struct line *line);
/* Reads give up after so long: then line_read returns true and nothing has come. 0: never. */
void line_set_wait(struct line *line, unsigned ms);
/* What does not fit is left out, which its reader will notice: LINE_OUT_LEN is for the largest
 * window. */
void line_put(struct line *line, const void *bytes, size_t len);
void line_put_text(struct line *line, const char *text);
__attribute__((format(printf, 2, 3))) void line_printf(struct line *line, const char *format, ...);
/* Send all that was put. */
bool line_flush(struct line *line);
/* Read once. False at the end of the connection. */
bool line_read(struct line *line);
/* The first `len` bytes of what came have been used. */
void line_used(struct line *line, size_t len);
/* Read until a text has come, and drop all up to its end; for what a server says at first. */
bool line_await(struct line *line, const char *text);

#endif
