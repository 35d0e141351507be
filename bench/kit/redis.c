/* RESP 2 by hand. */
#include "kit/redis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kit/process.h"

#define WAIT_MS 8000
#define TURN_MS 100

bool redis_server_start(struct contestant *contestant, const struct setting *setting,
			const char *appendfsync)
{
	char program[300];
	char folder[300];
	char config[320];
	char output[320];
	struct line line;
	if (!process_find("redis-server", program, sizeof(program))) {
		snprintf(contestant->missing, sizeof(contestant->missing),
			 "redis-server is not installed (Debian: redis-server)");
		return false;
	}
	unsigned port = contest_find_port();
	snprintf(contestant->endpoint, sizeof(contestant->endpoint), "%u", port);
	snprintf(folder, sizeof(folder), "%s/redis-%s", setting->folder, appendfsync);
	snprintf(config, sizeof(config), "%s.conf", folder);
	snprintf(output, sizeof(output), "%s.log", folder);
	bool has_folder = mkdir(folder, 0700) == 0 || errno == EEXIST;
	FILE *file = has_folder ? fopen(config, "we") : NULL;
	if (!file)
		return false;
	fprintf(file,
		"bind 127.0.0.1\nport %u\ndaemonize no\nsave \"\"\nappendonly yes\nappendfsync %s\n"
		"auto-aof-rewrite-percentage 0\ndir %s\n",
		port, appendfsync, folder);
	fclose(file);
	char *argv[] = {program, config, NULL};
	contestant->broker = process_start(argv, output);
	if (redis_open(&line, contestant)) {
		line_close(&line);
		return true;
	}
	snprintf(contestant->missing, sizeof(contestant->missing),
		 "redis-server did not start: see %.200s", output);
	return false;
}

bool redis_open(struct line *line, const struct contestant *contestant)
{
	if (!line_open(line, (unsigned)atoi(contestant->endpoint), WAIT_MS))
		return false;
	line_set_wait(line, TURN_MS);
	return true;
}

void redis_put_xadd(struct line *line, const char *key, const char *id, const uint8_t *body,
		    size_t len)
{
	line_printf(line, "*5\r\n$4\r\nXADD\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n$1\r\nb\r\n$%zu\r\n",
		    strlen(key), key, strlen(id), id, len);
	line_put(line, body, len);
	line_put(line, "\r\n", 2);
}

size_t redis_line_len(const char *at, size_t len)
{
	const char *end = len > 0 ? memchr(at, '\n', len) : NULL;
	return end ? (size_t)(end + 1 - at) : 0;
}

size_t redis_bulk_len(const char *at, size_t len)
{
	size_t head = redis_line_len(at, len);
	if (head == 0 || at[0] != '$' || at[1] == '-')
		return head;
	size_t whole = head + strtoul(at + 1, NULL, 10) + 2;
	return whole <= len ? whole : 0;
}
