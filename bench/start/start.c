/*
 * From the start of a server's process to its first answer to a client, side by side; then with ten
 * million records in the log. A round starts and ends it again and again; its value is the median.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <lyceum/client.h>

#include "kit/daemon.h"
#include "kit/mqtt.h"
#include "kit/nats.h"
#include "kit/process.h"
#include "kit/raw_peer.h"
#include "kit/redis.h"
#include "kit/spread.h"
#include "start/tape.h"

#define ECHO "\"lyceum.echo.v1.Echo/*\""
#define LINE_SIZE 4096
#define LEAST_STARTS 3
#define MOST_STARTS 1000
#define ANSWER_MS 8000

static const uint8_t hello[] = "\12\5hello";
#define HELLO_LEN (sizeof(hello) - 1)

/* One start, in a copy of the contestant: true when a client has had its answer. */
typedef bool (*start_fn)(struct contestant *self, const struct setting *setting);

static bool start_nats(struct contestant *self, const struct setting *setting)
{
	static const struct nats_server server = {0};
	self->kind = &server;
	/* Returns when a client's PING is answered. */
	return nats_server_start(self, setting, &server);
}

static bool start_mosquitto(struct contestant *self, const struct setting *setting)
{
	/* Returns with a client's CONNACK. */
	return mosquitto_start(self, setting);
}

/* It answers "-LOADING" until it has read its files. */
static bool start_redis(struct contestant *self, const struct setting *setting)
{
	struct line line;
	bool is_ready = false;
	uint64_t until_ns = now_ns() + (uint64_t)ANSWER_MS * 1000000;
	if (!redis_server_start(self, setting, "everysec") || !redis_open(&line, self))
		return false;
	while (!is_ready && now_ns() < until_ns) {
		line_put_text(&line, "PING\r\n");
		if (!line_flush(&line) || !line_read(&line))
			break;
		is_ready = memmem(line.in, line.in_len, "+PONG", 5) != NULL;
		line_used(&line, line.in_len);
	}
	line_close(&line);
	return is_ready;
}

/* Until Welcome: it accepts. */
static bool greet(struct contestant *self, const struct setting *setting)
{
	struct raw_peer peer;
	if (!daemon_start(self, setting))
		return false;
	bool is_fine = raw_peer_open(&peer, self->endpoint, LINE_SIZE, NULL, NULL);
	line_close(&peer.line);
	return is_fine;
}

static bool start_lyceum(struct contestant *self, const struct setting *setting)
{
	static const struct daemon daemon = {.name = "bare", .call = ECHO};
	self->kind = &daemon;
	return greet(self, setting);
}

/* Until a plugin in a process of its own has answered a call. */
static bool start_serving(struct contestant *self, const struct setting *setting)
{
	static const struct daemon daemon = {
		.name = "serving",
		.call = ECHO,
		.config = "plugins:\n  - name: echo\n    path: @/plugins/echo/echo.so\n"};
	struct measure measure = {0};
	struct lyc_client *client;
	struct timespec pause = {.tv_nsec = 200000};
	uint8_t *reply;
	size_t len;
	self->kind = &daemon;
	if (!daemon_start(self, setting) || !daemon_open(self, &client, &measure))
		return false;
	uint64_t until_ns = now_ns() + (uint64_t)ANSWER_MS * 1000000;
	bool is_served = false;
	while (!is_served && now_ns() < until_ns) {
		is_served = lyc_client_call(client, "lyceum.echo.v1.Echo/Say", hello, HELLO_LEN,
					    NULL, &reply, &len, NULL) == LYC_OK;
		if (is_served)
			free(reply);
		else
			nanosleep(&pause, NULL);
	}
	lyc_client_close(client);
	return is_served;
}

/* ---- with a log ---- */

static const struct daemon hub = {.name = "hub", .call = ECHO};

static bool start_hub(struct contestant *self, const struct setting *setting)
{
	self->kind = &hub;
	return greet(self, setting);
}

static void log_folder(char *to, size_t size, const struct setting *setting)
{
	snprintf(to, size, "%s/%s.data/log", setting->folder, hub.name);
}

static bool is_cold(const struct workload *work)
{
	return work->kind != NULL;
}

/* Once: the log; and the start that reads all of it, which is not measured. */
static void fill_hub(struct contestant *self, const struct setting *setting,
		     const struct workload *work)
{
	static bool is_filled;
	char folder[300];
	struct lyc_error error = {0};
	struct contestant first = *self;
	if (work->count == 0 || is_filled)
		return;
	is_filled = true;
	snprintf(folder, sizeof(folder), "%s/%s.data", setting->folder, hub.name);
	(void)mkdir(folder, 0700);
	log_folder(folder, sizeof(folder), setting);
	uint64_t from_ns = now_ns();
	if (start_tape_write(hub.name, folder, work->count, &error) != LYC_OK)
		snprintf(self->missing, sizeof(self->missing), "%.280s", error.text);
	else if (!start_hub(&first, setting))
		snprintf(self->missing, sizeof(self->missing), "the first start failed");
	else
		printf("%zu records written, and read at the first start: %.1f s\n", work->count,
		       (double)(now_ns() - from_ns) / 1e9);
	process_end(first.broker);
}

static bool has_log(const struct contestant *self, const struct workload *work)
{
	(void)self;
	return work->count > 0;
}

static bool has_none(const struct contestant *self, const struct workload *work)
{
	(void)self;
	return work->count == 0;
}

/* ---- rounds ---- */

struct starter {
	start_fn start;
};

static void start_round(const struct contestant *self, const struct setting *setting,
			const struct workload *work, struct measure *ret_measure)
{
	static double times[MOST_STARTS];
	const struct starter *starter = self->kind;
	char folder[300];
	size_t count = 0;
	log_folder(folder, sizeof(folder), setting);
	uint64_t until_ns = now_ns() + setting->round_ms * 1000000;
	while ((count < LEAST_STARTS || now_ns() < until_ns) && count < MOST_STARTS) {
		struct contestant one = *self;
		if (is_cold(work))
			start_tape_forget(folder);
		bool is_up = starter->start(&one, setting);
		times[count++] = (double)(now_ns() - process_started_ns()) / 1e6;
		process_end(one.broker);
		if (!is_up) {
			contest_fail(ret_measure, "%s",
				     one.missing[0] ? one.missing : "nobody was answered");
			return;
		}
	}
	ret_measure->value = spread_of(times, count).median;
}

enum who { NATS, REDIS, MOSQUITTO, LYCEUM, SERVING, HUB, CONTESTANTS };

static const struct starter starters[CONTESTANTS] = {
	[NATS] = {start_nats},     [REDIS] = {start_redis},     [MOSQUITTO] = {start_mosquitto},
	[LYCEUM] = {start_lyceum}, [SERVING] = {start_serving}, [HUB] = {start_hub},
};

static bool find_program(struct contestant *self, const struct setting *setting)
{
	char path[300];
	const struct starter *starter = self->kind;
	const char *name = starter->start == start_nats    ? "nats-server"
			   : starter->start == start_redis ? "redis-server"
							   : "mosquitto";
	(void)setting;
	if (process_find(name, path, sizeof(path)))
		return true;
	snprintf(self->missing, sizeof(self->missing), "%s is not installed (Debian: %s)", name,
		 name);
	return false;
}

#define PEER(name, number)                                                                         \
	{                                                                                          \
		.who = (name), .kind = &starters[number], .is_optional = true, .can = has_none,    \
		.start = find_program, .round = start_round                                        \
	}

static struct contestant contestants[CONTESTANTS] = {
	[NATS] = PEER("nats-server", NATS),
	[REDIS] = PEER("redis-server", REDIS),
	[MOSQUITTO] = PEER("mosquitto", MOSQUITTO),
	[LYCEUM] = {.who = "Lyceum, accepting",
		    .meaning = "its keys and 1,000 grants read, its log opened, its own check of "
			       "who may connect tried from outside; a peer has its Welcome",
		    .kind = &starters[LYCEUM],
		    .can = has_none,
		    .round = start_round},
	[SERVING] = {.who = "Lyceum, a plugin serving",
		     .meaning = "the same, then the plugin's process started, its schema "
				"registered and a call answered",
		     .kind = &starters[SERVING],
		     .can = has_none,
		     .round = start_round},
	[HUB] = {.who = "Lyceum",
		 .meaning = "after a proper stop; cold: nothing of it is in the page cache",
		 .kind = &starters[HUB],
		 .can = has_log,
		 .before = fill_hub,
		 .round = start_round},
};

static const char cold[] = "cold";

#define START(text, records, is)                                                                   \
	{                                                                                          \
		.name = "start", .title = text, .unit = "ms", .is_less_better = true,              \
		.count = (records), .kind = (is)                                                   \
	}

static struct workload workloads[] = {
	START("a small log, on loopback", 0, NULL),
	START("10,000,000 records of 100,000 subjects in the log", 10000000, NULL),
	START("the same, cold", 10000000, cold),
};

int main(int argc, char **argv)
{
	static const struct contest contest = {
		.name = "start",
		.title = "From start to the first answer",
		.contestants = contestants,
		.contestant_count = CONTESTANTS,
		.reference = NATS,
		.workloads = workloads,
		.workload_count = sizeof(workloads) / sizeof(workloads[0]),
		.round_ms = 500,
	};
	workloads[0].target = "Lyceum, accepting: floor 50 ms, aim 15 ms";
	workloads[1].target = "below one second";
	return contest_main(&contest, argc, argv);
}
