/* Redis: its server with the append-only file, and the little of its protocol that streams need. */
#ifndef LYC_BENCH_REDIS_H
#define LYC_BENCH_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/contest.h"
#include "kit/line.h"

/* appendfsync: "always" or "everysec". contestant->endpoint is then the port as text. */
bool redis_server_start(struct contestant *contestant, const struct setting *setting,
			const char *appendfsync);
/* Reads wait for a tenth of a second. */
bool redis_open(struct line *line, const struct contestant *contestant);
/* One field, "b". `id`: "*" for the server's own. */
void redis_put_xadd(struct line *line, const char *key, const char *id, const uint8_t *body,
		    size_t len);
/* Up to and with the line's end; 0 while it has not come. */
size_t redis_line_len(const char *at, size_t len);
/* Of a bulk string, or of the one line of another reply; 0 while it has not come whole. */
size_t redis_bulk_len(const char *at, size_t len);

#endif
